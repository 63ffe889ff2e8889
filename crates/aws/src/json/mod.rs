//! The JSON protocols: a table of operations for each service. To add an operation: a request type that says what it
//! touches, an answer type, a function, and one line in the service's table.

mod fault;
mod fields;

pub(crate) use fault::write_fault;
pub(crate) use fields::{epoch, epoch_opt, token};

use crate::fault::Fault;
use crate::keys::Caller;
use fault::{Codes, of_error};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderValue, Response};
use model::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A call of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Who calls.
    pub(crate) caller: Caller,
    /// The id of the request.
    #[allow(dead_code, reason = "for operations that start runs")]
    pub(crate) request_id: String,
}

/// What an operation is asked.
pub(crate) trait Input: DeserializeOwned {
    /// The resources that the caller must be allowed to use, each as the part of its ARN behind the account. Empty: the
    /// operation has no resource of its own.
    fn resources(&self) -> Vec<String>;
}

type Handler = Box<dyn Fn(Call, &[u8]) -> BoxFuture<'static, Result<Vec<u8>, Fault>> + Send + Sync>;

/// The operations of a service.
pub(crate) struct Table {
    /// The part of `x-amz-target` before the dot.
    pub(crate) target: &'static str,
    /// The name by which requests are signed, and actions begin.
    pub(crate) service: &'static str,
    content_type: &'static str,
    codes: Codes,
    operations: BTreeMap<&'static str, Handler>,
}

impl Table {
    /// A service without operations. `version` is that of the protocol, 1.0 or 1.1; `codes` its errors for our kinds.
    pub(crate) fn new(target: &'static str, service: &'static str, version: &str, codes: Codes) -> Self {
        let content_type =
            if version == "1.0" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
        Self { target, service, content_type, codes, operations: BTreeMap::new() }
    }

    /// Adds an operation. It runs only when the caller's policy allows it on all that the request touches.
    pub(crate) fn add<S, I, O, F>(mut self, name: &'static str, room: &S, run: fn(S, I) -> F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        I: Input + Send + 'static,
        O: Serialize,
        F: Future<Output = Result<O, Error>> + Send + 'static,
    {
        let (room, codes, service) = (room.clone(), self.codes, self.service);
        let handler: Handler = Box::new(move |call, body| {
            let input = fields::read::<I>(body);
            let room = room.clone();
            async move {
                let input = input?;
                allow(&call.caller, service, name, input.resources())?;
                let output = run(room, input).await.map_err(|error| of_error(&error, codes))?;
                serde_json::to_vec(&output).map_err(|error| {
                    of_error(&Error::internal("an answer cannot be written as JSON").source_is(error), codes)
                })
            }
            .boxed()
        });
        self.operations.insert(name, handler);
        self
    }

    /// Runs an operation and writes its answer.
    pub(crate) async fn answer(&self, name: &str, call: Call, body: &[u8]) -> Response<s3s::Body> {
        let done = match self.operations.get(name) {
            Some(handler) => handler(call, body).await,
            None => Err(self.unknown(name)),
        };
        match done {
            Ok(bytes) => {
                let mut response = Response::new(s3s::Body::from(bytes));
                let kind = HeaderValue::from_static(self.content_type);
                response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
                response
            }
            Err(fault) => write_fault(&fault),
        }
    }

    fn unknown(&self, name: &str) -> Fault {
        let known: Vec<&str> = self.operations.keys().copied().collect();
        let what = if name.is_empty() {
            "no operation is named".to_owned()
        } else {
            format!("{name} is not supported")
        };
        Fault::bad(
            "UnknownOperationException",
            format!("{what}; what {} supports: {}", self.service, known.join(", ")),
        )
    }
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
