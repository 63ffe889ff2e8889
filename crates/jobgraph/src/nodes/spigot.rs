//! Spigot: writes a sample of the rows to a folder and passes all of them on.

use super::{Context, Kind, Operation};
use crate::fields::Fields;
use crate::script::{Script, py};
use crate::step::{SpigotStep, Step};
use model::{Error, LakeUri};

pub(super) const KIND: Kind = Kind { is_end: true, ..Kind::transform("Spigot", read) };

/// The most rows that Glue takes.
const MOST: u64 = 100;

#[derive(Debug)]
struct Spigot {
    path: LakeUri,
    top: Option<u64>,
    probability: Option<f64>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let path = fields.need_text("Path").and_then(|path| fields.uri(&path));
    let top = fields.number("Topk");
    let probability = fields.fraction("Prob");
    if let Some(top) = top.as_ref().filter(|top| top.value > MOST) {
        fields.wrong(
            &top.span,
            Error::invalid(format!("`Topk` is {}, but a sample has at most {MOST} rows", top.value)),
        );
    }
    if let Some(part) = probability.as_ref().filter(|part| !(0.0..=1.0).contains(&part.value)) {
        let error =
            Error::invalid(format!("`Prob` is {}, but a probability lies between 0 and 1", part.value));
        fields.wrong(&part.span, error.hint("0.1 takes about every tenth row"));
    }
    fields.is_good().then_some(())?;
    Some(Box::new(Spigot {
        path: path?,
        top: top.map(|top| top.value),
        probability: probability.map(|part| part.value),
    }))
}

impl Operation for Spigot {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let (path, top, probability) = (self.path.clone(), self.top, self.probability);
        Some(Step::Spigot(SpigotStep { input: cx.relation(), path, top, probability }))
    }

    fn script(&self, out: &mut Script<'_>) {
        let mut options: Vec<String> = Vec::new();
        options.extend(self.top.map(|top| format!("\"topk\": {top}")));
        options.extend(self.probability.map(|part| format!("\"prob\": {part}")));
        let arguments = [
            format!("frame={}", out.input(0)),
            format!("path={}", py::text(&self.path.to_string())),
            format!("options={{{}}}", options.join(", ")),
        ];
        out.assign_call("Spigot.apply", &arguments);
    }
}
