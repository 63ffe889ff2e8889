//! Which compression a file has: its first bytes say it, else the ending of its name.

use super::Compression;

const ENDINGS: [(&str, Compression); 12] = [
    ("gz", Compression::Gzip),
    ("gzip", Compression::Gzip),
    ("zst", Compression::Zstd),
    ("zstd", Compression::Zstd),
    ("bz2", Compression::Bzip2),
    ("bzip2", Compression::Bzip2),
    ("snappy", Compression::Snappy),
    ("sz", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("deflate", Compression::Deflate),
    ("zlib", Compression::Deflate),
    ("zz", Compression::Deflate),
];

/// Marks that no text begins with.
pub(super) fn of_bytes(start: &[u8]) -> Option<Compression> {
    match start {
        [0x1f, 0x8b, 8, ..] => Some(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
            if rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17rE8P\x90") =>
        {
            Some(Compression::Bzip2)
        }
        [0x04, 0x22, 0x4d, 0x18, ..] => Some(Compression::Lz4),
        _ if start.starts_with(super::frame::SNAPPY_MAGIC) => Some(Compression::Snappy),
        _ => None,
    }
}

/// By the bytes first: people rename files, and plain files may end in `.gz`.
pub(super) fn detect(name: &str, start: &[u8]) -> Compression {
    if let Some(found) = of_bytes(start) {
        return found;
    }
    let ending = name.rsplit(['/', '.']).next().unwrap_or_default();
    let named = ENDINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending)).map(|(_, found)| *found);
    // Without bytes to look at, only the name can say it.
    if start.is_empty() {
        return named.unwrap_or(Compression::None);
    }
    match named {
        // These always begin with their mark: without it the file is not compressed, whatever its name.
        Some(Compression::Gzip | Compression::Zstd | Compression::Bzip2) | None => Compression::None,
        // Hadoop's blocks begin with a length, of which the first byte is 0 for anything below 16 MB.
        Some(Compression::Snappy | Compression::Lz4) if start.first().is_some_and(|b| *b > 1) => {
            Compression::None
        }
        // zlib's first two bytes name the method and are a multiple of 31.
        Some(Compression::Deflate) if !is_zlib(start) => Compression::None,
        Some(other) => other,
    }
}

fn is_zlib(start: &[u8]) -> bool {
    matches!(start, [a, b, ..] if a & 15 == 8 && (u16::from(*a) << 8 | u16::from(*b)) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_win_over_names() {
        assert_eq!(detect("a.csv", &[0x1f, 0x8b, 8, 0]), Compression::Gzip);
        assert_eq!(detect("a.csv.gz", b"id,name\n"), Compression::None);
        assert_eq!(detect("s3://b/a.snappy", &[0, 0, 1, 0]), Compression::Snappy);
        assert_eq!(detect("a.snappy", b"id,name\n"), Compression::None);
        assert_eq!(detect("a.deflate", &[0x78, 0x9c]), Compression::Deflate);
        assert_eq!(detect("a.lz4", b""), Compression::Lz4);
        assert_eq!(detect("a.csv.gz", b""), Compression::Gzip);
        assert_eq!(detect("a.b/c", b"x"), Compression::None);
    }
}
