//! Where events go. Each sink is one file; all of them take one event at a time, in order.

pub mod file;
pub mod signing;
pub mod webhook;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tidegate_ledger::NodeId;
use tidegate_model::Timestamp;

use super::Event;

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it. Holds its answer in short.
    Taken(String),
    /// Not now; the same event is tried again.
    Again {
        /// What went wrong.
        why: String,
        /// How long the receiver asks to wait.
        after: Option<Duration>,
    },
    /// The receiver does not take this event, whoever else it takes.
    Refused {
        /// What it said.
        why: String,
    },
    /// The receiver wants nothing more, ever.
    Gone {
        /// What it said.
        why: String,
    },
}

/// What a try comes to, later.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Delivery> + Send + 'a>>;

/// A receiver of events.
pub trait Sink: Send {
    /// Hands over one event. Handing over the same event twice must do no harm, or be noticed by its id.
    fn deliver<'a>(&'a mut self, event: &'a Event, now: Timestamp) -> Delivering<'a>;

    /// The last event of `node` that the sink itself is known to hold, by entry and place; those up to it are not handed
    /// over again. None where it cannot tell.
    fn holds_up_to(&self, node: &NodeId) -> Option<(u64, u32)>;
}

/// A sink that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the event sink `{name}` cannot be used: {why}\n  {remedy}")]
pub struct SinkError {
    /// Which.
    pub name: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl SinkError {
    pub(crate) fn new(name: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.to_owned(), why: why.into(), remedy: remedy.into() }
    }
}
