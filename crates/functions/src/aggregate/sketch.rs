//! A HyperLogLog sketch: exact while it has seen few values, then one small number per register.
//!
//! Its bytes: a mark, the precision, then either 8 bytes per hash (mark 1) or one byte per register (mark 2).

use model::{Error, Result};

const SPARSE: u8 = 1;
const DENSE: u8 = 2;
/// 4096 registers: a standard error of 1.6 %.
const PRECISION: u8 = 12;

/// What a sketch has seen.
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    precision: u8,
    seen: Seen,
}

#[derive(Debug, Clone)]
enum Seen {
    /// The hashes, in order.
    Hashes(Vec<u64>),
    /// For each register the longest run of zeros that a hash began with, plus one.
    Registers(Box<[u8]>),
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch::new(PRECISION)
    }
}

impl Sketch {
    /// An empty sketch with 2^precision registers.
    pub(super) fn new(precision: u8) -> Self {
        Sketch { precision: precision.clamp(4, 16), seen: Seen::Hashes(Vec::new()) }
    }

    /// Notes a value by its hash; how many bytes more are held.
    pub(super) fn add(&mut self, hash: u64) -> usize {
        let before = self.heap();
        match &mut self.seen {
            Seen::Registers(registers) => note(registers, self.precision, hash),
            Seen::Hashes(hashes) => {
                if let Err(place) = hashes.binary_search(&hash) {
                    hashes.insert(place, hash);
                }
                // From here on the registers are smaller.
                if hashes.len() * size_of::<u64>() > 1 << self.precision {
                    self.spread();
                }
            }
        }
        self.heap().saturating_sub(before)
    }

    fn spread(&mut self) {
        if let Seen::Hashes(hashes) = &self.seen {
            let mut registers = vec![0; 1 << self.precision].into_boxed_slice();
            hashes.iter().for_each(|hash| note(&mut registers, self.precision, *hash));
            self.seen = Seen::Registers(registers);
        }
    }

    /// Takes over what another has seen; the coarser precision of the two is kept.
    pub(super) fn join(&mut self, other: &Sketch) {
        if let Seen::Hashes(hashes) = &other.seen {
            hashes.iter().for_each(|hash| {
                self.add(*hash);
            });
            return;
        }
        let mut other = other.clone();
        let coarse = self.precision.min(other.precision);
        self.spread();
        self.coarsen(coarse);
        other.coarsen(coarse);
        if let (Seen::Registers(ours), Seen::Registers(theirs)) = (&mut self.seen, &other.seen) {
            ours.iter_mut().zip(theirs).for_each(|(a, b)| *a = (*a).max(*b));
        }
    }

    /// Joins neighbouring registers until there are 2^precision.
    fn coarsen(&mut self, precision: u8) {
        while self.precision > precision {
            if let Seen::Registers(registers) = &self.seen {
                // The bit of the index that goes away becomes the first of the run.
                let run = |pair: &[u8]| match (pair[0], pair[1]) {
                    (_, odd) if odd > 0 && pair[0] == 0 => 1,
                    (0, _) => 0,
                    (even, _) => even + 1,
                };
                self.seen = Seen::Registers(registers.chunks(2).map(run).collect());
            }
            self.precision -= 1;
        }
    }

    /// About how many different values were seen.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate")]
    pub(super) fn count(&self) -> i64 {
        match &self.seen {
            Seen::Hashes(hashes) => i64::try_from(hashes.len()).unwrap_or(i64::MAX),
            Seen::Registers(registers) => estimate(registers, self.precision).round() as i64,
        }
    }

    /// The bytes it holds.
    pub(super) fn heap(&self) -> usize {
        match &self.seen {
            Seen::Hashes(hashes) => hashes.capacity() * size_of::<u64>(),
            Seen::Registers(registers) => registers.len(),
        }
    }

    /// Its bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        match &self.seen {
            Seen::Hashes(hashes) => {
                let mut bytes = vec![SPARSE, self.precision];
                hashes.iter().for_each(|hash| bytes.extend_from_slice(&hash.to_le_bytes()));
                bytes
            }
            Seen::Registers(registers) => {
                let mut bytes = vec![DENSE, self.precision];
                bytes.extend_from_slice(registers);
                bytes
            }
        }
    }

    /// Reads its bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let broken = || {
            Error::invalid("these bytes are no HyperLogLog sketch")
                .why("they were not made by approx_set or merge, or were cut")
        };
        let (&[mark, precision], rest) = bytes.split_first_chunk::<2>().ok_or_else(broken)?;
        if !(4..=16).contains(&precision) {
            return Err(broken());
        }
        let seen = match mark {
            SPARSE if rest.len() % 8 == 0 && rest.len() <= 8 + (1 << precision) => {
                let hashes: Vec<u64> =
                    rest.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect();
                if !hashes.is_sorted_by(|a, b| a < b) {
                    return Err(broken());
                }
                Seen::Hashes(hashes)
            }
            DENSE if rest.len() == 1 << precision && rest.iter().all(|r| *r <= 65 - precision) => {
                Seen::Registers(rest.into())
            }
            _ => return Err(broken()),
        };
        Ok(Sketch { precision, seen })
    }
}

fn note(registers: &mut [u8], precision: u8, hash: u64) {
    let index = usize::try_from(hash >> (64 - precision)).unwrap_or(0);
    let rest = hash << precision;
    let run = u8::try_from(rest.leading_zeros()).unwrap_or(64).min(64 - precision) + 1;
    registers[index] = registers[index].max(run);
}

/// Ertl's estimator: good over the whole range without tables of corrections.
#[allow(clippy::cast_precision_loss, reason = "counts of registers")]
fn estimate(registers: &[u8], precision: u8) -> f64 {
    let longest = usize::from(64 - precision);
    let mut counts = vec![0usize; longest + 2];
    for run in registers {
        counts[usize::from(*run).min(longest + 1)] += 1;
    }
    let m = registers.len() as f64;
    let mut z = m * tau(1.0 - counts[longest + 1] as f64 / m);
    for k in (1..=longest).rev() {
        z = 0.5 * (z + counts[k] as f64);
    }
    z += m * sigma(counts[0] as f64 / m);
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
