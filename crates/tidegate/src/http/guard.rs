//! A strict reader of request framing, in front of the HTTP library.
//!
//! The library is lenient where RFC 9112 lets it be: it takes bare line feeds, `Content-Length` beside
//! `Transfer-Encoding`, two `Host` headers. Each of these lets two parsers see different requests in the same bytes
//! ("request smuggling"), and a gate that sees another request than its neighbour is no gate. This reader sits between
//! the socket and the library, follows the framing of every request on the connection, and passes bytes on only once a
//! whole head has proved unambiguous. What it refuses it replaces by a byte that the library answers with 400.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A byte stream whose requests have unambiguous framing.
#[derive(Debug)]
pub struct Guarded<S> {
    inner: S,
    /// Bytes read and not yet passed on.
    buffer: Vec<u8>,
    /// How many bytes at the start of `buffer` may be passed on.
    cleared: usize,
    /// How many bytes of `buffer` were passed on.
    passed: usize,
    state: State,
    max_head: usize,
    eof: bool,
    /// Where reads land, zeroed once; what arrived is moved behind `buffer`.
    landing: Box<[u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Sized(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    Refused,
    /// An upgrade or CONNECT: no framing we know. Never entered for a request we serve.
    Poisoned,
}

/// Why a request's framing is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// A line ends in LF without CR, or a CR stands alone.
    #[error("a line does not end in CR LF")]
    BareLineEnd,
    /// More bytes in a head than allowed.
    #[error("the head is too long")]
    HeadTooLong,
    /// A header line is folded, has no colon, or white space in its name.
    #[error("a header line is malformed")]
    MalformedHeader,
    /// Not exactly one `Host`.
    #[error("there must be exactly one Host header")]
    Host,
    /// `Content-Length` beside `Transfer-Encoding`, twice, or not a number.
    #[error("the body's length is ambiguous")]
    AmbiguousLength,
    /// A transfer coding other than `chunked` alone.
    #[error("the transfer coding is not chunked")]
    TransferCoding,
    /// A chunk-size line that is not plain hexadecimal.
    #[error("a chunk is malformed")]
    MalformedChunk,
    /// The request line is not `METHOD SP target SP HTTP/1.x`.
    #[error("the request line is malformed")]
    RequestLine,
}

/// The longest chunk-size or trailer line, in bytes.
const MAX_CHUNK_LINE: usize = 256;
/// The most bytes of trailers.
const MAX_TRAILERS: usize = 4096;
/// How much is read at a time: a request head with room to spare.
const READ_BYTES: usize = 8 * 1024;

impl<S> Guarded<S> {
    /// Guards a stream; `max_head` bounds a request head in bytes.
    pub fn new(inner: S, max_head: usize) -> Self {
        let landing = vec![0; READ_BYTES].into_boxed_slice();
        Self {
            inner,
            buffer: Vec::new(),
            cleared: 0,
            passed: 0,
            state: State::Head,
            max_head,
            eof: false,
            landing,
        }
    }

    /// Moves `cleared` as far as the bytes at hand allow.
    fn advance(&mut self) {
        if let Err(_error) = self.try_advance() {
            // The library answers 400 to a NUL where a method should stand, and closes.
            self.buffer.truncate(self.cleared);
            self.buffer.extend_from_slice(b"\0\r\n\r\n");
            self.cleared = self.buffer.len();
            self.state = State::Refused;
        }
    }

    fn try_advance(&mut self) -> Result<(), FramingError> {
        loop {
            let rest = &self.buffer[self.cleared..];
            match self.state {
                State::Refused | State::Poisoned => return Ok(()),
                State::Head => {
                    // RFC 9112 §2.2: empty lines before a request line are to be ignored.
                    if rest.starts_with(b"\r\n") {
                        self.cleared += 2;
                        continue;
                    }
                    let Some(end) = find_head_end(rest)? else {
                        return if rest.len() > self.max_head {
                            Err(FramingError::HeadTooLong)
                        } else {
                            Ok(())
                        };
                    };
                    if end > self.max_head {
                        return Err(FramingError::HeadTooLong);
                    }
                    let framing = read_head(&rest[..end])?;
                    self.cleared += end;
                    self.state = match framing {
                        Framing::None | Framing::Length(0) => State::Head,
                        Framing::Length(n) => State::Sized(n),
                        Framing::Chunked => State::ChunkSize,
                        Framing::Tunnel => State::Poisoned,
                    };
                    if self.state == State::Head {
                        // One request at a time is cleared, so that a refusal of the next cannot overtake this answer.
                        if self.passed < self.cleared {
                            return Ok(());
                        }
                    }
                }
                State::Sized(left) => match take(rest.len(), left) {
                    0 if left > 0 => return Ok(()),
                    n => {
                        self.cleared += n;
                        self.state =
                            if left == n as u64 { State::Head } else { State::Sized(left - n as u64) };
                    }
                },
                State::ChunkSize => {
                    let Some(end) = find_line_end(rest, MAX_CHUNK_LINE)? else { return Ok(()) };
                    let size = chunk_size(&rest[..end - 2])?;
                    self.cleared += end;
                    self.state = if size == 0 { State::Trailers } else { State::ChunkData(size) };
                }
                State::ChunkData(left) => match take(rest.len(), left) {
                    0 => return Ok(()),
                    n => {
                        self.cleared += n;
                        self.state = if left == n as u64 {
                            State::ChunkEnd
                        } else {
                            State::ChunkData(left - n as u64)
                        };
                    }
                },
                State::ChunkEnd => {
                    if rest.len() < 2 {
                        return Ok(());
                    }
                    if !rest.starts_with(b"\r\n") {
                        return Err(FramingError::MalformedChunk);
                    }
                    self.cleared += 2;
                    self.state = State::ChunkSize;
                }
                State::Trailers => {
                    let Some(end) = find_line_end(rest, MAX_TRAILERS)? else { return Ok(()) };
                    self.cleared += end;
                    if end == 2 {
                        self.state = State::Head;
                    }
                }
            }
        }
    }
}

fn take(have: usize, want: u64) -> usize {
    usize::try_from(want).map_or(have, |want| want.min(have))
}

enum Framing {
    None,
    Length(u64),
    Chunked,
    Tunnel,
}

/// The position behind the empty line that ends a head, or a refusal as soon as a bare line end stands in it.
fn find_head_end(bytes: &[u8]) -> Result<Option<usize>, FramingError> {
    let mut line_start = 0;
    for (i, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => {
                if i == 0 || bytes[i - 1] != b'\r' {
                    return Err(FramingError::BareLineEnd);
                }
                if i - 1 == line_start {
                    return Ok(Some(i + 1));
                }
                line_start = i + 1;
            }
            // A CR must be followed by LF; at the very end the next byte is still to come.
            b'\r' if bytes.get(i + 1).is_some_and(|next| *next != b'\n') => {
                return Err(FramingError::BareLineEnd);
            }
            0 => return Err(FramingError::MalformedHeader),
            _ => {}
        }
    }
    Ok(None)
}

fn find_line_end(bytes: &[u8], max: usize) -> Result<Option<usize>, FramingError> {
    match bytes.iter().take(max).position(|b| *b == b'\n') {
        Some(0) => Err(FramingError::BareLineEnd),
        Some(i) if bytes[i - 1] != b'\r' || bytes[..i - 1].contains(&b'\r') => Err(FramingError::BareLineEnd),
        Some(i) => Ok(Some(i + 1)),
        None if bytes.len() >= max => Err(FramingError::MalformedChunk),
        None => Ok(None),
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, FramingError> {
    // Chunk extensions have no meaning to us and are a known smuggling vector: refused.
    let text = std::str::from_utf8(line).map_err(|_| FramingError::MalformedChunk)?;
    if text.is_empty() || text.len() > 15 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(FramingError::MalformedChunk);
    }
    u64::from_str_radix(text, 16).map_err(|_| FramingError::MalformedChunk)
}

fn read_head(head: &[u8]) -> Result<Framing, FramingError> {
    let mut lines = head[..head.len() - 4].split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let http11 = request_line(lines.next().ok_or(FramingError::RequestLine)?)?;
    let (mut hosts, mut length, mut chunked, mut codings) = (0, None, false, 0);
    for line in lines {
        let colon = line.iter().position(|b| *b == b':').ok_or(FramingError::MalformedHeader)?;
        let name = &line[..colon];
        // RFC 9112 §5.1: no white space between name and colon; §5.2: no folded lines.
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            return Err(FramingError::MalformedHeader);
        }
        let value = line[colon + 1..].trim_ascii();
        if value.iter().any(|b| *b < 0x20 && *b != b'\t' || *b == 0x7f) {
            return Err(FramingError::MalformedHeader);
        }
        if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let text = std::str::from_utf8(value)
                .ok()
                .filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
            let value = text.and_then(|t| t.parse().ok()).ok_or(FramingError::AmbiguousLength)?;
            if length.replace(value).is_some() {
                return Err(FramingError::AmbiguousLength);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            codings += 1;
            chunked = value.eq_ignore_ascii_case(b"chunked");
        }
    }
    if hosts > 1 || (http11 && hosts == 0) {
        return Err(FramingError::Host);
    }
    if codings > 0 && (codings > 1 || !chunked || !http11) {
        return Err(FramingError::TransferCoding);
    }
    match (length, codings > 0) {
        (Some(_), true) => Err(FramingError::AmbiguousLength),
        (None, true) => Ok(Framing::Chunked),
        (Some(n), false) => Ok(Framing::Length(n)),
        (None, false) if head.starts_with(b"CONNECT ") => Ok(Framing::Tunnel),
        (None, false) => Ok(Framing::None),
    }
}

/// Whether the request line is well formed; true for HTTP/1.1.
fn request_line(line: &[u8]) -> Result<bool, FramingError> {
    let mut parts = line.split(|b| *b == b' ');
    let (method, target, version) = (parts.next(), parts.next(), parts.next());
    let method = method.unwrap_or_default();
    let target = target.unwrap_or_default();
    if parts.next().is_some() || method.is_empty() || !method.iter().all(|b| is_token(*b)) {
        return Err(FramingError::RequestLine);
    }
    if target.is_empty() || target.iter().any(|b| *b <= 0x20 || *b >= 0x7f) {
        return Err(FramingError::RequestLine);
    }
    match version {
        Some(b"HTTP/1.1") => Ok(true),
        Some(b"HTTP/1.0") => Ok(false),
        _ => Err(FramingError::RequestLine),
    }
}

/// RFC 9110 §5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.passed < this.cleared {
                let n = out.remaining().min(this.cleared - this.passed);
                out.put_slice(&this.buffer[this.passed..this.passed + n]);
                this.passed += n;
                if this.passed == this.buffer.len() {
                    this.buffer.clear();
                    (this.passed, this.cleared) = (0, 0);
                }
                return Poll::Ready(Ok(()));
            }
            if this.state == State::Refused {
                return Poll::Ready(Ok(()));
            }
            // Pipelined requests may already be here.
            if this.cleared < this.buffer.len() {
                this.advance();
                if this.passed < this.cleared {
                    continue;
                }
            }
            if this.eof {
                return Poll::Ready(Ok(()));
            }
            this.buffer.drain(..this.passed);
            this.cleared -= this.passed;
            this.passed = 0;
            let mut landing = ReadBuf::new(&mut this.landing);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut landing))?;
            let n = landing.filled().len();
            this.buffer.extend_from_slice(landing.filled());
            if n == 0 {
                this.eof = true;
            }
            this.advance();
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
