//! The trips of one block, column by column. Money is counted in cents and miles in hundredths, so that every value is
//! the double that its two decimals name.

use super::{Month, Shares};
use crate::random::Random;
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringViewArray, TimestampMicrosecondArray};
use arrow::buffer::NullBuffer;
use sql::SqlType;
use std::sync::Arc;

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;
const ZONES: i64 = 265;

/// The columns of the published files, with the types of March 2021.
pub(super) fn columns() -> [(&'static str, SqlType); 19] {
    use SqlType::{BigInt, Double, Timestamp, Varchar};
    [
        ("VendorID", BigInt),
        ("tpep_pickup_datetime", Timestamp(6)),
        ("tpep_dropoff_datetime", Timestamp(6)),
        ("passenger_count", Double),
        ("trip_distance", Double),
        ("RatecodeID", Double),
        ("store_and_fwd_flag", Varchar(None)),
        ("PULocationID", BigInt),
        ("DOLocationID", BigInt),
        ("payment_type", BigInt),
        ("fare_amount", Double),
        ("extra", Double),
        ("mta_tax", Double),
        ("tip_amount", Double),
        ("tolls_amount", Double),
        ("improvement_surcharge", Double),
        ("total_amount", Double),
        ("congestion_surcharge", Double),
        ("airport_fee", Double),
    ]
}

/// Trips in the making.
#[derive(Debug, Default)]
pub(super) struct Block {
    vendor: Vec<i64>,
    pickup: Vec<Option<i64>>,
    dropoff: Vec<Option<i64>>,
    /// Whether what the meter reports is known: passengers, rate code, flag, surcharge, airport fee.
    known: Vec<bool>,
    passengers: Vec<f64>,
    rate: Vec<f64>,
    flag: Vec<&'static str>,
    from: Vec<i64>,
    to: Vec<i64>,
    payment: Vec<i64>,
    distance: Vec<f64>,
    fare: Vec<f64>,
    extra: Vec<f64>,
    tip: Vec<f64>,
    tolls: Vec<f64>,
    total: Vec<f64>,
    congestion: Vec<f64>,
    airport: Vec<f64>,
}

impl Block {
    /// Makes a trip that begins about `usual` seconds after the month does, unless it is one of another month.
    pub(super) fn add(&mut self, usual: i64, month: Month, shares: Shares, random: &mut Random) {
        let seconds = self.times(usual, month, shares, random);
        let known = !random.chance(shares.unknown);
        self.known.push(known);
        self.vendor.push(random.between(1, 2));
        self.passengers.push((random.between(0, 12) / 2).max(1) as f64);
        self.rate.push(if random.chance(0.03) { random.between(2, 5) as f64 } else { 1.0 });
        self.flag.push(if random.chance(0.01) { "Y" } else { "N" });
        self.from.push(random.between(1, ZONES));
        self.to.push(random.between(1, ZONES));
        self.money(seconds, known, random);
    }

    /// Draws begin and end; the trip's length in seconds.
    fn times(&mut self, usual: i64, month: Month, shares: Shares, random: &mut Random) -> i64 {
        let length = month.end - month.start;
        let mut pickup = month.start + (usual + random.between(-3 * HOUR, 3 * HOUR)).rem_euclid(length);
        let most = random.between(0, 2 * HOUR);
        let seconds = random.between(0, most);
        let drawn = (random.next() >> 32) as f64 / 4_294_967_296.0;
        let (mut has_pickup, mut has_dropoff, mut dropoff) = (true, true, pickup + seconds);
        if drawn < shares.no_time {
            let which = random.between(1, 3);
            (has_pickup, has_dropoff) = (which & 1 == 0, which & 2 == 0);
        } else if drawn < shares.no_time + shares.negative {
            dropoff = pickup - random.between(1, HOUR);
        } else if drawn < shares.no_time + shares.negative + shares.other_month {
            // The days beside the month, and times far away.
            pickup = match random.between(0, 3) {
                0 => month.start - random.between(1, DAY),
                1 => month.end + random.between(0, DAY),
                2 => month.start - random.between(DAY, 400 * DAY),
                _ => month.end + random.between(DAY, 300 * DAY),
            };
            dropoff = pickup + seconds;
        }
        let micros = |at: i64, known: bool| known.then_some(at * 1_000_000);
        self.pickup.push(micros(pickup, has_pickup));
        self.dropoff.push(micros(dropoff, has_dropoff));
        seconds
    }

    fn money(&mut self, seconds: i64, known: bool, random: &mut Random) {
        let distance = seconds * random.between(500, 2500) / HOUR;
        let fare = 250 + distance * 5 / 2;
        // One of 0, 0.50, 1.00, 2.50 and 3.00.
        let extra = 50 * [0, 1, 2, 5, 6][usize::try_from(random.between(0, 4)).unwrap_or(0).min(4)];
        // Most pay by card, and only cards show tips.
        let payment = match random.between(1, 100) {
            _ if !known => 0,
            1..=75 => 1,
            76..=98 => 2,
            99 => 3,
            _ => 4,
        };
        let tip = if payment == 1 { fare * random.between(0, 30) / 100 } else { 0 };
        let tolls = if random.chance(0.05) { 612 } else { 0 };
        let congestion = if random.chance(0.85) { 250 } else { 0 };
        let airport = if random.chance(0.08) { 125 } else { 0 };
        let metered = if known { congestion + airport } else { 0 };
        let dollars = |cents: i64| cents as f64 / 100.0;
        self.payment.push(payment);
        self.distance.push(dollars(distance));
        self.fare.push(dollars(fare));
        self.extra.push(dollars(extra));
        self.tip.push(dollars(tip));
        self.tolls.push(dollars(tolls));
        self.total.push(dollars(fare + extra + 50 + tip + tolls + 30 + metered));
        self.congestion.push(dollars(congestion));
        self.airport.push(dollars(airport));
    }

    /// The columns, in the order of [`columns`].
    pub(super) fn into_columns(self) -> Vec<ArrayRef> {
        let rows = self.known.len();
        let known = NullBuffer::from(self.known);
        let flag: StringViewArray =
            self.flag.iter().zip(&known).map(|(flag, known)| known.then_some(*flag)).collect();
        let metered = |values: Vec<f64>| -> ArrayRef {
            Arc::new(Float64Array::new(values.into(), Some(known.clone())))
        };
        let doubles = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
        let longs = |values: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
        vec![
            longs(self.vendor),
            Arc::new(TimestampMicrosecondArray::from(self.pickup)),
            Arc::new(TimestampMicrosecondArray::from(self.dropoff)),
            metered(self.passengers),
            doubles(self.distance),
            metered(self.rate),
            Arc::new(flag),
            longs(self.from),
            longs(self.to),
            longs(self.payment),
            doubles(self.fare),
            doubles(self.extra),
            doubles(vec![0.5; rows]),
            doubles(self.tip),
            doubles(self.tolls),
            doubles(vec![0.3; rows]),
            doubles(self.total),
            metered(self.congestion),
            metered(self.airport),
        ]
    }
}
