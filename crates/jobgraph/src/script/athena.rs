//! The SQL that does in Athena what a graph does, where SQL can: a statement for each target, with the nodes before it
//! as its WITH list.
//!
//! File sources become external tables first (their columns must be known). Rows that a run would reject are left out,
//! because SQL has no second output.

use crate::check::{Checked, CheckedNode};
use crate::columns::{Columns, same_name};
use crate::graph::Graph;
use crate::step::{CsvFormat, Destination, FileFormat, FilesSpec, SourceSpec, Step, TargetSpec, WriteMode};
use model::{Error, LakeUri, Result};
use sql::{hive_ident, hive_string, quote_ident, quote_string};
use std::collections::HashSet;

/// The statements, separated by `;`. The error names the node that SQL cannot express.
pub fn athena(graph: &Graph, checked: &Checked) -> Result<String> {
    if let Some(error) = checked.errors.first() {
        return Err(error.clone());
    }
    let mut text = format!("-- {}\n-- Written by Glulam from the job's graph.\n", one_line(&graph.name));
    let writer = Writer { checked };
    for node in &checked.nodes {
        if let Some(Step::Source(SourceSpec::Files(files))) = &node.step {
            text.push_str(&writer.external_table(node, files)?);
        }
    }
    let mut targets = 0;
    for node in &checked.nodes {
        match &node.step {
            Some(Step::Target(target)) => {
                text.push_str(&writer.target(node, target)?);
                targets += 1;
            }
            Some(Step::Spigot(_)) => return Err(no_sql(node, "it writes a sample beside the job's output")),
            None => return Err(unknown(node)),
            _ => {}
        }
    }
    if targets == 0 {
        return Err(Error::invalid("the job has no target"));
    }
    Ok(text)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn no_sql(node: &CheckedNode, why: &str) -> Error {
    let error = Error::unsupported(format!("{} `{}` has no equivalent in SQL", node.kind, node.id));
    error.why(why.to_owned()).hint("take the job as a PySpark script instead")
}

fn unknown(node: &CheckedNode) -> Error {
    Error::invalid(format!("the columns before {} `{}` are not known", node.kind, node.id))
        .hint("declare them under `OutputSchemas` of the source, or read a catalog table")
}

struct Writer<'a> {
    checked: &'a Checked,
}

impl Writer<'_> {
    fn node(&self, id: &str) -> Result<&CheckedNode> {
        self.checked.node(id).ok_or_else(|| Error::internal(format!("the node `{id}` was not checked")))
    }

    /// The query of a target's input: its rows, with everything before them as a WITH list.
    fn query(&self, target: &TargetSpec, list: &str) -> Result<String> {
        let mut parts = Vec::new();
        let mut done = HashSet::new();
        self.gather(&target.input.node, target.input.member, &mut done, &mut parts)?;
        let from = quote_ident(&target.input.name);
        Ok(format!("WITH\n{}\nSELECT {list}\nFROM {from}", parts.join(",\n")))
    }

    /// Adds the WITH entries of a node and all before it; inputs are as deep as the graph, whose order ends this.
    fn gather(
        &self,
        id: &str,
        member: Option<usize>,
        done: &mut HashSet<String>,
        parts: &mut Vec<String>,
    ) -> Result<()> {
        let wanted = self.before(id, member)?;
        for node in self.checked.nodes.iter().filter(|node| wanted.contains(node.id.as_str())) {
            if done.insert(node.id.clone()) {
                self.entries(node, parts)?;
            }
        }
        Ok(())
    }

    /// The ids of a node and all nodes before it.
    fn before(&self, id: &str, _member: Option<usize>) -> Result<HashSet<String>> {
        let mut found = HashSet::new();
        let mut open = vec![id.to_owned()];
        while let Some(id) = open.pop() {
            if found.insert(id.clone()) {
                open.extend(self.node(&id)?.inputs.iter().cloned());
            }
        }
        Ok(found)
    }

    fn entries(&self, node: &CheckedNode, parts: &mut Vec<String>) -> Result<()> {
        let name = quote_ident(&node.id);
        let mut entry = |name: &str, sql: &str| {
            parts.push(format!("-- {}: {}\n{name} AS (\n  {sql}\n)", node.kind, one_line(&node.name)));
        };
        match node.step.as_ref().ok_or_else(|| unknown(node))? {
            Step::Source(SourceSpec::Table(table)) => {
                let from = format!("{}.{}", quote_ident(&table.database), quote_ident(&table.table));
                let filter = table
                    .predicate
                    .as_ref()
                    .map(|predicate| format!(" WHERE {predicate}"))
                    .unwrap_or_default();
                entry(&name, &format!("SELECT * FROM {from}{filter}"));
            }
            Step::Source(SourceSpec::Files(_)) => {
                entry(&name, &format!("SELECT * FROM {}", quote_ident(&external(node))));
            }
            Step::Query(query) => {
                let aliases: Vec<String> = query
                    .inputs
                    .iter()
                    .filter(|input| input.member.is_none() && input.name != input.node)
                    .map(|input| {
                        format!(
                            "{} AS (SELECT * FROM {})",
                            quote_ident(&input.name),
                            quote_ident(&input.node)
                        )
                    })
                    .collect();
                // A query with its own WITH list cannot get a second one before it.
                let sql = query.accepted();
                match aliases.is_empty() {
                    true => entry(&name, &sql),
                    false => entry(
                        &name,
                        &format!("WITH {} SELECT * FROM (\n  {sql}\n  ) AS result", aliases.join(", ")),
                    ),
                }
            }
            Step::Collection(collection) => {
                for member in &collection.members {
                    entry(&quote_ident(&member.relation), &member.sql);
                }
            }
            Step::Repartition(step) => {
                entry(&name, &format!("SELECT * FROM {}", quote_ident(&step.input.name)));
            }
            Step::DropNulls(_) => return Err(no_sql(node, "which columns it drops depends on the data")),
            Step::ParseLog(_) => {
                return Err(no_sql(
                    node,
                    "lines are taken apart by patterns; in Athena a table's serde does that",
                ));
            }
            Step::Spigot(_) => return Err(no_sql(node, "it writes a sample beside the job's output")),
            Step::Target(_) => {}
        }
        Ok(())
    }

    fn target(&self, node: &CheckedNode, target: &TargetSpec) -> Result<String> {
        if target.mode != WriteMode::Append {
            return Err(no_sql(node, "Athena's statements only append"));
        }
        let columns = node.columns.as_ref();
        if let Destination::Table { database, table } = &target.destination {
            let columns = columns.ok_or_else(|| unknown(node))?;
            let names: Vec<String> = columns.names().map(quote_ident).collect();
            let query = self.query(target, &names.join(", "))?;
            let into = format!("{}.{}", quote_ident(database), quote_ident(table));
            return Ok(format!("\nINSERT INTO {into} ({})\n{query};\n", names.join(", ")));
        }
        let Destination::Path(path) = &target.destination else { return Ok(String::new()) };
        let format = target.format.clone().unwrap_or(FileFormat::Parquet);
        let written = match format {
            FileFormat::Csv(_) | FileFormat::Text => "TEXTFILE",
            FileFormat::Json { .. } => "JSON",
            FileFormat::Parquet => "PARQUET",
            FileFormat::Avro => "AVRO",
            FileFormat::Orc => "ORC",
            FileFormat::Delta => return Err(no_sql(node, "Athena does not write Delta Lake tables")),
        };
        let list = last_columns(columns, target).ok_or_else(|| unknown(node))?;
        let query = self.query(target, &list)?;
        let mut options = vec![format!("format = '{written}'")];
        if let FileFormat::Csv(csv) = &format {
            options.push(format!("field_delimiter = {}", quote_string(&csv.separator.to_string())));
        }
        let compression =
            target.compression.as_deref().map(|word| if word == "uncompressed" { "none" } else { word });
        if !target.partition_keys.is_empty() {
            let keys: Vec<String> =
                target.partition_keys.iter().map(|key| quote_string(&key.to_lowercase())).collect();
            options.push(format!("partitioned_by = ARRAY[{}]", keys.join(", ")));
        }
        match &target.update {
            Some(update) => {
                options.push(format!("external_location = {}", quote_string(&path.as_folder().to_string())));
                options.extend(
                    compression
                        .map(|word| format!("write_compression = {}", quote_string(&word.to_uppercase()))),
                );
                let table = format!("{}.{}", quote_ident(&update.database), quote_ident(&update.table));
                Ok(format!("\nCREATE TABLE {table} WITH (\n  {}\n) AS\n{query};\n", options.join(",\n  ")))
            }
            None => {
                options.extend(compression.map(|word| format!("compression = {}", quote_string(word))));
                Ok(format!(
                    "\nUNLOAD (\n{query}\n) TO {} WITH (\n  {}\n);\n",
                    quote_string(&path.as_folder().to_string()),
                    options.join(",\n  ")
                ))
            }
        }
    }

    /// The table over which Athena reads the files.
    fn external_table(&self, node: &CheckedNode, files: &FilesSpec) -> Result<String> {
        let columns = node.columns.as_ref().ok_or_else(|| unknown(node))?;
        let [path] = files.paths.as_slice() else {
            return Err(no_sql(
                node,
                "an external table lies in one folder, and the source has several paths",
            ));
        };
        let (rows, properties) = match &files.format {
            FileFormat::Csv(csv) => {
                let skip = if csv.header || csv.skip_first {
                    "\nTBLPROPERTIES ('skip.header.line.count'='1')"
                } else {
                    ""
                };
                (csv_rows(csv, columns), skip)
            }
            FileFormat::Json { .. } => {
                ("ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'".to_owned(), "")
            }
            FileFormat::Parquet => ("STORED AS PARQUET".to_owned(), ""),
            FileFormat::Avro => ("STORED AS AVRO".to_owned(), ""),
            FileFormat::Orc => ("STORED AS ORC".to_owned(), ""),
            FileFormat::Text | FileFormat::Delta => {
                return Err(no_sql(node, "its files need a table of their own kind"));
            }
        };
        let mut written = Vec::new();
        for column in columns.iter() {
            written.push(format!("  {} {}", hive_ident(&column.name), column.sql_type.to_hive()?));
        }
        let location = hive_string(&folder(path));
        Ok(format!(
            "\nCREATE EXTERNAL TABLE IF NOT EXISTS {} (\n{}\n)\n{rows}\nLOCATION {location}{properties};\n",
            hive_ident(&external(node)),
            written.join(",\n"),
        ))
    }
}

/// Quotes are only understood by the serde that reads texts alone.
fn csv_rows(csv: &CsvFormat, columns: &Columns) -> String {
    let separator = hive_string(&csv.separator.to_string());
    let Some(quote) = csv.quote.filter(|_| columns.iter().all(|column| column.sql_type.is_text())) else {
        return format!("ROW FORMAT DELIMITED FIELDS TERMINATED BY {separator}");
    };
    let quote = hive_string(&quote.to_string());
    let escape = hive_string(&csv.escape.unwrap_or('\\').to_string());
    format!(
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'\n\
         WITH SERDEPROPERTIES ('separatorChar'={separator}, 'quoteChar'={quote}, 'escapeChar'={escape})"
    )
}

/// Files are read by folder in Athena.
fn folder(path: &LakeUri) -> String {
    path.as_folder().to_string()
}

/// The name of a file source's table.
fn external(node: &CheckedNode) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!("source_{}", node.id.chars().map(plain).collect::<String>())
}

/// The columns with the partition keys behind the others, as Athena wants them.
fn last_columns(columns: Option<&Columns>, target: &TargetSpec) -> Option<String> {
    if target.partition_keys.is_empty() && columns.is_none() {
        return Some("*".to_owned());
    }
    let is_key = |name: &str| target.partition_keys.iter().any(|key| same_name(key, name));
    let mut names: Vec<String> = columns?.names().filter(|name| !is_key(name)).map(quote_ident).collect();
    names.extend(target.partition_keys.iter().map(|key| quote_ident(key)));
    Some(names.join(", "))
}
