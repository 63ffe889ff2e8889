//! Prometheus' text exposition, version 0.0.4: families of samples with their help and kind.

use std::fmt::Write;

/// A page of metrics, as it grows.
#[derive(Default)]
pub(crate) struct Text {
    page: String,
}

/// What a family's samples are.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Only rises, and begins anew with the process.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

impl Text {
    /// Begins a family: all of its samples follow.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a text does not fail.
        let _ = writeln!(self.page, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample of the family.
    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.page.push_str(name);
        for (i, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.page, "{}{label}=\"{text}\"", if i == 0 { '{' } else { ',' });
        }
        if !labels.is_empty() {
            self.page.push('}');
        }
        let _ = match value {
            v if v.is_nan() => writeln!(self.page, " NaN"),
            f64::INFINITY => writeln!(self.page, " +Inf"),
            f64::NEG_INFINITY => writeln!(self.page, " -Inf"),
            v => writeln!(self.page, " {v}"),
        };
    }

    /// A family of one sample without labels.
    pub(crate) fn single(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    pub(crate) fn finish(self) -> String {
        self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let mut text = Text::default();
        text.family("glulam_x_total", Kind::Counter, "what\nit \\ is");
        text.sample("glulam_x_total", &[("kind", "a\"b\\c\nd"), ("state", "ok")], 3.0);
        text.single("glulam_y", Kind::Gauge, "y", 0.5);
        text.family("glulam_z", Kind::Histogram, "z");
        text.sample("glulam_z_bucket", &[("le", "+Inf")], f64::INFINITY);
        assert_eq!(
            text.finish(),
            "# HELP glulam_x_total what\\nit \\\\ is\n# TYPE glulam_x_total counter\n\
             glulam_x_total{kind=\"a\\\"b\\\\c\\nd\",state=\"ok\"} 3\n\
             # HELP glulam_y y\n# TYPE glulam_y gauge\nglulam_y 0.5\n\
             # HELP glulam_z z\n# TYPE glulam_z histogram\nglulam_z_bucket{le=\"+Inf\"} +Inf\n"
        );
    }
}
