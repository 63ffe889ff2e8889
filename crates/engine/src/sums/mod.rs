//! Sums that are kept: a question that is asked again and again, as a dashboard does, is worked out from what the files
//! summed up to before, and from the files that have come since.
//!
//! A grouping is done in two halves: groups of parts of the rows, and these brought together. Where the first half is
//! over files of one table, it is done piece by piece, and what it gives for a piece is kept as long as the piece's files
//! are there unchanged. Only groups that are few are kept; of a question that has too many, the rest is done as usual.

mod exec;

use crate::optimizer::AdjacentExec;
use crate::origin::Basis;
use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties as _, InputOrderMode, Partitioning, replace_children_if_necessary,
};
use exec::SumsExec;
use scan::{Piece, Pieces, Recent};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The most bytes of all sums, and of those of one grouping.
const ALL: usize = 64 << 20;
const ONE: usize = 16 << 20;

type Key = [u8; 32];
type Sums = Arc<[RecordBatch]>;

/// The sums, the least recently used of which go first.
#[derive(Debug)]
pub(crate) struct KeptSums(Recent<Key, Sums>);

impl Default for KeptSums {
    fn default() -> Self {
        Self(Recent::new(ALL))
    }
}

/// Has the groupings of a plan begin with what is kept of them.
pub(crate) fn remember(
    plan: Arc<dyn ExecutionPlan>,
    basis: &Basis,
    kept: &Arc<KeptSums>,
) -> Result<Arc<dyn ExecutionPlan>> {
    // Lambdas do not show themselves, but stand in the text: with one grouping it is clear whose they are.
    if basis.has_lambdas() && groupings(&plan) > 1 {
        return Ok(plan);
    }
    plan.transform_down(|node| {
        let Some((about, pieces)) = fit(&node).and_then(|grouping| about(grouping, &node)) else {
            return Ok(Transformed::no(node));
        };
        let key = |piece: &Piece| -> Key {
            let mut digest = Sha256::new();
            digest.update(basis.digest());
            digest.update(&about);
            digest.update(piece.key());
            digest.finalize().into()
        };
        let (mut known, mut work) = (Vec::new(), Vec::new());
        for piece in pieces.pieces() {
            let key = key(piece);
            match kept.0.get(&key) {
                Some(sums) => known.push(sums),
                None => work.push((key, piece.clone())),
            }
        }
        let session = Arc::clone(basis.session());
        let remembered = SumsExec::new(node, pieces, known, work, Arc::clone(kept), session);
        Ok(Transformed::yes(Arc::new(remembered) as _))
    })
    .data()
}

fn groupings(plan: &Arc<dyn ExecutionPlan>) -> usize {
    usize::from(fit(plan).is_some()) + plan.children().into_iter().map(groupings).sum::<usize>()
}

/// The first half of a grouping, if its groups are the same whichever rows come first.
fn fit(node: &Arc<dyn ExecutionPlan>) -> Option<&AggregateExec> {
    let grouping = match node.downcast_ref::<AdjacentExec>() {
        Some(adjacent) => adjacent.grouping(),
        None => node.downcast_ref::<AggregateExec>()?,
    };
    let partitioning = node.output_partitioning();
    let is_fit = *grouping.mode() == AggregateMode::Partial
        && *grouping.input_order_mode() == InputOrderMode::Linear
        && grouping.limit_options().is_none()
        && grouping.aggr_expr().iter().all(|sum| sum.order_bys().is_empty())
        && node.output_ordering().is_none()
        && (partitioning.partition_count() == 1
            || matches!(
                partitioning,
                Partitioning::UnknownPartitioning(_) | Partitioning::RoundRobinBatch(_)
            ));
    is_fit.then_some(grouping)
}

/// All that the groups depend on but for the files' rows, and the files; `None` if there is something between the grouping
/// and the files that does not work row by row.
fn about(grouping: &AggregateExec, node: &Arc<dyn ExecutionPlan>) -> Option<(String, Pieces)> {
    let mut about = format!(
        "{:?} {:?} {:?} {:?}",
        node.schema(),
        grouping.group_expr(),
        grouping.aggr_expr(),
        grouping.filter_expr()
    );
    let mut below = grouping.input();
    loop {
        if let Some(pieces) = Pieces::of(below) {
            about.push_str(pieces.about());
            return Some((about, pieces));
        }
        if below.fetch().is_some() {
            return None;
        }
        below = if let Some(filter) = below.downcast_ref::<FilterExec>() {
            about += &format!(" {:?} {:?}", filter.predicate(), filter.projection());
            filter.input()
        } else if let Some(projection) = below.downcast_ref::<ProjectionExec>() {
            about += &format!(" {:?}", projection.expr());
            projection.input()
        } else {
            let dealt = below.downcast_ref::<RepartitionExec>()?;
            matches!(dealt.partitioning(), Partitioning::RoundRobinBatch(_)).then(|| dealt.input())?
        };
    }
}

/// The grouping over another scan.
fn over(node: &Arc<dyn ExecutionPlan>, scan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    match node.children()[..] {
        [below] if node.downcast_ref::<RepartitionExec>().is_some() => over(below, scan),
        [below] => replace_children_if_necessary(Arc::clone(node), vec![over(below, scan)?]),
        _ => Ok(scan),
    }
}
