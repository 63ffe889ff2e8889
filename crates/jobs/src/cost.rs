//! What the same run would cost on AWS, if it took as long there.

use crate::report::JobCost;
use jobgraph::JobDefinition;
use model::{Error, Result};

/// Prices, in dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// An hour of one data processing unit.
    pub dpu_hour: f64,
}

impl Default for Prices {
    fn default() -> Self {
        Self { dpu_hour: 0.44 }
    }
}

impl Prices {
    /// From the configuration's text.
    pub fn parse(dpu_hour: &str) -> Result<Self> {
        match dpu_hour.trim().parse::<f64>() {
            Ok(price) if price.is_finite() && price >= 0.0 => Ok(Self { dpu_hour: price }),
            _ => Err(Error::invalid(format!("`{dpu_hour}` is no price")).hint("write dollars, such as 0.44")),
        }
    }

    /// Glue counts at least a minute, and every worker.
    pub(crate) fn of(&self, definition: &JobDefinition, seconds: f64) -> JobCost {
        let worker = definition.worker_type.as_deref().unwrap_or("G.1X");
        let units = match worker {
            "G.025X" => 0.25,
            "G.2X" | "R.2X" | "Z.2X" => 2.0,
            "G.4X" | "R.4X" => 4.0,
            "G.8X" | "R.8X" => 8.0,
            "G.12X" => 12.0,
            "G.16X" => 16.0,
            _ => 1.0,
        };
        // Glue takes ten workers where nothing is said.
        let workers = definition.number_of_workers.unwrap_or(10);
        let billed = seconds.max(60.0);
        let dollars = billed / 3600.0 * units * workers as f64 * self.dpu_hour;
        JobCost {
            dollars,
            billed_seconds: billed,
            worker_type: worker.to_owned(),
            workers,
            dpu_hour: self.dpu_hour,
        }
    }
}
