//! Tokens with which a client asks for the next page. They say nothing to clients, and survive a restart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The token for going on behind this name.
pub(crate) fn write_token(after: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("1{after}"))
}

/// The name behind which a token goes on; none for a text that is no token of ours.
pub(crate) fn read_token(token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix('1').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back() {
        for name in ["", "a/b c", "ä\u{1}"] {
            assert_eq!(read_token(&write_token(name)).as_deref(), Some(name));
        }
        for wrong in ["", "a/b", "MmE", "_"] {
            assert_eq!(read_token(wrong), None, "{wrong}");
        }
    }
}
