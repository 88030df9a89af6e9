//! HTTP/1.1 byte for byte: for paths and framings that ordinary clients tidy up before they send them.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A response as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawResponse {
    /// The status code.
    pub status: u16,
    /// The reason phrase of the status line.
    pub reason: String,
    /// The header fields in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// The body, without chunked framing.
    pub body: Vec<u8>,
    /// Whether the body ended where its framing said it would.
    pub complete: bool,
}

impl RawResponse {
    /// The first value of a field, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text, broken UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that sends exactly the bytes it is given.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// How long a read may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// A head may have this many bytes.
const HEAD_BYTES: usize = 1024 * 1024;

impl RawClient {
    /// Connects.
    ///
    /// # Errors
    /// Where nothing listens at `address`.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Sends `bytes` as they are.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends `GET <target> HTTP/1.1` with a `Host` and these lines, and reads the response. The target is not touched.
    ///
    /// # Errors
    /// Where the connection is gone or the response is no HTTP/1.1.
    pub fn get(&mut self, target: &str, lines: &[&str]) -> io::Result<RawResponse> {
        self.request("GET", target, lines)
    }

    /// As [`RawClient::get`], with another method and no body.
    ///
    /// # Errors
    /// Where the connection is gone or the response is no HTTP/1.1.
    pub fn request(&mut self, method: &str, target: &str, lines: &[&str]) -> io::Result<RawResponse> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: door.test\r\n");
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        self.send(head.as_bytes())?;
        if method == "HEAD" { self.read_head_only() } else { self.read() }
    }

    /// Reads one response with its body.
    ///
    /// # Errors
    /// Where the connection ends before the head does, or the head is no HTTP/1.1. A body that ends early is no error:
    /// see [`RawResponse::complete`].
    pub fn read(&mut self) -> io::Result<RawResponse> {
        let mut response = self.read_head_only()?;
        if matches!(response.status, 100..=199 | 204 | 304) {
            return Ok(response);
        }
        if response.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            self.read_chunks(&mut response)?;
        } else if let Some(length) = response.header("content-length") {
            let length = length.trim().parse().map_err(|_| invalid("Content-Length is no number"))?;
            response.body = self.take(length)?;
            response.complete = response.body.len() == length;
        } else {
            while self.fill()? > 0 {}
            response.body = std::mem::take(&mut self.unread);
        }
        Ok(response)
    }

    /// Reads the head of one response and takes it to have no body.
    ///
    /// # Errors
    /// Where the connection ends before the head does, or the head is no HTTP/1.1.
    pub fn read_head_only(&mut self) -> io::Result<RawResponse> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if self.unread.len() > HEAD_BYTES {
                return Err(invalid("the head does not end"));
            }
            if self.fill()? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed before the head ended"));
            }
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).take(end).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n");
        let mut status_line = lines.next().unwrap_or_default().splitn(3, ' ');
        if status_line.next() != Some("HTTP/1.1") {
            return Err(invalid("the status line does not begin with HTTP/1.1"));
        }
        let status = status_line.next().and_then(|s| s.parse().ok());
        let status = status.ok_or_else(|| invalid("the status is no number"))?;
        let reason = status_line.next().unwrap_or_default().to_owned();
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':').ok_or_else(|| invalid("a header has no colon"))?;
                Ok((name.to_owned(), value.trim().to_owned()))
            })
            .collect::<io::Result<_>>()?;
        Ok(RawResponse { status, reason, headers, body: Vec::new(), complete: true })
    }

    /// Reads `length` bytes behind a head that [`RawClient::read_head_only`] read; fewer where the connection ends.
    ///
    /// # Errors
    /// Where reading fails.
    pub fn read_body(&mut self, length: usize) -> io::Result<Vec<u8>> {
        self.take(length)
    }

    /// Whether the other side has closed the connection, or closes it within `within`.
    pub fn is_closed(&mut self, within: Duration) -> bool {
        // Failing to set a timeout leaves the longer one: the answer is the same, only later.
        let _ = self.stream.set_read_timeout(Some(within.max(Duration::from_millis(1))));
        let mut byte = [0];
        let closed = match self.stream.read(&mut byte) {
            Ok(0) => true,
            Ok(_) => {
                self.unread.push(byte[0]);
                false
            }
            Err(e) => !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        };
        let _ = self.stream.set_read_timeout(Some(PATIENCE));
        closed
    }

    fn read_chunks(&mut self, response: &mut RawResponse) -> io::Result<()> {
        loop {
            let Some(line) = self.take_line()? else {
                response.complete = false;
                return Ok(());
            };
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16).map_err(|_| invalid("a chunk size is no number"))?;
            let chunk = self.take(size)?;
            let whole = chunk.len() == size;
            response.body.extend(chunk);
            // The line end behind a chunk; behind the last one, the end of the (empty) trailers.
            if !whole || self.take_line()?.is_none() {
                response.complete = false;
                return Ok(());
            }
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn take_line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).take(at).collect();
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
    }

    /// Up to `length` bytes; fewer where the connection ends.
    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < length {
            if self.fill()? == 0 {
                break;
            }
        }
        let rest = self.unread.split_off(length.min(self.unread.len()));
        Ok(std::mem::replace(&mut self.unread, rest))
    }

    /// Reads once; 0 at the end, which a reset is too.
    fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                Ok(count)
            }
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => Ok(0),
            Err(e) => Err(e),
        }
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Sends `bytes` on a connection of their own and reads one response.
///
/// # Errors
/// Where nothing listens, the connection closes without an answer, or the answer is no HTTP/1.1.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> io::Result<RawResponse> {
    let mut client = RawClient::connect(address)?;
    client.send(bytes)?;
    client.read()
}

/// `GET target` on a connection of its own; the target goes out exactly as given.
///
/// # Errors
/// As [`exchange`].
pub fn get(address: SocketAddr, target: &str) -> io::Result<RawResponse> {
    RawClient::connect(address)?.get(target, &["Connection: close"])
}
