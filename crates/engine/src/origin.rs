//! What an answer is made of: the statement, the tables and views as the catalog has them, the files as they lie there.
//! As long as these are the same, the answer is too, so whoever keeps answers can show one again.

use crate::query::Context;
use crate::tables::OpenTables;
use functions::Session;
use plan::Analyzed;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Functions and clauses whose values are others each time.
const BY_CHANCE: [&str; 6] = ["random", "rand", "secure_random", "uuid", "shuffle", "tablesample"];

/// What an answer is made of.
#[derive(Debug, Clone)]
pub struct Origin {
    digest: [u8; 32],
    session: Arc<Session>,
}

impl Origin {
    /// Of a query that was analyzed and planned; `None` where nobody wants to know, and where the answer may be another
    /// one each time.
    pub(crate) fn of(context: &Context, analyzed: &Analyzed, tables: &OpenTables) -> Option<Self> {
        let files = context.counters().files_state()?;
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        };
        let session = &context.session;
        for text in [&context.source.text, &session.schema, &session.user, &format!("{:?}", session.zone)] {
            add(text);
        }
        // Years of two digits are understood by that of the query.
        add(&format!("{} {:?}", session.year(), context.parameters));
        add(&format!("{:?}", analyzed.columns));
        for version in tables.versions()? {
            add(&version);
        }
        let by_chance = tables.texts().any(goes_by_chance) || goes_by_chance(&context.source.text);
        digest.update(files);
        (!by_chance).then(|| Self { digest: digest.finalize().into(), session: Arc::clone(session) })
    }

    /// Two answers with the same key are the same. `None` once something in the query has asked for the time.
    pub fn key(&self) -> Option<[u8; 32]> {
        (!self.session.knows_time()).then_some(self.digest)
    }
}

/// Whether a statement may use chance: a column of such a name counts too.
fn goes_by_chance(text: &str) -> bool {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.into_iter().any(|word| BY_CHANCE.iter().any(|one| word.eq_ignore_ascii_case(one)))
}

#[cfg(test)]
mod tests {
    use super::goes_by_chance;

    #[test]
    fn chance_is_seen() {
        for (text, expected) in [
            ("SELECT random()", true),
            ("SELECT a, RAND( 3 ) FROM t", true),
            ("SELECT * FROM t TABLESAMPLE BERNOULLI (5)", true),
            ("SELECT transform(a, x -> uuid()) FROM t", true),
            ("SELECT brand, randomness FROM t", false),
            ("SELECT count(*) FROM t", false),
        ] {
            assert_eq!(goes_by_chance(text), expected, "{text}");
        }
    }
}
