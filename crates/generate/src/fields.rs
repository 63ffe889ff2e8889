//! Reading a task's fields: each wrong, unknown or missing one is named by its path (`metrics.order-service.cpu.unit`),
//! shown in the text, and answered with the type expected or the nearest known name. Knows nothing of any kind of task.

use crate::json::{Node, Source, Span, Value};
use model::{Error, Result, nearest_hint};

/// One value of the task and the path that leads to it.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    source: Source<'a>,
    path: String,
    node: &'a Node,
}

/// An object whose field names are all known ones.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    whole: Field<'a>,
}

/// An entry of an object whose names are chosen by the user, such as components and metrics.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) field: Field<'a>,
    name_span: Span,
}

impl Entry<'_> {
    /// A refusal that points at the name.
    pub(crate) fn name_error(&self, message: impl Into<String>) -> Error {
        self.field.source.error(self.name_span, message)
    }
}

impl<'a> Field<'a> {
    /// The whole task.
    pub(crate) fn root(source: Source<'a>, node: &'a Node) -> Self {
        Self { source, path: String::new(), node }
    }

    /// The path, for messages.
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() { "the task" } else { &self.path }
    }

    /// A refusal that points at this value.
    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        self.source.error(self.node.span, message)
    }

    fn child(&self, name: &str, node: &'a Node) -> Field<'a> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Field { source: self.source, path, node }
    }

    fn wrong_type(&self, expected: &str) -> Error {
        let error = self.error(format!(
            "{} must be {expected}, but is {}",
            in_path(self.path()),
            self.node.value.described()
        ));
        match &self.node.value {
            Value::Text(text) if text.trim().parse::<f64>().is_ok() && expected.contains("number") => {
                error.hint("write it without the quotes")
            }
            Value::Text(text)
                if matches!(text.as_str(), "true" | "false") && expected.contains("boolean") =>
            {
                error.hint("write it without the quotes")
            }
            _ => error,
        }
    }

    /// A string.
    pub(crate) fn text(&self) -> Result<&'a str> {
        match &self.node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong_type("a string")),
        }
    }

    /// A string of at least one character that is no control character.
    pub(crate) fn words(&self) -> Result<&'a str> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return Err(self.error(format!("`{}` must not be empty", self.path())));
        }
        if text.chars().any(char::is_control) {
            return Err(
                self.error(format!("`{}` must not hold line breaks or control characters", self.path()))
            );
        }
        Ok(text)
    }

    /// A string without spaces or quotes, as log lines need them.
    pub(crate) fn token(&self) -> Result<&'a str> {
        let text = self.words()?;
        match text.chars().find(|c| c.is_whitespace() || *c == '"') {
            None => Ok(text),
            Some(c) => Err(self
                .error(format!(
                    "`{}` must not hold {}",
                    self.path(),
                    if c == '"' { "quotes" } else { "spaces" }
                ))
                .why("it would break the columns of the log line")),
        }
    }

    /// A path of the local file system.
    pub(crate) fn file_path(&self) -> Result<&'a str> {
        let path = self.words()?;
        if path.contains("://") {
            return Err(self
                .error(format!("`{}` must be a local path", self.path()))
                .why("the generator writes local files only")
                .hint("write to a folder first, then copy it into the lake"));
        }
        Ok(path)
    }

    /// One of these words.
    pub(crate) fn one_of(&self, known: &[&'static str]) -> Result<&'static str> {
        let text = self.text()?;
        known.iter().copied().find(|word| *word == text).ok_or_else(|| {
            self.error(format!("`{}` cannot be `{text}`", self.path()))
                .hint(nearest_hint(text, known.iter().copied()))
        })
    }

    /// A boolean.
    pub(crate) fn boolean(&self) -> Result<bool> {
        match &self.node.value {
            Value::Bool(value) => Ok(*value),
            _ => Err(self.wrong_type("a boolean")),
        }
    }

    /// A number whose size can be computed with.
    pub(crate) fn number(&self) -> Result<f64> {
        let Value::Number(text) = &self.node.value else { return Err(self.wrong_type("a number")) };
        let number: f64 = text.parse().map_err(|_| self.wrong_type("a number"))?;
        if number.abs() <= 1e15 {
            return Ok(number);
        }
        Err(self.error(format!("`{}` must lie between -1e15 and 1e15", self.path())))
    }

    /// A part of a whole: 0 to 1.
    pub(crate) fn share(&self) -> Result<f64> {
        let share = self.number()?;
        if (0.0..=1.0).contains(&share) {
            return Ok(share);
        }
        Err(self
            .error(format!("`{}` must lie between 0 and 1, but is {share}", self.path()))
            .hint("0.02 means 2 of 100"))
    }

    /// A whole number within these limits.
    pub(crate) fn integer(&self, least: i64, most: i64) -> Result<i64> {
        let value = self.any_integer()?;
        i64::try_from(value).ok().filter(|value| (least..=most).contains(value)).ok_or_else(|| {
            let limits = match (least, most) {
                (least, i64::MAX) => format!("at least {least}"),
                (least, most) => format!("between {least} and {most}"),
            };
            self.error(format!("`{}` must be {limits}, but is {value}", self.path()))
        })
    }

    /// A seed: any 64 bits, signed or not.
    pub(crate) fn seed(&self) -> Result<u64> {
        let value = self.any_integer()?;
        u64::try_from(value)
            .or_else(|_| i64::try_from(value).map(i64::cast_unsigned))
            .map_err(|_| self.error(format!("`{}` must fit into 64 bits", self.path())))
    }

    fn any_integer(&self) -> Result<i128> {
        let Value::Number(text) = &self.node.value else { return Err(self.wrong_type("a whole number")) };
        if let Ok(value) = text.parse() {
            return Ok(value);
        }
        // `1e6` and `5.0` are whole numbers too.
        match text.parse::<f64>() {
            Ok(value) if value.fract() == 0.0 && value.abs() < 9e15 => Ok(value as i128),
            _ => Err(self.error(format!("`{}` must be a whole number, but is {text}", self.path()))),
        }
    }

    /// A list.
    pub(crate) fn list(&self) -> Result<Vec<Field<'a>>> {
        let Value::List(nodes) = &self.node.value else { return Err(self.wrong_type("a list")) };
        let item =
            |(index, node)| Field { source: self.source, path: format!("{}[{index}]", self.path), node };
        Ok(nodes.iter().enumerate().map(item).collect())
    }

    /// A list of at least one.
    pub(crate) fn filled_list(&self) -> Result<Vec<Field<'a>>> {
        let list = self.list()?;
        if list.is_empty() {
            return Err(self.error(format!("`{}` must not be empty", self.path())));
        }
        Ok(list)
    }

    /// An object with user-chosen names, at least one.
    pub(crate) fn entries(&self) -> Result<Vec<Entry<'a>>> {
        let Value::Object(members) = &self.node.value else { return Err(self.wrong_type("an object")) };
        if members.is_empty() {
            return Err(self.error(format!("`{}` must not be empty", self.path())));
        }
        self.refuse_twins()?;
        let entry = |member: &'a crate::json::Member| Entry {
            name: &member.name,
            field: self.child(&member.name, &member.node),
            name_span: member.name_span,
        };
        Ok(members.iter().map(entry).collect())
    }

    fn refuse_twins(&self) -> Result<()> {
        let Value::Object(members) = &self.node.value else { return Ok(()) };
        let mut seen = std::collections::HashSet::new();
        match members.iter().find(|member| !seen.insert(&member.name)) {
            None => Ok(()),
            Some(twin) => Err(self.source.error(
                twin.name_span,
                format!("the field `{}` stands twice in {}", twin.name, in_path(self.path())),
            )),
        }
    }

    /// An object with these fields and no others.
    pub(crate) fn fields(&self, known: &[&str]) -> Result<Fields<'a>> {
        let Value::Object(members) = &self.node.value else { return Err(self.wrong_type("an object")) };
        self.refuse_twins()?;
        match members.iter().find(|member| !known.contains(&member.name.as_str())) {
            None => Ok(Fields { whole: self.clone() }),
            Some(stranger) => Err(self
                .source
                .error(
                    stranger.name_span,
                    format!("unknown field `{}` in {}", stranger.name, in_path(self.path())),
                )
                .hint(nearest_hint(&stranger.name, known.iter().copied()))),
        }
    }

    /// The object's `@type`, one of `known`; read before the other fields, because it decides which they are.
    pub(crate) fn tag(&self, known: &[&'static str]) -> Result<&'static str> {
        if !matches!(self.node.value, Value::Object(_)) {
            return Err(self.wrong_type("an object"));
        }
        let fields = Fields::of(self);
        match fields.optional("@type") {
            Some(tag) => tag.one_of(known),
            None => Err(fields.missing("@type").hint(nearest_hint("", known.iter().copied()))),
        }
    }
}

impl<'a> Fields<'a> {
    /// An object whose field names were or will be checked elsewhere.
    pub(crate) fn of(whole: &Field<'a>) -> Self {
        Self { whole: whole.clone() }
    }

    /// A field that may be left out; `null` counts as left out.
    pub(crate) fn optional(&self, name: &str) -> Option<Field<'a>> {
        let Value::Object(members) = &self.whole.node.value else { return None };
        members
            .iter()
            .find(|member| member.name == name && member.node.value != Value::Null)
            .map(|member| self.whole.child(name, &member.node))
    }

    /// A field that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<Field<'a>> {
        self.optional(name).ok_or_else(|| self.missing(name))
    }

    /// A refusal of an object that lacks this field.
    pub(crate) fn missing(&self, name: &str) -> Error {
        let path =
            if self.whole.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.whole.path) };
        let start = self.whole.node.span.start;
        self.whole.source.error(Span { start, end: start + 1 }, format!("the field `{path}` is missing"))
    }
}

fn in_path(path: &str) -> String {
    if path == "the task" { path.to_owned() } else { format!("`{path}`") }
}

/// Whether this may be the name of a file on any file system.
pub(crate) fn file_name(name: &str) -> std::result::Result<(), &'static str> {
    if name.trim() != name || name.is_empty() {
        return Err("it must not be empty or begin or end with a space");
    }
    if name.len() > 200 {
        return Err("it must not be longer than 200 bytes");
    }
    if name.chars().any(|c| c.is_control() || r#"/\:*?"<>|"#.contains(c)) {
        return Err(r#"it must not hold any of / \ : * ? " < > | or control characters"#);
    }
    if name.starts_with('.') || name.ends_with('.') {
        return Err("it must not begin or end with a dot");
    }
    Ok(())
}
