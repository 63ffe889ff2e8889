//! Summaries of many numbers: where a part of them lies, and around which points they lie.
//!
//! A digest keeps every different value while they are few, and gives the exact percentile then. Beyond that it joins
//! neighbours, fewer at the ends than in the middle (a t-digest), and interpolates.

/// Values that stand close together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Their mean.
    pub(super) value: f64,
    /// Their weight.
    pub(super) weight: f64,
    /// Whether they differ.
    pub(super) mixed: bool,
}

/// So many entries are kept before equal or close ones are joined.
const BUFFER: usize = 8192;
/// How finely values are told apart once they are joined.
const COMPRESSION: f64 = 2000.0;

/// Where parts of many numbers lie.
#[derive(Debug, Default)]
pub(super) struct Digest {
    entries: Vec<Entry>,
    total: f64,
    bounds: Option<(f64, f64)>,
}

impl Digest {
    /// Adds a number; how many bytes more are held.
    pub(super) fn add(&mut self, value: f64, weight: f64) -> usize {
        let grown = self.join(value, weight, false);
        self.widen(value, value);
        grown
    }

    /// Adds an entry of another digest.
    pub(super) fn join(&mut self, value: f64, weight: f64, mixed: bool) -> usize {
        let before = self.entries.capacity();
        self.entries.push(Entry { value, weight, mixed });
        self.total += weight;
        if self.entries.len() >= BUFFER {
            self.compress();
        }
        self.entries.capacity().saturating_sub(before) * size_of::<Entry>()
    }

    /// Notes that values reach so far.
    pub(super) fn widen(&mut self, least: f64, greatest: f64) {
        let (low, high) = self.bounds.unwrap_or((least, greatest));
        self.bounds = Some((low.min(least), high.max(greatest)));
    }

    /// What it has kept.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The least and the greatest value.
    pub(super) fn bounds(&self) -> (f64, f64) {
        self.bounds.unwrap_or((f64::NAN, f64::NAN))
    }

    /// The bytes it holds.
    pub(super) fn heap(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    /// Joins equal values, and close ones if there are still many.
    fn compress(&mut self) {
        self.entries = joined_equals(&self.entries);
        if self.entries.len() <= BUFFER / 2 {
            return;
        }
        let mut joined: Vec<Entry> = Vec::new();
        let mut done = 0.0;
        for entry in &self.entries {
            if let Some(last) = joined.last_mut() {
                let weight = last.weight + entry.weight;
                if scale((done + weight) / self.total) - scale(done / self.total) <= 1.0 {
                    last.mixed |= entry.mixed || last.value != entry.value;
                    last.value += (entry.value - last.value) * entry.weight / weight;
                    last.weight = weight;
                    continue;
                }
                done += last.weight;
            }
            joined.push(*entry);
        }
        joined.reserve(BUFFER - joined.len().min(BUFFER));
        self.entries = joined;
    }

    /// The value with this part of the weight below it; nothing if there are no values.
    pub(super) fn value_at(&self, part: f64) -> Option<f64> {
        let entries = joined_equals(&self.entries);
        let (least, greatest) = self.bounds?;
        let wanted = part * self.total;
        let mut below = 0.0;
        for (i, entry) in entries.iter().enumerate() {
            if below + entry.weight > wanted {
                if !entry.mixed {
                    return Some(entry.value);
                }
                // Values are spread evenly between the middles of this entry and its neighbour on that side.
                let half = entry.weight / 2.0;
                let offset = wanted - below;
                let (from, to, at) = if offset < half {
                    let before =
                        if i == 0 { least } else { f64::midpoint(entries[i - 1].value, entry.value) };
                    (before, entry.value, offset / half)
                } else {
                    let after =
                        entries.get(i + 1).map_or(greatest, |next| f64::midpoint(entry.value, next.value));
                    (entry.value, after, (offset - half) / half)
                };
                return Some((from + (to - from) * at).clamp(least, greatest));
            }
            below += entry.weight;
        }
        Some(greatest)
    }
}

/// The entries in order, those of one value as one.
fn joined_equals(entries: &[Entry]) -> Vec<Entry> {
    let mut sorted = entries.to_vec();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let mut joined: Vec<Entry> = Vec::with_capacity(sorted.len());
    for entry in sorted {
        match joined.last_mut() {
            Some(last) if last.value == entry.value && last.mixed == entry.mixed => {
                last.weight += entry.weight;
            }
            _ => joined.push(entry),
        }
    }
    joined
}

/// The scale that gives entries at the ends little room.
fn scale(part: f64) -> f64 {
    COMPRESSION / std::f64::consts::TAU * (2.0 * part.clamp(0.0, 1.0) - 1.0).asin()
}

/// Around which points numbers lie: neighbours whose joining loses least are joined until there are few enough.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// How many points there may be; 0 before the first number.
    pub(super) buckets: usize,
    /// Points and their weights.
    pub(super) entries: Vec<(f64, f64)>,
}

impl Histogram {
    /// Adds a number; how many bytes more are held.
    pub(super) fn add(&mut self, value: f64, weight: f64) -> usize {
        let before = self.entries.capacity();
        if self.entries.len() >= self.buckets + (self.buckets / 5).max(1000) {
            self.entries = compact(&self.entries, self.buckets);
        }
        self.entries.push((value, weight));
        self.entries.capacity().saturating_sub(before) * size_of::<(f64, f64)>()
    }

    /// The points, in order; nothing if there were no numbers.
    pub(super) fn compacted(&self) -> Option<Vec<(f64, f64)>> {
        (!self.entries.is_empty()).then(|| compact(&self.entries, self.buckets))
    }
}

fn compact(entries: &[(f64, f64)], buckets: usize) -> Vec<(f64, f64)> {
    let mut sorted = entries.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(sorted.len());
    for (value, weight) in sorted {
        match points.last_mut() {
            Some(last) if last.0 == value => last.1 += weight,
            _ => points.push((value, weight)),
        }
    }
    let penalty = |a: (f64, f64), b: (f64, f64)| {
        let distance = a.0 - b.0;
        distance * distance * a.1 * b.1 / (a.1 + b.1)
    };
    while points.len() > buckets.max(1) {
        let pairs = points.windows(2).map(|p| penalty(p[0], p[1]));
        let Some((place, _)) = pairs.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)) else { break };
        let (a, b) = (points[place], points.remove(place + 1));
        let weight = a.1 + b.1;
        points[place] = ((a.0 * a.1 + b.0 * b.1) / weight, weight);
    }
    points
}
