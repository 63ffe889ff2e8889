//! Which partitions and files a query needs: filters on partition columns and hidden columns are decided before a file is
//! opened, first by the catalog's index as far as its language goes, then by DataFusion's own expressions.

mod evaluate;
mod translate;

pub(crate) use evaluate::Evaluator;
pub(crate) use translate::{Bounds, bounds_of, translate};

use crate::columns::Columns;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;

/// Whether a filter speaks only of what is the same in all rows of a file, so that files can be chosen by it.
pub(crate) fn is_decidable(filter: &Expr, columns: &Columns) -> bool {
    let mut any = false;
    let only = refers_only(filter, &mut |name| {
        any = true;
        columns.is_constant(name)
    });
    only && any
}

/// Whether a filter speaks of that column alone.
pub(crate) fn is_of(filter: &Expr, column: &str) -> bool {
    let mut any = false;
    let only = refers_only(filter, &mut |name| {
        any = true;
        name == column
    });
    only && any
}

/// Whether a filter speaks only of partition columns.
pub(crate) fn is_of_partitions(filter: &Expr, columns: &Columns) -> bool {
    refers_only(filter, &mut |name| columns.is_partition(name))
}

fn refers_only(filter: &Expr, accepts: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut only = !filter.is_volatile();
    let walked = filter.apply(|node| {
        match node {
            Expr::Column(column) => only &= accepts(&column.name),
            // Decided elsewhere, or not from values alone.
            Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::ScalarSubquery(_)
            | Expr::SetComparison(_)
            | Expr::OuterReferenceColumn(..)
            | Expr::AggregateFunction(_)
            | Expr::WindowFunction(_)
            | Expr::Placeholder(_) => only = false,
            _ => {}
        }
        Ok(if only { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    only && walked.is_ok()
}
