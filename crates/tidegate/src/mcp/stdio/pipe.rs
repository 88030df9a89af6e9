//! Lines of a pipe, one message each, within the bound of a message.

use std::io::{Read as _, Write as _};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::Mutex;

use crate::mcp::message::{INVALID_REQUEST, MAX_MESSAGE_BYTES};

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 64 << 10;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line that may be a message.
    Message(Bytes),
    /// One that is too long to be one; it was passed over.
    TooLong,
}

/// Reads lines; empty ones are passed over.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    held: BytesMut,
    /// Bytes of `held` in which no end of a line stands.
    searched: usize,
    is_over_long: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Begins.
    pub(super) fn new(input: R) -> Self {
        Self { input, held: BytesMut::new(), searched: 0, is_over_long: false }
    }

    /// The next line; none at the end. What stands behind the last end of a line is a line as well.
    ///
    /// # Errors
    /// The pipe's.
    pub(super) async fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            if let Some(at) = self.held[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.held.split_to(self.searched + at + 1);
                self.searched = 0;
                if std::mem::take(&mut self.is_over_long) {
                    return Ok(Some(Line::TooLong));
                }
                if let Some(line) = message(line) {
                    return Ok(Some(line));
                }
                continue;
            }
            self.searched = self.held.len();
            if self.held.len() > MAX_MESSAGE_BYTES {
                self.is_over_long = true;
                self.held.clear();
                self.searched = 0;
            }
            self.held.reserve(READ_BYTES);
            if self.input.read_buf(&mut self.held).await? == 0 {
                let rest = self.held.split();
                self.searched = 0;
                return Ok(if std::mem::take(&mut self.is_over_long) {
                    Some(Line::TooLong)
                } else {
                    message(rest)
                });
            }
        }
    }
}

fn message(line: BytesMut) -> Option<Line> {
    let line = line.freeze();
    let trimmed = line.trim_ascii();
    (!trimmed.is_empty()).then(|| Line::Message(line.slice_ref(trimmed)))
}

/// Our standard input. A thread of its own reads it: it may be a pipe, a socket, a terminal or a file, and waiting for it never ends
/// with us.
pub(super) fn stdin() -> DuplexStream {
    let (ours, mut theirs) = tokio::io::duplex(READ_BYTES);
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let mut chunk = vec![0; READ_BYTES];
        loop {
            match std::io::stdin().lock().read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => {
                    if runtime.block_on(theirs.write_all(&chunk[..count])).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    ours
}

/// Our standard output, one message at a time.
#[derive(Debug, Default)]
pub(super) struct Stdout(Mutex<()>);

impl Stdout {
    /// Writes a message and what ends it.
    ///
    /// # Errors
    /// The reader went away.
    pub(super) async fn send(&self, message: Bytes) -> std::io::Result<()> {
        let _one_at_a_time = self.0.lock().await;
        let written = tokio::task::spawn_blocking(move || {
            let mut out = std::io::stdout().lock();
            out.write_all(&message)?;
            out.write_all(b"\n")?;
            out.flush()
        });
        written.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

/// What the sender of a line that is too long is told.
pub(super) fn too_long() -> Value {
    json!({
        "jsonrpc": "2.0", "id": null,
        "error": { "code": INVALID_REQUEST, "message": format!("tidegate: a message is larger than {MAX_MESSAGE_BYTES} bytes") },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(bytes: &[u8]) -> Vec<Line> {
        let mut lines = Lines::new(bytes);
        let mut out = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            out.push(line);
        }
        out
    }

    #[tokio::test]
    async fn lines_are_messages_without_what_ends_them() {
        let message = |text: &'static str| Line::Message(Bytes::from_static(text.as_bytes()));
        assert_eq!(
            all(b"{}\n\n  \r\n{\"a\":1}\r\nlast").await,
            [message("{}"), message("{\"a\":1}"), message("last")]
        );
        assert_eq!(all(b"").await, []);
    }

    #[tokio::test]
    async fn a_line_that_never_ends_takes_no_memory_and_the_next_is_read() {
        let mut bytes = vec![b'x'; 3 * MAX_MESSAGE_BYTES];
        bytes.extend_from_slice(b"\n{}\n");
        assert_eq!(all(&bytes).await, [Line::TooLong, Line::Message(Bytes::from_static(b"{}"))]);
        let mut lines = Lines::new(&bytes[..]);
        lines.next().await.unwrap();
        assert!(lines.held.capacity() < 2 * MAX_MESSAGE_BYTES + 2 * READ_BYTES, "{}", lines.held.capacity());
        assert_eq!(all(&vec![b'x'; MAX_MESSAGE_BYTES + READ_BYTES + 1]).await, [Line::TooLong]);
    }
}
