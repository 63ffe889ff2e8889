//! The simple protocol: a text with statements, run one after the other.

use super::command::{Command, Query, command};
use super::run::{Started, no_statement, tag};
use super::running::{Progress, Writing};
use super::{Next, Session, complete, describe};
use crate::fault::Fault;
use crate::text::{Token, statements};
use crate::values::cast_to;
use crate::wire::Wire;
use model::Result;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

impl Session {
    /// Runs the statements of a text up to the first that fails.
    pub(super) async fn simple<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        text: String,
    ) -> Result<Next> {
        let text: Arc<str> = text.into();
        let all = match statements(&text) {
            Ok(all) => all,
            Err(error) => {
                self.fail(wire, &Fault::in_statement(&error, &text, 0, None));
                return Ok(Next::Go);
            }
        };
        if all.is_empty() {
            wire.put(b'I', |_| {});
        }
        for tokens in all {
            match self.simple_one(wire, &text, &tokens).await {
                Ok(Next::Go) => {}
                Ok(Next::End) => return Ok(Next::End),
                Err(fault) => {
                    if let Next::End = self.fail(wire, &fault) {
                        wire.flush().await?;
                        return Ok(Next::End);
                    }
                    break;
                }
            }
        }
        if self.block == super::Block::None {
            self.drop_portals();
        }
        Ok(Next::Go)
    }

    async fn simple_one<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        text: &Arc<str>,
        tokens: &[Token],
    ) -> std::result::Result<Next, Fault> {
        let command = command(text, tokens, &self.facts)?;
        self.check_block(&command)?;
        if let Some(tag) = self.own(wire, &command).await? {
            complete(wire, tag);
            return Ok(Next::Go);
        }
        match command {
            Command::Declare { name, hold, query } => {
                self.declare(name, hold, query, Vec::new())?;
                complete(wire, "DECLARE CURSOR");
                Ok(Next::Go)
            }
            Command::Fetch { name, count, moves } => self.fetch(wire, &name, count, moves, None).await,
            Command::Copy { query, format } => self.copy(wire, &query, &[], &format).await,
            Command::Execute { name, arguments } => {
                let (query, values) = self.executed(&name, &arguments)?;
                self.query(wire, &query, &values).await
            }
            Command::Query(query) => self.query(wire, &query, &[]).await,
            _ => Err(Fault::new("XX000", "this statement belongs to nobody")),
        }
    }

    /// The statement that EXECUTE names, with its values.
    pub(super) fn executed(
        &self,
        name: &str,
        arguments: &[String],
    ) -> std::result::Result<(Arc<Query>, Vec<String>), Fault> {
        let prepared = self.statements.get(name).ok_or_else(|| no_statement(name))?;
        let Command::Query(query) = &prepared.command else {
            return Err(Fault::new(
                "0A000",
                format!("the prepared statement \"{name}\" is the session's own"),
            ));
        };
        if arguments.len() != prepared.types.len() {
            let (wanted, given) = (prepared.types.len(), arguments.len());
            let what = format!("prepared statement \"{name}\" takes {wanted} values, but {given} are given");
            return Err(Fault::new("42601", what));
        }
        let values = arguments.iter().zip(&prepared.types).map(|(argument, shape)| match shape {
            Some(shape) => cast_to(argument, shape),
            None => argument.clone(),
        });
        Ok((Arc::clone(query), values.collect()))
    }

    /// Runs a query and sends all its rows.
    async fn query<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        query: &Query,
        values: &[String],
    ) -> std::result::Result<Next, Fault> {
        let cancel = self.begin();
        let done = cancel.clone().drop_guard();
        let mut running = match self.start(query, values, &cancel).await? {
            Started::Done(words) => {
                complete(wire, &words);
                return Ok(Next::Go);
            }
            Started::Rows(running) => running,
        };
        running.zone = self.settings.zone();
        describe(wire, &running.columns, &[]);
        let progress = running.pump(wire, &Writing::Rows(&[]), u64::MAX, &cancel).await;
        drop(done);
        match progress.map_err(|e| query.fault(&e))? {
            Progress::Gone => Ok(Next::End),
            _ => {
                complete(wire, &tag(running.verb, running.sent()));
                Ok(Next::Go)
            }
        }
    }
}
