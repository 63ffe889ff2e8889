//! Work on several threads.

use model::{Error, Result};

/// Does something with each item, on at most so many threads; the answers are in the items' order.
pub(crate) fn each<T: Send, R: Send>(
    tasks: usize,
    items: Vec<T>,
    work: impl Fn(T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if tasks <= 1 || items.len() <= 1 {
        return items.into_iter().map(work).collect();
    }
    let share = items.len().div_ceil(tasks);
    let mut items = items.into_iter();
    let mut shares: Vec<Vec<T>> = Vec::new();
    loop {
        let part: Vec<T> = items.by_ref().take(share).collect();
        if part.is_empty() {
            break;
        }
        shares.push(part);
    }
    let work = &work;
    let done: Vec<Result<Vec<R>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = shares
            .into_iter()
            .map(|part| scope.spawn(move || part.into_iter().map(work).collect::<Result<Vec<R>>>()))
            .collect();
        let broken = || Err(Error::internal("a task of the application panicked"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| broken())).collect()
    });
    let mut all = Vec::new();
    for part in done {
        all.extend(part?);
    }
    Ok(all)
}
