//! Distribution functions and confidence intervals.

use crate::registry::Family;
use crate::{Call, Scalar};
use arrow::array::ArrayRef;
use arrow::datatypes::Float64Type;
use model::{Error, Result};
use std::f64::consts;

const THREE: &[&str] = &["(double, double, double) -> double"];
const TWO: &[&str] = &["(double, double) -> double"];
const WILSON: &[&str] = &["(bigint, bigint, double) -> double"];

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Statistical functions",
    scalars: &[
        Scalar::new(
            "normal_cdf",
            THREE,
            |c| three(c, normal_cdf),
            "The normal distribution of mean, sd, at v.",
        ),
        Scalar::new(
            "inverse_normal_cdf",
            THREE,
            |c| three(c, inverse_normal),
            "Its inverse at a probability.",
        ),
        Scalar::new("beta_cdf", THREE, |c| three(c, beta_cdf), "The beta distribution of a, b, at v."),
        Scalar::new("inverse_beta_cdf", THREE, |c| three(c, inverse_beta), "Its inverse at a probability."),
        Scalar::new(
            "t_cdf",
            TWO,
            |c| two(c, t_cdf),
            "Student's t distribution at x with df degrees of freedom.",
        ),
        Scalar::new("t_pdf", TWO, |c| two(c, t_pdf), "The density of Student's t distribution at x."),
        Scalar::new(
            "wilson_interval_lower",
            WILSON,
            |c| wilson(c, -1.0),
            "Returns the lower bound of the Wilson score interval of so many successes in so many trials.",
        ),
        Scalar::new(
            "wilson_interval_upper",
            WILSON,
            |c| wilson(c, 1.0),
            "Returns the upper bound of the Wilson score interval of so many successes in so many trials.",
        ),
    ],
    aggregates: &[],
};

fn three(call: &Call<'_>, f: fn(f64, f64, f64) -> Result<f64>) -> Result<ArrayRef> {
    let (a, b, c) = (call.doubles(0)?, call.doubles(1)?, call.doubles(2)?);
    call.build::<Float64Type>(|row| match (a.get(row), b.get(row), c.get(row)) {
        (Some(a), Some(b), Some(c)) => f(a, b, c).map(Some),
        _ => Ok(None),
    })
}

fn two(call: &Call<'_>, f: fn(f64, f64) -> Result<f64>) -> Result<ArrayRef> {
    let (a, b) = (call.doubles(0)?, call.doubles(1)?);
    call.build::<Float64Type>(|row| match (a.get(row), b.get(row)) {
        (Some(a), Some(b)) => f(a, b).map(Some),
        _ => Ok(None),
    })
}

/// An argument check that names the rule.
fn require(holds: bool, rule: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::invalid(rule)) }
}

/// The standard normal distribution function.
fn standard_normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / consts::SQRT_2)
}

fn normal_cdf(mean: f64, sd: f64, value: f64) -> Result<f64> {
    require(sd > 0.0, "normal_cdf: standard deviation must be > 0")?;
    Ok(standard_normal((value - mean) / sd))
}

fn inverse_normal(mean: f64, sd: f64, p: f64) -> Result<f64> {
    require(p > 0.0 && p < 1.0, "inverse_normal_cdf: p must be greater than 0 and less than 1")?;
    require(sd > 0.0, "inverse_normal_cdf: sd must be > 0")?;
    Ok(mean + sd * standard_quantile(p))
}

/// Where the standard normal distribution reaches p: a rough start (Abramowitz and Stegun 26.2.23), then Halley steps.
fn standard_quantile(p: f64) -> f64 {
    let tail = p.min(1.0 - p);
    let t = (-2.0 * tail.ln()).sqrt();
    let rough = t
        - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    let mut z = if p < 0.5 { -rough } else { rough };
    for _ in 0..4 {
        // The smaller tail keeps its digits.
        let error = if z < 0.0 { standard_normal(z) - p } else { (1.0 - p) - standard_normal(-z) };
        let density = (-0.5 * z * z).exp() / (2.0 * consts::PI).sqrt();
        if density == 0.0 {
            break;
        }
        let step = error / density;
        z -= step / (1.0 + 0.5 * z * step);
    }
    z
}

fn beta_cdf(a: f64, b: f64, value: f64) -> Result<f64> {
    require(a > 0.0 && b > 0.0, "beta_cdf: a, b must be > 0")?;
    require((0.0..=1.0).contains(&value), "beta_cdf: value must be between 0 and 1")?;
    Ok(incomplete_beta(a, b, value))
}

/// The regularized incomplete beta function.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let log_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The fraction converges fast on this side; on the other the complement is taken.
    if x < (a + 1.0) / (a + b + 2.0) {
        log_front.exp() * beta_fraction(a, b, x) / a
    } else {
        1.0 - log_front.exp() * beta_fraction(b, a, 1.0 - x) / b
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let change = d * c;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

fn inverse_beta(a: f64, b: f64, p: f64) -> Result<f64> {
    require(a > 0.0 && b > 0.0, "inverse_beta_cdf: a, b must be > 0")?;
    require((0.0..=1.0).contains(&p), "inverse_beta_cdf: p must be between 0 and 1")?;
    let (mut low, mut high) = (0.0, 1.0);
    if p == low || p == high {
        return Ok(p);
    }
    // Halving until the two are neighbours: at most 1075 steps, however skewed the distribution.
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return Ok(middle);
        }
        if incomplete_beta(a, b, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
}

fn t_cdf(x: f64, df: f64) -> Result<f64> {
    require(df > 0.0, "t_cdf: df must be greater than 0")?;
    if x.is_nan() {
        return Ok(x);
    }
    let tail = 0.5 * incomplete_beta(df / 2.0, 0.5, df / (df + x * x));
    Ok(if x > 0.0 { 1.0 - tail } else { tail })
}

fn t_pdf(x: f64, df: f64) -> Result<f64> {
    require(df > 0.0, "t_pdf: df must be greater than 0")?;
    let log_front = libm::lgamma((df + 1.0) / 2.0) - libm::lgamma(df / 2.0) - 0.5 * (df * consts::PI).ln();
    Ok((log_front - 0.5 * (df + 1.0) * (x * x / df).ln_1p()).exp())
}

/// A bound of the Wilson score interval: the lower one for -1, the upper one for 1.
fn wilson(call: &Call<'_>, side: f64) -> Result<ArrayRef> {
    let (successes, trials, scores) = (call.bigints(0)?, call.bigints(1)?, call.doubles(2)?);
    call.build::<Float64Type>(|row| {
        let (Some(successes), Some(trials), Some(z)) = (successes.get(row), trials.get(row), scores.get(row))
        else {
            return Ok(None);
        };
        require(successes >= 0, "number of successes must not be negative")?;
        require(trials > 0, "number of trials must be positive")?;
        require(successes <= trials, "number of successes must not be larger than number of trials")?;
        require(z >= 0.0, "z-score must not be negative")?;
        let (n, share) = (trials as f64, successes as f64 / trials as f64);
        let centre = share + z * z / (2.0 * n);
        let width = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        Ok(Some((centre + side * width) / (1.0 + z * z / n)))
    })
}
