//! DynamicTransform: Glue Studio's further transforms, by `FunctionName`, and Glulam's own.
//!
//! `Parameters` is Glue's list of `{Name, Type, Value: […]}`, or, shorter, a map from names to values.

use super::{Kind, Operation, functions};
use crate::fields::Fields;
use crate::text::{Data, Entry, Value};
use model::{Error, nearest_hint};

pub(super) const KIND: Kind = Kind::transform("DynamicTransform", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    // `Path` is where Glue keeps the Python of the transform.
    fields.ignore(&["TransformName", "Path", "Version", "OutputSchemas"]);
    let function = fields.need_text("FunctionName");
    let (entries, span) = parameters(fields);
    let function = function?;
    let Some(read) = functions::find(&function.value) else {
        let error = Error::unsupported(format!("there is no transform `{}`", function.value));
        let error = error.hint(nearest_hint(&function.value, functions::names()));
        fields.wrong(&function.span, error.why("custom visual transforms are Python, which jobs do not run"));
        return None;
    };
    let owner = format!("{} ({})", fields.owner(), function.value);
    let parameters = fields.beside(owner, &entries, span);
    let operation = read(&parameters);
    parameters.finish();
    fields.take_over(&parameters);
    operation.filter(|_| fields.is_good())
}

/// The parameters as a map.
fn parameters(fields: &Fields<'_>) -> (Vec<Entry>, crate::text::Span) {
    let Some(value) = fields.value("Parameters") else { return (Vec::new(), fields.span.clone()) };
    if let Data::Map(entries) = &value.data {
        return (entries.clone(), fields.span.clone());
    }
    let entries = fields.each("Parameters", "a parameter", |one| {
        let name = one.need_text("Name");
        one.ignore(&["Type", "ListType", "IsOptional", "ValidationRule", "ValidationMessage"]);
        let null = Value::new(Data::Null, one.span.clone());
        let value = one.value("Value").cloned().unwrap_or(null);
        let name = name?;
        Some(Entry { key: name.value, key_span: name.span, value })
    });
    (entries, fields.span.clone())
}
