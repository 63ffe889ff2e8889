//! The walk over a target's folders, from the leaves up: what is one table, and what are several.

use super::folder::{self, Files, Own, unite};
use super::partitions::{self, Structure, majority, structure, under};
use super::{Known, Plan, PlannedPartition, PlannedTable, Rules};
use crate::classify::Classification;
use crate::inventory::Folder;
use crate::naming::{looks_like_value, safe};
use model::{Error, Place};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A folder with files of one table.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// From the target, without slashes at the ends.
    pub(crate) path: String,
    pub(crate) files: Files,
}

/// What becomes of a folder and all beneath.
enum Shape {
    Nothing,
    /// One table, as far as seen from here.
    Data(Data),
    /// Its tables are planned.
    Done,
}

struct Data {
    /// The table's folder, unless a parent unites it with others.
    base: String,
    leaves: Vec<Leaf>,
    found: Arc<Classification>,
}

#[derive(Default)]
struct Node<'a> {
    children: BTreeMap<&'a str, Node<'a>>,
    own: Option<&'a Folder>,
}

pub(crate) struct Planner<'a> {
    known: &'a Known<'a>,
    rules: &'a Rules,
    /// What the read folders of a family showed, for those that were not read.
    families: BTreeMap<&'a str, Arc<Classification>>,
    pub(crate) plan: Plan,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(known: &'a Known<'a>, rules: &'a Rules) -> Self {
        let mut families = BTreeMap::new();
        for (folder, findings) in known.findings {
            let found = findings.iter().find_map(|finding| finding.result.as_ref().ok());
            if let (Some(family), Some(found)) = (known.families.get(folder), found) {
                families.entry(family.as_str()).or_insert_with(|| found.clone());
            }
        }
        Self { known, rules, families, plan: Plan::default() }
    }

    pub(crate) fn run(&mut self) {
        let mut root = Node::default();
        for (path, folder) in &self.known.inventory.folders {
            let mut node = &mut root;
            for part in path.split('/').filter(|_| !path.is_empty()) {
                node = node.children.entry(part).or_default();
            }
            node.own = Some(folder);
        }
        match self.visit("", &root, 0) {
            Shape::Data(data) => self.emit(data),
            Shape::Nothing | Shape::Done => {}
        }
    }

    fn report(&mut self, error: Error) {
        self.plan.problems.push(error.diagnosis());
    }

    fn folder_uri(&self, path: &str) -> String {
        if path.is_empty() { self.known.root.to_owned() } else { format!("{}{path}/", self.known.root) }
    }

    fn visit(&mut self, path: &str, node: &Node<'_>, depth: u32) -> Shape {
        let own = node.own.map_or(Own::Nothing, |folder| self.own_files(path, folder));
        let mut children = Vec::new();
        let mut done = Vec::new();
        for (name, child) in &node.children {
            let child_path = if path.is_empty() { (*name).to_owned() } else { format!("{path}/{name}") };
            match self.visit(&child_path, child, depth + 1) {
                Shape::Nothing => {}
                Shape::Done => done.push((*name).to_owned()),
                Shape::Data(data) => children.push(((*name).to_owned(), data)),
            }
        }
        if let Some(level) = self.rules.table_level {
            let here = self.known.root_level + depth;
            return self.at_level(path, own, children, &done, here.cmp(&level));
        }
        let keyed = children.iter().filter(|(name, _)| name.contains('=')).count();
        if keyed > 0 && keyed * 2 >= children.len() + done.len() {
            return self.keyed(path, own, children);
        }
        self.plain(path, own, children, &done)
    }

    fn own_files(&mut self, path: &str, folder: &Folder) -> Own {
        let mut problems = Vec::new();
        let mut report = |error: Error| problems.push(error.diagnosis());
        let combine = self.rules.combine_compatible;
        let mut own = folder::understand(self.known, path, folder, combine, &mut report);
        self.plan.problems.extend(problems);
        if matches!(own, Own::Nothing) && folder.files > 0 && !self.known.findings.contains_key(path) {
            own = self.assume(path, folder);
        }
        own
    }

    /// A folder that was not read is like the read ones of its family.
    fn assume(&self, path: &str, folder: &Folder) -> Own {
        let found = self.known.families.get(path).and_then(|family| self.families.get(family.as_str()));
        match found {
            None => Own::Nothing,
            Some(found) => Own::Uniform(Files {
                found: found.clone(),
                files: folder.files,
                bytes: folder.bytes,
                rows: None,
                exclusions: Vec::new(),
                assumed: true,
            }),
        }
    }

    /// Children are named `key=value`: they are partitions of this folder, whatever else they are.
    fn keyed(&mut self, path: &str, own: Own, children: Vec<(String, Data)>) -> Shape {
        self.beside_partitions(path, own);
        self.united(path, children)
    }

    fn beside_partitions(&mut self, path: &str, own: Own) {
        let Some(names) = self.known.findings.get(path).filter(|_| !matches!(own, Own::Nothing)) else {
            return;
        };
        for finding in names.iter().filter(|finding| finding.result.is_ok()) {
            let uri = folder::object(self.known, path, &finding.name);
            self.report(
                Error::invalid("the object lies beside the partition folders, in none of them")
                    .at(Place::object(uri))
                    .why("rows of a partitioned table lie in its partitions")
                    .hint("move it into the partition it belongs to, or exclude it"),
            );
        }
    }

    /// All children as one table of this folder; what cannot be united keeps its own format or is left out.
    fn united(&mut self, path: &str, children: Vec<(String, Data)>) -> Shape {
        let mut clusters: Vec<(Arc<Classification>, Vec<Data>)> = Vec::new();
        // Folders that were not read share one finding: it need be united only once.
        let mut placed: HashMap<*const Classification, usize> = HashMap::new();
        for (_, data) in children {
            let finding = Arc::as_ptr(&data.found);
            if let Some(cluster) = placed.get(&finding).and_then(|index| clusters.get_mut(*index)) {
                cluster.1.push(data);
                continue;
            }
            let fitting = clusters
                .iter_mut()
                .enumerate()
                .find_map(|(index, one)| unite(&one.0, &data.found, true).map(|merged| (index, one, merged)));
            match fitting {
                Some((index, cluster, merged)) => {
                    placed.insert(finding, index);
                    cluster.0 = merged;
                    cluster.1.push(data);
                }
                None => {
                    placed.insert(finding, clusters.len());
                    clusters.push((data.found.clone(), vec![data]));
                }
            }
        }
        clusters
            .sort_by_key(|(_, datas)| std::cmp::Reverse(datas.iter().map(|d| d.leaves.len()).sum::<usize>()));
        let mut clusters = clusters.into_iter();
        let Some((found, main)) = clusters.next() else { return Shape::Nothing };
        let mut leaves: Vec<Leaf> = main.into_iter().flat_map(|data| data.leaves).collect();
        for leaf in clusters.flat_map(|(_, datas)| datas).flat_map(|data| data.leaves) {
            let uri = self.folder_uri(&leaf.path);
            if leaf.files.found.classification == found.classification
                && leaf.files.found.serde_parameters == found.serde_parameters
            {
                self.report(incompatible(&uri, &leaf.files.found, &found));
            } else {
                self.report(other_format(&uri, &leaf.files.found, &found));
                leaves.push(leaf);
            }
        }
        leaves.sort_by(|a, b| a.path.cmp(&b.path));
        Shape::Data(Data { base: path.to_owned(), leaves, found })
    }

    fn plain(&mut self, path: &str, own: Own, children: Vec<(String, Data)>, done: &[String]) -> Shape {
        let is_known = self.rules.known_tables.contains_key(&self.folder_uri(path));
        let one_table = done.is_empty() && self.are_one_table(path, &children);
        match own {
            Own::Nothing if children.is_empty() => {
                if done.is_empty() {
                    Shape::Nothing
                } else {
                    Shape::Done
                }
            }
            Own::Nothing if one_table && children.len() == 1 && !is_known => {
                let lone = children.into_iter().next();
                match lone {
                    Some((name, data)) if looks_like_value(&name) => {
                        Shape::Data(Data { base: path.to_owned(), ..data })
                    }
                    Some((_, data)) => Shape::Data(data),
                    None => Shape::Nothing,
                }
            }
            Own::Nothing if one_table => self.united(path, children),
            Own::Uniform(files) if children.is_empty() && done.is_empty() => {
                let found = files.found.clone();
                let leaf = Leaf { path: path.to_owned(), files };
                Shape::Data(Data { base: path.to_owned(), leaves: vec![leaf], found })
            }
            Own::Uniform(files) if one_table => match self.nested(path, &files, &children) {
                Some(data) => Shape::Data(data),
                None => self.separate(path, Own::Uniform(files), children, done),
            },
            own => self.separate(path, own, children, done),
        }
    }

    /// Whether all children are alike and equally deep.
    fn are_one_table(&self, path: &str, children: &[(String, Data)]) -> bool {
        let mut common: Option<(Arc<Classification>, Structure)> = None;
        for (name, data) in children {
            let child = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let inner = majority(data.leaves.iter().map(|l| (under(&child, &l.path), l.files.files)), None);
            match &mut common {
                None => common = Some((data.found.clone(), inner)),
                Some((found, depth)) => {
                    let merged = unite(found, &data.found, self.rules.combine_compatible);
                    match merged.filter(|_| *depth == inner) {
                        Some(merged) => *found = merged,
                        None => return false,
                    }
                }
            }
        }
        true
    }

    /// Files here and like files in plain folders beneath are one table without partitions: readers read folders with
    /// all that is in them.
    fn nested(&mut self, path: &str, files: &Files, children: &[(String, Data)]) -> Option<Data> {
        let mut all = files.clone();
        for (_, data) in children {
            all.found = unite(&all.found, &data.found, self.rules.combine_compatible)?;
            for leaf in &data.leaves {
                if structure(under(path, &leaf.path)).iter().any(Option::is_some) {
                    return None;
                }
                all.files += leaf.files.files;
                all.bytes += leaf.files.bytes;
                all.rows = all.rows.zip(leaf.files.rows).map(|(a, b)| a + b);
                all.exclusions.extend(leaf.files.exclusions.iter().cloned());
                all.assumed |= leaf.files.assumed;
            }
        }
        if children.is_empty() {
            return None;
        }
        self.plan.notes.push(format!(
            "{} has objects of its own and like ones in folders beneath: it is one table without partitions",
            self.folder_uri(path)
        ));
        let found = all.found.clone();
        Some(Data { base: path.to_owned(), leaves: vec![Leaf { path: path.to_owned(), files: all }], found })
    }

    /// Children and own files are tables of their own.
    fn separate(&mut self, path: &str, own: Own, children: Vec<(String, Data)>, done: &[String]) -> Shape {
        let folder = self.folder_uri(path);
        let beneath = children.iter().map(|(name, _)| format!("{folder}{name}/**"));
        let beneath: BTreeSet<String> =
            beneath.chain(done.iter().map(|name| format!("{folder}{name}/**"))).collect();
        for (_, data) in children {
            self.emit(data);
        }
        match own {
            Own::Nothing => {}
            Own::Each(tables) => {
                tables.into_iter().for_each(|(name, files)| self.emit_file(path, &name, files));
            }
            Own::Uniform(files) if files.files == 1 => {
                let name =
                    self.known.findings.get(path).and_then(|all| all.iter().find(|f| f.result.is_ok()));
                if let Some(name) = name.map(|finding| finding.name.clone()) {
                    self.emit_file(path, &name, files);
                }
            }
            Own::Uniform(mut files) => {
                files.exclusions.extend(beneath);
                let found = files.found.clone();
                let leaf = Leaf { path: path.to_owned(), files };
                self.emit(Data { base: path.to_owned(), leaves: vec![leaf], found });
            }
        }
        Shape::Done
    }

    /// Tables stand at a given level: above it nothing is united, at and below it everything.
    fn at_level(
        &mut self,
        path: &str,
        own: Own,
        children: Vec<(String, Data)>,
        done: &[String],
        here: std::cmp::Ordering,
    ) -> Shape {
        if here.is_lt() {
            return self.separate(path, own, children, done);
        }
        match own {
            Own::Uniform(files) if children.is_empty() => {
                let found = files.found.clone();
                let leaf = Leaf { path: path.to_owned(), files };
                Shape::Data(Data { base: path.to_owned(), leaves: vec![leaf], found })
            }
            Own::Each(_) if children.is_empty() => self.separate(path, own, children, done),
            Own::Nothing => self.united(path, children),
            own => match &own {
                Own::Uniform(files) => match self.nested(path, files, &children) {
                    Some(data) => Shape::Data(data),
                    None => self.keyed(path, own, children),
                },
                _ => self.keyed(path, own, children),
            },
        }
    }

    fn emit_file(&mut self, path: &str, name: &str, files: Files) {
        let location = folder::object(self.known, path, name);
        self.plan.tables.push(PlannedTable {
            name: safe(name),
            location,
            found: files.found,
            keys: Vec::new(),
            partitions: Vec::new(),
            files: files.files,
            bytes: files.bytes,
            rows: files.rows,
            exclusions: files.exclusions,
        });
    }

    fn emit(&mut self, data: Data) {
        let Data { base, mut leaves, mut found } = data;
        if self.known.single_file
            && let Some(leaf) = leaves.pop()
        {
            let name = self.known.findings.get("").and_then(|all| all.first()).map(|f| f.name.clone());
            self.emit_file("", &name.unwrap_or_default(), leaf.files);
            return;
        }
        let location = self.folder_uri(&base);
        let wanted = self.rules.known_tables.get(&location);
        let root = self.known.root;
        let mut problems = Vec::new();
        let mut report = |error: Error| problems.push(error.diagnosis());
        let split = partitions::partition(leaves, &base, wanted, |path| format!("{root}{path}"), &mut report);
        self.plan.problems.extend(problems);
        let mut keys = split.keys;
        let exact = split.leaves.iter().all(|(_, leaf)| leaf.files.rows.is_some());
        let sum = |of: fn(&Files) -> u64| split.leaves.iter().map(|(_, leaf)| of(&leaf.files)).sum::<u64>();
        let (files, bytes) = (sum(|f| f.files), sum(|f| f.bytes));
        let rows = exact.then(|| sum(|f| f.rows.unwrap_or_default()));
        found = self.without_keys(found, &mut keys, &location);
        let exclusions =
            split.leaves.iter().flat_map(|(_, leaf)| leaf.files.exclusions.iter().cloned()).collect();
        let partitions = if keys.is_empty() {
            Vec::new()
        } else {
            split.leaves.into_iter().map(|(values, leaf)| self.planned(values, leaf, &found, &keys)).collect()
        };
        let name = if base.is_empty() {
            safe(self.known.root_name)
        } else {
            safe(base.rsplit('/').next().unwrap_or(&base))
        };
        self.plan.tables.push(PlannedTable {
            name,
            location,
            found,
            keys,
            partitions,
            files,
            bytes,
            rows,
            exclusions,
        });
    }

    fn planned(
        &self,
        values: Vec<String>,
        leaf: Leaf,
        table: &Arc<Classification>,
        keys: &[model::Column],
    ) -> PlannedPartition {
        let own = Some(drop_columns(&leaf.files.found, keys)).filter(|own| {
            !leaf.files.assumed
                && (own.schema != table.schema
                    || own.serde_library != table.serde_library
                    || own.input_format != table.input_format
                    || own.serde_parameters != table.serde_parameters)
        });
        PlannedPartition { values, location: self.folder_uri(&leaf.path), own }
    }

    /// A key's name must not be a column's: where columns are read by name the column is left out, since its value
    /// comes from the folder; where they are read by position the key is renamed.
    fn without_keys(
        &mut self,
        found: Arc<Classification>,
        keys: &mut [model::Column],
        location: &str,
    ) -> Arc<Classification> {
        if reads_by_name(&found) {
            let kept = drop_columns(&found, keys);
            if kept.schema.columns.len() < found.schema.columns.len() {
                self.plan.notes.push(format!("{location}: columns that are partition keys too are left out"));
            }
            return kept;
        }
        for key in keys {
            let taken = |name: &str| found.schema.column(name).is_some();
            if taken(&key.name) {
                let base = key.name.clone();
                let mut n = 0;
                while taken(&key.name) {
                    key.name =
                        if n == 0 { format!("partition_{base}") } else { format!("partition_{base}_{n}") };
                    n += 1;
                }
                self.plan.notes.push(format!(
                    "{location}: the partition key `{base}` is called `{}`, since a column has that name",
                    key.name
                ));
            }
        }
        found
    }
}

fn reads_by_name(found: &Classification) -> bool {
    !["LazySimpleSerDe", "OpenCSVSerde", "RegexSerDe", "GrokSerDe"]
        .iter()
        .any(|serde| found.serde_library.ends_with(serde))
}

fn drop_columns(found: &Arc<Classification>, keys: &[model::Column]) -> Arc<Classification> {
    let is_key = |name: &str| keys.iter().any(|key| key.name.to_lowercase() == name.to_lowercase());
    if !reads_by_name(found) || !found.schema.columns.iter().any(|column| is_key(&column.name)) {
        return found.clone();
    }
    let mut kept = (**found).clone();
    kept.schema.columns.retain(|column| !is_key(&column.name));
    Arc::new(kept)
}

fn incompatible(uri: &str, is: &Classification, table: &Classification) -> Error {
    let clash = is.schema.columns.iter().find_map(|column| {
        let other = table.schema.column(&column.name)?;
        column.hive_type.common(&other.hive_type).is_none().then_some((column, other))
    });
    let why = match clash {
        Some((column, other)) => {
            format!("`{}` is {} here and {} in the others", column.name, column.hive_type, other.hive_type)
        }
        None => "its columns stand in another order or have other names".to_owned(),
    };
    Error::invalid("the partition folder's columns do not fit the table's; it is left out")
        .at(Place::object(uri))
        .why(why)
        .hint("rewrite its objects with the table's types, or exclude the folder")
}

fn other_format(uri: &str, is: &Classification, table: &Classification) -> Error {
    Error::invalid(format!(
        "the partition folder holds {} where the others hold {}; it is registered with a format of its own",
        is.classification, table.classification
    ))
    .at(Place::object(uri))
    .why("partitions of one table usually share their format")
    .hint("rewrite it in the table's format if a reader cannot mix them")
}
