//! Conditions, ranges and codings: whatever a client sends, the bytes named lie in the file.
#![no_main]

use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tidegate::http::conditional::{artifact, codings, document};

const NAMES: [http::HeaderName; 5] =
    [header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH, header::ACCEPT_ENCODING, header::ACCEPT];

fuzz_target!(|data: &[u8]| {
    let Some((&length, rest)) = data.split_first() else { return };
    let mut headers = HeaderMap::new();
    for line in rest.split(|b| *b == b'\n').take(8) {
        let Some((&name, value)) = line.split_first() else { continue };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(NAMES[usize::from(name) % NAMES.len()].clone(), value);
        }
    }
    let length = u64::from(length);
    for method in [Method::GET, Method::HEAD] {
        let wanted = artifact(&method, &headers, "\"tag\"", length);
        assert!(matches!(wanted.status, 200 | 206 | 304 | 416));
        assert_eq!(wanted.range.is_some(), wanted.status == 206);
        assert!(!(wanted.sends_body && matches!(wanted.status, 304 | 416)));
        if let Some(range) = wanted.range {
            assert!(range.first <= range.last && range.last < length, "{headers:?}");
        }
        let _ = document(&method, &headers, "\"tag\"");
    }
    let _ = codings(&headers);
});
