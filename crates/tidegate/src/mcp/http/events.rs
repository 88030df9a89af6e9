//! Server-sent events, as far as MCP uses them: fields of one event at a time, within the bound of a message.
//!
//! What a client resumes by (`id`) and how long it waits (`retry`) passes; the data is what is judged.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::mcp::message::MAX_MESSAGE_BYTES;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `event`; empty for the default.
    pub name: String,
    /// `id`, where it has one.
    pub id: Option<String>,
    /// `retry`, where it has one.
    pub retry: Option<String>,
    /// Lines of `data`, joined.
    pub data: Vec<u8>,
    has_data: bool,
}

impl Event {
    /// The event with other data; none takes the data away.
    #[must_use]
    pub fn with_data(mut self, data: Option<Bytes>) -> Self {
        self.has_data = data.is_some();
        self.data = data.map(|data| data.to_vec()).unwrap_or_default();
        self
    }

    /// Whether there is anything to be told.
    pub const fn has_data(&self) -> bool {
        self.has_data
    }

    /// As it stands on the wire.
    pub fn encoded(&self) -> Bytes {
        let mut out = BytesMut::new();
        let mut line = |field: &str, value: &[u8]| {
            out.put_slice(field.as_bytes());
            out.put_slice(b": ");
            out.put_slice(value);
            out.put_slice(b"\n");
        };
        if !self.name.is_empty() {
            line("event", self.name.as_bytes());
        }
        if let Some(id) = &self.id {
            line("id", id.as_bytes());
        }
        if let Some(retry) = &self.retry {
            line("retry", retry.as_bytes());
        }
        if self.has_data {
            for part in self.data.split(|byte| *byte == b'\n') {
                line("data", part);
            }
        }
        out.put_slice(b"\n");
        out.freeze()
    }
}

/// The stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {MAX_MESSAGE_BYTES} bytes")]
pub struct TooLarge;

/// Takes a stream apart.
#[derive(Debug, Default)]
pub struct Reader {
    held: BytesMut,
    searched: usize,
    event: Event,
    size: usize,
    is_begun: bool,
    after_cr: bool,
}

impl Reader {
    /// Takes more of the stream.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        self.held.extend_from_slice(bytes);
        if self.held.len() + self.size > 2 * MAX_MESSAGE_BYTES { Err(TooLarge) } else { Ok(()) }
    }

    /// The next whole event.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn next_event(&mut self) -> Result<Option<Event>, TooLarge> {
        while let Some(line) = self.line() {
            if line.is_empty() {
                self.size = 0;
                let event = std::mem::take(&mut self.event);
                if event != Event::default() {
                    return Ok(Some(event));
                }
                continue;
            }
            self.size += line.len();
            if self.size > MAX_MESSAGE_BYTES {
                return Err(TooLarge);
            }
            self.field(&line);
        }
        Ok(None)
    }

    /// A line without its end: CR, LF or both.
    fn line(&mut self) -> Option<Bytes> {
        if !self.is_begun {
            const MARK: &[u8] = b"\xef\xbb\xbf";
            if self.held.len() < MARK.len() && MARK.starts_with(&self.held) {
                return None;
            }
            self.is_begun = true;
            if self.held.starts_with(MARK) {
                drop(self.held.split_to(MARK.len()));
            }
        }
        if self.after_cr && self.held.first() == Some(&b'\n') {
            drop(self.held.split_to(1));
            self.after_cr = false;
        } else if !self.held.is_empty() {
            self.after_cr = false;
        }
        let Some(at) = self.held.get(self.searched..)?.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
            self.searched = self.held.len();
            return None;
        };
        let mut line = self.held.split_to(self.searched + at + 1);
        self.searched = 0;
        self.after_cr = line.last() == Some(&b'\r');
        line.truncate(line.len() - 1);
        Some(line.freeze())
    }

    fn field(&mut self, line: &[u8]) {
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(0) => return,
            Some(at) => (&line[..at], line.get(at + 1..).unwrap_or_default()),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value).into_owned();
        match name {
            b"event" => self.event.name = text(),
            b"id" if !value.contains(&0) => self.event.id = Some(text()),
            b"retry" if value.iter().all(u8::is_ascii_digit) => self.event.retry = Some(text()),
            b"data" => {
                if self.event.has_data {
                    self.event.data.push(b'\n');
                }
                self.event.has_data = true;
                self.event.data.extend_from_slice(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&[u8]]) -> Vec<Event> {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        for part in parts {
            reader.push(part).unwrap();
            while let Some(event) = reader.next_event().unwrap() {
                events.push(event);
            }
        }
        events
    }

    #[test]
    fn events_are_the_same_wherever_the_stream_is_cut() {
        let text = b"\xef\xbb\xbf: hello\r\n\r\nevent: message\r\nid: 7\r\nretry: 100\r\ndata: {\"a\":\r\ndata:1}\r\n\r\ndata: x\n\n";
        let whole = read(&[text]);
        assert_eq!(whole.len(), 2);
        assert_eq!((whole[0].name.as_str(), whole[0].id.as_deref()), ("message", Some("7")));
        assert_eq!(whole[0].data, b"{\"a\":\n1}");
        assert_eq!(whole[1].data, b"x");
        for at in 0..text.len() {
            assert_eq!(read(&[&text[..at], &text[at..]]), whole, "cut at {at}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(read(&bytes), whole);
        let again: Vec<u8> = whole.iter().flat_map(|event| event.encoded().to_vec()).collect();
        assert_eq!(read(&[&again]), whole);
    }

    #[test]
    fn carriage_returns_alone_end_lines_too() {
        assert_eq!(read(&[b"data: a\rdata: b\r\rdata: c\r\r"]).len(), 2);
        assert_eq!(read(&[b"data: half"]), []);
        assert_eq!(read(&[b"id: 1\n\n"])[0].id.as_deref(), Some("1"));
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut reader = Reader::default();
        let line = vec![b'x'; 1 << 20];
        let mut refused = false;
        for _ in 0..40 {
            refused |= reader.push(&line).is_err() || reader.next_event().is_err();
        }
        assert!(refused);
        let mut reader = Reader::default();
        let mut refused = false;
        for _ in 0..40 {
            let mut data = b"data: ".to_vec();
            data.extend_from_slice(&line);
            data.push(b'\n');
            refused |= reader.push(&data).is_err() || reader.next_event().is_err();
        }
        assert!(refused);
    }
}
