//! The output of a process, line by line.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// A longer line is given in pieces: nobody's output may fill our memory.
const LONGEST: usize = 16 << 10;

/// A line of what was said while a script was prepared or ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who said it.
    pub stream: Stream,
    /// The line without its end.
    pub text: String,
}

/// Where lines go as they come. A slow reader slows the script down; nothing is lost, and nothing piles up.
pub type LineSender = tokio::sync::mpsc::Sender<Line>;

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Ourselves: what is being prepared.
    Note,
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// The lines of one stream. What is not UTF-8 in them is replaced.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    begun: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader), begun: Vec::new() }
    }

    /// The next line; none at the end. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            let Ok(bytes) = self.reader.fill_buf().await else { return self.rest() };
            if bytes.is_empty() {
                return self.rest();
            }
            let room = LONGEST - self.begun.len();
            let piece = &bytes[..bytes.len().min(room)];
            match piece.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    self.begun.extend_from_slice(&piece[..end]);
                    self.reader.consume(end + 1);
                    return Some(self.take());
                }
                None => {
                    let count = piece.len();
                    self.begun.extend_from_slice(piece);
                    self.reader.consume(count);
                    if self.begun.len() == LONGEST {
                        return Some(self.take());
                    }
                }
            }
        }
    }

    fn rest(&mut self) -> Option<String> {
        (!self.begun.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> String {
        let line = std::mem::take(&mut self.begun);
        String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_pieces_and_the_rest() {
        let long = "x".repeat(LONGEST + 5);
        let text = format!("one\r\n\n{long}\nlast \u{e4}");
        let mut lines = Lines::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(line) = lines.next().await {
            found.push(line);
        }
        assert_eq!(found, ["one", "", &long[..LONGEST], "xxxxx", "last \u{e4}"]);
        assert_eq!(Lines::new(&b"\xff\n"[..]).next().await.as_deref(), Some("\u{fffd}"));
    }
}
