//! The reading half of a crawl: lists a target, reads the chosen files, and says what is there.

use crate::apply::Presence;
use crate::classify::{Classifiers, Limits};
use crate::inventory::{Inventory, MAX_NAMES};
use crate::plan::{Finding, Known, needs_all};
use crate::reach::Reach;
use crate::sampling::{Pick, choose, picks};
use futures::StreamExt;
use model::{Error, ErrorKind, Result, Unit};
use state::runs::RunContext;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Files that are read at the same time.
const AT_ONCE: usize = 8;

/// Which folders of a target were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of them.
    All,
    /// Only those that no crawl had seen; nothing can be said about the others.
    New,
    /// Only these, by their path relative to the target.
    Folders(BTreeSet<String>),
}

/// A target after it was looked at.
pub(crate) struct Survey {
    pub(crate) reach: Reach,
    pub(crate) inventory: Inventory,
    pub(crate) scope: Scope,
    findings: BTreeMap<String, Vec<Finding>>,
    families: BTreeMap<String, String>,
}

/// How far the reading is.
pub(crate) struct Meter {
    pub(crate) context: RunContext,
    pub(crate) bytes: Arc<AtomicU64>,
    pub(crate) done: u64,
    pub(crate) total: u64,
}

impl Survey {
    pub(crate) fn new(reach: Reach, inventory: Inventory, scope: Scope) -> Self {
        Self { reach, inventory, scope, findings: BTreeMap::new(), families: BTreeMap::new() }
    }

    /// Reads the chosen files. Folders that turn out to mix kinds are read whole, up to a limit.
    pub(crate) async fn read(
        &mut self,
        classifiers: &Arc<Classifiers>,
        per_folder: usize,
        combine: bool,
        meter: &mut Meter,
    ) -> Result<()> {
        let sampling = choose(&self.inventory, per_folder);
        self.families = sampling.families;
        self.read_picks(sampling.picks, classifiers, meter).await?;
        let mut more = Vec::new();
        for (path, folder) in &self.inventory.folders {
            let Some(findings) = self.findings.get(path) else { continue };
            if needs_all(folder, findings, combine) {
                let known: BTreeSet<&str> = findings.iter().map(|finding| finding.name.as_str()).collect();
                let all = picks(path, folder, MAX_NAMES * folder.kinds.len());
                more.extend(all.into_iter().filter(|pick| !known.contains(pick.name.as_str())));
            }
        }
        self.read_picks(more, classifiers, meter).await
    }

    async fn read_picks(
        &mut self,
        picks: Vec<Pick>,
        classifiers: &Arc<Classifiers>,
        meter: &mut Meter,
    ) -> Result<()> {
        meter.total += picks.len() as u64;
        meter.context.progress(meter.done, Some(meter.total), Unit::Files);
        let tasks = picks.into_iter().map(|pick| {
            let (reach, classifiers, bytes) =
                (self.reach.clone(), Arc::clone(classifiers), Arc::clone(&meter.bytes));
            async move {
                // A task of its own, so that decoding uses all processors.
                tokio::spawn(async move { look(&reach, pick, &classifiers, bytes).await })
                    .await
                    .map_err(|e| Error::internal("reading an object was cut off").source_is(e))
            }
        });
        let mut read = futures::stream::iter(tasks).buffered(AT_ONCE);
        let stop = meter.context.cancelled();
        loop {
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Error::cancelled()),
                next = read.next() => next,
            };
            let Some(next) = next else { break };
            let (folder, finding) = next?;
            self.findings.entry(folder).or_default().push(finding);
            meter.done += 1;
            meter.context.progress(meter.done, Some(meter.total), Unit::Files);
            meter.context.count("files_read", 1);
        }
        drop(read);
        for findings in self.findings.values_mut() {
            findings.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(())
    }

    /// All that is known, for the plan.
    pub(crate) fn known(&self) -> Known<'_> {
        Known {
            root: &self.reach.root,
            root_name: &self.reach.root_name,
            root_level: self.reach.root_level,
            single_file: self.reach.single.is_some(),
            inventory: &self.inventory,
            findings: &self.findings,
            families: &self.families,
        }
    }

    /// Whether objects are left at an address of the catalog.
    pub(crate) fn presence(&self, location: &str) -> Presence {
        let Some(relative) = self.reach.relative(location) else { return Presence::Unknown };
        if self.reach.single.as_deref().is_some_and(|name| name != relative) {
            return Presence::Unknown;
        }
        if self.inventory.holds(relative) {
            return Presence::There;
        }
        match &self.scope {
            Scope::All => Presence::Gone,
            Scope::Folders(folders) if folders.contains(relative) => Presence::Gone,
            Scope::New | Scope::Folders(_) => Presence::Unknown,
        }
    }

    /// The addresses of the folders that hold objects.
    pub(crate) fn folders(&self) -> impl Iterator<Item = String> + '_ {
        self.inventory.folders.keys().map(|folder| format!("{}{folder}", self.reach.root))
    }
}

async fn look(
    reach: &Reach,
    pick: Pick,
    classifiers: &Classifiers,
    bytes: Arc<AtomicU64>,
) -> (String, Finding) {
    let relative =
        if pick.folder.is_empty() { pick.name.clone() } else { format!("{}/{}", pick.folder, pick.name) };
    let result = match reach.source(&relative, pick.size, bytes) {
        Ok(source) => classifiers.classify(source.as_ref(), &Limits::default()).await,
        Err(error) => Err(error),
    };
    let result = result.map(Arc::new).map_err(|error| match error.kind() {
        ErrorKind::NotFound => error.hint("it was deleted while the crawl was under way; crawl again"),
        _ => error,
    });
    (pick.folder, Finding { name: pick.name, size: pick.size, result })
}
