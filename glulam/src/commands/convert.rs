//! `glulam convert`: files into files of another format.

use super::{Context, show_failure};
use crate::args;
use crate::operations::StartConvert;
use crate::terminal::{self, Ending, follow};
use engine::{ConvertOutput, ConvertRequest, Converted, FileFormat, FilePath, FileSearch, LinePattern};
use model::{Error, Outcome, Result};
use state::runs::Run;

/// How many remarks are shown; the log has all of them.
const REMARKS: usize = 5;

pub(super) async fn run(context: &Context, wanted: args::Convert) -> Result<u8> {
    let request = understand(wanted)?;
    context
        .with_session(async |session| {
            let started = session.perform(StartConvert { request }).await?;
            match follow(session, &started.run, context.shared.quiet).await? {
                Ending::Failed(run) => {
                    let code = show_failure(context, &run)?;
                    // A script wants to know a mistake in the command from a failure of the machine.
                    Ok(match run.outcome {
                        Some(Outcome::Diagnosis(diagnosis)) => crate::exit::of(&diagnosis.into()),
                        _ => code,
                    })
                }
                Ending::Done(run, account) => {
                    let converted: Converted = serde_json::from_value(account)
                        .map_err(|e| Error::internal("the run's account cannot be read").source_is(e))?;
                    if context.shared.json {
                        terminal::print_json(&converted)?;
                        return Ok(0);
                    }
                    for note in converted.notes.iter().take(REMARKS) {
                        terminal::remark(context.shared.quiet, note);
                    }
                    terminal::print(&summary(&run, &converted));
                    Ok(0)
                }
            }
        })
        .await
}

fn understand(wanted: args::Convert) -> Result<ConvertRequest> {
    let paths = wanted.inputs.iter().map(|text| path(text)).collect::<Result<_>>()?;
    let header = match (wanted.header, wanted.no_header) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let quote = match wanted.quote.as_deref() {
        None => None,
        Some("none") => Some(None),
        Some(text) => Some(Some(character("--quote", text)?)),
    };
    let lines = match (wanted.regex, wanted.grok) {
        (Some(regex), _) => Some(LinePattern::Regex(regex)),
        (_, Some(pattern)) => Some(LinePattern::Grok { pattern, custom: String::new() }),
        _ => None,
    };
    let delimiter = |option: &str, text: Option<String>| text.map(|t| character(option, &t)).transpose();
    Ok(ConvertRequest {
        input: FileSearch { paths, exclusions: wanted.exclude, recurse: !wanted.no_recurse },
        format: FileFormat {
            examples: Vec::new(),
            name: wanted.from,
            separator: delimiter("--delimiter", wanted.delimiter)?,
            quote,
            escape: None,
            header,
            multiline: wanted.multiline,
            json_path: wanted.json_path,
            lines,
            as_strings: wanted.as_strings,
            strict: !wanted.lenient,
        },
        select: wanted.select,
        output: ConvertOutput {
            at: path(&wanted.output)?,
            format: wanted.to,
            compression: wanted.compression,
            partition_by: wanted.partition_by,
            header: !wanted.out_no_header,
            delimiter: delimiter("--out-delimiter", wanted.out_delimiter)?,
            max_file_bytes: wanted.max_file_size.map(|text| size(&text)).transpose()?,
            overwrite: wanted.overwrite,
        },
    })
}

/// A path that does not depend on the folder the command stands in: the server may stand in another one.
fn path(text: &str) -> Result<FilePath> {
    if text == "-" {
        return Err(
            Error::unsupported("files are converted, not streams").hint("write the stream into a file first")
        );
    }
    Ok(match text.parse()? {
        FilePath::Disk(path) => FilePath::Disk(
            std::path::absolute(&path)
                .map_err(|e| Error::invalid(format!("`{text}` is no path")).source_is(e))?,
        ),
        lake => lake,
    })
}

fn character(option: &str, text: &str) -> Result<char> {
    let text = match text {
        "\\t" | "tab" => "\t",
        "\\001" | "\\u0001" => "\u{1}",
        other => other,
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if !matches!(c, '\n' | '\r') => Ok(c),
        _ => Err(Error::invalid(format!("{option} takes one character, not `{}`", text.escape_debug()))),
    }
}

/// `128MB`, `1.5GiB`, `4096`.
fn size(text: &str) -> Result<u64> {
    let wrong = || {
        Error::invalid(format!("`{text}` is no size"))
            .hint("write a number with a unit, such as 128MB or 1GiB")
    };
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let bytes = number * unit as f64;
    if !(1.0..1e18).contains(&bytes) {
        return Err(wrong());
    }
    Ok(bytes as u64)
}

/// One line about what was done.
fn summary(run: &Run, converted: &Converted) -> String {
    let counted = |n: u64, one: &str| match n {
        1 => format!("1 {one}"),
        many => format!("{} {one}s", terminal::amount(many)),
    };
    let took = run.started.zip(run.ended).map(|(from, to)| to - from).unwrap_or_default();
    let partitions = match converted.partitions {
        0 => String::new(),
        some => format!(" in {}", counted(some, "partition")),
    };
    format!(
        "{}: {} of {} ({}) into {} of {}{partitions} ({}), {}",
        counted(converted.rows, "row"),
        counted(converted.files_in, "file"),
        converted.from,
        terminal::bytes(converted.bytes_in),
        counted(converted.files, "file"),
        converted.to,
        terminal::bytes(converted.bytes),
        terminal::duration(took)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_characters() {
        assert_eq!(size("128MB").unwrap(), 128_000_000);
        assert_eq!(size("1.5 KiB").unwrap(), 1536);
        assert_eq!(size("4096").unwrap(), 4096);
        for wrong in ["", "MB", "-1", "0", "1TBX", "1e999GB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(character("--quote", "\\t").unwrap(), '\t');
        assert!(character("--quote", "ab").is_err());
    }
}
