//! Prometheus' text exposition, version 0.0.4: families of samples with their help and kind.

use super::{BOUNDS, Family, Figure, Kind, Point, Spread};
use std::fmt::Write;

/// The page with these families.
pub(super) fn page(families: &[Family]) -> String {
    let mut page = String::new();
    for family in families {
        let name = name(family);
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a text does not fail.
        let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for point in &family.points {
            match &point.figure {
                Figure::Whole(value) => sample(&mut page, &name, &point.labels, None, &value.to_string()),
                Figure::Real(value) => sample(&mut page, &name, &point.labels, None, &number(*value)),
                Figure::Spread(spread) => histogram(&mut page, &name, point, spread),
            }
        }
    }
    page
}

/// The name by OpenTelemetry's rules: underscores for dots, the unit behind it where it is a real one, and `_total` behind
/// what only rises.
fn name(family: &Family) -> String {
    if let Some(name) = family.prometheus {
        return name.to_owned();
    }
    let mut name = family.name.replace('.', "_");
    let unit = match family.unit {
        "s" => "_seconds",
        "By" => "_bytes",
        _ => "",
    };
    if !name.ends_with(unit) {
        name.push_str(unit);
    }
    if family.kind == Kind::Counter {
        name.push_str("_total");
    }
    name
}

fn histogram(page: &mut String, name: &str, point: &Point, spread: &Spread) {
    let bucket = format!("{name}_bucket");
    let mut below = 0;
    for (bound, count) in BOUNDS.iter().zip(spread.buckets) {
        below += count;
        sample(page, &bucket, &point.labels, Some(&bound.to_string()), &below.to_string());
    }
    let count = spread.count().to_string();
    sample(page, &bucket, &point.labels, Some("+Inf"), &count);
    sample(page, &format!("{name}_sum"), &point.labels, None, &number(spread.sum));
    sample(page, &format!("{name}_count"), &point.labels, None, &count);
}

fn sample(
    page: &mut String,
    name: &str,
    labels: &[(&'static str, String)],
    bound: Option<&str>,
    value: &str,
) {
    page.push_str(name);
    let labels = labels.iter().map(|(label, text)| (*label, text.as_str()));
    let mut open = '{';
    for (label, text) in labels.chain(bound.map(|bound| ("le", bound))) {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(page, "{open}{label}=\"{text}\"");
        open = ',';
    }
    if open == ',' {
        page.push('}');
    }
    let _ = writeln!(page, " {value}");
}

fn number(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        v => v.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let families = [
            Family::new(
                "glulam.x",
                "{thing}",
                Kind::Counter,
                "what\nit \\ is",
                vec![Point::whole(&[("kind", "a\"b\\c\nd"), ("state", "ok")], 3)],
            ),
            Family::new("glulam.y", "", Kind::Gauge, "y", vec![Point::real(&[], 0.5)]),
            Family::new("glulam.stream.bytes", "By", Kind::Gauge, "z", vec![Point::real(&[], f64::INFINITY)]),
            Family::new("process.cpu.time", "s", Kind::Counter, "c", vec![Point::real(&[], 2.0)])
                .known_to_prometheus_as("process_cpu_seconds_total"),
        ];
        assert_eq!(
            page(&families),
            "# HELP glulam_x_total what\\nit \\\\ is\n# TYPE glulam_x_total counter\n\
             glulam_x_total{kind=\"a\\\"b\\\\c\\nd\",state=\"ok\"} 3\n\
             # HELP glulam_y y\n# TYPE glulam_y gauge\nglulam_y 0.5\n\
             # HELP glulam_stream_bytes z\n# TYPE glulam_stream_bytes gauge\nglulam_stream_bytes +Inf\n\
             # HELP process_cpu_seconds_total c\n# TYPE process_cpu_seconds_total counter\n\
             process_cpu_seconds_total 2\n"
        );
    }

    #[test]
    fn buckets_hold_those_below_them() {
        let mut spread = Spread { sum: 7.5, ..Spread::default() };
        spread.buckets[1] = 2;
        spread.buckets[BOUNDS.len()] = 1;
        let point = Point::new(&[("kind", "job")], Figure::Spread(spread));
        let text = page(&[Family::new("glulam.run.duration", "s", Kind::Histogram, "d", vec![point])]);
        for line in [
            "glulam_run_duration_seconds_bucket{kind=\"job\",le=\"0.05\"} 0",
            "glulam_run_duration_seconds_bucket{kind=\"job\",le=\"14400\"} 2",
            "glulam_run_duration_seconds_bucket{kind=\"job\",le=\"+Inf\"} 3",
            "glulam_run_duration_seconds_sum{kind=\"job\"} 7.5",
            "glulam_run_duration_seconds_count{kind=\"job\"} 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
