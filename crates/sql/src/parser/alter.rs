//! ALTER DATABASE and ALTER TABLE.

use super::Parser;
use crate::ast::{AlterAction, AlterTable, ColumnPosition, QualifiedName, Statement};
use model::Result;

/// What Hive can and Athena cannot, with what to do instead.
const FOREIGN: &[(&str, &str)] = &[
    ("RENAME", "create the table anew under its new name at the same location, and drop the old one"),
    ("ARCHIVE", "Athena does not archive partitions"),
    ("UNARCHIVE", "Athena does not archive partitions"),
    ("TOUCH", "leave it out"),
    ("CLUSTERED", "write the data anew with CREATE TABLE AS and bucketed_by"),
    ("NOT", "write the data anew with CREATE TABLE AS"),
    ("SKEWED", "leave it out"),
    ("EXCHANGE", "add the partition with its location to the other table"),
    ("COMPACT", "write the data anew with CREATE TABLE AS"),
    ("CONCATENATE", "write the data anew with CREATE TABLE AS"),
    ("ENABLE", "leave it out"),
    ("DISABLE", "leave it out"),
    ("UNSET", "set the property to an empty string"),
    ("OWNER", "permissions are not managed with SQL"),
    ("RECOVER", "write `MSCK REPAIR TABLE name`"),
    ("EXECUTE", "only Iceberg tables have such procedures"),
    ("ALTER", "write `CHANGE COLUMN old new type`"),
    ("MODIFY", "write `CHANGE COLUMN old new type`"),
];

impl Parser<'_> {
    pub(super) fn alter(&mut self) -> Result<Statement> {
        self.expect("ALTER")?;
        if self.accept("DATABASE") || self.accept("SCHEMA") {
            let name = self.hive_name("a database's name")?;
            self.expect_all(&["SET", "DBPROPERTIES"])?;
            return Ok(Statement::AlterDatabase { name, properties: self.properties()? });
        }
        let token = self.token(0);
        for (word, instead) in [
            ("VIEW", "write `CREATE OR REPLACE VIEW name AS …`"),
            ("INDEX", "there are no indexes"),
            ("USER", "permissions are not managed with SQL"),
            ("ROLE", "permissions are not managed with SQL"),
        ] {
            if self.is_word_at(0, word) {
                return self.refuse(&token, format!("ALTER {word} is not a statement of Athena's"), instead);
            }
        }
        self.expect("TABLE")?;
        let name = self.hive_name("a table's name")?;
        let action = self.alter_action(&name)?;
        Ok(Statement::AlterTable(Box::new(AlterTable { name, action })))
    }

    fn alter_action(&mut self, table: &QualifiedName) -> Result<AlterAction> {
        if self.accept("ADD") {
            return self.add();
        }
        if self.accept("DROP") {
            return self.drop_part();
        }
        let token = self.token(0);
        let partition = self.optional_partition()?;
        if partition.is_some() {
            if self.accept_all(&["RENAME", "TO"]) {
                self.expect("PARTITION")?;
                let to = self.partition_spec()?;
                return match partition {
                    Some(from) => Ok(AlterAction::RenamePartition { from, to }),
                    None => Err(self.unexpected()),
                };
            }
            if self.accept_all(&["ADD", "COLUMNS"]) {
                return Ok(AlterAction::AddColumns { partition, columns: self.columns()? });
            }
        }
        if self.accept_all(&["REPLACE", "COLUMNS"]) {
            return Ok(AlterAction::ReplaceColumns { partition, columns: self.columns()? });
        }
        if self.accept("SET") {
            return self.set(partition);
        }
        if partition.is_none() && self.accept("CHANGE") {
            return self.change();
        }
        if let Some((word, instead)) = FOREIGN.iter().find(|(word, _)| self.is_word_at(0, word)) {
            let what = format!("ALTER TABLE … {word} is not supported");
            let instead =
                if *word == "RENAME" { format!("{instead} (`{table}`)") } else { (*instead).to_owned() };
            let at = if partition.is_some() { token } else { self.token(0) };
            return self.refuse(&at, what, &instead);
        }
        Err(self.unexpected())
    }

    fn add(&mut self) -> Result<AlterAction> {
        if self.accept("COLUMNS") {
            return Ok(AlterAction::AddColumns { partition: None, columns: self.columns()? });
        }
        if self.accept("COLUMN") {
            return Ok(AlterAction::AddColumns { partition: None, columns: vec![self.column()?] });
        }
        let token = self.token(0);
        if self.is_word_at(0, "CONSTRAINT") || self.is_word_at(0, "PRIMARY") {
            return self.refuse(&token, "constraints are not supported", "leave the constraint out");
        }
        let if_not_exists = self.accept_all(&["IF", "NOT", "EXISTS"]);
        if !self.peek("PARTITION") {
            return Err(self.unexpected());
        }
        let mut partitions = Vec::new();
        while self.accept("PARTITION") {
            let spec = self.partition_spec()?;
            let location = if self.accept("LOCATION") { Some(self.hive_text()?) } else { None };
            partitions.push((spec, location));
            // Hive separates them by blanks; commas are a frequent habit.
            if self.is_word_at(1, "PARTITION") {
                self.take(",");
            }
        }
        Ok(AlterAction::AddPartitions { if_not_exists, partitions })
    }

    fn drop_part(&mut self) -> Result<AlterAction> {
        let token = self.token(0);
        if self.is_word_at(0, "COLUMN") || self.is_word_at(0, "COLUMNS") {
            let hint = "write `ALTER TABLE … REPLACE COLUMNS (…)` with the columns that stay";
            return self.refuse(&token, "ALTER TABLE … DROP COLUMN is not supported", hint);
        }
        let if_exists = self.accept_all(&["IF", "EXISTS"]);
        let partitions = self.list(Self::drop_partition)?;
        self.accept("PURGE");
        Ok(AlterAction::DropPartitions { if_exists, partitions })
    }

    fn set(&mut self, partition: Option<crate::ast::PartitionSpec>) -> Result<AlterAction> {
        if self.accept("LOCATION") {
            return Ok(AlterAction::SetLocation { partition, location: self.hive_text()? });
        }
        let token = self.token(0);
        for word in ["SERDE", "SERDEPROPERTIES", "FILEFORMAT"] {
            if self.is_word_at(0, word) {
                let hint = "drop the table and create it anew at the same location; the data stays";
                return self.refuse(&token, format!("ALTER TABLE … SET {word} is not supported"), hint);
            }
        }
        if partition.is_some() {
            return Err(self.unexpected());
        }
        self.expect("TBLPROPERTIES")?;
        Ok(AlterAction::SetProperties(self.properties()?))
    }

    fn change(&mut self) -> Result<AlterAction> {
        // `COLUMN` may be left out; then it could also be the column's name.
        if self.is_word_at(0, "COLUMN") {
            self.at += 1;
        }
        let old = self.hive_identifier("a column's name")?;
        let new = self.column()?;
        let position = if self.accept("FIRST") {
            Some(ColumnPosition::First)
        } else if self.accept("AFTER") {
            Some(ColumnPosition::After(self.hive_identifier("a column's name")?))
        } else {
            None
        };
        Ok(AlterAction::ChangeColumn { old, new: Box::new(new), position })
    }
}
