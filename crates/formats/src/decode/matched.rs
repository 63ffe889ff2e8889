//! Lines taken apart by a regular expression or a grok pattern: the groups are the columns, a line that does not match
//! is a row of NULLs.

use super::delimited::line_end;
use super::feed::Lines;
use super::sink::Sink;
use super::tokens::Tokens;
use crate::build::{Block, Field};
use crate::{Column, GrokSpec, RegexSpec};
use memchr::memchr;
use model::{Error, Result, SourcePlace};

/// How many steps an expression with lookaround may take for one line.
const MAX_STEPS: usize = 1_000_000;

/// An expression, matched in linear time if it can be.
enum Expression {
    Linear(regex::Regex),
    /// With lookaround or back-references.
    Backtracking(fancy_regex::Regex),
}

pub(super) struct Matched {
    /// The pattern as steps, which answer for most lines; the expression answers for the others.
    tokens: Option<Tokens>,
    marks: Vec<usize>,
    expression: Expression,
    /// For each builder the groups that may hold its value.
    groups: Vec<Vec<usize>>,
    spans: Vec<Option<(usize, usize)>>,
}

impl Matched {
    /// The expression has to match the whole line; its groups are the table's columns in their order.
    pub(super) fn of_regex(spec: &RegexSpec, wanted: &[usize]) -> Result<Self> {
        let whole = format!("^(?:{})$", spec.pattern);
        let mut builder = regex::RegexBuilder::new(&whole);
        let expression = match builder.case_insensitive(spec.case_insensitive).build() {
            Ok(regex) => Expression::Linear(regex),
            Err(_) => Expression::Backtracking(backtracking(&spec.pattern, spec.case_insensitive)?),
        };
        Ok(Self {
            tokens: Tokens::of(&whole, spec.case_insensitive),
            marks: Vec::new(),
            expression,
            groups: wanted.iter().map(|column| vec![column + 1]).collect(),
            spans: Vec::new(),
        })
    }

    /// The pattern may match anywhere in the line; its fields are found by the columns' names.
    pub(super) fn of_grok(spec: &GrokSpec, columns: &[Column], wanted: &[usize]) -> Result<Self> {
        let grok = crate::Grok::compile(&spec.pattern, &spec.custom_patterns)?;
        let regex = regex::Regex::new(grok.regex())
            .map_err(|e| Error::internal("a compiled grok pattern does not compile again").source_is(e))?;
        let groups_of = |column: &usize| {
            let name = columns.get(*column).map_or("", |c| c.name.as_str());
            let at = grok.columns().iter().position(|known| known.name.eq_ignore_ascii_case(name));
            at.and_then(|at| grok.groups().get(at).cloned()).unwrap_or_default()
        };
        Ok(Self {
            tokens: Tokens::of(grok.regex(), false),
            marks: Vec::new(),
            expression: Expression::Linear(regex),
            groups: wanted.iter().map(groups_of).collect(),
            spans: Vec::new(),
        })
    }

    /// Finds each builder's span in the line; false if it does not match.
    fn find(&mut self, line: &str) -> Result<bool, Box<fancy_regex::Error>> {
        self.spans.clear();
        let groups = &self.groups;
        if let Some(tokens) = self.tokens.as_ref().filter(|_| line.is_ascii())
            && tokens.follow(line.as_bytes(), &mut self.marks).is_some()
        {
            let span = |group: &usize| Tokens::span(&self.marks, *group);
            self.spans.extend(groups.iter().map(|groups| groups.iter().find_map(span)));
            return Ok(true);
        }
        match &self.expression {
            Expression::Linear(regex) => {
                let Some(found) = regex.captures(line) else { return Ok(false) };
                let span = |group: &usize| found.get(*group).map(|m| (m.start(), m.end()));
                self.spans.extend(groups.iter().map(|groups| groups.iter().find_map(span)));
            }
            Expression::Backtracking(regex) => {
                let Some(found) = regex.captures(line)? else { return Ok(false) };
                let span = |group: &usize| found.get(*group).map(|m| (m.start(), m.end()));
                self.spans.extend(groups.iter().map(|groups| groups.iter().find_map(span)));
            }
        }
        Ok(true)
    }

    fn line(&mut self, block: &Block, start: usize, end: usize, sink: &mut Sink) -> Result<()> {
        let bytes = block.bytes().get(start..end).unwrap_or_default();
        let Ok(line) = std::str::from_utf8(bytes) else {
            let repaired = String::from_utf8_lossy(bytes).into_owned();
            let found = match self.find(&repaired) {
                Ok(found) => found,
                Err(why) => return too_many_steps(*why, bytes, sink),
            };
            return self.push(found, bytes, sink, |from, to| {
                Field::own(repaired.as_bytes().get(from..to).unwrap_or_default())
            });
        };
        let found = match self.find(line) {
            Ok(found) => found,
            Err(why) => return too_many_steps(*why, bytes, sink),
        };
        self.push(found, bytes, sink, |from, to| Field::within(block, start + from, start + to))
    }

    fn push<'a>(
        &self,
        found: bool,
        line: &[u8],
        sink: &mut Sink,
        field: impl Fn(usize, usize) -> Field<'a>,
    ) -> Result<()> {
        if !found {
            return no_match(line, sink);
        }
        let mut failed = Vec::new();
        let Sink { builders, rules, .. } = sink;
        for (i, (builder, span)) in builders.iter_mut().zip(&self.spans).enumerate() {
            match span {
                Some((from, to)) => {
                    let value = field(*from, *to);
                    if let Err(why) = builder.push_text(value, rules, 1) {
                        failed.push((i, value, why));
                    }
                }
                None => builder.push_null(),
            }
        }
        if failed.is_empty() { sink.end_row(line.len()) } else { sink.end_row_with(line, failed) }
    }
}

/// A line that does not match is a row of NULLs, or handed over unless it is empty.
fn no_match(line: &[u8], sink: &mut Sink) -> Result<()> {
    const WHY: &str = "does not match the pattern";
    if sink.hands_over() {
        if !line.is_empty() {
            sink.hand_over(sink.line, None, line, WHY);
        }
        sink.line += 1;
        return Ok(());
    }
    sink.rejects.add(sink.line, None, line, WHY, sink.on_error.keeps());
    sink.fill_row();
    sink.end_row(line.len())
}

fn too_many_steps(cause: fancy_regex::Error, line: &[u8], sink: &mut Sink) -> Result<()> {
    if sink.hands_over() {
        sink.hand_over(sink.line, None, line, "takes the expression too many steps");
        sink.line += 1;
        return Ok(());
    }
    Err(Error::invalid("the table's regular expression takes too many steps for a line")
        .hint("write it without nested repetitions and lookaround")
        .source_is(cause))
}

fn backtracking(pattern: &str, case_insensitive: bool) -> Result<fancy_regex::Regex> {
    fancy_regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .case_insensitive(case_insensitive)
        .backtrack_limit(MAX_STEPS)
        .build()
        .map_err(|e| {
            Error::invalid("`input.regex` is no regular expression")
                .at(SourcePlace::of_bytes("<input.regex>", pattern, 0, pattern.len()))
                .source_is(e)
        })
}

impl Lines for Matched {
    fn decode(&mut self, block: &Block, sink: &mut Sink) -> Result<()> {
        let bytes = block.bytes();
        let mut start = 0;
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let newline = memchr(b'\n', rest).map_or(bytes.len(), |at| start + at);
            self.line(block, start, line_end(bytes, start, newline), sink)?;
            start = newline + 1;
        }
        Ok(())
    }
}

/// The groups of a regular expression as RegexSerDe reads it: their names, in order.
pub fn regex_groups(pattern: &str) -> Result<Vec<Option<String>>> {
    let names = |names: &mut dyn Iterator<Item = Option<&str>>| {
        names.skip(1).map(|name| name.map(str::to_owned)).collect::<Vec<_>>()
    };
    match regex::Regex::new(&format!("^(?:{pattern})$")) {
        Ok(regex) => Ok(names(&mut regex.capture_names())),
        Err(_) => Ok(names(&mut backtracking(pattern, false)?.capture_names())),
    }
}
