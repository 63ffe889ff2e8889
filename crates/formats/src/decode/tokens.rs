//! Most expressions for log lines need no search: each piece of the pattern says where it ends. Such patterns are
//! followed here step by step, always the way that the expression prefers; where that way leads to the line's end it is
//! the expression's own match. Where it does not, the expression itself is asked.
//!
//! Only lines of ASCII are taken, so that classes are tables of bytes.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Larger patterns are left to the expression.
const MAX_STEPS: usize = 200;
const MAX_DEPTH: usize = 20;

#[derive(Debug, Clone)]
enum Step {
    Literal(Box<[u8]>),
    /// Bytes of a class, at least and at most so many.
    Run {
        class: Box<[bool; 256]>,
        only_not: Option<u8>,
        min: usize,
        max: usize,
        greedy: bool,
    },
    /// One of these, in this order of preference.
    Either(Vec<Vec<Step>>),
    Open(usize),
    Close(usize),
    Start,
    End,
    WordBoundary,
}

/// A pattern as steps.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    steps: Vec<Step>,
    groups: usize,
}

/// Where the groups stand; twice the group's number has its start.
type Spans = Vec<usize>;

const NOWHERE: usize = usize::MAX;

impl Tokens {
    /// The pattern as steps, if it is that simple.
    pub(super) fn of(pattern: &str, case_insensitive: bool) -> Option<Self> {
        let hir = ParserBuilder::new().case_insensitive(case_insensitive).build().parse(pattern).ok()?;
        let groups = hir.properties().explicit_captures_len();
        let mut steps = Vec::new();
        add(&hir, 0, &mut steps)?;
        (steps.len() <= MAX_STEPS).then_some(Self { steps, groups })
    }

    /// Follows the steps from the line's beginning. None says nothing: the expression may still match.
    pub(super) fn follow(&self, line: &[u8], spans: &mut Spans) -> Option<()> {
        spans.clear();
        spans.resize((self.groups + 1) * 2, NOWHERE);
        follow(&self.steps, line, 0, spans).map(|_| ())
    }

    /// A group's span, if it took part.
    pub(super) fn span(spans: &Spans, group: usize) -> Option<(usize, usize)> {
        match (spans.get(group * 2), spans.get(group * 2 + 1)) {
            (Some(start), Some(end)) if *end != NOWHERE => Some((*start, *end)),
            _ => None,
        }
    }
}

fn add(hir: &Hir, depth: usize, steps: &mut Vec<Step>) -> Option<()> {
    if depth > MAX_DEPTH || steps.len() > MAX_STEPS {
        return None;
    }
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) if literal.0.is_ascii() => steps.push(Step::Literal(literal.0.clone())),
        HirKind::Class(class) => steps.push(run(class, 1, 1, true)),
        HirKind::Look(Look::Start) => steps.push(Step::Start),
        HirKind::Look(Look::End) => steps.push(Step::End),
        HirKind::Look(Look::WordAscii | Look::WordUnicode) => steps.push(Step::WordBoundary),
        HirKind::Repetition(repetition) => {
            let min = repetition.min as usize;
            let max = repetition.max.map_or(usize::MAX, |max| max as usize);
            match repetition.sub.kind() {
                HirKind::Class(class) => steps.push(run(class, min, max, repetition.greedy)),
                HirKind::Literal(literal) if literal.0.len() == 1 && literal.0.is_ascii() => {
                    let byte = *literal.0.first()?;
                    let mut class = Box::new([false; 256]);
                    *class.get_mut(usize::from(byte))? = true;
                    steps.push(Step::Run { class, only_not: None, min, max, greedy: repetition.greedy });
                }
                _ if (min, max) == (0, 1) && repetition.greedy => {
                    let mut some = Vec::new();
                    add(&repetition.sub, depth + 1, &mut some)?;
                    steps.push(Step::Either(vec![decided(some)?, Vec::new()]));
                }
                _ => return None,
            }
        }
        HirKind::Capture(capture) => {
            steps.push(Step::Open(capture.index as usize));
            add(&capture.sub, depth + 1, steps)?;
            steps.push(Step::Close(capture.index as usize));
        }
        HirKind::Concat(parts) => {
            for part in parts {
                add(part, depth + 1, steps)?;
            }
        }
        HirKind::Alternation(ways) => {
            let mut either = Vec::new();
            for way in ways {
                let mut steps = Vec::new();
                add(way, depth + 1, &mut steps)?;
                either.push(decided(steps)?);
            }
            steps.push(Step::Either(either));
        }
        _ => return None,
    }
    Some(())
}

/// Steps that, where they fail, cannot be followed in another way either: a later alternative is only right then.
fn decided(steps: Vec<Step>) -> Option<Vec<Step>> {
    let mut real = steps.iter().filter(|step| !matches!(step, Step::Open(_) | Step::Close(_))).peekable();
    while let Some(step) = real.next() {
        let is_decided = match (step, real.peek()) {
            (Step::Either(_), _) => false,
            (Step::Run { min, max, .. }, _) if min == max => true,
            // At the end of the alternative the longest run is taken, and nothing here can fail behind it.
            (Step::Run { greedy, .. }, None) => *greedy,
            (Step::Run { class, greedy: true, .. }, Some(Step::Literal(literal))) => {
                literal.first().and_then(|b| class.get(usize::from(*b))) == Some(&false)
            }
            (Step::Run { class, greedy: true, .. }, Some(Step::Run { class: next, min, .. })) => {
                *min > 0 && !class.iter().zip(next.iter()).any(|(a, b)| *a && *b)
            }
            (Step::Run { .. }, _) => false,
            _ => true,
        };
        if !is_decided {
            return None;
        }
    }
    Some(steps)
}

fn run(class: &Class, min: usize, max: usize, greedy: bool) -> Step {
    let mut table = Box::new([false; 256]);
    let mut add = |start: u32, end: u32| {
        for slot in table.iter_mut().take(end.min(127) as usize + 1).skip(start as usize) {
            *slot = true;
        }
    };
    match class {
        Class::Unicode(class) => class.iter().for_each(|r| add(u32::from(r.start()), u32::from(r.end()))),
        Class::Bytes(class) => class.iter().for_each(|r| add(u32::from(r.start()), u32::from(r.end()))),
    }
    let mut without = (0u8..128).filter(|b| !table[usize::from(*b)]);
    let only_not = without.next().filter(|_| without.next().is_none());
    Step::Run { class: table, only_not, min, max, greedy }
}

fn follow(steps: &[Step], line: &[u8], mut at: usize, spans: &mut Spans) -> Option<usize> {
    let mut next = 0;
    while let Some(step) = steps.get(next) {
        next += 1;
        match step {
            Step::Literal(literal) => {
                if !line.get(at..)?.starts_with(literal) {
                    return None;
                }
                at += literal.len();
            }
            Step::Run { class, only_not, min, max, greedy } => {
                let following =
                    steps.get(next..)?.iter().find(|s| !matches!(s, Step::Open(_) | Step::Close(_)));
                let length = run_length(line.get(at..)?, class, *only_not, *max);
                at += chosen(line, at, length, *min, *greedy, class, following)?;
            }
            Step::Either(ways) => {
                let before = spans.clone();
                let mut found = None;
                for way in ways {
                    if let Some(end) = follow(way, line, at, spans) {
                        found = Some(end);
                        break;
                    }
                    spans.clone_from(&before);
                }
                at = found?;
            }
            Step::Open(group) => *spans.get_mut(group * 2)? = at,
            Step::Close(group) => *spans.get_mut(group * 2 + 1)? = at,
            Step::Start if at == 0 => {}
            Step::End if at == line.len() => {}
            Step::WordBoundary => {
                let word = |at: Option<usize>| {
                    at.and_then(|at| line.get(at)).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
                };
                if word(at.checked_sub(1)) == word(Some(at)) {
                    return None;
                }
            }
            Step::Start | Step::End => return None,
        }
    }
    Some(at)
}

/// How long the longest run is.
fn run_length(rest: &[u8], class: &[bool; 256], only_not: Option<u8>, max: usize) -> usize {
    let rest = rest.get(..max).unwrap_or(rest);
    if let Some(stop) = only_not {
        return memchr::memchr(stop, rest).unwrap_or(rest.len());
    }
    rest.iter().position(|b| !class.get(usize::from(*b)).copied().unwrap_or(false)).unwrap_or(rest.len())
}

/// How much of the longest run the expression prefers, given what has to follow.
fn chosen(
    line: &[u8],
    at: usize,
    length: usize,
    min: usize,
    greedy: bool,
    class: &[bool; 256],
    following: Option<&Step>,
) -> Option<usize> {
    if length < min {
        return None;
    }
    if length == min {
        return Some(min);
    }
    match following {
        Some(Step::Literal(literal)) => {
            let first = literal.first().copied()?;
            if greedy && !class.get(usize::from(first)).copied()? {
                return Some(length);
            }
            // The run may end wherever the literal stands behind it.
            let area = line.get(at + min..(at + length + literal.len()).min(line.len()))?;
            let found = if greedy {
                memchr::memmem::rfind(area, literal)
            } else {
                memchr::memmem::find(area, literal)
            };
            found.map(|found| min + found)
        }
        Some(Step::End) if !greedy => (at + length == line.len()).then_some(length),
        _ if greedy => Some(length),
        // What follows a lazy run may begin anywhere.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Both answer the same wherever the steps answer.
    fn compare(pattern: &str, line: &str) -> bool {
        let tokens = Tokens::of(pattern, false).unwrap();
        let regex = regex::Regex::new(pattern).unwrap();
        let mut spans = Vec::new();
        if tokens.follow(line.as_bytes(), &mut spans).is_none() {
            return false;
        }
        let found = regex.captures(line).unwrap_or_else(|| panic!("{pattern} does not match {line:?}"));
        for group in 1..found.len() {
            let expected = found.get(group).map(|m| (m.start(), m.end()));
            assert_eq!(Tokens::span(&spans, group), expected, "group {group} of {pattern} in {line:?}");
        }
        true
    }

    const LOG: &str = r#"^(\S+)\s+-?\s*(\S+) "(\w+) ([^"]*)" (\d+|-) \[(.*?)\] "(.*)"(?: (\d+))?$"#;

    #[test]
    fn log_lines_are_followed() {
        assert!(compare(LOG, "1.2.3.4  - me \"GET /x\" 200 [2022-09-15] \"Edge \"7\" x\""));
        assert!(compare(LOG, "1.2.3.4 - me \"GET /x\" - [a]b] \"\""));
        assert!(!compare(LOG, "1.2.3.4 me GET"));
        for refused in ["(a+b)*", "^(?:ab){2}$", "é", r"(?m)^a"] {
            assert!(Tokens::of(refused, false).is_none(), "{refused}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn never_another_match(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "(a*)", "(a+?)", "([^b]*)", "(.*?)", "(.*)", "b", "ab", "(a|b)", "(ab|a)", "(a*|b)", "(?:b(a))?", "a?",
                    r"\b", "(a{1,2})", "-", "(-*)", "(a*b|-)",
                ]),
                1..6,
            ),
            line in "[ab-]{0,8}",
        ) {
            let pattern = format!("^(?:{})$", pieces.concat());
            if Tokens::of(&pattern, false).is_some() {
                compare(&pattern, &line);
            }
        }
    }
}
