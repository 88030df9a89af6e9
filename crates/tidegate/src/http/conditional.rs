//! Conditional requests, ranges and content codings (RFC 9110 §12.5.3, §13, §14).

use http::Method;
use http::header::{self, HeaderMap, HeaderName};
use tidegate_ledger::entry::ByteRange;

/// What a request wants of a representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// 200, 206, 304 or 416.
    pub status: u16,
    /// Which bytes, for 206.
    pub range: Option<ByteRange>,
    /// Whether a body follows.
    pub sends_body: bool,
}

impl Wanted {
    const fn whole(method: &Method) -> Self {
        Self { status: 200, range: None, sends_body: !is_head(method) }
    }
}

const fn is_head(method: &Method) -> bool {
    matches!(*method, Method::HEAD)
}

/// Codings that a client accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codings {
    /// RFC 1952.
    pub gzip: bool,
    /// RFC 8878.
    pub zstd: bool,
}

/// What a request wants of a document that has no ranges.
pub fn document(method: &Method, headers: &HeaderMap, etag: &str) -> Wanted {
    if none_match(headers, etag) {
        return Wanted { status: 304, range: None, sends_body: false };
    }
    Wanted::whole(method)
}

/// What a request wants of an artifact of `length` bytes.
pub fn artifact(method: &Method, headers: &HeaderMap, etag: &str, length: u64) -> Wanted {
    if none_match(headers, etag) {
        return Wanted { status: 304, range: None, sends_body: false };
    }
    // RFC 9110 §14.2: a range on anything but GET is ignored.
    let Some(range) = text(headers, &header::RANGE).filter(|_| *method == Method::GET) else {
        return Wanted::whole(method);
    };
    if let Some(condition) = text(headers, &header::IF_RANGE)
        && condition.trim() != etag
    {
        return Wanted::whole(method);
    }
    match parse_range(range, length) {
        Range::Whole => Wanted::whole(method),
        Range::Part(range) => Wanted { status: 206, range: Some(range), sends_body: true },
        Range::Unsatisfiable => Wanted { status: 416, range: None, sends_body: false },
    }
}

/// Reads `Accept-Encoding`. `identity` is always acceptable here, whatever its weight: an artifact is never coded.
pub fn codings(headers: &HeaderMap) -> Codings {
    let mut codings = Codings::default();
    let Some(accept) = text(headers, &header::ACCEPT_ENCODING) else { return codings };
    for part in accept.split(',') {
        let mut words = part.split(';').map(str::trim);
        let coding = words.next().unwrap_or_default();
        let refused = words
            .any(|w| w.strip_prefix("q=").is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0)));
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") || coding == "*" {
            codings.gzip |= !refused;
        } else if coding.eq_ignore_ascii_case("zstd") {
            codings.zstd |= !refused;
        }
    }
    codings
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// RFC 9110 §13.1.2: weak comparison.
fn none_match(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).any(|list| {
        list.trim() == "*"
            || list.split(',').map(str::trim).any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

enum Range {
    Whole,
    Part(ByteRange),
    Unsatisfiable,
}

/// One range of bytes. Several ranges, other units and malformed text are ignored, as RFC 9110 §14.2 allows.
fn parse_range(text: &str, length: u64) -> Range {
    let Some(spec) = text.trim().strip_prefix("bytes=").map(str::trim) else { return Range::Whole };
    if spec.contains(',') {
        return Range::Whole;
    }
    let Some((first, last)) = spec.split_once('-') else { return Range::Whole };
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    match (first, last) {
        ("", suffix) if digits(suffix) => {
            let suffix: u64 = suffix.parse().unwrap_or(u64::MAX);
            if suffix == 0 || length == 0 {
                return Range::Unsatisfiable;
            }
            Range::Part(ByteRange { first: length.saturating_sub(suffix), last: length - 1 })
        }
        (first, last) if digits(first) && (last.is_empty() || digits(last)) => {
            let first: u64 = first.parse().unwrap_or(u64::MAX);
            let last: u64 = if last.is_empty() { u64::MAX } else { last.parse().unwrap_or(u64::MAX) };
            if last < first {
                return Range::Whole;
            }
            if first >= length {
                return Range::Unsatisfiable;
            }
            Range::Part(ByteRange { first, last: last.min(length - 1) })
        }
        _ => Range::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.clone(), v.parse().unwrap())).collect()
    }

    fn range(value: &str, length: u64) -> (u16, Option<(u64, u64)>) {
        let wanted = artifact(&Method::GET, &headers(&[(header::RANGE, value)]), "\"x\"", length);
        (wanted.status, wanted.range.map(|r| (r.first, r.last)))
    }

    #[test]
    fn ranges() {
        assert_eq!(range("bytes=0-0", 10), (206, Some((0, 0))));
        assert_eq!(range("bytes=2-", 10), (206, Some((2, 9))));
        assert_eq!(range("bytes=-3", 10), (206, Some((7, 9))));
        assert_eq!(range("bytes=-30", 10), (206, Some((0, 9))));
        assert_eq!(range("bytes=5-100", 10), (206, Some((5, 9))));
        assert_eq!(range("bytes=10-", 10), (416, None));
        assert_eq!(range("bytes=-0", 10), (416, None));
        assert_eq!(range("bytes=99999999999999999999-", 10), (416, None));
        for ignored in
            ["bytes=3-2", "bytes=0-1,3-4", "lines=1-2", "bytes=", "bytes=a-b", "bytes=+1-2", "bytes=-"]
        {
            assert_eq!(range(ignored, 10), (200, None), "{ignored}");
        }
    }

    #[test]
    fn a_range_depends_on_its_condition() {
        let ask = |if_range: &str| {
            artifact(
                &Method::GET,
                &headers(&[(header::RANGE, "bytes=1-2"), (header::IF_RANGE, if_range)]),
                "\"x\"",
                10,
            )
            .status
        };
        assert_eq!(ask("\"x\""), 206);
        assert_eq!(ask("\"y\""), 200);
        assert_eq!(ask("W/\"x\""), 200, "a weak tag cannot join parts");
        let head = artifact(&Method::HEAD, &headers(&[(header::RANGE, "bytes=1-2")]), "\"x\"", 10);
        assert_eq!(head, Wanted { status: 200, range: None, sends_body: false });
    }

    #[test]
    fn conditions() {
        let ask =
            |value: &str| document(&Method::GET, &headers(&[(header::IF_NONE_MATCH, value)]), "\"x\"").status;
        assert_eq!([ask("\"x\""), ask("W/\"x\""), ask("\"a\", \"x\""), ask("*")], [304; 4]);
        assert_eq!(ask("\"y\""), 200);
    }

    #[test]
    fn accepted_codings() {
        let ask = |value: &str| {
            let c = codings(&headers(&[(header::ACCEPT_ENCODING, value)]));
            (c.gzip, c.zstd)
        };
        assert_eq!(ask("gzip, deflate"), (true, false));
        assert_eq!(ask("zstd;q=0.5, gzip;q=0"), (false, true));
        assert_eq!(ask("identity"), (false, false));
        assert_eq!(ask("*"), (true, false));
    }
}
