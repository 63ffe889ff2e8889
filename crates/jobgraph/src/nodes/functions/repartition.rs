//! gs_repartition (Glue Studio: Autobalance processing): the rows in so many parts, each written as a file.

use crate::fields::Fields;
use crate::nodes::{Context, Operation};
use crate::script::{Script, py};
use crate::step::{RepartitionStep, Step};
use crate::text::Placed;
use model::Error;

#[derive(Debug)]
struct Repartition {
    partitions: Option<u32>,
    columns: Vec<Placed<String>>,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let number = fields.number("numPartitionsStr");
    let columns = fields.names("partitionCols");
    let partitions = match &number {
        None => None,
        Some(number) => match u32::try_from(number.value) {
            Ok(1..=10_000) => u32::try_from(number.value).ok(),
            _ => {
                let error = Error::invalid(format!("{} parts are not possible", number.value));
                fields.wrong(&number.span, error.hint("1 to 10000 are; leave it out and the engine chooses"));
                None
            }
        },
    };
    fields.is_good().then(|| Box::new(Repartition { partitions, columns }) as Box<dyn Operation>)
}

impl Operation for Repartition {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        for column in &self.columns {
            cx.column(&column.value, &column.span);
        }
        let columns = self.columns.iter().map(|column| column.value.clone()).collect();
        Some(Step::Repartition(RepartitionStep {
            input: cx.relation(),
            partitions: self.partitions,
            columns,
        }))
    }

    fn script(&self, out: &mut Script<'_>) {
        let mut arguments: Vec<String> = Vec::new();
        arguments.extend(self.partitions.map(|n| format!("numPartitionsStr=\"{n}\"")));
        if !self.columns.is_empty() {
            let names: Vec<&str> = self.columns.iter().map(|column| column.value.as_str()).collect();
            arguments.push(format!("partitionCols={}", py::text(&names.join(","))));
        }
        out.assign_method("gs_repartition", &arguments);
    }
}
