//! What happened in a crawler's targets since it last looked: events become a durable list of folders.

use crate::crawler::{Crawler, Recrawl, Target};
use crate::store::{Folders, Store};
use model::{ErrorKind, Result};
use state::Events;
use state::events::Filter;
use std::collections::BTreeSet;

/// Events acknowledged together.
const BATCH: usize = 500;

/// The events that crawlers wait for.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub(crate) events: Events,
    pub(crate) store: Store,
}

impl Inbox {
    /// Subscribes a crawler that goes by events, and ends the subscription of one that does not.
    pub(crate) async fn follow(&self, crawler: &Crawler) -> Result<()> {
        if crawler.recrawl == Recrawl::ByEvent {
            self.events.subscribe(&subscription(&crawler.name), filter(crawler)).await?;
            return Ok(());
        }
        self.leave(&crawler.name).await
    }

    /// Ends a crawler's subscription, if there is one.
    pub(crate) async fn leave(&self, crawler: &str) -> Result<()> {
        match self.events.unsubscribe(&subscription(crawler)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Moves what has happened into the crawler's list of pending folders. An event is acknowledged only when its
    /// folder is on the list.
    pub(crate) async fn collect(&self, crawler: &Crawler) -> Result<()> {
        let mut inbox = self.events.subscribe(&subscription(&crawler.name), filter(crawler)).await?;
        loop {
            let mut folders = BTreeSet::new();
            let mut last = None;
            for _ in 0..BATCH {
                let Some(event) = inbox.try_next().await? else { break };
                if is_under_a_target(crawler, &event.subject)
                    && let Some((folder, _)) = event.subject.rsplit_once('/')
                {
                    // A bucket's own address ends with a slash.
                    let is_bucket = folder.matches('/').count() == 2;
                    folders.insert(if is_bucket { format!("{folder}/") } else { folder.to_owned() });
                }
                last = Some(event.id).max(last);
            }
            let Some(last) = last else { return Ok(()) };
            self.store.remember(&crawler.name, Folders::Pending, &folders).await?;
            inbox.ack_through(last).await?;
        }
    }
}

fn subscription(crawler: &str) -> String {
    format!("crawl/{crawler}")
}

fn filter(crawler: &Crawler) -> Filter {
    let prefix = match crawler.targets.as_slice() {
        [Target::S3 { path, .. }] => path.to_string(),
        _ => "s3://".to_owned(),
    };
    Filter { kinds: vec!["object.created".to_owned(), "object.deleted".to_owned()], subject_prefix: prefix }
}

fn is_under_a_target(crawler: &Crawler, subject: &str) -> bool {
    crawler.targets.iter().any(|target| match target {
        Target::S3 { path, .. } => subject.starts_with(&path.to_string()),
        Target::Local { .. } => false,
    })
}
