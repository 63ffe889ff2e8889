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

/// What an answer is made of, but for the files.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    digest: [u8; 32],
    has_lambdas: bool,
    session: Arc<Session>,
}

impl Basis {
    /// Of a query that was analyzed; `None` where nobody wants to know, and where the answer may be another one each time.
    pub(crate) fn of(context: &Context, analyzed: &Analyzed, tables: &OpenTables) -> Option<Self> {
        context.counters().files_state()?;
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
        let texts = || tables.texts().chain([context.source.text.as_str()]);
        let has_lambdas = texts().any(|text| text.contains("->"));
        let basis = Self { digest: digest.finalize().into(), has_lambdas, session: Arc::clone(session) };
        (!texts().any(goes_by_chance)).then_some(basis)
    }

    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether there may be lambdas in it.
    pub(crate) fn has_lambdas(&self) -> bool {
        self.has_lambdas
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }
}

/// What an answer is made of.
#[derive(Debug, Clone)]
pub struct Origin {
    digest: [u8; 32],
    session: Arc<Session>,
}

impl Origin {
    /// Of a query that was planned: its files are known.
    pub(crate) fn of(context: &Context, basis: Basis) -> Option<Self> {
        let files = context.counters().files_state()?;
        let mut digest = Sha256::new();
        digest.update(basis.digest);
        digest.update(files);
        Some(Self { digest: digest.finalize().into(), session: basis.session })
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
