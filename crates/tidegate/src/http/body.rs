//! A response body that does not end before its entry is durable.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tidegate_ledger::{Durability, RecordError};
use tidegate_sys::map::FileBytes;
use tokio::sync::mpsc;

/// How many bytes are handed to the connection at a time.
const FRAME_BYTES: usize = 512 * 1024;

/// Resolves once an entry survives a power cut.
type Waiting = Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send>>;

/// Bytes whose last part waits until the entry survives a power cut.
pub struct RecordedBody {
    left: FileBytes,
    durable: Option<Waiting>,
    /// Where the bytes come from that are not known yet.
    more: Option<mpsc::Receiver<Bytes>>,
}

impl RecordedBody {
    /// A body that ends once `durable` resolves.
    pub fn held(bytes: FileBytes, durable: Durability) -> Self {
        Self { left: bytes, durable: Some(Box::pin(durable.wait())), more: None }
    }

    /// A body whose entry is durable already, or that needs none.
    pub const fn free(bytes: FileBytes) -> Self {
        Self { left: bytes, durable: None, more: None }
    }

    /// A body of bytes that come one after the other; each was recorded before it was sent here.
    pub fn stream(more: mpsc::Receiver<Bytes>) -> Self {
        Self { left: FileBytes::default(), durable: None, more: Some(more) }
    }
}

impl Body for RecordedBody {
    type Data = Bytes;
    type Error = RecordError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RecordError>>> {
        let this = &mut *self;
        if let Some(more) = &mut this.more {
            return more.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))));
        }
        if this.left.is_empty() {
            return Poll::Ready(None);
        }
        if this.left.len() > FRAME_BYTES {
            // All but the last part may go at once: the client cannot use a body that does not end.
            return Poll::Ready(Some(Ok(Frame::data(this.left.take(FRAME_BYTES)))));
        }
        if let Some(durable) = &mut this.durable {
            // An entry that cannot be made durable ends the connection short of the announced length.
            ready!(durable.as_mut().poll(cx))?;
            this.durable = None;
        }
        let last = this.left.len();
        Poll::Ready(Some(Ok(Frame::data(this.left.take(last)))))
    }

    fn is_end_stream(&self) -> bool {
        self.more.is_none() && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.more.is_some() {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.left.len() as u64)
    }
}

impl std::fmt::Debug for RecordedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordedBody({} bytes left)", self.left.len())
    }
}
