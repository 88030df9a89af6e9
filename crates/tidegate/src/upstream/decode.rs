//! Unpacking a document while it arrives, with a bound on what comes out.

use std::io::{self, Write};

use bytes::Bytes;

/// Collects a body, unpacking gzip, and stops at a limit.
pub(super) struct Collector {
    limit: u64,
    inner: Inner,
}

enum Inner {
    Plain(Limited),
    Gzip(Box<flate2::write::MultiGzDecoder<Limited>>),
}

/// Why a body cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// More bytes than allowed.
    TooLarge,
    /// Not valid gzip.
    Corrupt,
    /// A content coding we did not ask for.
    UnknownCoding(String),
}

struct Limited {
    bytes: Vec<u8>,
    limit: u64,
    exceeded: bool,
}

impl Write for Limited {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.bytes.len() as u64 + buf.len() as u64 > self.limit {
            self.exceeded = true;
            return Err(io::Error::other("limit"));
        }
        self.bytes.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Collector {
    pub(super) fn new(coding: Option<&str>, limit: u64) -> Result<Self, DecodeError> {
        let limited = Limited { bytes: Vec::new(), limit, exceeded: false };
        let inner = match coding.map(str::trim) {
            None | Some("" | "identity") => Inner::Plain(limited),
            Some(c) if c.eq_ignore_ascii_case("gzip") || c.eq_ignore_ascii_case("x-gzip") => {
                Inner::Gzip(Box::new(flate2::write::MultiGzDecoder::new(limited)))
            }
            Some(other) => return Err(DecodeError::UnknownCoding(other.to_owned())),
        };
        Ok(Self { limit, inner })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let (result, exceeded) = match &mut self.inner {
            Inner::Plain(limited) => (limited.write_all(bytes), limited.exceeded),
            Inner::Gzip(decoder) => (decoder.write_all(bytes), decoder.get_ref().exceeded),
        };
        match result {
            Ok(()) => Ok(()),
            Err(_) if exceeded => Err(DecodeError::TooLarge),
            Err(_) => Err(DecodeError::Corrupt),
        }
    }

    pub(super) fn finish(self) -> Result<Bytes, DecodeError> {
        match self.inner {
            Inner::Plain(limited) => Ok(limited.bytes.into()),
            Inner::Gzip(mut decoder) => match decoder.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes).into()),
                Err(_) if decoder.get_ref().exceeded => Err(DecodeError::TooLarge),
                Err(_) => Err(DecodeError::Corrupt),
            },
        }
    }

    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn collect(coding: Option<&str>, limit: u64, bytes: &[u8]) -> Result<Bytes, DecodeError> {
        let mut collector = Collector::new(coding, limit)?;
        for piece in bytes.chunks(7) {
            collector.push(piece)?;
        }
        collector.finish()
    }

    #[test]
    fn unpacks_what_fits() {
        assert_eq!(collect(None, 5, b"hello").unwrap(), "hello");
        assert_eq!(collect(Some("gzip"), 5, &gzip(b"hello")).unwrap(), "hello");
    }

    #[test]
    fn refuses_bombs_and_damage() {
        assert_eq!(collect(None, 4, b"hello"), Err(DecodeError::TooLarge));
        assert_eq!(collect(Some("gzip"), 1000, &gzip(&vec![0; 100_000])), Err(DecodeError::TooLarge));
        let mut cut = gzip(b"hello hello hello");
        cut.truncate(cut.len() - 4);
        assert_eq!(collect(Some("gzip"), 1000, &cut), Err(DecodeError::Corrupt));
        assert_eq!(collect(Some("gzip"), 1000, b"plain text"), Err(DecodeError::Corrupt));
        assert_eq!(collect(Some("br"), 1000, b""), Err(DecodeError::UnknownCoding("br".into())));
    }
}
