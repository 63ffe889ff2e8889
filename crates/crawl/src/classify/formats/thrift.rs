//! Thrift's compact protocol, as much of it as a Parquet footer needs: values are read one by one and skipped one by
//! one, so nothing is allocated for what a broken footer merely claims to hold.

use model::{Error, Result};

/// Structs in structs: a footer has four levels.
const MAX_DEPTH: usize = 32;

/// A field's type on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Bool(bool),
    Byte,
    Int,
    Double,
    Binary,
    List,
    Map,
    Struct,
    Uuid,
}

/// Reads from a slice.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    fn byte(&mut self) -> Result<u8> {
        let (first, rest) =
            self.bytes.split_first().ok_or_else(|| broken("it stops in the middle of a value"))?;
        self.bytes = rest;
        Ok(*first)
    }

    fn skip_bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or_else(|| broken("it stops in the middle of a value"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(broken("a number has more than 64 bits"))
    }

    /// An integer of any width.
    pub(super) fn int(&mut self) -> Result<i64> {
        let raw = self.varint()?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// A byte as a number.
    pub(super) fn small(&mut self) -> Result<i64> {
        Ok(i64::from(self.byte()?))
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<String> {
        let length = self.length()?;
        Ok(String::from_utf8_lossy(self.skip_bytes(length)?).into_owned())
    }

    fn length(&mut self) -> Result<usize> {
        usize::try_from(self.varint()?).map_err(|_| broken("a length is impossible"))
    }

    /// The next field of a struct: its id and type, or none at the struct's end. `last` is the id before it.
    pub(super) fn field(&mut self, last: &mut i64) -> Result<Option<(i64, Wire)>> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let delta = i64::from(head >> 4);
        *last = if delta == 0 { self.int()? } else { last.saturating_add(delta) };
        Ok(Some((*last, wire(head & 0x0f)?)))
    }

    /// The length and element type of a list.
    pub(super) fn list(&mut self) -> Result<(usize, Wire)> {
        let head = self.byte()?;
        let length = if head >> 4 == 15 { self.length()? } else { usize::from(head >> 4) };
        if length > self.bytes.len() {
            return Err(broken("a list claims more elements than there are bytes"));
        }
        Ok((length, wire(head & 0x0f)?))
    }

    /// Goes over a value.
    pub(super) fn skip(&mut self, wire: Wire) -> Result<()> {
        self.skip_nested(wire, 0)
    }

    fn skip_nested(&mut self, wire: Wire, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(broken("it nests too deeply"));
        }
        match wire {
            Wire::Bool(_) => {}
            Wire::Byte => {
                self.byte()?;
            }
            Wire::Int => {
                self.varint()?;
            }
            Wire::Double => {
                self.skip_bytes(8)?;
            }
            Wire::Uuid => {
                self.skip_bytes(16)?;
            }
            Wire::Binary => {
                let length = self.length()?;
                self.skip_bytes(length)?;
            }
            Wire::List => {
                let (length, element) = self.list()?;
                for _ in 0..length {
                    self.skip_element(element, depth)?;
                }
            }
            Wire::Map => self.skip_map(depth)?,
            Wire::Struct => {
                let mut last = 0;
                while let Some((_, wire)) = self.field(&mut last)? {
                    self.skip_nested(wire, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn skip_map(&mut self, depth: usize) -> Result<()> {
        let length = self.length()?;
        if length > self.bytes.len() {
            return Err(broken("a map claims more entries than there are bytes"));
        }
        if length > 0 {
            let types = self.byte()?;
            for _ in 0..length {
                self.skip_element(wire(types >> 4)?, depth)?;
                self.skip_element(wire(types & 0x0f)?, depth)?;
            }
        }
        Ok(())
    }

    /// Booleans in collections take a byte, those in structs none.
    fn skip_element(&mut self, wire: Wire, depth: usize) -> Result<()> {
        let wire = if matches!(wire, Wire::Bool(_)) { Wire::Byte } else { wire };
        self.skip_nested(wire, depth + 1)
    }
}

fn wire(code: u8) -> Result<Wire> {
    Ok(match code {
        1 => Wire::Bool(true),
        2 => Wire::Bool(false),
        3 => Wire::Byte,
        4..=6 => Wire::Int,
        7 => Wire::Double,
        8 => Wire::Binary,
        9 | 10 => Wire::List,
        11 => Wire::Map,
        12 => Wire::Struct,
        13 => Wire::Uuid,
        _ => return Err(broken("a value has an unknown type")),
    })
}

/// A footer that cannot be read on.
pub(super) fn broken(why: &str) -> Error {
    Error::corrupt("the Parquet footer is broken").why(why)
}
