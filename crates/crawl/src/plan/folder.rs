//! What the files directly in one folder are: one table, strays beside one, or a table each.

use super::{Finding, Known};
use crate::classify::{Classification, merge, similarity};
use crate::inventory::{Folder, MAX_NAMES};
use model::{Error, Place};
use std::sync::Arc;

/// This share of a folder's files make it a table; the others are strays. Also Glue's measure for like schemas.
pub(crate) const ALIKE: f64 = 0.7;
/// Less likeness is enough where one only has columns more.
const GROWN: f64 = 0.5;

/// What a folder's own files are.
pub(crate) enum Own {
    Nothing,
    /// One table; `exclusions` are strays.
    Uniform(Files),
    /// A table for each file.
    Each(Vec<(String, Files)>),
}

/// Files of one table.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) found: Arc<Classification>,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) rows: Option<u64>,
    pub(crate) exclusions: Vec<String>,
    /// Taken over from like folders, not read.
    pub(crate) assumed: bool,
}

struct Cluster<'a> {
    found: Arc<Classification>,
    files: Vec<&'a Finding>,
}

/// Whether two findings are one table: they can be united and are alike enough.
pub(crate) fn unite(
    a: &Arc<Classification>,
    b: &Arc<Classification>,
    any_likeness: bool,
) -> Option<Arc<Classification>> {
    if Arc::ptr_eq(a, b) {
        return Some(a.clone());
    }
    let likeness = if any_likeness { 1.0 } else { similarity(a, b) };
    if likeness < ALIKE && !(likeness >= GROWN && (contains(a, b) || contains(b, a))) {
        return None;
    }
    let merged = merge(a, b)?;
    Some(if merged == **a { a.clone() } else { Arc::new(merged) })
}

/// Whether every column of the second is one of the first.
fn contains(all: &Classification, some: &Classification) -> bool {
    some.schema.columns.iter().all(|column| all.schema.column(&column.name).is_some())
}

fn clusters<'a>(findings: &'a [Finding], any_likeness: bool) -> Vec<Cluster<'a>> {
    let mut clusters: Vec<Cluster<'a>> = Vec::new();
    for finding in findings {
        let Ok(found) = &finding.result else { continue };
        let fitting = clusters
            .iter_mut()
            .find_map(|cluster| unite(&cluster.found, found, any_likeness).map(|merged| (cluster, merged)));
        match fitting {
            Some((cluster, merged)) => {
                cluster.found = merged;
                cluster.files.push(finding);
            }
            None => clusters.push(Cluster { found: found.clone(), files: vec![finding] }),
        }
    }
    // The largest first; a stable sort keeps the listing's order among equals.
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.files.len()));
    clusters
}

/// Whether a folder of so different files was read only in part: then every file of it must be looked at.
pub(crate) fn needs_all(folder: &Folder, findings: &[Finding], any_likeness: bool) -> bool {
    folder.files > findings.len() as u64
        && folder.files <= MAX_NAMES as u64
        && clusters(findings, any_likeness).len() > 1
}

/// What the folder at `path` holds. Problems go to `report`.
pub(crate) fn understand(
    known: &Known<'_>,
    path: &str,
    folder: &Folder,
    any_likeness: bool,
    report: &mut dyn FnMut(Error),
) -> Own {
    for name in &folder.empty {
        report(
            Error::invalid("the object is empty")
                .at(Place::object(object(known, path, name)))
                .why("it holds 0 bytes, so it adds no rows and shows no schema")
                .hint("delete it, or write it again if the upload was cut short"),
        );
    }
    let Some(findings) = known.findings.get(path) else { return Own::Nothing };
    for finding in findings {
        if let Err(error) = &finding.result {
            let uri = object(known, path, &finding.name);
            report(error.clone().at_if_unknown(|| Place::object(uri)));
        }
    }
    let mut clusters = clusters(findings, any_likeness);
    let read: usize = clusters.iter().map(|cluster| cluster.files.len()).sum();
    match clusters.len() {
        0 => Own::Nothing,
        1 => Own::Uniform(whole(folder, findings, &clusters[0])),
        n => {
            let main = &clusters[0];
            let dominant = main.files.len() >= 2 && main.files.len() as f64 >= ALIKE * read as f64;
            let in_partition = path.contains('=');
            if !dominant && !in_partition && folder.files <= MAX_NAMES as u64 {
                if let Some(error) = mixed(known, path, n, &clusters) {
                    report(error);
                }
                return Own::Each(each(&clusters));
            }
            let strays = clusters.split_off(1);
            let mut files = whole(folder, findings, &clusters[0]);
            for finding in strays.iter().flat_map(|cluster| cluster.files.iter().map(move |f| (cluster, *f)))
            {
                let (cluster, finding) = finding;
                let uri = object(known, path, &finding.name);
                report(stray(&uri, &cluster.found, &files.found));
                files.exclusions.push(uri);
                files.files = files.files.saturating_sub(1);
                files.bytes = files.bytes.saturating_sub(finding.size);
            }
            Own::Uniform(files)
        }
    }
}

pub(crate) fn object(known: &Known<'_>, path: &str, name: &str) -> String {
    let slash = if path.is_empty() { "" } else { "/" };
    format!("{}{path}{slash}{name}", known.root)
}

fn whole(folder: &Folder, findings: &[Finding], cluster: &Cluster<'_>) -> Files {
    let unreadable: Vec<&Finding> = findings.iter().filter(|finding| finding.result.is_err()).collect();
    let bad_bytes: u64 = unreadable.iter().map(|finding| finding.size).sum();
    let files = folder.files.saturating_sub(unreadable.len() as u64);
    Files {
        found: cluster.found.clone(),
        files,
        bytes: folder.bytes.saturating_sub(bad_bytes),
        rows: if files == cluster.files.len() as u64 { cluster.found.rows } else { None },
        exclusions: Vec::new(),
        assumed: false,
    }
}

fn each(clusters: &[Cluster<'_>]) -> Vec<(String, Files)> {
    let mut tables = Vec::new();
    for finding in clusters.iter().flat_map(|cluster| &cluster.files) {
        if let Ok(found) = &finding.result {
            let files = Files {
                found: found.clone(),
                files: 1,
                bytes: finding.size,
                rows: found.rows,
                exclusions: Vec::new(),
                assumed: false,
            };
            tables.push((finding.name.clone(), files));
        }
    }
    tables.sort_by(|a, b| a.0.cmp(&b.0));
    tables
}

fn stray(uri: &str, is: &Classification, others: &Classification) -> Error {
    let what = if is.classification == others.classification {
        format!("the object's columns do not fit the {} table around it", others.classification)
    } else {
        format!("the object is {} in a folder of {}", is.classification, others.classification)
    };
    Error::invalid(what)
        .at(Place::object(uri))
        .why("a folder is one table, and its other objects agree with each other")
        .hint("move it to a folder of its own, or exclude it")
}

/// Different formats in one folder are a mistake to point at; one format with a schema for each file is how people keep
/// small tables.
fn mixed(known: &Known<'_>, path: &str, kinds: usize, clusters: &[Cluster<'_>]) -> Option<Error> {
    let first = clusters.first()?;
    clusters.iter().find(|cluster| cluster.found.classification != first.found.classification)?;
    let mut formats = std::collections::BTreeSet::new();
    let names: Vec<String> = clusters
        .iter()
        .filter(|cluster| formats.insert(cluster.found.classification.as_str()))
        .filter_map(|cluster| {
            cluster.files.first().map(|file| format!("{} is {}", file.name, cluster.found.classification))
        })
        .collect();
    let what = format!("the folder mixes {kinds} formats or schemas; each object becomes a table of its own");
    Some(
        Error::invalid(what)
            .at(Place::object(object(known, path, "")))
            .why(names.join(", "))
            .hint("give each kind a folder of its own if its objects are to be one table"),
    )
}
