//! DropNullFields: columns that hold nothing but nulls are dropped. What counts as null can be widened: empty texts,
//! the text `null`, -1, and values of one's own. Only the data can tell, so this is a step of its own.

use super::{Context, Kind, Operation};
use crate::fields::Fields;
use crate::script::{Helper, Script, py};
use crate::step::{DropNulls, Step};
use model::Error;

pub(super) const KIND: Kind = Kind::transform("DropNullFields", read);

#[derive(Debug)]
struct DropNullFields {
    texts: Vec<String>,
    numbers: Vec<i64>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    let boxes = fields.map("NullCheckBoxList", |boxes| {
        let checked = |name| boxes.flag(name).unwrap_or(false);
        (checked("IsEmpty"), checked("IsNullString"), checked("IsNegOne"))
    });
    let (empty, null, minus_one) = boxes.unwrap_or_default();
    texts.extend(empty.then(String::new));
    texts.extend(null.then(|| "null".to_owned()));
    numbers.extend(minus_one.then_some(-1));
    let own = fields.each("NullTextList", "a null value", |one| {
        let value = one.text("Value");
        let datatype = one.map("Datatype", |datatype| {
            datatype.ignore(&["Label"]);
            datatype.need_text("Id").map(|id| id.value)
        });
        Some((value?, datatype.flatten()?))
    });
    for (value, datatype) in own {
        match (datatype.to_lowercase().as_str(), value.value.trim().parse()) {
            ("string", _) => texts.push(value.value.trim().to_owned()),
            (_, Ok(number)) => numbers.push(number),
            _ => {
                let error = Error::invalid(format!("`{}` is no whole number", value.value));
                fields.wrong(
                    &value.span,
                    error.hint("its `Datatype` is no string: give a whole number, or `Id: string`"),
                );
            }
        }
    }
    fields.is_good().then(|| Box::new(DropNullFields { texts, numbers }) as Box<dyn Operation>)
}

impl Operation for DropNullFields {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let (texts, numbers) = (self.texts.clone(), self.numbers.clone());
        Some(Step::DropNulls(DropNulls { input: cx.relation(), texts, numbers }))
    }

    fn script(&self, out: &mut Script<'_>) {
        out.helper(Helper::DropNulls);
        let numbers: Vec<String> = self.numbers.iter().map(i64::to_string).collect();
        out.assign_call(
            "drop_nulls",
            &[
                "glueContext".to_owned(),
                format!("frame={}", out.input(0)),
                format!("null_texts=set({})", py::list(&self.texts)),
                format!("null_numbers=set([{}])", numbers.join(", ")),
            ],
        );
    }
}
