//! Digests that a server states beside bytes that nobody signed: object storage (`x-goog-hash`), and anybody who follows
//! RFC 9530 (`Content-Digest`, `Repr-Digest`) or RFC 1864 (`Content-MD5`).
//!
//! They say that what arrived is what is stored, not who put it there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use sha2::{Digest as _, Sha256};

/// The digests that an answer states for its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promised {
    crc32c: Option<u32>,
    md5: Option<[u8; 16]>,
    sha256: Option<[u8; 32]>,
}

impl Promised {
    /// Reads them; what cannot be read is none, and what is unpacked on the way is not what they are of.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut promised = Self::default();
        let says = |name: &str| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        let repacked = |name: &str| says(name).any(|coding| !coding.eq_ignore_ascii_case("identity"));
        if repacked("x-goog-stored-content-encoding") || repacked("content-encoding") {
            return promised;
        }
        let pairs = says("x-goog-hash").flat_map(|value| value.split(','));
        for (algorithm, text) in pairs.filter_map(|pair| pair.trim().split_once('=')) {
            promised.take(algorithm, text);
        }
        for value in ["content-digest", "repr-digest"].into_iter().flat_map(says) {
            for (algorithm, text) in value.split(',').filter_map(|pair| pair.trim().split_once('=')) {
                promised.take(algorithm, text.trim_matches(':'));
            }
        }
        says("content-md5").for_each(|text| promised.take("md5", text.trim()));
        promised
    }

    fn take(&mut self, algorithm: &str, text: &str) {
        let Ok(bytes) = BASE64.decode(text) else { return };
        match algorithm.to_ascii_lowercase().as_str() {
            "crc32c" => self.crc32c = bytes.try_into().ok().map(u32::from_be_bytes).or(self.crc32c),
            "md5" => self.md5 = bytes.try_into().ok().or(self.md5),
            "sha-256" => self.sha256 = bytes.try_into().ok().or(self.sha256),
            _ => {}
        }
    }

    /// Begins to compare.
    pub fn check(self) -> Checking {
        Checking {
            crc32c: self.crc32c.map(|_| 0),
            md5: self.md5.map(|_| md5::Md5::default()),
            sha256: self.sha256.map(|_| Sha256::default()),
            promised: self,
        }
    }
}

/// Bytes on their way past.
#[derive(Debug)]
pub struct Checking {
    promised: Promised,
    crc32c: Option<u32>,
    md5: Option<md5::Md5>,
    sha256: Option<Sha256>,
}

impl Checking {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.crc32c = self.crc32c.map(|sum| crc32c::crc32c_append(sum, bytes));
        self.md5.iter_mut().for_each(|hasher| hasher.update(bytes));
        self.sha256.iter_mut().for_each(|hasher| hasher.update(bytes));
    }

    /// The first digest that does not fit, by name.
    pub fn differs(self) -> Option<&'static str> {
        let md5: Option<[u8; 16]> = self.md5.map(|hasher| hasher.finalize().into());
        let sha256: Option<[u8; 32]> = self.sha256.map(|hasher| hasher.finalize().into());
        if sha256 != self.promised.sha256 {
            return Some("SHA-256");
        }
        if md5 != self.promised.md5 {
            return Some("MD5");
        }
        (self.crc32c != self.promised.crc32c).then_some("CRC-32C")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn digests_of_every_form_are_compared() {
        // Of the nine bytes "123456789".
        let forms: [&[(&'static str, &str)]; 5] = [
            &[("x-goog-hash", "crc32c=4waSgw=="), ("x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw==")],
            &[("x-goog-hash", "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==")],
            &[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")],
            &[("content-digest", "sha-256=:FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=:")],
            &[("repr-digest", "sha-512=:AAAA:, sha-256=:FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=:")],
        ];
        for form in forms {
            let promised = Promised::of(&headers(form));
            assert_ne!(promised, Promised::default(), "{form:?}");
            let said = |pieces: &[&[u8]]| {
                let mut checking = promised.clone().check();
                pieces.iter().for_each(|piece| checking.update(piece));
                checking.differs()
            };
            assert_eq!(said(&[b"1234", b"56789"]), None, "{form:?}");
            assert!(said(&[b"12345678"]).is_some() && said(&[b"123456780"]).is_some(), "{form:?}");
        }
    }

    #[test]
    fn what_is_unpacked_on_the_way_or_cannot_be_read_is_not_compared() {
        for lines in [
            &[("x-goog-hash", "crc32c=4waSgw=="), ("x-goog-stored-content-encoding", "gzip")][..],
            &[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="), ("content-encoding", "gzip")],
            &[("x-goog-hash", "crc32c=????"), ("content-md5", "AAAA")],
            &[],
        ] {
            assert_eq!(Promised::of(&headers(lines)), Promised::default(), "{lines:?}");
        }
    }
}
