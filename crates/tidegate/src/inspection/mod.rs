//! Looking inside: in processes of its own, so that an artifact that takes over, exhausts or crashes whoever reads it costs
//! itself a gap and nothing else; and what is kept of it.
//!
//! [`pool`] is the door's side: it starts workers, hands each one artifact at a time, and ends those that hang, die or
//! lie. [`worker`] is the other side: a process that has given up files, sockets and programs before it sees a byte, and
//! is handed descriptors over the protocol in [`wire`]. [`limits`] says what a worker may use up. [`looker`] is how a door
//! asks, [`inspector`] what a worker does, [`seen`] what decisions read of it, and `again` looks again behind.
//!
//! Nothing that a worker says is believed beyond what it was asked: an answer is bounded, names its job and its artifact, and is
//! otherwise a gap.

mod again;
mod handed;
pub mod inspector;
pub mod limits;
pub mod looker;
pub mod pool;
mod process;
pub mod seen;
pub mod wire;
pub mod worker;

pub use again::look_again;
pub use handed::HandedFiles;
pub use inspector::Detectors;
pub use limits::Limits;
pub use looker::Looker;
pub use pool::{Config, Job, Loss, Outcome, Pool, Status, Usage, WorkerCommand};
pub use seen::Seen;
pub use worker::Inspector;
