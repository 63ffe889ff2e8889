//! The sampled head of a text object: decompressed, decoded, and known to be text at all.

use super::compression::{Compression, decompress_head};
use super::formats;
use super::source::{Limits, Source, read_head};
use bytes::Bytes;
use model::{Error, Place, Result};

/// The head of a text object, as the text formats see it.
pub(crate) struct Sample<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: String,
    /// Whether the text is the whole object.
    pub(crate) complete: bool,
    pub(crate) compression: Option<Compression>,
    /// The encoding's name for `serialization.encoding`, when it is not UTF-8.
    pub(crate) encoding: Option<&'static str>,
    /// What a person should know about the text.
    pub(crate) notes: Vec<String>,
}

impl<'a> Sample<'a> {
    /// Reads the head; what is no text is refused with what it is instead.
    pub(crate) async fn read(source: &'a dyn Source, start: Bytes, limits: &Limits) -> Result<Sample<'a>> {
        if let Some(kind) = known_binary(&start) {
            return Err(no_table(kind));
        }
        let (by_name, _) = Compression::of_name(source.name());
        let mut compression = Compression::of_bytes(&start).or(by_name);
        // Hadoop's snappy has no magic bytes, and a plain text may be named `.gz` by mistake: look before decoding.
        if compression.is_some() && Compression::of_bytes(&start).is_none() && looks_like_text(&start) {
            compression = None;
        }
        let (bytes, complete) = match compression {
            Some(compression) => {
                let head = decompress_head(source, start, compression, limits).await?;
                (head.bytes, head.complete)
            }
            None => {
                let head = read_head(source, limits.sample_bytes).await?;
                let complete = head.len() as u64 == source.size();
                (head.to_vec(), complete)
            }
        };
        if let Some(compression) = compression {
            check_inside(&bytes, compression)?;
        }
        let mut sample = Self {
            name: source.name(),
            text: String::new(),
            complete,
            compression,
            encoding: None,
            notes: Vec::new(),
        };
        if compression.is_none()
            && let Some(named) = by_name
        {
            sample.notes.push(format!("the name ends like {named}, but the content is plain text"));
        }
        sample.decode(bytes)?;
        if sample.text.trim().is_empty() {
            return Err(Error::invalid("the object holds nothing but white space")
                .hint("delete it, or write it again if the upload was cut short"));
        }
        Ok(sample)
    }

    fn decode(&mut self, bytes: Vec<u8>) -> Result<()> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::unsupported("the text is encoded in UTF-16")
                .why("it begins with a UTF-16 byte order mark")
                .hint("convert it to UTF-8: iconv -f UTF-16 -t UTF-8"));
        }
        if let Some(share) = binary_share(&bytes) {
            return Err(Error::invalid("the object is binary and of no known format")
                .why(format!("{share:.0}% of the sampled bytes are control characters, which text never has"))
                .hint("exclude it from the crawl if it is no table"));
        }
        self.text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let cut_character = error.utf8_error().error_len().is_none() && !self.complete;
                let bytes = error.into_bytes();
                if cut_character {
                    // The sample ends inside a character.
                    String::from_utf8_lossy(&bytes[..valid]).into_owned()
                } else {
                    self.decode_single_bytes(&bytes, valid)?
                }
            }
        };
        if let Some(rest) = self.text.strip_prefix('\u{feff}') {
            self.text = rest.to_owned();
        }
        Ok(())
    }

    /// Text that is not UTF-8 is read as the one-byte encoding it most probably is.
    fn decode_single_bytes(&mut self, bytes: &[u8], first_wrong: usize) -> Result<String> {
        let row = 1 + bytes[..first_wrong].iter().filter(|byte| **byte == b'\n').count();
        let wrong = bytes.iter().filter(|byte| **byte >= 0x80).count();
        if wrong * 10 > bytes.len() * 4 {
            return Err(Error::invalid("the text is in an encoding other than UTF-8")
                .at(Place::row(self.name, row as u64))
                .why(format!(
                    "byte {first_wrong} (from 0) is 0x{:02x}, and many more do not fit",
                    bytes[first_wrong]
                ))
                .hint("convert it to UTF-8 with iconv"));
        }
        let windows = bytes.iter().any(|byte| (0x80..0xa0).contains(byte));
        let encoding = if windows { "windows-1252" } else { "ISO-8859-1" };
        self.encoding = Some(encoding);
        self.notes.push(format!(
            "row {row} has bytes that are not UTF-8 (0x{:02x} at byte {first_wrong}); read as {encoding}",
            bytes[first_wrong]
        ));
        Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
    }

    /// The name's ending without that of the compression, in lower case.
    pub(crate) fn ending(&self) -> String {
        let (_, name) = Compression::of_name(self.name);
        let file = name.rsplit('/').next().unwrap_or(name);
        file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
    }

    /// The lines that are there completely, with their numbers from 1; blank ones are left out.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        let text = if self.complete {
            self.text.as_str()
        } else {
            self.text.rfind('\n').map_or(self.text.as_str(), |end| &self.text[..end])
        };
        (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
    }
}

fn looks_like_text(bytes: &[u8]) -> bool {
    binary_share(bytes).is_none() && !bytes.contains(&0)
}

/// The share of control characters in percent, when it is too high for text.
fn binary_share(bytes: &[u8]) -> Option<f64> {
    // Hive's separators 1 to 3 occur in text tables, and escape begins a terminal's colours.
    let control = |byte: &u8| matches!(byte, 0 | 4..=8 | 14..=26 | 28..=31 | 127);
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    let count = bytes.iter().filter(|byte| control(byte)).count();
    let share = 100.0 * count as f64 / bytes.len().max(1) as f64;
    (share > 2.0 || zeros * 1000 > bytes.len() || (zeros > 0 && bytes.len() < 1000)).then_some(share)
}

/// A columnar file inside a compressed stream cannot be read by ranges, so nobody reads it.
fn check_inside(bytes: &[u8], compression: Compression) -> Result<()> {
    if let Some(format) = formats::binary_format(bytes) {
        return Err(Error::unsupported(format!(
            "the object is a {} file inside {compression}",
            format.name()
        ))
        .why("such files are read by ranges, which a compressed stream does not allow")
        .hint(format!("decompress it; {} compresses its own pages", format.name())));
    }
    if bytes.is_empty() {
        return Err(Error::invalid(format!("the object's {compression} stream is empty"))
            .why("it decompresses to 0 bytes, so there is no schema to infer")
            .hint("delete it, or write it again if its producer failed"));
    }
    match known_binary(bytes) {
        Some(kind) => Err(no_table(kind)),
        None => Ok(()),
    }
}

fn no_table(kind: &str) -> Error {
    Error::invalid(format!("the object is {kind}, which is no table"))
        .why("its first bytes are that format's mark")
        .hint("exclude it from the crawl, or put it into a folder of its own")
}

const KNOWN: [(&[u8], &str); 20] = [
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"RIFF", "a RIFF file (audio, video or WebP)"),
    (b"PK\x03\x04", "a ZIP archive (or an Office document)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\xfd7zXZ\x00", "an xz stream"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"ARROW1", "an Arrow IPC file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"SEQ\x06", "a Hadoop sequence file"),
    (b"OggS", "an Ogg stream"),
    (b"PARE", "a Parquet file with an encrypted footer"),
];

fn known_binary(start: &[u8]) -> Option<&'static str> {
    KNOWN.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, kind)| *kind)
}
