//! A task: what to make, read and checked before anything is written. Each kind of task is one module and one line of
//! [`KINDS`]; this file knows only that a kind can be read and run.

use crate::fields::{Field, Fields};
use crate::json::{self, Source};
use crate::{Options, Output, Report, StreamTarget, Watch, access_log, anpr, plain, stream, taxi, windowed};
use model::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;

/// Every kind of task.
const KINDS: &[Kind] = &[windowed::KIND, plain::KIND, access_log::KIND, anpr::KIND, taxi::KIND, stream::KIND];

/// One kind: its `@type` and how its fields are read.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) parse: fn(&Field<'_>) -> Result<Arc<dyn Work>>,
}

/// Work that was read and checked.
pub(crate) trait Work: Send + Sync + std::fmt::Debug {
    /// The task's `@type`.
    fn kind(&self) -> &'static str;

    /// Rows, lines or events it will make.
    fn rows(&self) -> u64;

    /// The stream that it sends to.
    fn stream_target(&self) -> Option<&StreamTarget> {
        None
    }

    /// Does it.
    fn run(&self, seed: u64, options: &Options<'_>, watch: &dyn Watch) -> Result<Report>;
}

/// What to make, read and checked.
#[derive(Debug, Clone)]
pub struct Task {
    work: Arc<dyn Work>,
    seed: Option<u64>,
}

impl Task {
    /// Reads the text of a task file. Whatever is wrong with it is found here: syntax, unknown, missing or wrong fields,
    /// and values that contradict each other, each with its line and column in `file_name`.
    pub fn parse(file_name: &str, text: &str) -> Result<Self> {
        let source = Source { file: file_name, text };
        let node = json::parse(source)?;
        let root = Field::root(source, &node);
        let names: Vec<&'static str> = KINDS.iter().map(|kind| kind.name).collect();
        let name = root.tag(&names)?;
        let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
            return Err(Error::internal(format!("the kind of task `{name}` is not registered")));
        };
        let work = (kind.parse)(&root)?;
        Ok(Self { work, seed: random_seed(&root)? })
    }

    /// The task's `@type`.
    pub fn kind(&self) -> &'static str {
        self.work.kind()
    }

    /// The task's own seed; without one, [`Options::seed`] is used.
    pub fn random_seed(&self) -> Option<u64> {
        self.seed
    }

    /// The stream that its events go to, if the task names one and no file.
    pub fn stream_target(&self) -> Option<&StreamTarget> {
        self.work.stream_target()
    }

    /// How many rows, lines or events it will make.
    pub fn rows(&self) -> u64 {
        self.work.rows()
    }
}

/// Does what the task says. Blocks the thread, and uses further ones where there is work for them.
pub fn run(task: &Task, options: &Options<'_>, watch: &dyn Watch) -> Result<Report> {
    let seed = task.seed.unwrap_or(options.seed);
    if watch.cancelled() {
        return Err(Error::cancelled());
    }
    task.work.run(seed, options, watch)
}

fn random_seed(root: &Field<'_>) -> Result<Option<u64>> {
    let fields = Fields::of(root);
    fields.optional("randomSeed").map(|field| field.seed()).transpose()
}

/// The folder that a task of several files writes to.
pub(crate) fn output_folder(options: &Options<'_>, of_task: &str) -> Result<PathBuf> {
    match &options.output {
        None => Ok(options.base_dir.join(of_task)),
        Some(Output::Path(path)) => Ok(options.base_dir.join(path)),
        Some(Output::Stdout) => {
            Err(Error::invalid("this task makes several files and cannot write to standard output")
                .hint("name a folder with `--output DIR`"))
        }
    }
}

/// Splits work items among threads, and gathers their results in the order of the items; the first error wins, and
/// keeps the threads from beginning anything further.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let one_thread = || {
        let mut results = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let result = work(item);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.push((index, result));
        }
        results
    };
    let mut results: Vec<(usize, Result<R>)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(one_thread)).collect();
        let lost = |_| vec![(0, Err(Error::internal("a thread of the generator died")))];
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_else(lost)).collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
