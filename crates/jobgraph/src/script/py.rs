//! Values as Python writes them.

/// A string.
pub(crate) fn text(value: &str) -> String {
    let mut written = String::with_capacity(value.len() + 2);
    written.push('"');
    for c in value.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if c.is_control() => written.push_str(&format!("\\x{:02x}", c as u32)),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// A string over many lines, readable where it can be.
pub(crate) fn long_text(value: &str) -> String {
    let plain = value.chars().all(|c| c == '\n' || !c.is_control());
    if !plain || value.contains("\"\"\"") || value.contains('\\') || value.ends_with('"') {
        return text(value);
    }
    format!("\"\"\"\n{}\n\"\"\"", value.trim_end())
}

/// A list of strings.
pub(crate) fn list<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> String {
    let all: Vec<String> = values.into_iter().map(|value| text(value.as_ref())).collect();
    format!("[{}]", all.join(", "))
}

/// The same as JSON within a string.
pub(crate) fn json_list(values: &[String]) -> String {
    list(values)
}

/// `True` or `False`
pub(crate) fn flag(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// A constant that is compared: a number if it looks like one, or else a string.
pub(crate) fn constant(value: &str) -> String {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.parse::<f64>().is_ok();
    // Python takes no leading zeros.
    let leading = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if plain && !leading { value.to_owned() } else { text(value) }
}

/// A column's name where points separate nested fields.
pub(crate) fn dotted_name(name: &str) -> String {
    if name.contains('.') { format!("`{name}`") } else { name.to_owned() }
}

/// A name for a variable.
pub(crate) fn variable(text: &str) -> String {
    let mut name: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    name.retain(|c| c != ' ');
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        name.insert_str(0, "node_");
    }
    name
}
