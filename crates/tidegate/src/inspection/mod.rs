//! Inspection in processes of its own, so that an artifact that takes over, exhausts or crashes whoever reads it costs
//! itself a gap and nothing else.
//!
//! [`pool`] is the door's side: it starts workers, hands each one artifact at a time, and ends those that hang, die or
//! lie. [`worker`] is the other side: a process that has given up files, sockets and programs before it sees a byte, and
//! is handed descriptors over the protocol in [`wire`]. [`limits`] says what a worker may use up.
//!
//! Nothing that a worker says is believed beyond what it was asked: an answer is bounded, names its job and its artifact, and is
//! otherwise a gap. What stands in an answer is the business of whoever asked.

mod handed;
pub mod limits;
pub mod pool;
mod process;
mod tally;
pub mod wire;
pub mod worker;

pub use handed::HandedFiles;
pub use limits::Limits;
pub use pool::{Config, Job, Loss, Outcome, Pool, Status, Usage, WorkerCommand};
pub use tally::Tally;
pub use worker::Inspector;
