//! Request framing: however the bytes arrive, the guard passes the same prefix of them on, and nothing else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::pin::Pin;
use std::task::{Context, Poll};
use tidegate::http::guard::Guarded;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

/// Gives its bytes in pieces.
struct Pieces<'a> {
    left: &'a [u8],
    piece: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let count = self.piece.min(self.left.len()).min(into.remaining());
        let (now, later) = self.left.split_at(count);
        into.put_slice(now);
        self.left = later;
        Poll::Ready(Ok(()))
    }
}

fn passed(data: &[u8], piece: usize) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut out = Vec::new();
        let mut guarded = Guarded::new(Pieces { left: data, piece }, 4096);
        let _ = guarded.read_to_end(&mut out).await;
        out
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((&piece, data)) = data.split_first() else { return };
    let whole = passed(data, usize::MAX);
    // A refusal is a NUL where a method should stand, behind whole requests.
    let clean = whole.strip_suffix(b"\0\r\n\r\n").unwrap_or(&whole);
    assert!(data.starts_with(clean), "the guard changed bytes");
    let pieces = passed(data, usize::from(piece).max(1));
    assert_eq!(whole, pieces, "what passes depends on how it arrived");
});
