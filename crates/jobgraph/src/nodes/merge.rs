//! Merge: rows of the staging input replace the source's rows of equal keys; what only one side has stays.

use super::{Context, Kind, Operation, union};
use crate::fields::Fields;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use model::{Error, nearest_hint};
use sql::quote_ident;

pub(super) const KIND: Kind = Kind { inputs: (2, 2), ..Kind::transform("Merge", read) };

#[derive(Debug)]
struct Merge {
    /// The id of the input whose rows are replaced.
    source: Placed<String>,
    keys: Vec<Placed<String>>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let source = fields.need_text("Source");
    fields.need_items("PrimaryKeys");
    let keys = fields.plain_columns("PrimaryKeys");
    fields.is_good().then_some(())?;
    Some(Box::new(Merge { source: source?, keys }))
}

impl Operation for Merge {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let ids: Vec<&str> = cx.inputs.iter().map(|input| input.relation.node.as_str()).collect();
        let Some(source) = ids.iter().position(|id| *id == self.source.value) else {
            let message = format!("`{}` is no input of `{}`", self.source.value, cx.id);
            cx.wrong(&self.source.span, Error::invalid(message).hint(nearest_hint(&self.source.value, ids)));
            return None;
        };
        for key in &self.keys {
            cx.column_of(0, &key.value, &key.span);
            cx.column_of(1, &key.value, &key.span);
        }
        union::check_columns(cx, &self.source.span).then_some(())?;
        let name =
            |at: usize| cx.inputs.get(at).map_or_else(String::new, |input| quote_ident(&input.relation.name));
        let (source, staging) = (name(source), name(1 - source.min(1)));
        let list = union::by_name(cx).unwrap_or_else(|| "*".to_owned());
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|k| quote_ident(&k.value))
            .map(|k| format!("{staging}.{k} = {source}.{k}"))
            .collect();
        cx.query(
            format!(
                "SELECT {list} FROM {staging} UNION ALL SELECT {list} FROM {source} \
                 WHERE NOT EXISTS (SELECT 1 FROM {staging} WHERE {})",
                keys.join(" AND ")
            ),
            vec![],
        )
    }

    fn script(&self, out: &mut Script<'_>) {
        let source = usize::from(out.input_id(0) != self.source.value);
        let (source, staging) = (out.input(source).to_owned(), out.input(1 - source).to_owned());
        let keys = py::list(self.keys.iter().map(|key| &key.value));
        out.assign_call(
            &format!("{source}.mergeDynamicFrame"),
            &[format!("stage_dynamic_frame={staging}"), format!("primary_keys={keys}")],
        );
    }
}
