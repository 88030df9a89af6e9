//! A response body that a task feeds frame by frame, so that it can be slow, stop short or fail.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use tokio::sync::mpsc;

/// The body type of every answer.
pub(super) type AnyBody = BoxBody<Bytes, io::Error>;

/// A body known at once.
pub(super) fn whole(bytes: Bytes) -> AnyBody {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

/// A body fed through the returned sender, declared to have `length` bytes. Sending an error cuts the connection.
pub(super) fn fed(length: u64) -> (mpsc::Sender<io::Result<Bytes>>, AnyBody) {
    let (sender, frames) = mpsc::channel(2);
    (sender, Fed { frames, length }.boxed())
}

struct Fed {
    frames: mpsc::Receiver<io::Result<Bytes>>,
    length: u64,
}

impl Body for Fed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.frames.poll_recv(context).map(|next| next.map(|frame| frame.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
