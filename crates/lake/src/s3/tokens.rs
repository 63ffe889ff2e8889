//! Where a server wants a listing to go on. Asked for "what comes after this key", servers that do not keep S3's order
//! repeat or leave out keys; asked with their own token they do not. So the tokens of recent pages are remembered.

use crate::store::{Bound, Listed, ScanRequest};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// How many pages are remembered; one that is forgotten is asked for by its key.
const REMEMBERED: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Tokens {
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    tokens: HashMap<Page, String>,
    order: VecDeque<Page>,
}

/// Bucket, prefix, delimiter, and the last key or common prefix before the page.
type Page = (String, String, Option<String>, String);

fn page(request: &ScanRequest, last: &str) -> Page {
    (request.bucket.to_string(), request.prefix.clone(), request.delimiter.clone(), last.to_owned())
}

impl Tokens {
    /// The token for a page that follows one listed before. Each is given out once: the next listing may differ.
    pub(super) fn take(&self, request: &ScanRequest) -> Option<String> {
        let (Bound::After(last) | Bound::Past(last)) = &request.bound else { return None };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.tokens.remove(&page(request, last))
    }

    /// Keeps the token of the page that follows these items.
    pub(super) fn keep(&self, request: &ScanRequest, items: &[(String, Listed)], token: &str) {
        let Some((last, _)) = items.last() else { return };
        let page = page(request, last);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.tokens.insert(page.clone(), token.to_owned());
        recent.order.push_back(page);
        while recent.order.len() > REMEMBERED {
            if let Some(oldest) = recent.order.pop_front() {
                recent.tokens.remove(&oldest);
            }
        }
    }
}
