//! How a table's columns follow what was found, within the crawler's policy.

use crate::crawler::UpdateBehavior;
use model::{Column, ColumnChange, HiveType, Schema};

/// A table's columns after a crawl.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Evolved {
    pub(crate) columns: Vec<Column>,
    pub(crate) applied: Vec<ColumnChange>,
    pub(crate) left: Vec<ColumnChange>,
}

/// Applies a policy. `partial` says that only a part of the table was looked at: nothing is removed then, and types
/// are only widened. Comments and the spelling of known names stay.
pub(crate) fn evolve(existing: &[Column], found: &Schema, policy: UpdateBehavior, partial: bool) -> Evolved {
    let known = Schema::new(existing.to_vec());
    let target = wanted(&known, found, partial);
    let changes = known.changes_to(&target);
    match policy {
        UpdateBehavior::UpdateInDatabase => {
            Evolved { columns: target.columns, applied: changes, left: Vec::new() }
        }
        UpdateBehavior::Log => Evolved { columns: existing.to_vec(), applied: Vec::new(), left: changes },
        UpdateBehavior::AddNewColumnsOnly => {
            let mut columns = existing.to_vec();
            columns.extend(target.columns.into_iter().filter(|column| known.column(&column.name).is_none()));
            let (applied, left) =
                changes.into_iter().partition(|change| matches!(change, ColumnChange::Added { .. }));
            Evolved { columns, applied, left }
        }
    }
}

fn wanted(known: &Schema, found: &Schema, partial: bool) -> Schema {
    if !partial {
        return Schema::new(
            found.columns.iter().map(|new| follow(known, new, new.hive_type.clone())).collect(),
        );
    }
    let mut columns: Vec<Column> = known
        .columns
        .iter()
        .map(|old| match found.column(&old.name) {
            Some(new) => {
                let wider = old.hive_type.common(&new.hive_type).unwrap_or(HiveType::String);
                Column { hive_type: wider, ..old.clone() }
            }
            None => old.clone(),
        })
        .collect();
    columns.extend(found.columns.iter().filter(|new| known.column(&new.name).is_none()).cloned());
    Schema::new(columns)
}

fn follow(known: &Schema, new: &Column, hive_type: HiveType) -> Column {
    match known.column(&new.name) {
        Some(old) => Column { name: old.name.clone(), hive_type, comment: old.comment.clone() },
        None => new.clone(),
    }
}

/// A table's partition keys after a crawl. Names that people gave to unnamed keys stay, types change only when the
/// known one cannot hold the values; none when the keys themselves differ.
pub(crate) fn evolve_keys(existing: &[Column], found: &[Column]) -> Option<Vec<Column>> {
    if existing.len() != found.len() {
        return None;
    }
    existing
        .iter()
        .zip(found)
        .map(|(old, new)| {
            let unnamed = new.name.starts_with("partition_");
            if !unnamed && !old.name.eq_ignore_ascii_case(&new.name) {
                return None;
            }
            let holds = old.hive_type == HiveType::String || new.hive_type.widens_to(&old.hive_type);
            let hive_type = if holds {
                old.hive_type.clone()
            } else {
                old.hive_type.common(&new.hive_type).unwrap_or(HiveType::String)
            };
            Some(Column { hive_type, ..old.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<Column> {
        text.split_whitespace()
            .map(|pair| {
                let (name, hive_type) = pair.split_once(':').unwrap();
                Column::new(name, hive_type.parse().unwrap())
            })
            .collect()
    }

    fn shown(columns: &[Column]) -> String {
        columns.iter().map(|c| format!("{}:{}", c.name, c.hive_type)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn policies() {
        use UpdateBehavior as U;
        let old = columns("Id:int gone:date");
        let new = Schema::new(columns("id:bigint note:string"));
        for (policy, partial, after, applied, left) in [
            (U::UpdateInDatabase, false, "Id:bigint note:string", 3, 0),
            (U::UpdateInDatabase, true, "Id:bigint gone:date note:string", 2, 0),
            (U::AddNewColumnsOnly, false, "Id:int gone:date note:string", 1, 2),
            (U::Log, false, "Id:int gone:date", 0, 3),
        ] {
            let evolved = evolve(&old, &new, policy, partial);
            assert_eq!(shown(&evolved.columns), after, "{policy:?}");
            assert_eq!((evolved.applied.len(), evolved.left.len()), (applied, left), "{policy:?}");
        }
    }

    #[test]
    fn comments_stay_and_nothing_new_is_no_change() {
        let mut old = columns("a:int b:string");
        old[0].comment = Some("people wrote this".into());
        let evolved =
            evolve(&old, &Schema::new(columns("A:int B:string")), UpdateBehavior::UpdateInDatabase, false);
        assert_eq!(evolved, Evolved { columns: old, ..Evolved::default() });
    }

    #[test]
    fn keys() {
        let keys = |old, new| evolve_keys(&columns(old), &columns(new)).map(|keys| shown(&keys));
        assert_eq!(keys("region:string", "partition_0:string").as_deref(), Some("region:string"));
        assert_eq!(keys("year:int", "year:string").as_deref(), Some("year:string"));
        assert_eq!(keys("year:string", "year:int").as_deref(), Some("year:string"));
        assert_eq!(keys("year:int", "year:bigint").as_deref(), Some("year:bigint"));
        assert_eq!(keys("year:int", "month:int"), None);
        assert_eq!(keys("year:int", "year:int month:int"), None);
    }
}
