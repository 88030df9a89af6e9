//! What the upstream remembers of a request.

use std::io::Read as _;

use bytes::Bytes;
use http::HeaderMap;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// Path and query, exactly as sent.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as sent.
    pub body: Bytes,
}

/// A request body is unpacked up to this many bytes when it is searched.
const SEARCHED_BYTES: u64 = 64 * 1024 * 1024;

impl Recorded {
    /// A header as text; `None` where it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, unpacked where it came as gzip.
    pub fn plain_body(&self) -> Vec<u8> {
        if !self.body.starts_with(&[0x1f, 0x8b]) {
            return self.body.to_vec();
        }
        let mut out = Vec::new();
        match flate2::read::GzDecoder::new(&self.body[..]).take(SEARCHED_BYTES).read_to_end(&mut out) {
            Ok(_) => out,
            Err(_) => self.body.to_vec(),
        }
    }

    /// Whether path, headers or body hold `text`, in any case and also percent-encoded.
    pub fn mentions(&self, text: &str) -> bool {
        let wanted = text.to_lowercase();
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase().contains(&wanted);
        let decoded: Vec<u8> = percent_encoding::percent_decode_str(&self.path).collect();
        holds(self.path.as_bytes())
            || holds(&decoded)
            || self.headers.values().any(|value| holds(value.as_bytes()))
            || holds(&self.plain_body())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn recorded(path: &str, body: &[u8]) -> Recorded {
        Recorded {
            method: "GET".into(),
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body),
        }
    }

    #[test]
    fn a_name_is_found_however_it_travels() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(br#"{"@acme/x":["1.0.0"]}"#).unwrap();
        let packed = packed.finish().unwrap();
        for (path, body, expected) in [
            ("/npm/@acme/x", &b""[..], true),
            ("/npm/@ACME%2fx", b"", true),
            ("/npm/%40acme%2Fx", b"", true),
            ("/npm/audit", br#"{"@acme/x":[]}"#, true),
            ("/npm/audit", &packed, true),
            ("/npm/acme", b"", false),
        ] {
            assert_eq!(recorded(path, body).mentions("@acme/"), expected, "{path}");
        }
    }
}
