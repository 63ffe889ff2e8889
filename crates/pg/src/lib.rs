//! The PostgreSQL door: the protocol that psql, drivers and BI tools speak, over the engine.
//!
//! What comes in: messages of protocol 3.0, statements in PostgreSQL's spelling. What goes out: the engine's statements,
//! and their rows as they come. Questions to `pg_catalog` and `information_schema` are answered from the catalog by a
//! small interpreter (`introspect`), because clients ask them in a language of their own; whatever names a table of the
//! lake is the engine's to plan. This room keeps nothing but connections; it must never hold a result as a whole.

mod door;
mod fault;
mod introspect;
mod process;
mod scram;
mod session;
mod text;
mod values;
mod wire;

pub use door::{Door, DoorConfig, Guests, Rooms, Tls};
