//! The ways in which an upstream goes wrong on purpose.

use std::time::Duration;

/// What happens to a request instead of, or on top of, the right answer. Connection refused is
/// [`super::FakeUpstream::stop`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Waits this long before the head.
    Slow(Duration),
    /// Sends the head at once and the body at this many bytes a second.
    Trickle(u64),
    /// Answers this status; 429 and 503 carry `Retry-After` where seconds are given.
    Status {
        /// The status code.
        code: u16,
        /// Value of `Retry-After` in seconds.
        retry_after: Option<u32>,
    },
    /// Promises the whole length and closes the connection after this many bytes of the body.
    Truncate(usize),
    /// Promises the whole length and resets the connection in the middle of the body.
    ResetMidBody,
    /// Serves a body of the right length with its last byte changed.
    WrongBytes,
    /// Serves these bytes instead of the right ones, without changing any index.
    OtherBytes(bytes::Bytes),
    /// Redirects to this URL.
    Redirect(String),
    /// Answers a small gzip body that unpacks to this many bytes.
    GzipBomb(u64),
    /// Answers JSON nested this deep.
    DeepJson(usize),
    /// Pads an index, in a form its parser accepts, to at least this many bytes.
    HugeIndex(usize),
    /// Waits before the head until the gate is opened.
    Wait(Gate),
    /// Reads the request and never answers.
    Hang,
    /// Reads the request and closes the connection without an answer.
    Drop,
    /// Gives the right body this `Content-Type`.
    ContentType(&'static str),
}

/// Holds answers back until a test opens it.
#[derive(Clone, Debug)]
pub struct Gate(std::sync::Arc<tokio::sync::watch::Sender<bool>>);

impl Gate {
    /// A gate that is shut.
    pub fn new() -> Self {
        Self(std::sync::Arc::new(tokio::sync::watch::Sender::new(false)))
    }

    /// Opens it for good.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn opened(&self) {
        // It cannot be dropped while it is held here.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

/// One gate is equal to itself.
impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Gate {}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// A fault set for a path.
#[derive(Debug)]
pub(super) struct Planned {
    path: String,
    fault: Fault,
    left: Option<usize>,
}

impl Planned {
    pub(super) fn new(path: &str, fault: Fault, left: Option<usize>) -> Self {
        Self { path: path.to_owned(), fault, left }
    }
}

/// The fault for a request of `path`, counted down.
pub(super) fn take(planned: &mut Vec<Planned>, path: &str) -> Option<Fault> {
    planned.retain(|plan| plan.left != Some(0));
    let plan = planned.iter_mut().find(|plan| path.contains(plan.path.as_str()))?;
    if let Some(left) = &mut plan.left {
        *left -= 1;
    }
    Some(plan.fault.clone())
}
