//! SelectFromCollection: one output of a SplitFields or Route node, by its index from 0.

use super::{Context, Kind, Operation};
use crate::fields::Fields;
use crate::script::Script;
use crate::step::Step;
use crate::text::Placed;
use model::Error;
use sql::quote_ident;

pub(super) const KIND: Kind =
    Kind { takes_collection: true, ..Kind::transform("SelectFromCollection", read) };

#[derive(Debug)]
struct Select {
    index: Placed<u64>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    match fields.number("Index") {
        Some(index) => Some(Box::new(Select { index })),
        None => {
            if fields.is_good() {
                fields.need_text("Index");
            }
            None
        }
    }
}

impl Operation for Select {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let members = cx.inputs.first().map_or(0, |input| input.members);
        let index = usize::try_from(self.index.value).unwrap_or(usize::MAX);
        if members > 0 && index >= members {
            let message = format!("`{}` has {members} outputs, there is no {index}", cx.relation().node);
            cx.wrong(
                &self.index.span,
                Error::invalid(message).hint(format!("they are numbered from 0 to {}", members - 1)),
            );
            return None;
        }
        cx.query(format!("SELECT * FROM {}", quote_ident(&cx.relation().name)), vec![])
    }

    fn member(&self) -> Option<usize> {
        usize::try_from(self.index.value).ok()
    }

    fn script(&self, out: &mut Script<'_>) {
        let collection = out.input(0).to_owned();
        let key = format!("key=list({collection}.keys())[{}]", self.index.value);
        out.assign_call("SelectFromCollection.apply", &[format!("dfc={collection}"), key]);
    }
}
