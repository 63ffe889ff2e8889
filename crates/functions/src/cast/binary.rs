//! Bytes as uuids, addresses and sketches, and back.

use super::Cast;
use arrow::array::{Array, ArrayRef, AsArray, BinaryViewBuilder, StringViewBuilder};
use model::Result;
use sql::SqlType;
use std::sync::Arc;

/// Turns bytes into what is made of bytes, and back.
pub(super) fn cast(cast: &Cast<'_>) -> Result<ArrayRef> {
    match (cast.from, cast.to) {
        (SqlType::Uuid, _) => {
            let texts = cast.array.as_string_view_opt().ok_or_else(|| cast.wrong_array())?;
            let mut builder = BinaryViewBuilder::with_capacity(texts.len());
            for text in texts {
                builder.append_option(
                    text.and_then(|t| uuid::Uuid::try_parse(t).ok()).map(uuid::Uuid::into_bytes),
                );
            }
            Ok(Arc::new(builder.finish()))
        }
        (_, SqlType::Uuid) => {
            let values = cast.array.as_binary_view_opt().ok_or_else(|| cast.wrong_array())?;
            let mut builder = StringViewBuilder::with_capacity(values.len());
            for bytes in values {
                let uuid = bytes.and_then(|b| uuid::Uuid::from_slice(b).ok());
                builder.append_option(uuid.map(|u| u.to_string()));
            }
            Ok(Arc::new(builder.finish()))
        }
        (_, SqlType::IpAddress) => {
            let values = cast.array.as_binary_view_opt().ok_or_else(|| cast.wrong_array())?;
            let mut builder = BinaryViewBuilder::with_capacity(values.len());
            for bytes in values {
                builder.append_option(bytes.and_then(address));
            }
            Ok(Arc::new(builder.finish()))
        }
        _ => Ok(cast.array.clone()),
    }
}

/// The 16 bytes of an address given as 4 or 16 of them.
fn address(bytes: &[u8]) -> Option<[u8; 16]> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(v4).to_ipv6_mapped().octets());
    }
    bytes.try_into().ok()
}
