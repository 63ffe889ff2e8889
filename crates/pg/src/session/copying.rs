//! The options of COPY.

use crate::fault::Fault;
use crate::text::{Kind, Token};

/// How COPY writes rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CopyFormat {
    Text { delimiter: char, null: String },
    Csv { delimiter: char, null: String, quote: char, header: bool },
    Binary,
}

/// The options of COPY, in the new form (`(FORMAT csv, HEADER)`) or the old (`WITH CSV HEADER`).
pub(super) fn copy_format(tokens: &[Token]) -> Result<CopyFormat, Fault> {
    let (mut kind, mut header) = ("text".to_owned(), false);
    let (mut delimiter, mut null, mut quote) = (None, None, '"');
    let mut rest =
        tokens.iter().filter(|t| !t.is_symbol("(") && !t.is_symbol(")") && !t.is_symbol(",")).peekable();
    let one = |token: Option<&Token>, what: &str| {
        let text = token.filter(|token| token.kind == Kind::Text).map(|token| token.value.clone());
        let mut all = text.as_deref().unwrap_or_default().chars();
        match (all.next(), all.next()) {
            (Some(c), None) if c.is_ascii() => Ok(c),
            _ => Err(Fault::new("22023", format!("{what} of COPY is one character"))),
        }
    };
    while let Some(token) = rest.next() {
        let word = token.value.to_uppercase();
        match word.as_str() {
            "WITH" => {}
            "FORMAT" => kind = rest.next().map(|token| token.value.to_lowercase()).unwrap_or_default(),
            "CSV" | "BINARY" => kind = word.to_lowercase(),
            "HEADER" => {
                header = true;
                if let Some(value) = rest.next_if(|token| token.is("TRUE") || token.is("FALSE")) {
                    header = value.is("TRUE");
                }
            }
            "DELIMITER" => delimiter = Some(one(rest.next(), "the delimiter")?),
            "QUOTE" => quote = one(rest.next(), "the quote")?,
            "NULL" => null = rest.next().map(|token| token.value.clone()),
            "ENCODING"
                if rest.next().is_some_and(|t| t.value.replace('-', "").eq_ignore_ascii_case("utf8")) => {}
            other => return Err(Fault::new("0A000", format!("the option {other} of COPY is not supported"))),
        }
    }
    match kind.as_str() {
        "text" if header => Err(Fault::new("0A000", "COPY writes a header in the format csv alone")),
        "text" => {
            Ok(CopyFormat::Text { delimiter: delimiter.unwrap_or('\t'), null: null.unwrap_or("\\N".into()) })
        }
        "csv" => Ok(CopyFormat::Csv {
            delimiter: delimiter.unwrap_or(','),
            null: null.unwrap_or_default(),
            quote,
            header,
        }),
        "binary" => Ok(CopyFormat::Binary),
        other => Err(Fault::new("22023", format!("COPY has no format {other}")).hint("text, csv or binary")),
    }
}
