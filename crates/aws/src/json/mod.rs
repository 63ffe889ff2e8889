//! The JSON protocols: a table of operations for each service. To add an operation: a request type that says what it
//! touches, an answer type, a function, and one line in the service's table.

mod encoding;
mod fault;
mod fields;

pub(crate) use encoding::{Blob, Encoding, Moment, Shown};
pub(crate) use fault::{Answered, Failed, write_fault};
pub(crate) use fields::{epoch, epoch_opt, token};

use crate::fault::Fault;
use crate::keys::Caller;
use bytes::Bytes;
use fault::{Codes, of_error, of_failed};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use http::{HeaderValue, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use model::Result as OurResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use state::trace;
use std::collections::BTreeMap;
use std::convert::Infallible;
use tokio_util::task::TaskTracker;

/// A call of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Who calls.
    pub(crate) caller: Caller,
    /// The id of the request.
    #[allow(dead_code, reason = "for operations that start runs")]
    pub(crate) request_id: String,
    /// How the request is written, and the answer will be.
    pub(crate) encoding: Encoding,
}

impl Call {
    /// The ARN of a thing of a service, by the part behind the account.
    pub(crate) fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.caller.region, self.caller.account)
    }

    /// Refuses what the caller's policy does not allow.
    pub(crate) fn may(&self, action: &str, arn: &str) -> OurResult<()> {
        crate::rights::may(&self.caller, action, arn)
    }

    /// Refuses whoever may not let a service work in the name of that role: a name, or an ARN.
    pub(crate) fn pass_role(&self, role: &str) -> OurResult<()> {
        match role.starts_with("arn:") {
            true => self.may("iam:PassRole", role),
            false => self.may("iam:PassRole", &format!("arn:aws:iam::{}:role/{role}", self.caller.account)),
        }
    }

    /// The same for a thing of a service.
    pub(crate) fn allow(&self, service: &str, operation: &str, rest: &str) -> OurResult<()> {
        self.may(&format!("{service}:{operation}"), &self.arn(service, rest))
    }
}

/// What an operation is asked.
pub(crate) trait Input: DeserializeOwned {
    /// Whether the operation itself asks the policy, because only it can learn what the request touches.
    const CHECKED_INSIDE: bool = false;

    /// The resources that the caller must be allowed to use, each as the part of its ARN behind the account. Empty: the
    /// operation has no resource of its own.
    fn resources(&self) -> Vec<String>;
}

/// What an operation answers: at once, or bit by bit as events.
enum Reply {
    Whole(Vec<u8>),
    Events(BoxStream<'static, Bytes>),
}

type Handler = Box<dyn Fn(Call, &[u8]) -> BoxFuture<'static, Result<Reply, Fault>> + Send + Sync>;

/// The operations of a service.
pub(crate) struct Table {
    /// The part of `x-amz-target` before the dot.
    pub(crate) target: &'static str,
    /// The name by which requests are signed, and actions begin.
    pub(crate) service: &'static str,
    content_type: &'static str,
    speaks_cbor: bool,
    codes: Codes,
    operations: BTreeMap<&'static str, Handler>,
    /// What to do instead of operations that are known and not served.
    instead: BTreeMap<&'static str, &'static str>,
}

impl Table {
    /// A service without operations. `version` is that of the protocol, 1.0 or 1.1; `codes` its errors for our kinds.
    pub(crate) fn new(target: &'static str, service: &'static str, version: &str, codes: Codes) -> Self {
        let content_type =
            if version == "1.0" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
        Self {
            target,
            service,
            content_type,
            speaks_cbor: false,
            codes,
            operations: BTreeMap::new(),
            instead: BTreeMap::new(),
        }
    }

    /// Its clients may write CBOR.
    pub(crate) fn with_cbor(mut self) -> Self {
        self.speaks_cbor = true;
        self
    }

    /// From here on, operations have these errors.
    pub(crate) fn codes(mut self, codes: Codes) -> Self {
        self.codes = codes;
        self
    }

    /// Says what to do instead of these operations, which are not served.
    pub(crate) fn instead(mut self, names: &[&'static str], hint: &'static str) -> Self {
        self.instead.extend(names.iter().map(|name| (*name, hint)));
        self
    }

    /// Adds an operation. It runs only when the caller's policy allows it on all that the request touches.
    pub(crate) fn add<S, I, O, E, F>(self, name: &'static str, room: &S, run: fn(S, I) -> F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        I: Input + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failed>,
        F: Future<Output = Result<O, E>> + Send + 'static,
    {
        self.insert(name, room, move |room, _, input| run(room, input), whole)
    }

    /// Adds an operation that wants to know who calls.
    pub(crate) fn add_called<S, I, O, E, F>(
        self,
        name: &'static str,
        room: &S,
        run: fn(S, Call, I) -> F,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        I: Input + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failed>,
        F: Future<Output = Result<O, E>> + Send + 'static,
    {
        self.insert(name, room, run, whole)
    }

    /// Adds an operation that answers a stream of events, each of them framed already.
    pub(crate) fn add_events<S, I, E, F>(self, name: &'static str, room: &S, run: fn(S, Call, I) -> F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        I: Input + Send + 'static,
        E: Into<Failed>,
        F: Future<Output = Result<BoxStream<'static, Bytes>, E>> + Send + 'static,
    {
        self.insert(name, room, run, |events, _| Ok(Reply::Events(events)))
    }

    fn insert<S, I, O, E, F, R>(
        mut self,
        name: &'static str,
        room: &S,
        run: R,
        reply: fn(O, Encoding) -> OurResult<Reply>,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        I: Input + Send + 'static,
        O: 'static,
        E: Into<Failed>,
        F: Future<Output = Result<O, E>> + Send + 'static,
        R: Fn(S, Call, I) -> F + Copy + Send + Sync + 'static,
    {
        let (room, codes, service) = (room.clone(), self.codes, self.service);
        let handler: Handler = Box::new(move |call, body| {
            let encoding = call.encoding;
            let input = encoding.read::<I>(body);
            let room = room.clone();
            async move {
                let input = input?;
                if !I::CHECKED_INSIDE {
                    allow(&call.caller, service, name, input.resources())?;
                }
                let output = run(room, call, input).await.map_err(|error| of_failed(&error.into(), codes))?;
                reply(output, encoding).map_err(|error| of_error(&error, codes))
            }
            .boxed()
        });
        self.operations.insert(name, handler);
        self
    }

    /// Whether there is an operation of that name.
    pub(crate) fn serves(&self, name: &str) -> bool {
        self.operations.contains_key(name)
    }

    /// Runs an operation and writes its answer. What has begun goes on to its end among `begun`, also when the client
    /// hangs up: half of a change would be worse.
    pub(crate) async fn answer(
        &self,
        name: &str,
        call: Call,
        body: &[u8],
        begun: &TaskTracker,
    ) -> Response<s3s::Body> {
        let encoding = call.encoding;
        if encoding == Encoding::Cbor && !self.speaks_cbor {
            let text = format!("{} takes JSON, not CBOR", self.service);
            return write_fault(&Fault::bad("SerializationException", text), Encoding::Json);
        }
        let done = match self.operations.get(name) {
            Some(handler) => {
                begun.spawn(trace::carried(handler(call, body))).await.unwrap_or_else(|broken| {
                    let error = model::Error::internal("the operation broke off").source_is(broken);
                    Err(of_error(&error, self.codes))
                })
            }
            None => Err(self.unknown(name)),
        };
        let (body, kind) = match done {
            Ok(Reply::Whole(bytes)) => (s3s::Body::from(bytes), encoding.content_type(self.content_type)),
            Ok(Reply::Events(events)) => {
                let frames = futures::StreamExt::map(events, |bytes| Ok::<_, Infallible>(Frame::data(bytes)));
                let frames = StreamBody::new(frames);
                let kind = HeaderValue::from_static("application/vnd.amazon.eventstream");
                (s3s::Body::http_body_unsync(frames), kind)
            }
            Err(fault) => return write_fault(&fault, encoding),
        };
        let mut response = Response::new(body);
        response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
        response
    }

    fn unknown(&self, name: &str) -> Fault {
        const CODE: &str = "UnknownOperationException";
        if let Some(hint) = self.instead.get(name) {
            return Fault::bad(CODE, format!("{name} is not supported here; {hint}"));
        }
        let known: Vec<&str> = self.operations.keys().copied().collect();
        let what = if name.is_empty() {
            "no operation is named".to_owned()
        } else {
            format!("{name} is not supported")
        };
        Fault::bad(CODE, format!("{what}; what {} supports: {}", self.service, known.join(", ")))
    }
}

fn whole<O: Serialize>(output: O, encoding: Encoding) -> OurResult<Reply> {
    encoding.write(&output).map(Reply::Whole)
}

fn allow(caller: &Caller, service: &str, name: &str, resources: Vec<String>) -> Result<(), Fault> {
    let action = format!("{service}:{name}");
    let arns = match resources.is_empty() {
        true => vec!["*".to_owned()],
        false => resources
            .iter()
            .map(|resource| format!("arn:aws:{service}:{}:{}:{resource}", caller.region, caller.account))
            .collect(),
    };
    match arns.iter().find(|arn| !caller.may(&action, arn)) {
        None => Ok(()),
        Some(arn) => Err(Fault::bad("AccessDeniedException", caller.denial(&action, arn))),
    }
}

#[cfg(test)]
mod tests;
