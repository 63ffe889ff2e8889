//! The way through the index for a filter that leaves keys out: `month = 6 AND day = 3` of a table by region, month, day.
//!
//! Databases do not jump over a free key by themselves. So its distinct values are looked up (each is one jump in the
//! index) and, when they are few, given as a list: then the filter fixes every key from the first on. When they are many
//! (a customer's number), the index of a later key alone is taken, if that leaves few rows.

use super::super::get;
use super::row::AnyQuery;
use crate::filter::{Constraint, Filter};
use crate::keys::NULL;
use model::Result;
use sqlx::AssertSqlSafe;
use state::{Dialect, Transaction, db};

/// How many combinations of the listed values an index is asked for at most: each costs microseconds.
const COMBINATIONS: usize = 1000;

/// How many rows the index of one key may leave to be looked at.
const FEW: i64 = 5000;

/// Conditions that change nothing in the answer, but show the database the way.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Begins with ` AND `, or is empty.
    pub(super) sql: String,
    pub(super) binds: Vec<String>,
    /// The key whose own index is to be used; for the first key, that of all keys.
    pub(super) index: Option<usize>,
}

/// A condition on one key.
struct Step {
    key: usize,
    constraint: Constraint,
    /// Whether its values were looked up, as the filter does not give them.
    is_gap: bool,
}

pub(super) struct Planner<'a> {
    pub(super) tx: &'a mut Transaction,
    pub(super) dialect: Dialect,
    pub(super) table: i64,
}

impl Planner<'_> {
    /// The way for that filter over so many key columns; placeholders are numbered from `first` on.
    pub(super) async fn plan(mut self, filter: &Filter, columns: usize, first: usize) -> Result<Plan> {
        let constraints: Vec<Constraint> = (0..columns).map(|key| filter.constraint(key)).collect();
        let Some(last) = constraints.iter().rposition(|constraint| *constraint != Constraint::Free) else {
            return Ok(Plan::default());
        };
        let (mut steps, mut combinations) = (Vec::new(), 1);
        for key in 0..=last {
            let step = match &constraints[key] {
                points @ Constraint::Points(_) => Step { key, constraint: points.clone(), is_gap: false },
                limits if key == last => Step { key, constraint: limits.clone(), is_gap: false },
                limits => match self.distinct(key, COMBINATIONS / combinations).await? {
                    Some(values) => Step { key, constraint: Constraint::Points(values), is_gap: true },
                    None => {
                        let natural = Step { key, constraint: limits.clone(), is_gap: false };
                        steps.push(natural);
                        return self.around(steps, &constraints[key..=last], first).await;
                    }
                },
            };
            if let Constraint::Points(values) = &step.constraint {
                combinations = combinations.saturating_mul(values.len().max(1));
            }
            if combinations > COMBINATIONS {
                break;
            }
            steps.push(step);
        }
        Ok(write(steps, first))
    }

    /// The way around a key with too many values, the last of `steps`: the index of a later key, if that leaves few.
    async fn around(&mut self, steps: Vec<Step>, behind: &[Constraint], first: usize) -> Result<Plan> {
        let wide = steps.last().map_or(0, |step| step.key);
        let natural = write(steps, first);
        // PostgreSQL counts by itself.
        if self.dialect == Dialect::Postgres {
            return Ok(natural);
        }
        let mut best = (FEW + 1, natural);
        if !best.1.binds.is_empty() {
            best.0 = self.count(&best.1, first).await?;
        }
        for (offset, constraint) in behind.iter().enumerate() {
            let key = wide + offset;
            let is_indexed = match constraint {
                Constraint::Points(values) => !values.iter().any(|value| value == NULL),
                Constraint::Limits(_) => true,
                Constraint::Free => false,
            };
            if key == 0 || !is_indexed {
                continue;
            }
            let mut plan = write(vec![Step { key, constraint: constraint.clone(), is_gap: false }], first);
            plan.sql.push_str(&format!(" AND k{key} <> ''"));
            plan.index = Some(key);
            let count = self.count(&plan, first).await?;
            if count < best.0 {
                best = (count, plan);
            }
        }
        Ok(best.1)
    }

    /// All values of a key, null among them. None when there are more than that many.
    async fn distinct(&mut self, key: usize, limit: usize) -> Result<Option<Vec<String>>> {
        let of = format!("SELECT MIN(k{key}) FROM catalog_partitions WHERE table_id = $1 AND k{key} <> ''");
        let sql = format!(
            "WITH RECURSIVE found (k) AS (
                {of}
                UNION ALL
                SELECT ({of} AND k{key} > found.k) FROM found WHERE found.k IS NOT NULL)
             SELECT k FROM found WHERE k IS NOT NULL LIMIT {}",
            limit + 1
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(self.table)
            .fetch_all(&mut **self.tx)
            .await
            .map_err(|e| db::failed("looking up a key's values", e))?;
        if rows.len() > limit {
            return Ok(None);
        }
        let mut values = vec![NULL.to_owned()];
        for row in &rows {
            values.push(get(row, 0)?);
        }
        Ok(Some(values))
    }

    /// How many rows a plan's conditions leave; counting stops soon.
    async fn count(&mut self, plan: &Plan, first: usize) -> Result<i64> {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM catalog_partitions{} WHERE table_id = $1{} LIMIT {})",
            plan.indexed_by(self.dialect),
            renumbered(&plan.sql, first),
            FEW + 1
        );
        let mut query: AnyQuery<'_> = sqlx::query(AssertSqlSafe(sql)).bind(self.table);
        for bind in &plan.binds {
            query = query.bind(bind.clone());
        }
        let row = query.fetch_one(&mut **self.tx).await.map_err(|e| db::failed("choosing an index", e))?;
        get(&row, 0)
    }
}

impl Plan {
    /// SQLite's word for the chosen index. PostgreSQL has none, and chooses well by its statistics.
    pub(super) fn indexed_by(&self, dialect: Dialect) -> String {
        match (dialect, self.index) {
            (Dialect::Postgres, _) | (_, None) => String::new(),
            (Dialect::Sqlite, Some(0)) => " INDEXED BY catalog_partitions_keys".to_owned(),
            (Dialect::Sqlite, Some(key)) => format!(" INDEXED BY catalog_partitions_k{key}"),
        }
    }
}

/// The conditions of these steps. Looked-up values at the end would lead nowhere.
fn write(mut steps: Vec<Step>, first: usize) -> Plan {
    while steps.last().is_some_and(|step| step.is_gap || step.constraint == Constraint::Free) {
        steps.pop();
    }
    let mut plan = Plan::default();
    if steps.first().is_some_and(|step| step.key == 0) {
        plan.index = Some(0);
    }
    for Step { key, constraint, .. } in steps {
        match constraint {
            Constraint::Points(values) if values.is_empty() => plan.sql.push_str(" AND 1 = 0"),
            Constraint::Points(values) => {
                let places: Vec<String> = values.into_iter().map(|value| plan.bind(value, first)).collect();
                plan.sql.push_str(&format!(" AND k{key} IN ({})", places.join(", ")));
            }
            Constraint::Limits(limits) => {
                for (operator, value) in limits {
                    let place = plan.bind(value, first);
                    plan.sql.push_str(&format!(" AND k{key} {operator} {place}"));
                }
            }
            Constraint::Free => {}
        }
    }
    plan
}

impl Plan {
    fn bind(&mut self, value: String, first: usize) -> String {
        self.binds.push(value);
        format!("${}", first + self.binds.len() - 1)
    }
}

/// The same conditions with placeholders from `$2` on, as a count has no others before them.
fn renumbered(sql: &str, first: usize) -> String {
    let mut pieces = sql.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let length = piece.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = piece[..length].parse().unwrap_or(first);
        text.push_str(&format!("${}{}", number - first + 2, &piece[length..]));
    }
    text
}
