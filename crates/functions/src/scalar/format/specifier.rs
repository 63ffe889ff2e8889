//! Reads format strings: `%[argument$][flags][width][.precision]conversion`.

use super::Fault;
use super::value::Value;

/// A part of a format string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// The argument with this index, written so.
    Argument(usize, Specifier),
}

/// How a value is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Specifier {
    /// As it stands in the format string.
    pub(super) source: String,
    /// `-`: filled up on the right.
    pub(super) left: bool,
    /// `#`: with `0x` or `0` in front.
    pub(super) alternate: bool,
    /// `+`
    pub(super) plus: bool,
    /// A blank in front of what is not negative.
    pub(super) blank: bool,
    /// `0`: filled up with zeros.
    pub(super) zeros: bool,
    /// `,`: thousands apart.
    pub(super) groups: bool,
    /// `(`: negative numbers in parentheses.
    pub(super) parentheses: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// In lower case.
    pub(super) conversion: char,
    pub(super) upper: bool,
    /// What follows a `t`.
    pub(super) date_field: Option<char>,
}

impl Specifier {
    pub(super) fn mismatch(&self, value: &Value) -> Fault {
        format!("{} cannot write a {}", self.source, value.kind())
    }
}

/// Takes a format string apart.
pub(super) fn parse(text: &str) -> Result<Vec<Piece>, Fault> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    let (mut ordinary, mut last) = (0, None);
    while let Some(at) = rest.find('%') {
        literal.push_str(rest.get(..at).unwrap_or_default());
        let (specifier, index, behind) = one(rest.get(at..).unwrap_or_default())?;
        rest = behind;
        match specifier.conversion {
            '%' => {
                let missing = specifier.width.unwrap_or(0).saturating_sub(1).min(1 << 20);
                let fill = " ".repeat(missing);
                literal.push_str(&if specifier.left { format!("%{fill}") } else { format!("{fill}%") });
            }
            'n' => literal.push('\n'),
            _ => {
                let argument = match index {
                    Index::Ordinary => {
                        ordinary += 1;
                        ordinary - 1
                    }
                    Index::Last => {
                        last.ok_or_else(|| format!("there is no argument before {}", specifier.source))?
                    }
                    Index::Number(n) => n - 1,
                };
                last = Some(argument);
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Argument(argument, specifier));
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

/// Which argument is meant: the next one, the one of the last specifier (`<`), or a numbered one.
enum Index {
    Ordinary,
    Last,
    Number(usize),
}

fn one(text: &str) -> Result<(Specifier, Index, &str), Fault> {
    let mut found = Specifier::default();
    let mut rest = text.strip_prefix('%').unwrap_or(text);
    let mut index = Index::Ordinary;
    if let Some((digits, behind)) = leading_number(rest)
        && let Some(behind) = behind.strip_prefix('$')
        && digits > 0
    {
        index = Index::Number(digits);
        rest = behind;
    } else if let Some(behind) = rest.strip_prefix('<') {
        index = Index::Last;
        rest = behind;
    }
    while let Some(flag) = rest.chars().next() {
        let slot = match flag {
            '-' => &mut found.left,
            '#' => &mut found.alternate,
            '+' => &mut found.plus,
            ' ' => &mut found.blank,
            '0' => &mut found.zeros,
            ',' => &mut found.groups,
            '(' => &mut found.parentheses,
            _ => break,
        };
        if std::mem::replace(slot, true) {
            return Err(format!("the flag {flag} stands twice"));
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    if let Some((width, behind)) = leading_number(rest) {
        found.width = Some(width);
        rest = behind;
    }
    if let Some(behind) = rest.strip_prefix('.') {
        let (precision, behind) = digits(behind).ok_or("the conversion '.' is unknown")?;
        found.precision = Some(precision);
        rest = behind;
    }
    let mut symbols = rest.chars();
    let conversion = symbols.next().ok_or("it ends within a specifier, at its %")?;
    found.upper = matches!(conversion, 'B' | 'H' | 'S' | 'C' | 'X' | 'E' | 'G' | 'T');
    found.conversion = if found.upper { conversion.to_ascii_lowercase() } else { conversion };
    if found.conversion == 't' {
        let field = symbols.next().ok_or("it ends within a specifier, behind its t")?;
        if !"HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc".contains(field) {
            return Err(format!("the conversion 't{field}' is unknown"));
        }
        found.date_field = Some(field);
    }
    let behind = symbols.as_str();
    found.source = text.get(..text.len() - behind.len()).unwrap_or_default().to_owned();
    check(&found, conversion)?;
    Ok((found, index, behind))
}

/// A number at the beginning that does not begin with a zero.
fn leading_number(text: &str) -> Option<(usize, &str)> {
    if text.starts_with('0') { None } else { digits(text) }
}

fn digits(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    Some((digits.parse().unwrap_or(usize::MAX), rest))
}

/// Which flags a conversion takes.
fn check(found: &Specifier, conversion: char) -> Result<(), Fault> {
    let allowed = match found.conversion {
        'b' | 'h' | 's' | 'c' | 't' | '%' => "-",
        'd' => "-+ 0,(",
        'o' | 'x' => "-#0",
        'e' => "-#+ 0(",
        'f' => "-#+ 0,(",
        'g' => "-+ 0,(",
        'n' => "",
        'a' => return Err("the conversion 'a' is not supported".into()),
        _ => return Err(format!("the conversion '{conversion}' is unknown")),
    };
    let given = [
        ('-', found.left),
        ('#', found.alternate),
        ('+', found.plus),
        (' ', found.blank),
        ('0', found.zeros),
        (',', found.groups),
        ('(', found.parentheses),
    ];
    if let Some((flag, _)) = given.into_iter().find(|(flag, on)| *on && !allowed.contains(*flag)) {
        return Err(format!("the conversion '{conversion}' does not take the flag {flag}"));
    }
    if (found.left && found.zeros) || (found.plus && found.blank) {
        return Err(format!("the flags of {} exclude each other", found.source));
    }
    if (found.left || found.zeros) && found.width.is_none() {
        return Err(format!("{} has no width", found.source));
    }
    if found.precision.is_some() && matches!(found.conversion, 'd' | 'o' | 'x' | 'c' | 't' | '%' | 'n') {
        return Err(format!("the conversion '{conversion}' takes no precision"));
    }
    if found.conversion == 'n' && found.width.is_some() {
        return Err("the conversion 'n' takes no width".into());
    }
    Ok(())
}
