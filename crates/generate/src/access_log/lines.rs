//! How a call is written: the two shapes of access log, each as a list of ready pieces between which only time, status
//! and numbers in the path change.

use crate::access_log::definition::{Definition, LoadItem};
use crate::fields::Field;
use crate::random::splitmix;
use crate::text::{TimeFormat, push_fixed};
use model::Result;

/// Which of the two shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `192.0.2.1  - anna "GET /api/orders/{id}" 200 [2026-03-02T13:43:01.005Z] "Edge"`
    Service,
    /// `192.0.2.1 - anna [02/Mar/2026:13:43:01 +0000] "GET /order-service/api/orders/7 HTTP/1.1" 200 "Edge"`
    Nginx,
}

impl Format {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        Ok(if field.one_of(&["service", "nginx"])? == "nginx" { Self::Nginx } else { Self::Service })
    }

    pub(crate) fn time(self) -> TimeFormat {
        match self {
            Self::Service => TimeFormat::Iso,
            Self::Nginx => TimeFormat::Nginx,
        }
    }
}

/// A line of which everything is known but time, status and path numbers.
#[derive(Debug)]
pub(crate) struct LineShape {
    /// The service in whose log it stands.
    pub(crate) service: usize,
    /// Of 2^32 calls this many fail.
    failing: u64,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Time,
    Status,
    /// The n-th number of the path.
    Number(u64),
}

impl LineShape {
    /// Whether status or path depend on the call's salt.
    pub(crate) fn is_random(&self) -> bool {
        self.failing > 0 || self.pieces.iter().any(|piece| matches!(piece, Piece::Number(_)))
    }

    /// Appends the line.
    #[inline]
    pub(crate) fn push(&self, out: &mut Vec<u8>, time: &[u8], salt: u32) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Time => out.extend_from_slice(time),
                Piece::Status => out.extend_from_slice(self.status(salt)),
                Piece::Number(index) => {
                    let number = splitmix((u64::from(salt) << 8) + index + 1) % 9_999 + 1;
                    push_fixed(out, number.cast_signed(), 0);
                }
            }
        }
    }

    #[inline]
    fn status(&self, salt: u32) -> &'static [u8] {
        if self.failing > 0 && splitmix(u64::from(salt)) >> 32 < self.failing { b"500" } else { b"200" }
    }
}

/// Makes the shapes of a task's lines.
pub(crate) struct LineWriter<'a> {
    definition: &'a Definition,
}

/// What a line says about the caller.
struct Caller<'a> {
    address: &'a str,
    user: &'a str,
    agent: &'a str,
}

impl<'a> LineWriter<'a> {
    pub(crate) fn new(definition: &'a Definition) -> Self {
        Self { definition }
    }

    /// The call of a user.
    pub(crate) fn user(&self, item: &LoadItem) -> LineShape {
        let caller = Caller { address: &item.address, user: &item.user, agent: &item.agent };
        self.shape(&caller, item.endpoint)
    }

    /// The call of a service by another.
    pub(crate) fn service(&self, caller: usize, endpoint: usize) -> LineShape {
        let user = self.definition.services[caller].as_str();
        match self.definition.format {
            Format::Service => {
                self.shape(&Caller { address: "<masked>", user, agent: "Apache HTTP Client" }, endpoint)
            }
            Format::Nginx => {
                let address = format!("10.0.{}.{}", caller / 250 % 250, caller % 250 + 1);
                let agent = format!("Machine (Apache-Http-Client; {user})");
                self.shape(&Caller { address: &address, user, agent: &agent }, endpoint)
            }
        }
    }

    fn shape(&self, caller: &Caller<'_>, endpoint: usize) -> LineShape {
        let endpoint = &self.definition.endpoints[endpoint];
        let Caller { address, user, agent } = caller;
        let mut pieces = Pieces::default();
        match self.definition.format {
            Format::Service => {
                pieces.text(&format!("{address}  - {user} \"{} ", endpoint.method));
                pieces.path(&endpoint.url, self.definition.fill_paths);
                pieces.text("\" ");
                pieces.add(Piece::Status);
                pieces.text(" [");
                pieces.add(Piece::Time);
                pieces.text(&format!("] \"{agent}\"\n"));
            }
            Format::Nginx => {
                pieces.text(&format!("{address} - {user} ["));
                pieces.add(Piece::Time);
                let service = &self.definition.services[endpoint.service];
                pieces.text(&format!("] \"{} /{service}", endpoint.method));
                pieces.path(&endpoint.url, self.definition.fill_paths);
                pieces.text(" HTTP/1.1\" ");
                pieces.add(Piece::Status);
                pieces.text(&format!(" \"{agent}\"\n"));
            }
        }
        let failing = (endpoint.error_rate * 4_294_967_296.0) as u64;
        LineShape { service: endpoint.service, failing, pieces: pieces.list }
    }
}

#[derive(Default)]
struct Pieces {
    list: Vec<Piece>,
}

impl Pieces {
    fn add(&mut self, piece: Piece) {
        self.list.push(piece);
    }

    fn text(&mut self, text: &str) {
        if let Some(Piece::Text(last)) = self.list.last_mut() {
            last.extend_from_slice(text.as_bytes());
        } else {
            self.add(Piece::Text(text.as_bytes().to_vec()));
        }
    }

    /// A path; with `fill`, each `{name}` in it becomes a number.
    fn path(&mut self, url: &str, fill: bool) {
        let mut rest = url;
        let mut index = 0;
        while fill
            && let Some((before, behind)) = rest.split_once('{')
            && let Some((_, after)) = behind.split_once('}')
        {
            self.text(before);
            self.add(Piece::Number(index));
            index += 1;
            rest = after;
        }
        self.text(rest);
    }
}
