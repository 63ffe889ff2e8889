//! `glulam.toml`: reads it with the place of every key, so that a mistake is shown where it stands.

use super::{Kind, Setting, unknown_key, wrong_value};
use model::{Error, Place, Result, SourcePlace};
use std::ops::Range;
use std::path::Path;
use toml_edit::{Document, Item, TableLike, Value};

/// A checked line of the file.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) place: String,
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    entries: Vec<Entry>,
}

pub(super) fn read(path: &Path) -> Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Error::not_found("cannot read the configuration file").at(Place::object(path.display())).source_is(e)
    })?;
    let document = text.parse::<Document<String>>().map_err(|e| {
        let span = e.span().unwrap_or(0..0);
        Error::invalid(format!("the configuration file is no TOML: {}", e.message()))
            .at(SourcePlace::of_bytes(path.display().to_string(), &text, span.start, span.end))
    })?;
    let mut reader = Reader { path, text: &text, entries: Vec::new() };
    reader.table("", document.as_table())?;
    Ok(reader.entries)
}

impl Reader<'_> {
    fn place(&self, span: Option<Range<usize>>) -> SourcePlace {
        let span = span.unwrap_or(0..0);
        SourcePlace::of_bytes(self.path.display().to_string(), self.text, span.start, span.end)
    }

    fn table(&mut self, prefix: &str, table: &dyn TableLike) -> Result<()> {
        for (name, item) in table.iter() {
            let key = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
            if let Some(inner) = item.as_table_like() {
                self.table(&key, inner)?;
            } else {
                self.value(&key, item, span)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, key: &str, item: &Item, span: Option<Range<usize>>) -> Result<()> {
        let place = self.place(span);
        let setting = Setting::of(key).ok_or_else(|| unknown_key(key).at(place.clone()))?;
        let text = match item.as_value() {
            Some(Value::String(text)) => text.value().clone(),
            Some(Value::Integer(number)) => number.value().to_string(),
            Some(Value::Boolean(switch)) => switch.value().to_string(),
            _ => {
                return Err(Error::invalid(format!("`{key}` must be a text, a whole number, true or false"))
                    .at(self.place(item.span())));
            }
        };
        let mut accepted = setting
            .accept(&text)
            .map_err(|why| wrong_value(key, setting, &text, &why).at(self.place(item.span())))?;
        if setting.kind == Kind::Path
            && let Some(folder) = self.path.parent()
        {
            accepted = folder.join(accepted).display().to_string();
        }
        let place = format!("{}:{}", place.file, place.line);
        self.entries.push(Entry { key: key.to_owned(), value: accepted, place });
        Ok(())
    }
}
