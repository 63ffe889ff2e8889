//! Messages of the protocol: bytes to values, values to bytes. Lengths are believed only within limits, and what does not
//! fit its own length is refused; nothing here panics on what a client sends.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use model::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest message before somebody is known.
const MAX_EARLY: usize = 10_000;
/// The longest message after that.
const MAX_MESSAGE: usize = 64 << 20;
/// Output above this is sent before more is made, so that a slow client slows its query down.
const HIGH_WATER: usize = 64 << 10;
/// How much is read ahead while a statement runs.
const READ_AHEAD: usize = 64 << 10;

/// What a connection begins with.
#[derive(Debug)]
pub(crate) enum Opening {
    /// It wants TLS.
    Tls,
    /// It wants encryption by Kerberos.
    Gss,
    /// It wants a statement of another connection stopped.
    Cancel { process: i32, secret: i32 },
    /// It wants in.
    Startup { minor: u16, parameters: Vec<(String, String)> },
}

/// What a client says.
#[derive(Debug)]
pub(crate) enum Message {
    Query(String),
    Parse {
        name: String,
        text: String,
        types: Vec<u32>,
    },
    Bind(Bind),
    Describe {
        portal: bool,
        name: String,
    },
    Execute {
        portal: String,
        max_rows: usize,
    },
    Close {
        portal: bool,
        name: String,
    },
    Flush,
    Sync,
    Terminate,
    Password(Bytes),
    /// Data for a COPY that nobody asked for: after an error they are passed over.
    Copy,
    /// A message that came whole and cannot be read.
    Unreadable {
        simple: bool,
        error: Error,
    },
}

/// Values for a prepared statement.
#[derive(Debug, Default)]
pub(crate) struct Bind {
    pub(crate) portal: String,
    pub(crate) statement: String,
    pub(crate) formats: Vec<i16>,
    pub(crate) values: Vec<Option<Bytes>>,
    pub(crate) result_formats: Vec<i16>,
}

/// A connection: its stream and what waits to be read or sent.
pub(crate) struct Wire<S> {
    stream: S,
    input: BytesMut,
    output: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, input: BytesMut::new(), output: BytesMut::new() }
    }

    /// The stream, for TLS. Bytes that were sent ahead of the agreement are not taken over.
    pub(crate) fn into_stream(self) -> Result<S> {
        if self.input.is_empty() {
            return Ok(self.stream);
        }
        Err(broken("the client sent bytes before the encryption was agreed on"))
    }

    /// Reads the first message. None: the client went away.
    pub(crate) async fn opening(&mut self) -> Result<Option<Opening>> {
        let Some(mut body) = self.body(0, MAX_EARLY).await? else { return Ok(None) };
        let code = body.int()?;
        match code {
            80_877_103 => Ok(Some(Opening::Tls)),
            80_877_104 => Ok(Some(Opening::Gss)),
            80_877_102 => Ok(Some(Opening::Cancel { process: body.int()?, secret: body.int()? })),
            code if code >> 16 == 3 => {
                let mut parameters = Vec::new();
                loop {
                    let name = body.text()?;
                    if name.is_empty() {
                        break;
                    }
                    parameters.push((name, body.text()?));
                }
                Ok(Some(Opening::Startup { minor: u16::try_from(code & 0xFFFF).unwrap_or(0), parameters }))
            }
            code => Err(broken(format!("protocol {}.{} is not spoken here", code >> 16, code & 0xFFFF))
                .hint("3.0 is")),
        }
    }

    /// Reads the next message. None: the client went away.
    pub(crate) async fn next(&mut self, known: bool) -> Result<Option<Message>> {
        while self.input.is_empty() {
            if !self.fill().await? {
                return Ok(None);
            }
        }
        let kind = self.input.first().copied().unwrap_or(0);
        let Some(body) = self.body(1, if known { MAX_MESSAGE } else { MAX_EARLY }).await? else {
            return Ok(None);
        };
        match message(kind, body) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                Ok(Some(Message::Unreadable { simple: kind == b'Q', error }))
            }
            read => read.map(Some),
        }
    }

    /// The body of a message behind `skip` bytes and its length.
    async fn body(&mut self, skip: usize, limit: usize) -> Result<Option<Body>> {
        while self.input.len() < skip + 4 {
            if !self.fill().await? {
                return Ok(None);
            }
        }
        let length = self.input.get(skip..skip + 4).map_or(0, |mut bytes| bytes.get_i32());
        let length = usize::try_from(length).ok().filter(|n| (4..=limit).contains(n));
        let Some(length) = length else { return Err(broken("a message has an impossible length")) };
        while self.input.len() < skip + length {
            if !self.fill().await? {
                return Ok(None);
            }
        }
        self.input.advance(skip + 4);
        Ok(Some(Body(self.input.split_to(length - 4).freeze())))
    }

    /// Takes what has come. False: the client went away. May be dropped at any time.
    async fn fill(&mut self) -> Result<bool> {
        let read = self.stream.read_buf(&mut self.input).await;
        read.map(|n| n > 0).map_err(|e| gone().source_is(e))
    }

    /// Returns when the client has gone away; until then what it sends ahead is kept, up to a limit.
    pub(crate) async fn watch(&mut self) {
        loop {
            if self.input.len() >= READ_AHEAD {
                std::future::pending::<()>().await;
            }
            if !matches!(self.fill().await, Ok(true)) {
                return;
            }
        }
    }

    /// Writes a message; it is sent at the latest with the next flush.
    pub(crate) fn put(&mut self, kind: u8, write: impl FnOnce(&mut BytesMut)) {
        self.output.put_u8(kind);
        let at = self.output.len();
        self.output.put_i32(0);
        write(&mut self.output);
        let length = i32::try_from(self.output.len() - at).unwrap_or(i32::MAX);
        if let Some(place) = self.output.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// Writes one byte that is no message.
    pub(crate) fn put_byte(&mut self, byte: u8) {
        self.output.put_u8(byte);
    }

    /// Whether much waits to be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.output.len() >= HIGH_WATER
    }

    /// Sends what waits if it is much.
    pub(crate) async fn flush_much(&mut self) -> Result<()> {
        if self.is_full() { self.flush().await } else { Ok(()) }
    }

    /// Sends what waits. May be dropped at any time: what was not sent still waits.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        let sent = async {
            self.stream.write_all_buf(&mut self.output).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|e| gone().source_is(e))
    }
}

/// Text as the protocol writes it, with a zero behind it; a zero inside ends it.
pub(crate) fn put_text(out: &mut BytesMut, text: &str) {
    out.put_slice(text.split('\0').next().unwrap_or_default().as_bytes());
    out.put_u8(0);
}

fn message(kind: u8, mut body: Body) -> Result<Message> {
    let message = match kind {
        b'Q' => Message::Query(body.text()?),
        b'P' => {
            let (name, text) = (body.text()?, body.text()?);
            let count = body.count()?;
            let types = (0..count).map(|_| body.int().map(i32::cast_unsigned)).collect::<Result<_>>()?;
            Message::Parse { name, text, types }
        }
        b'B' => {
            let (portal, statement) = (body.text()?, body.text()?);
            let formats = body.shorts()?;
            let count = body.count()?;
            let values = (0..count).map(|_| body.value()).collect::<Result<_>>()?;
            Message::Bind(Bind { portal, statement, formats, values, result_formats: body.shorts()? })
        }
        b'D' => Message::Describe { portal: body.is_portal()?, name: body.text()? },
        b'C' => Message::Close { portal: body.is_portal()?, name: body.text()? },
        b'E' => {
            let portal = body.text()?;
            let max_rows = usize::try_from(body.int()?).unwrap_or(0);
            Message::Execute { portal, max_rows }
        }
        b'H' => Message::Flush,
        b'S' => Message::Sync,
        b'X' => Message::Terminate,
        b'p' => Message::Password(body.0),
        b'd' | b'c' | b'f' => Message::Copy,
        b'F' => return Err(broken("function calls by number are not supported").hint("write SELECT f(…)")),
        other => return Err(broken(format!("there is no message of type {other}"))),
    };
    Ok(message)
}

/// What is left of a message.
pub(crate) struct Body(pub(crate) Bytes);

impl Body {
    fn need(&self, bytes: usize) -> Result<()> {
        if self.0.len() >= bytes { Ok(()) } else { Err(broken("a message is shorter than it says")) }
    }

    pub(crate) fn int(&mut self) -> Result<i32> {
        self.need(4)?;
        Ok(self.0.get_i32())
    }

    fn short(&mut self) -> Result<i16> {
        self.need(2)?;
        Ok(self.0.get_i16())
    }

    /// A number of things, each of which takes at least two bytes.
    fn count(&mut self) -> Result<usize> {
        let count = usize::from(self.short()?.cast_unsigned());
        self.need(count.saturating_mul(2)).map(|()| count)
    }

    fn shorts(&mut self) -> Result<Vec<i16>> {
        let count = self.count()?;
        (0..count).map(|_| self.short()).collect()
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        let Some(end) = self.0.iter().position(|byte| *byte == 0) else {
            return Err(broken("a text in a message has no end"));
        };
        let bytes = self.0.split_to(end);
        self.0.advance(1);
        String::from_utf8(bytes.to_vec()).map_err(|e| {
            Error::invalid("a text is not UTF-8").hint("set client_encoding to UTF8").source_is(e)
        })
    }

    /// A value with its length; -1 is NULL.
    pub(crate) fn value(&mut self) -> Result<Option<Bytes>> {
        match usize::try_from(self.int()?) {
            Ok(length) => self.need(length).map(|()| Some(self.0.split_to(length))),
            Err(_) => Ok(None),
        }
    }

    fn is_portal(&mut self) -> Result<bool> {
        self.need(1)?;
        match self.0.get_u8() {
            b'P' => Ok(true),
            b'S' => Ok(false),
            _ => Err(broken("a message names neither a statement nor a portal")),
        }
    }
}

/// The client does not keep to the protocol.
pub(crate) fn broken(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::PreconditionFailed, what)
}

fn gone() -> Error {
    Error::unavailable("the connection to the client broke")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8]) -> Body {
        Body(Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (kind, bytes) in [
            (b'Q', &b"select 1"[..]),
            (b'P', b"\0select\0\0"),
            (b'P', b"\0select\0\0\x05\0\0\0\x17"),
            (b'B', b"\0\0\0\0\0\x01\0\0\0\x09abc"),
            (b'B', b"\0\0\xff\xff"),
            (b'D', b"X\0"),
            (b'D', b""),
            (b'E', b"\0\0\0"),
            (b'Q', b"\xff\xfe\0"),
            (b'?', b""),
        ] {
            assert!(message(kind, body(bytes)).is_err(), "{kind} {bytes:?}");
        }
    }

    #[test]
    fn values_are_read() {
        let bytes = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x02hi\xff\xff\xff\xff\0\0";
        let Ok(Message::Bind(bind)) = message(b'B', body(bytes)) else { panic!("no Bind") };
        assert_eq!((bind.portal.as_str(), bind.statement.as_str()), ("p", "s"));
        assert_eq!(bind.values, [Some(Bytes::from_static(b"hi")), None]);
        assert_eq!((bind.formats, bind.result_formats), (vec![1], vec![]));
    }

    #[tokio::test]
    async fn messages_come_in_pieces() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut wire = Wire::new(server);
        let sending = tokio::spawn(async move {
            for byte in b"Q\0\0\0\x0dselect 1\0X\0\0\0\x04" {
                client.write_all(&[*byte]).await.unwrap();
            }
        });
        assert!(matches!(wire.next(true).await.unwrap(), Some(Message::Query(text)) if text == "select 1"));
        assert!(matches!(wire.next(true).await.unwrap(), Some(Message::Terminate)));
        sending.await.unwrap();
        assert!(wire.next(true).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_no_utf8_comes_as_unreadable() {
        for (bytes, expected) in [(&b"Q\0\0\0\x06\xff\0"[..], true), (b"P\0\0\0\x09\0\xff\0\0\0", false)] {
            let (mut client, server) = tokio::io::duplex(64);
            client.write_all(bytes).await.unwrap();
            let message = Wire::new(server).next(true).await.unwrap();
            assert!(matches!(message, Some(Message::Unreadable { simple, .. }) if simple == expected));
        }
    }

    #[tokio::test]
    async fn impossible_lengths_are_refused() {
        for start in [&b"\0\0\0\x03abc"[..], b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"] {
            let (mut client, server) = tokio::io::duplex(64);
            client.write_all(start).await.unwrap();
            assert!(Wire::new(server).opening().await.is_err(), "{start:?}");
        }
    }
}
