//! Arrays of numbers as vectors: products, distances, similarity.

use crate::registry::Family;
use crate::scalar::elements::Lists;
use crate::scalar::keys::Keys;
use crate::{Call, Scalar};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use model::{Error, Result};
use sql::SqlType;
use std::collections::HashMap;

const DENSE: &[&str] = &["(array(double), array(double)) -> double"];
const SPARSE: &[&str] = &["(map(varchar, double), map(varchar, double)) -> double"];

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Geometric functions",
    scalars: &[
        Scalar::new("dot_product", DENSE, |c| dense(c, |v| Ok(v.product)), "Returns the dot product."),
        Scalar::new(
            "euclidean_distance",
            DENSE,
            |c| dense(c, |v| Ok(v.distance.sqrt())),
            "Returns the Euclidean distance.",
        ),
        Scalar::new("cosine_similarity", DENSE, |c| dense(c, cosine), "Returns the cosine of the angle."),
        Scalar::new(
            "cosine_distance",
            DENSE,
            |c| dense(c, |v| Ok(1.0 - cosine(v)?)),
            "Returns 1 minus the cosine of the angle.",
        ),
        Scalar::new(
            "cosine_similarity",
            SPARSE,
            |c| sparse(c, |cos| cos),
            "Returns the cosine of sparse vectors.",
        ),
        Scalar::new("cosine_distance", SPARSE, |c| sparse(c, |cos| 1.0 - cos), "Returns 1 minus the cosine."),
    ],
    aggregates: &[],
};

/// The sums that all measures are made of.
#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    product: f64,
    distance: f64,
    left: f64,
    right: f64,
}

fn dense(call: &Call<'_>, measure: fn(Sums) -> Result<f64>) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let broken = || Error::internal(format!("{} takes arrays of doubles", call.name));
    let a = left.values.as_primitive_opt::<Float64Type>().ok_or_else(broken)?;
    let b = right.values.as_primitive_opt::<Float64Type>().ok_or_else(broken)?;
    call.build::<Float64Type>(|row| {
        let (Some(x), Some(y)) = (left.range(row), right.range(row)) else { return Ok(None) };
        if x.len() != y.len() {
            return Err(Error::invalid(format!(
                "{} needs arrays of the same length, found {} and {}",
                call.name,
                x.len(),
                y.len()
            )));
        }
        let mut sums = Sums::default();
        for (i, j) in x.zip(y) {
            if a.is_null(i) || b.is_null(j) {
                return Ok(None);
            }
            let (x, y) = (a.value(i), b.value(j));
            sums.product += x * y;
            sums.distance += (x - y) * (x - y);
            sums.left += x * x;
            sums.right += y * y;
        }
        measure(sums).map(Some)
    })
}

fn cosine(sums: Sums) -> Result<f64> {
    if sums.left == 0.0 || sums.right == 0.0 {
        return Err(Error::invalid("vector magnitude cannot be zero"));
    }
    Ok(sums.product / (sums.left.sqrt() * sums.right.sqrt()))
}

fn sparse(call: &Call<'_>, measure: fn(f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let broken = || Error::internal(format!("{} takes maps of doubles", call.name));
    let (left_values, right_values) = (left.map_values()?, right.map_values()?);
    let a = left_values.as_primitive_opt::<Float64Type>().ok_or_else(broken)?;
    let b = right_values.as_primitive_opt::<Float64Type>().ok_or_else(broken)?;
    let left_keys = Keys::new(&left.keys()?, &SqlType::VARCHAR)?;
    let right_keys = Keys::new(&right.keys()?, &SqlType::VARCHAR)?;
    call.build::<Float64Type>(|row| {
        let (Some(x), Some(y)) = (left.range(row), right.range(row)) else { return Ok(None) };
        if x.clone().any(|at| a.is_null(at)) || y.clone().any(|at| b.is_null(at)) {
            return Ok(None);
        }
        let others: HashMap<&[u8], f64> = y.clone().map(|at| (right_keys.get(at), b.value(at))).collect();
        let product = x
            .clone()
            .filter_map(|at| Some(a.value(at) * others.get(left_keys.get(at))?))
            .fold(0.0, |sum: f64, part| sum + part);
        let left: f64 = x.map(|at| a.value(at) * a.value(at)).sum();
        let right: f64 = y.map(|at| b.value(at) * b.value(at)).sum();
        if left == 0.0 || right == 0.0 {
            return Ok(None);
        }
        Ok(Some(measure(product / (left.sqrt() * right.sqrt()))))
    })
}
