//! Places that get in each other's way: targets that replace what others write or read, and targets whose rows the job
//! would read again.

use crate::check::CheckedNode;
use crate::graph::Graph;
use crate::step::{Destination, FileFormat, SourceSpec, Step, TargetSpec, WriteMode};
use model::{Error, LakeUri};

/// A folder that a node reads or writes.
struct Used<'a> {
    node: &'a CheckedNode,
    at: LakeUri,
}

pub(crate) fn check(graph: &Graph, nodes: &[CheckedNode], errors: &mut Vec<Error>) {
    let mut targets: Vec<(Used<'_>, &TargetSpec)> = Vec::new();
    for node in nodes {
        if let Some(Step::Target(target)) = &node.step
            && let Destination::Path(at) = &target.destination
        {
            targets.push((Used { node, at: at.as_folder() }, target));
        }
    }
    let sources: Vec<Used<'_>> = nodes.iter().flat_map(read_by).collect();
    let mut found = |node: &CheckedNode, error: Error| {
        let place = graph.nodes.iter().find(|n| n.id.value == node.id).map(|n| graph.place_of(n));
        errors.push(place.into_iter().fold(error, Error::at));
    };
    for (number, (used, target)) in targets.iter().enumerate() {
        for source in &sources {
            if let Some(error) = reads_again(used, target, source) {
                found(used.node, error);
            }
        }
        for (other, spec) in targets.iter().take(number) {
            if let Some(error) = in_the_way((used, target), (other, spec)) {
                found(used.node, error);
            }
        }
    }
}

fn read_by(node: &CheckedNode) -> Vec<Used<'_>> {
    match &node.step {
        // What is left out may well be what the job writes.
        Some(Step::Source(SourceSpec::Files(spec))) if spec.exclusions.is_empty() => {
            let plain = spec.paths.iter().filter(|path| !path.key().contains(['*', '?', '{', '[']));
            plain.map(|path| Used { node, at: path.as_folder() }).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether `at` lies in `folder`, or is it.
fn is_within(at: &LakeUri, folder: &LakeUri) -> bool {
    at.bucket() == folder.bucket() && at.key().starts_with(folder.key())
}

fn replaces(target: &TargetSpec) -> bool {
    target.mode == WriteMode::Overwrite
}

fn is_delta(target: &TargetSpec) -> bool {
    target.format == Some(FileFormat::Delta)
}

/// A target within a source. To replace a folder by what was made of it is one thing; to add to it doubles it.
fn reads_again(target: &Used<'_>, spec: &TargetSpec, source: &Used<'_>) -> Option<Error> {
    if is_delta(spec) {
        return None;
    }
    let (to, from) = (&target.node.id, &source.node.id);
    if target.at == source.at && replaces(spec) {
        return None;
    }
    if is_within(&target.at, &source.at) {
        let error = Error::invalid(format!("`{to}` writes into the folder that `{from}` reads"));
        return Some(
            error.why("the next run would read what this one writes").hint("write into another folder"),
        );
    }
    if replaces(spec) && is_within(&source.at, &target.at) {
        let error = Error::invalid(format!("`{to}` replaces a folder in which that of `{from}` lies"));
        return Some(error.why("the run would remove its own input").hint("write into another folder"));
    }
    None
}

fn in_the_way(one: (&Used<'_>, &TargetSpec), other: (&Used<'_>, &TargetSpec)) -> Option<Error> {
    let ((one, one_spec), (other, other_spec)) = (one, other);
    let (a, b) = (&one.node.id, &other.node.id);
    if one.at == other.at && is_delta(one_spec) && is_delta(other_spec) {
        let error = Error::invalid(format!("`{a}` and `{b}` write into one Delta table"));
        return Some(
            error
                .why("one run makes one version of a table")
                .hint("bring the rows together with a Union node, and write once"),
        );
    }
    let replaced = (replaces(one_spec) && is_within(&other.at, &one.at))
        || (replaces(other_spec) && is_within(&one.at, &other.at));
    let error = || Error::invalid(format!("`{a}` and `{b}` write into one place, which is replaced"));
    replaced.then(|| error().hint("give each target a folder of its own"))
}
