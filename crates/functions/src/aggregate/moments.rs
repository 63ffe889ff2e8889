//! Variance, skewness, correlation, regression and other means of numbers, added up so that little precision is lost.

use super::fold::{Fold, Groups};
use super::tools::{as_doubles, floats, numbers, primitive};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Float64Type};
use model::{Error, Result};
use sql::SqlType;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Statistics",
    scalars: &[],
    aggregates: &[
        aggregate!("stddev", ONE, "The standard deviation of a sample.", one_state, one),
        aggregate!("stddev_samp", ONE, "The standard deviation of a sample.", one_state, one),
        aggregate!("stddev_pop", ONE, "The standard deviation of all values.", one_state, one),
        aggregate!("variance", ONE, "The variance of a sample.", one_state, one),
        aggregate!("var_samp", ONE, "The variance of a sample.", one_state, one),
        aggregate!("var_pop", ONE, "The variance of all values.", one_state, one),
        aggregate!("skewness", ONE, "The skewness of the values.", one_state, one),
        aggregate!("kurtosis", ONE, "The excess kurtosis of a sample.", one_state, one),
        aggregate!("corr", TWO, "The correlation of two numbers.", two_state, two),
        aggregate!("covar_pop", TWO, "The covariance of all pairs.", two_state, two),
        aggregate!("covar_samp", TWO, "The covariance of a sample of pairs.", two_state, two),
        aggregate!("regr_slope", TWO, "The slope of the line through the pairs (y, x).", two_state, two),
        aggregate!(
            "regr_intercept",
            TWO,
            "Where the line through the pairs (y, x) meets x = 0.",
            two_state,
            two
        ),
        aggregate!("regr_r2", TWO, "How well the line through the pairs (y, x) fits.", two_state, two),
        aggregate!("regr_count", TWO, "How many pairs (y, x) are complete.", two_state, two),
        aggregate!("regr_avgx", TWO, "The mean of x over complete pairs (y, x).", two_state, two),
        aggregate!("regr_avgy", TWO, "The mean of y over complete pairs (y, x).", two_state, two),
        aggregate!("regr_sxx", TWO, "The sum of squares of x about its mean.", two_state, two),
        aggregate!("regr_syy", TWO, "The sum of squares of y about its mean.", two_state, two),
        aggregate!("regr_sxy", TWO, "The sum of products of x and y about their means.", two_state, two),
        aggregate!("geometric_mean", REAL, "The geometric mean.", plain_state, plain),
        aggregate!("entropy", ONE, "The entropy in bits of these counts.", plain_state, plain),
    ],
};

const ONE: &[&str] = &["(double) -> double"];
const TWO: &[&str] = &["(double, double) -> double", "(real, real) -> real"];
const REAL: &[&str] = &["(double) -> double", "(real) -> real"];

fn one_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Float64; 5]
}

fn two_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Float64; 6]
}

fn plain_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Float64; 3]
}

/// Sums of powers of the distance from the mean.
#[derive(Debug, Default, Clone, Copy)]
struct Moments {
    n: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    /// Takes one value. The second moment is added up as Welford does, who loses least, and as Trino does.
    fn add(&mut self, value: f64) {
        let before = self.n;
        let n = before + 1.0;
        let delta = value - self.mean;
        let d = delta / n;
        let grown = delta * d * before;
        self.m4 += grown * d * d * (n * n - 3.0 * n + 3.0) + 6.0 * d * d * self.m2 - 4.0 * d * self.m3;
        self.m3 += grown * d * (n - 2.0) - 3.0 * d * self.m2;
        self.n = n;
        self.mean += d;
        self.m2 += delta * (value - self.mean);
    }

    /// Both together, after Pébay's formulas.
    fn join(&self, other: &Moments) -> Moments {
        if self.n == 0.0 {
            return *other;
        }
        if other.n == 0.0 {
            return *self;
        }
        let (a, b) = (self.n, other.n);
        let n = a + b;
        let delta = other.mean - self.mean;
        let d = delta / n;
        let (d2, ab) = (d * d, a * b);
        Moments {
            n,
            mean: self.mean + d * b,
            m2: self.m2 + other.m2 + delta * d * ab,
            m3: self.m3 + other.m3 + delta * d2 * ab * (a - b) + 3.0 * d * (a * other.m2 - b * self.m2),
            m4: self.m4
                + other.m4
                + delta * d2 * d * ab * (a * a - ab + b * b)
                + 6.0 * d2 * (a * a * other.m2 + b * b * self.m2)
                + 4.0 * d * (a * other.m3 - b * self.m3),
        }
    }

    fn answer(&self, name: &str) -> Option<f64> {
        let n = self.n;
        let least = match name {
            "stddev_pop" | "var_pop" => 1.0,
            "skewness" => 3.0,
            "kurtosis" => 4.0,
            _ => 2.0,
        };
        if n < least {
            return None;
        }
        Some(match name {
            "stddev_pop" => (self.m2 / n).sqrt(),
            "var_pop" => self.m2 / n,
            "variance" | "var_samp" => self.m2 / (n - 1.0),
            "skewness" => n.sqrt() * self.m3 / self.m2.powf(1.5),
            "kurtosis" => {
                let scale = (n - 1.0) * n * (n + 1.0) / ((n - 2.0) * (n - 3.0));
                let normal = 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0));
                scale * self.m4 / (self.m2 * self.m2) - normal
            }
            _ => (self.m2 / (n - 1.0)).sqrt(),
        })
    }
}

#[derive(Debug)]
struct One {
    name: String,
}

fn one(call: &AggregateCall<'_>) -> Result<One> {
    Ok(One { name: call.name.to_owned() })
}

fn doubles<G>(groups: &[G], value: impl Fn(&G) -> f64) -> ArrayRef {
    primitive::<Float64Type>(groups.iter().map(|g| Some(value(g))), &DataType::Float64)
}

impl Fold for One {
    type Group = Moments;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Moments>) -> Result<()> {
        let values = numbers::<Float64Type>(args, 0)?;
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            groups.of(row).add(values.value(row));
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Moments]) -> Result<Vec<ArrayRef>> {
        Ok(vec![
            doubles(groups, |g| g.n),
            doubles(groups, |g| g.mean),
            doubles(groups, |g| g.m2),
            doubles(groups, |g| g.m3),
            doubles(groups, |g| g.m4),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Moments>) -> Result<()> {
        let columns: Vec<_> = (0..5).map(|i| numbers::<Float64Type>(states, i)).collect::<Result<_>>()?;
        for row in groups.rows().iter() {
            let at = |i: usize| columns[i].value(row);
            let other = Moments { n: at(0), mean: at(1), m2: at(2), m3: at(3), m4: at(4) };
            let group = groups.of(row);
            *group = group.join(&other);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Moments]) -> Result<ArrayRef> {
        let answers = groups.iter().map(|g| g.answer(&self.name));
        Ok(primitive::<Float64Type>(answers, &DataType::Float64))
    }
}

/// Sums of squares and products about the means of two numbers.
#[derive(Debug, Default, Clone, Copy)]
struct Pairs {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Pairs {
    fn join(&self, other: &Pairs) -> Pairs {
        if self.n == 0.0 {
            return *other;
        }
        if other.n == 0.0 {
            return *self;
        }
        let n = self.n + other.n;
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        let weight = self.n * other.n / n;
        Pairs {
            n,
            x: self.x + dx * other.n / n,
            y: self.y + dy * other.n / n,
            xx: self.xx + other.xx + dx * dx * weight,
            yy: self.yy + other.yy + dy * dy * weight,
            xy: self.xy + other.xy + dx * dy * weight,
        }
    }

    fn answer(&self, name: &str) -> Option<f64> {
        if self.n == 0.0 {
            return (name == "regr_count").then_some(0.0);
        }
        let answer = match name {
            "regr_count" => self.n,
            "regr_avgx" => self.x,
            "regr_avgy" => self.y,
            "regr_sxx" => self.xx,
            "regr_syy" => self.yy,
            "regr_sxy" => self.xy,
            "covar_pop" => self.xy / self.n,
            "covar_samp" => self.xy / (self.n - 1.0),
            "regr_slope" => self.xy / self.xx,
            "regr_intercept" => self.y - self.xy / self.xx * self.x,
            "regr_r2" if self.xx > 0.0 && self.yy == 0.0 => 1.0,
            "regr_r2" => self.xy * self.xy / (self.xx * self.yy),
            _ => self.xy / (self.xx * self.yy).sqrt(),
        };
        // Where the quotient has no meaning (one pair, all x equal), the answer is NULL.
        let defined = !matches!(name, "corr" | "covar_samp" | "regr_slope" | "regr_intercept" | "regr_r2");
        (defined || answer.is_finite()).then_some(answer)
    }
}

#[derive(Debug)]
struct Two {
    name: String,
    result: DataType,
}

fn two(call: &AggregateCall<'_>) -> Result<Two> {
    Ok(Two { name: call.name.to_owned(), result: call.return_type.to_arrow() })
}

impl Fold for Two {
    type Group = Pairs;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Pairs>) -> Result<()> {
        let (ys, xs) = (as_doubles(args, 0)?, as_doubles(args, 1)?);
        for row in groups.rows().iter().filter(|r| xs.is_valid(*r) && ys.is_valid(*r)) {
            let group = groups.of(row);
            let one = Pairs { n: 1.0, x: xs.value(row), y: ys.value(row), ..Pairs::default() };
            *group = group.join(&one);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Pairs]) -> Result<Vec<ArrayRef>> {
        Ok(vec![
            doubles(groups, |g| g.n),
            doubles(groups, |g| g.x),
            doubles(groups, |g| g.y),
            doubles(groups, |g| g.xx),
            doubles(groups, |g| g.yy),
            doubles(groups, |g| g.xy),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Pairs>) -> Result<()> {
        let columns: Vec<_> = (0..6).map(|i| numbers::<Float64Type>(states, i)).collect::<Result<_>>()?;
        for row in groups.rows().iter() {
            let at = |i: usize| columns[i].value(row);
            let other = Pairs { n: at(0), x: at(1), y: at(2), xx: at(3), yy: at(4), xy: at(5) };
            let group = groups.of(row);
            *group = group.join(&other);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Pairs]) -> Result<ArrayRef> {
        Ok(floats(groups.iter().map(|g| g.answer(&self.name)), &self.result))
    }
}

/// Sums of numbers and of their logarithms.
#[derive(Debug, Default, Clone, Copy)]
struct Logs {
    n: f64,
    sum: f64,
    logs: f64,
}

#[derive(Debug)]
struct Plain {
    entropy: bool,
    result: DataType,
}

fn plain(call: &AggregateCall<'_>) -> Result<Plain> {
    Ok(Plain { entropy: call.name == "entropy", result: call.return_type.to_arrow() })
}

impl Fold for Plain {
    type Group = Logs;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Logs>) -> Result<()> {
        let values = as_doubles(args, 0)?;
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            let (group, value) = (groups.of(row), values.value(row));
            if self.entropy && value < 0.0 {
                return Err(Error::invalid(format!("entropy takes counts, found {value}"))
                    .why("a count cannot be negative"));
            }
            group.n += 1.0;
            group.sum += value;
            group.logs += match self.entropy {
                true if value == 0.0 => 0.0,
                true => value * value.ln(),
                false => value.ln(),
            };
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Logs]) -> Result<Vec<ArrayRef>> {
        Ok(vec![doubles(groups, |g| g.n), doubles(groups, |g| g.sum), doubles(groups, |g| g.logs)])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Logs>) -> Result<()> {
        let columns: Vec<_> = (0..3).map(|i| numbers::<Float64Type>(states, i)).collect::<Result<_>>()?;
        for row in groups.rows().iter() {
            let group = groups.of(row);
            group.n += columns[0].value(row);
            group.sum += columns[1].value(row);
            group.logs += columns[2].value(row);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Logs]) -> Result<ArrayRef> {
        let answer = |g: &Logs| {
            if !self.entropy {
                return (g.n > 0.0).then(|| (g.logs / g.n).exp());
            }
            let bits = if g.sum > 0.0 { (g.sum.ln() - g.logs / g.sum) / std::f64::consts::LN_2 } else { 0.0 };
            Some(bits.max(0.0))
        };
        Ok(floats(groups.iter().map(answer), &self.result))
    }
}
