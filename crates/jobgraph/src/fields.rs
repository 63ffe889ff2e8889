//! Reading a node's settings: each by its name and sort, every mistake with its place, unknown names at the end.

use crate::text::{Data, Entry, Placed, Span, Value, place};
use model::{Error, LakeUri, nearest_hint};
use sql::Source;
use std::cell::{Cell, RefCell};

/// Where mistakes are gathered; all readers of a definition share one.
#[derive(Debug)]
pub(crate) struct Mistakes<'a> {
    pub(crate) source: &'a Source,
    found: RefCell<Vec<Error>>,
    /// Values that are not known yet: nothing is said about them.
    unknown: RefCell<Vec<Span>>,
}

/// No more mistakes than this are kept: a file that is no job definition at all should not fill the screen.
const MAX_MISTAKES: usize = 100;

impl<'a> Mistakes<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, found: RefCell::default(), unknown: RefCell::default() }
    }

    /// A value lacks an argument, which is the only mistake to be told of it.
    pub(crate) fn lacks(&self, span: &Span, error: Error) {
        self.add(span, error);
        self.unknown.borrow_mut().push(span.clone());
    }

    /// How many values lack an argument so far.
    pub(crate) fn lacking(&self) -> usize {
        self.unknown.borrow().len()
    }

    /// Keeps a mistake at a place.
    pub(crate) fn add(&self, span: &Span, error: Error) {
        if self.unknown.borrow().contains(span) {
            return;
        }
        self.keep(error.at(place(self.source, span)));
    }

    /// Keeps a mistake that knows its place.
    pub(crate) fn keep(&self, error: Error) {
        let mut found = self.found.borrow_mut();
        if found.len() < MAX_MISTAKES {
            found.push(error);
        }
    }

    /// Whether no more are kept: looking for nearest names would only take time.
    pub(crate) fn is_full(&self) -> bool {
        self.found.borrow().len() >= MAX_MISTAKES
    }

    pub(crate) fn into_found(self) -> Vec<Error> {
        self.found.into_inner()
    }
}

/// The path of a column: one name, or the names down to a nested field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnPath {
    pub(crate) parts: Vec<String>,
}

impl ColumnPath {
    /// The top column's name.
    pub(crate) fn top(&self) -> &str {
        self.parts.first().map_or("", String::as_str)
    }

    /// The name, if it is no nested field.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Names with points between them.
    pub(crate) fn dotted(&self) -> String {
        self.parts.join(".")
    }
}

/// The settings of one node, or of one map in it.
pub(crate) struct Fields<'a> {
    /// What it belongs to, for messages: ``ApplyMapping `clean` ``.
    owner: String,
    entries: &'a [Entry],
    pub(crate) span: Span,
    mistakes: &'a Mistakes<'a>,
    asked: RefCell<Vec<&'static str>>,
    bad: Cell<bool>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(owner: String, entries: &'a [Entry], span: Span, mistakes: &'a Mistakes<'a>) -> Self {
        Self { owner, entries, span, mistakes, asked: RefCell::new(Vec::new()), bad: Cell::new(false) }
    }

    /// Keeps a mistake.
    pub(crate) fn wrong(&self, span: &Span, error: Error) {
        self.bad.set(true);
        self.mistakes.add(span, error);
    }

    /// Whether everything read so far was right.
    pub(crate) fn is_good(&self) -> bool {
        !self.bad.get()
    }

    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// The value of that name; an explicit `null` is as good as nothing.
    pub(crate) fn value(&self, name: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(name);
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        (entry.value.data != Data::Null).then_some(&entry.value)
    }

    fn needed(&self, name: &'static str) -> Option<&'a Value> {
        let value = self.value(name);
        if value.is_none() {
            self.missing(name);
        }
        value
    }

    fn missing(&self, name: &str) {
        let error = Error::invalid(format!("`{name}` is missing in {}", self.owner));
        // A misspelt key is reported as unknown with this name as a hint, so it need not be said twice.
        let misspelt =
            self.entries.iter().find(|e| model::nearest(&e.key, [name]).is_some() && e.key != name);
        self.bad.set(true);
        if misspelt.is_none_or(|entry| self.asked.borrow().contains(&entry.key.as_str())) {
            self.mistakes.add(&self.span, error);
        }
    }

    fn not_a(&self, name: &str, value: &Value, wanted: &str) {
        let message = format!("`{name}` of {} must be {wanted}, but is {}", self.owner, value.sort());
        self.wrong(&value.span, Error::invalid(message));
    }

    pub(crate) fn text(&self, name: &'static str) -> Option<Placed<String>> {
        self.text_of(name, self.value(name)?)
    }

    pub(crate) fn need_text(&self, name: &'static str) -> Option<Placed<String>> {
        let text = self.text_of(name, self.needed(name)?)?;
        if text.value.trim().is_empty() {
            self.wrong(&text.span, Error::invalid(format!("`{name}` of {} is empty", self.owner)));
            return None;
        }
        Some(text)
    }

    fn text_of(&self, name: &str, value: &Value) -> Option<Placed<String>> {
        // DynamicTransform's parameters hold each value in a list.
        let value = match &value.data {
            Data::List(values) if values.len() == 1 => values.first()?,
            _ => value,
        };
        match value.as_text() {
            Some(text) => Some(Placed::new(text, value.span.clone())),
            None => {
                self.not_a(name, value, "a text");
                None
            }
        }
    }

    pub(crate) fn flag(&self, name: &'static str) -> Option<bool> {
        let value = self.value(name)?;
        match self.text_of(name, value)?.value.as_str() {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => {
                self.not_a(name, value, "true or false");
                None
            }
        }
    }

    /// A whole number from 0; texts of digits are taken, because arguments are texts.
    pub(crate) fn number(&self, name: &'static str) -> Option<Placed<u64>> {
        let value = self.value(name)?;
        let text = self.text_of(name, value)?;
        match text.value.trim().parse() {
            Ok(number) => Some(Placed::new(number, text.span)),
            Err(_) => {
                let message =
                    format!("`{name}` of {} must be a whole number from 0, not `{}`", self.owner, text.value);
                self.wrong(&text.span, Error::invalid(message));
                None
            }
        }
    }

    pub(crate) fn fraction(&self, name: &'static str) -> Option<Placed<f64>> {
        let text = self.text_of(name, self.value(name)?)?;
        match text.value.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Some(Placed::new(number, text.span)),
            _ => {
                let message = format!("`{name}` of {} must be a number, not `{}`", self.owner, text.value);
                self.wrong(&text.span, Error::invalid(message));
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn choice(&self, name: &'static str, known: &[&'static str]) -> Option<Placed<&'static str>> {
        let text = self.text(name)?;
        match known.iter().find(|word| **word == text.value) {
            Some(word) => Some(Placed::new(word, text.span)),
            None => {
                let message = format!("`{}` is no {name} of {}", text.value, self.owner);
                self.wrong(
                    &text.span,
                    Error::invalid(message).hint(nearest_hint(&text.value, known.iter().copied())),
                );
                None
            }
        }
    }

    pub(crate) fn need_choice(
        &self,
        name: &'static str,
        known: &[&'static str],
    ) -> Option<Placed<&'static str>> {
        self.needed(name)?;
        self.choice(name, known)
    }

    /// A list; a single value stands for a list of one.
    pub(crate) fn items(&self, name: &'static str) -> &'a [Value] {
        match self.value(name) {
            None => &[],
            Some(Value { data: Data::List(values), .. }) => values,
            Some(one) => std::slice::from_ref(one),
        }
    }

    pub(crate) fn need_items(&self, name: &'static str) -> &'a [Value] {
        let Some(value) = self.needed(name) else { return &[] };
        let items = self.items(name);
        if items.is_empty() {
            self.wrong(&value.span, Error::invalid(format!("`{name}` of {} is empty", self.owner)));
        }
        items
    }

    /// A list of texts.
    pub(crate) fn texts(&self, name: &'static str) -> Vec<Placed<String>> {
        self.items(name).iter().filter_map(|value| self.text_of(name, value)).collect()
    }

    /// Column paths: `[[a], [b, c]]` as Glue writes them, or `[a, b]` for plain columns.
    pub(crate) fn paths(&self, name: &'static str) -> Vec<Placed<ColumnPath>> {
        self.items(name).iter().filter_map(|value| self.path_of(name, value)).collect()
    }

    /// Columns that may not be nested fields.
    pub(crate) fn plain_columns(&self, name: &'static str) -> Vec<Placed<String>> {
        self.paths(name).into_iter().filter_map(|path| self.plain(path)).collect()
    }

    /// The path's only name, or a refusal.
    pub(crate) fn plain(&self, path: Placed<ColumnPath>) -> Option<Placed<String>> {
        match path.value.plain() {
            Some(name) => Some(Placed::new(name.to_owned(), path.span)),
            None => {
                let message = format!("`{}` is a field inside of a column", path.value.dotted());
                self.wrong(
                    &path.span,
                    Error::unsupported(message)
                        .why(format!("{} works on whole columns", self.owner))
                        .hint("take the field out with an ApplyMapping node before"),
                );
                None
            }
        }
    }

    /// One column path: `[a, b]` or `a`.
    pub(crate) fn need_path(&self, name: &'static str) -> Option<Placed<ColumnPath>> {
        self.path_of(name, self.needed(name)?)
    }

    fn path_of(&self, name: &str, value: &Value) -> Option<Placed<ColumnPath>> {
        let parts: Option<Vec<String>> = match &value.data {
            Data::List(values) if !values.is_empty() => values.iter().map(Value::as_text).collect(),
            Data::List(_) => None,
            _ => value.as_text().map(|text| vec![text]),
        };
        match parts {
            Some(parts) if parts.iter().all(|part| !part.is_empty()) => {
                Some(Placed::new(ColumnPath { parts }, value.span.clone()))
            }
            _ => {
                self.not_a(name, value, "columns' names: [[a], [b]] or [a, b]");
                None
            }
        }
    }

    /// A place in the lake.
    pub(crate) fn uri(&self, text: &Placed<String>) -> Option<LakeUri> {
        match text.value.parse() {
            Ok(uri) => Some(uri),
            Err(error) => {
                self.wrong(&text.span, error);
                None
            }
        }
    }

    /// A list of maps, each read by `read`.
    pub(crate) fn each<T>(
        &self,
        name: &'static str,
        of: &str,
        mut read: impl FnMut(&Fields<'a>) -> Option<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for value in self.items(name) {
            match value.as_map() {
                Some(entries) => {
                    let owner = format!("{of} of {}", self.owner);
                    let fields = Fields::new(owner, entries, value.span.clone(), self.mistakes);
                    all.extend(read(&fields));
                    fields.finish();
                    self.bad.set(self.bad.get() || !fields.is_good());
                }
                None => self.not_a(name, value, "a list of maps"),
            }
        }
        all
    }

    /// A map, read by `read`.
    pub(crate) fn map<T>(&self, name: &'static str, read: impl FnOnce(&Fields<'a>) -> T) -> Option<T> {
        let value = self.value(name)?;
        let Some(entries) = value.as_map() else {
            self.not_a(name, value, "a map");
            return None;
        };
        let fields =
            Fields::new(format!("{name} of {}", self.owner), entries, value.span.clone(), self.mistakes);
        let result = read(&fields);
        fields.finish();
        self.bad.set(self.bad.get() || !fields.is_good());
        Some(result)
    }

    /// Settings that are known and mean nothing here.
    pub(crate) fn ignore(&self, names: &[&'static str]) {
        self.asked.borrow_mut().extend(names);
    }

    /// Whatever nobody asked for is unknown.
    pub(crate) fn finish(&self) {
        let asked = self.asked.borrow();
        for entry in self.entries {
            if !asked.contains(&entry.key.as_str()) {
                let mut known: Vec<&str> = asked.clone();
                known.sort_unstable();
                known.dedup();
                let message = format!("unknown setting `{}` in {}", entry.key, self.owner);
                self.bad.set(true);
                self.mistakes
                    .add(&entry.key_span, Error::invalid(message).hint(nearest_hint(&entry.key, known)));
            }
        }
    }
}

impl Fields<'_> {
    /// Other settings that belong to the same node, such as a transform's parameters.
    pub(crate) fn beside<'b>(&'b self, owner: String, entries: &'b [Entry], span: Span) -> Fields<'b> {
        Fields::new(owner, entries, span, self.mistakes)
    }

    /// What was wrong in those is wrong here.
    pub(crate) fn take_over(&self, other: &Fields<'_>) {
        self.bad.set(self.bad.get() || !other.is_good());
    }

    /// Names, as a list or as one text with commas between them.
    pub(crate) fn names(&self, name: &'static str) -> Vec<Placed<String>> {
        let split = |text: Placed<String>| {
            let span = text.span;
            let parts: Vec<String> = text.value.split(',').map(|part| part.trim().to_owned()).collect();
            parts.into_iter().filter(|part| !part.is_empty()).map(move |part| Placed::new(part, span.clone()))
        };
        self.texts(name).into_iter().flat_map(split).collect()
    }
}
