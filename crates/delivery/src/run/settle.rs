//! What belongs to a batch but is no object: partitions of the catalog, positions, totals, word of the objects. It is on
//! record before the objects are published. A marker among the objects decides after a crash: with it the batch is
//! delivered, and the rest is done; without it nothing has happened, and the batch is written again between the same
//! places.

use super::driver::Driver;
use crate::store::{NewPartitions, Plan, Stored};
use catalog::Partition;
use model::{EntityName, Error, ErrorKind, LakeUri, Result};
use serde_json::json;
use state::db;
use state::events::NewEvent;
use state::runs::RunContext;

impl Driver {
    /// Where the marker of a batch lies.
    pub(crate) fn marker(&self, beside: &LakeUri, number: u64) -> Result<LakeUri> {
        let key = format!("_glulam/commits/delivery-{}-{}-{number}", self.name, self.id);
        LakeUri::new(beside.bucket().clone(), key)
    }

    /// Whether the objects of a batch were published.
    pub(crate) async fn is_published(&self, plan: &Plan) -> Result<bool> {
        let Some(marker) = &plan.marker else { return Ok(false) };
        match self.rooms.lake.head(marker).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Does what belongs to a batch whose objects are published. To do it twice does no harm.
    pub(crate) async fn settle(&self, plan: &Plan, run: &RunContext) -> Result<()> {
        if let Some(new) = &plan.partitions
            && let Err(error) = self.register(new).await
        {
            if error.kind().may_pass() {
                return Err(error);
            }
            // The objects are there: what the catalog refuses for good must not keep the next ones.
            run.error(format!("the objects are delivered, but not in the catalog: {error}")).await;
        }
        crashpoint::hit("delivery.batch.before_settle");
        let events = &self.rooms.events;
        let mut tx = self.store.begin().await?;
        self.store.settle(&mut tx, &self.name, &self.id, plan).await?;
        let mut tickets = Vec::with_capacity(plan.objects.len());
        for object in &plan.objects {
            let event = NewEvent::new("object.created", object.to_string(), json!({ "run": run.id() }));
            tickets.push(events.publish_in(&mut tx, event).await?);
        }
        db::commit(tx).await?;
        tickets.into_iter().for_each(|ticket| events.committed(ticket));
        crashpoint::hit("delivery.batch.settled");
        self.tidy(plan).await
    }

    /// Removes the marker of a batch that is settled.
    pub(crate) async fn tidy(&self, plan: &Plan) -> Result<()> {
        let Some(marker) = &plan.marker else { return Ok(()) };
        match self.rooms.lake.delete(marker).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn register(&self, new: &NewPartitions) -> Result<()> {
        let (database, table) = (EntityName::new(&new.database)?, EntityName::new(&new.table)?);
        let storage = self.rooms.catalog.get_table(&database, &table).await?.table.storage;
        let partitions = new.partitions.iter().map(|(values, location)| Partition {
            storage: catalog::StorageDescriptor { location: Some(location.clone()), ..storage.clone() },
            ..Partition::new(values.clone())
        });
        let outcome = self.rooms.catalog.create_partitions(&database, &table, partitions.collect()).await?;
        let refused = outcome.errors.into_iter().find(|(_, error)| error.kind() != ErrorKind::AlreadyExists);
        refused.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Makes good what a process before has left; answers the batch that must be written again.
    pub(crate) async fn recover(&self, stored: &Stored, run: &RunContext) -> Result<Option<Plan>> {
        let Some(plan) = &stored.plan else { return Ok(None) };
        if plan.settled {
            self.tidy(plan).await?;
            return Ok(None);
        }
        if self.is_published(plan).await? {
            self.settle(plan, run).await?;
            return Ok(None);
        }
        if plan.version != stored.version || !plan.gathered.is_there(&*self.rooms.log, self.stream()).await? {
            // Nothing of it can be seen, and its settings are others now, or its records went with their shard.
            self.store.drop_plan(&self.name, &self.id).await?;
            return Ok(None);
        }
        Ok(Some(plan.clone()))
    }

    /// The delivery stream was deleted, perhaps made again, while this one still worked.
    pub(crate) fn gone(&self) -> Error {
        Error::conflict(format!("the delivery stream `{}` was deleted meanwhile", self.name))
    }
}
