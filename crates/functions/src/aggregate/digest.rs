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

impl Entry {
    fn once(value: f64) -> Self {
        Entry { value, weight: 1.0, mixed: false }
    }
}

/// So many entries are kept before equal or close ones are joined.
const BUFFER: usize = 8192;
/// How finely values are told apart once they are joined.
const COMPRESSION: f64 = 2000.0;

/// Where parts of many numbers lie.
#[derive(Debug, Default)]
pub(super) struct Digest {
    /// What has a weight, and what was joined.
    entries: Vec<Entry>,
    /// Values of weight 1 that came since, as numbers of the same order.
    fresh: Vec<i64>,
    total: f64,
    bounds: Option<(f64, f64)>,
}

impl Digest {
    /// Adds a number; how many bytes more are held.
    pub(super) fn add(&mut self, value: f64, weight: f64) -> usize {
        self.widen(value, value);
        #[allow(clippy::float_cmp, reason = "only what has no weight is exactly 1")]
        if weight != 1.0 {
            return self.join(value, weight, false);
        }
        let before = self.heap();
        self.fresh.push(order_of(value));
        self.total += weight;
        self.compress_when_full();
        self.heap().saturating_sub(before)
    }

    /// Adds an entry of another digest.
    pub(super) fn join(&mut self, value: f64, weight: f64, mixed: bool) -> usize {
        let before = self.heap();
        self.entries.push(Entry { value, weight, mixed });
        self.total += weight;
        self.compress_when_full();
        self.heap().saturating_sub(before)
    }

    /// Notes that values reach so far.
    pub(super) fn widen(&mut self, least: f64, greatest: f64) {
        let (low, high) = self.bounds.unwrap_or((least, greatest));
        self.bounds = Some((low.min(least), high.max(greatest)));
    }

    /// How many entries it has kept.
    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.fresh.len()
    }

    /// What it has kept, in no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.entries.iter().copied().chain(self.fresh.iter().map(|order| Entry::once(value_of(*order))))
    }

    /// The least and the greatest value.
    pub(super) fn bounds(&self) -> (f64, f64) {
        self.bounds.unwrap_or((f64::NAN, f64::NAN))
    }

    /// The bytes it holds.
    pub(super) fn heap(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.fresh.capacity() * size_of::<i64>()
    }

    fn compress_when_full(&mut self) {
        if self.len() >= BUFFER {
            self.compress();
        }
    }

    /// Joins equal values, and close ones if there are still many.
    fn compress(&mut self) {
        self.entries.sort_by(|a, b| a.value.total_cmp(&b.value));
        self.fresh.sort_unstable();
        let entries = joined_equals(&self.entries, &self.fresh);
        self.fresh.clear();
        if entries.len() <= BUFFER / 2 {
            self.entries = entries;
            return;
        }
        self.entries.clear();
        let (mut done, mut most) = (0.0, reach(0.0) * self.total);
        for entry in entries {
            if let Some(last) = self.entries.last_mut() {
                let weight = last.weight + entry.weight;
                if done + weight <= most {
                    last.mixed |= entry.mixed || last.value != entry.value;
                    last.value += (entry.value - last.value) * entry.weight / weight;
                    last.weight = weight;
                    continue;
                }
                done += last.weight;
                most = reach(done / self.total) * self.total;
            }
            self.entries.push(entry);
        }
    }

    /// What it has kept, in order, those of one value as one.
    fn ordered(&self) -> Vec<Entry> {
        let (mut entries, mut fresh) = (self.entries.clone(), self.fresh.clone());
        entries.sort_by(|a, b| a.value.total_cmp(&b.value));
        fresh.sort_unstable();
        joined_equals(&entries, &fresh)
    }

    /// The value with this part of the weight below it; nothing if there are no values.
    pub(super) fn value_at(&self, part: f64) -> Option<f64> {
        let entries = self.ordered();
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

/// Entries and values of weight 1, each in order, as entries in order, those of one value as one.
fn joined_equals(entries: &[Entry], fresh: &[i64]) -> Vec<Entry> {
    let mut joined: Vec<Entry> = Vec::with_capacity(entries.len() + fresh.len());
    let mut add = |entry: Entry| match joined.last_mut() {
        Some(last) if last.value == entry.value && last.mixed == entry.mixed => last.weight += entry.weight,
        _ => joined.push(entry),
    };
    let mut entries = entries.iter().peekable();
    for order in fresh {
        while let Some(entry) = entries.next_if(|e| order_of(e.value) <= *order) {
            add(*entry);
        }
        add(Entry::once(value_of(*order)));
    }
    entries.for_each(|entry| add(*entry));
    joined
}

/// A number that stands among others as this one does among its like.
fn order_of(value: f64) -> i64 {
    turned(value.to_bits().cast_signed())
}

/// The number with this order.
fn value_of(order: i64) -> f64 {
    f64::from_bits(turned(order).cast_unsigned())
}

/// Negative numbers have their order turned round; done twice it is undone.
fn turned(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// How far an entry may reach that begins after this part of the weight: entries at the ends have little room.
///
/// On the scale `COMPRESSION / TAU * asin(2 * part - 1)` none is longer than 1.
fn reach(part: f64) -> f64 {
    let (sin, cos) = (std::f64::consts::TAU / COMPRESSION).sin_cos();
    let at = (2.0 * part - 1.0).clamp(-1.0, 1.0);
    if at >= cos { f64::INFINITY } else { f64::midpoint(at * cos + (1.0 - at * at).sqrt() * sin, 1.0) }
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
