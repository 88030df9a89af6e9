//! MCP servers at run time: what passes between a client and a server goes through the door's rules.
//!
//! ```text
//! client ─┬─ stdio ─┐                       ┌─ the server's process
//!         │         ├→ Governor ─gate→ Desk │
//!         └─ http ──┘                       └─ the server elsewhere
//! ```
//!
//! [`governor`] reads messages and knows the protocol, [`desk`] decides and records. Between them stands [`gate`], plain values: the
//! proxy of a server on this machine is a process of its own and asks the running door through its socket. Nothing is started or
//! called of the proxy's own accord.

pub mod command;
pub mod desk;
pub mod facts;
pub mod gate;
pub mod governor;
pub mod http;
pub mod listed;
mod look;
pub mod message;
pub mod methods;
pub mod pins;
pub mod remotes;
pub mod secrets;
pub mod stdio;

pub use desk::{Desk, DoorGate};
