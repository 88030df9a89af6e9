//! Views of leaves, and the way back.

use tidegate_inspect::views::{self, BATCH_BYTES, ViewKind};

use crate::containers::base64;
use crate::support::noise;

const TOKEN: &[u8] = b"token=abcdefghijklmnopqrstuvwxyz0123456789";

/// All places of the token in the views of a leaf: the kind, the kind around it, and the leaf's bytes there.
fn find(leaf: &[u8]) -> Vec<(ViewKind, Option<ViewKind>, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    views::each(leaf, &mut |view| {
        for at in memchr::memmem::find_iter(view.text, TOKEN) {
            found.push((view.kind, view.outer.map(|outer| outer.kind), view.locate(at..at + TOKEN.len())));
        }
    });
    found
}

#[track_caller]
fn check(kind: ViewKind, outer: Option<ViewKind>, encoded: &[u8]) {
    for before in 0..5 {
        let leaf = [&b"\xff\x01 (!"[..before], encoded, b"\x02\xfe"].concat();
        let found = find(&leaf);
        let place = found.iter().find(|f| f.0 == kind && f.1 == outer);
        let Some((_, _, range)) = place else {
            panic!("{kind} in {outer:?} not found behind {before} bytes: {found:?}")
        };
        assert!(range.start >= before && range.end <= before + encoded.len(), "{range:?}");
        assert!(
            range.start < before + 6 && range.end + 8 > before + encoded.len(),
            "{range:?} of {}",
            encoded.len()
        );
    }
}

#[test]
fn every_encoding_is_seen_through_and_located() {
    let little: Vec<u8> = TOKEN.iter().flat_map(|&b| [b, 0]).collect();
    let big: Vec<u8> = TOKEN.iter().flat_map(|&b| [0, b]).collect();
    check(ViewKind::Utf16, None, &little);
    check(ViewKind::Utf16, None, &big);
    check(ViewKind::Base64, None, &base64(TOKEN));
    let for_urls: Vec<u8> = base64(TOKEN).into_iter().filter(|b| *b != b'=').collect();
    check(ViewKind::Base64, None, &for_urls);
    check(ViewKind::Base64, Some(ViewKind::Base64), &base64(&base64(TOKEN)));
    check(ViewKind::Utf16, Some(ViewKind::Base64), &base64(&little));
    let hex: Vec<u8> = TOKEN.iter().flat_map(|b| format!("{b:02X}").into_bytes()).collect();
    check(ViewKind::Hex, None, &hex);
    for form in ["\\x", "\\u00", "%"] {
        let kind = if form == "%" { ViewKind::Percent } else { ViewKind::Escapes };
        let encoded: Vec<u8> = TOKEN.iter().flat_map(|b| format!("{form}{b:02x}").into_bytes()).collect();
        check(kind, None, &encoded);
    }
    let octal: Vec<u8> = TOKEN.iter().flat_map(|b| format!("\\{b:03o}").into_bytes()).collect();
    check(ViewKind::Escapes, None, &octal);
}

#[test]
fn plain_text_around_a_few_escapes_belongs_to_them() {
    let found = find(b"{\"x\": \"token\\u003dabcdefghijklmnopqrstuvwxyz0123456789\"}");
    assert_eq!(found, [(ViewKind::Escapes, None, 7..7 + TOKEN.len() + 5)]);
    let surrogates = b"\\ud83d\\ude00 \\u{1F600}";
    let mut text = Vec::new();
    views::each(surrogates, &mut |view| text.extend_from_slice(view.text));
    assert_eq!(String::from_utf8(text).unwrap(), "\u{1f600} \u{1f600}\n");
}

#[test]
fn base64_goes_on_over_lines() {
    let encoded = base64(&[&noise(100, 1)[..], TOKEN].concat());
    for end in [&b"\n"[..], b"\r\n"] {
        let wrapped: Vec<u8> = encoded.chunks(64).flat_map(|line| [line, end].concat()).collect();
        let found = find(&wrapped);
        assert_eq!(found.len(), 1);
        let (_, _, range) = &found[0];
        assert!(range.start > 100 && range.end <= wrapped.len());
    }
}

#[test]
fn nothing_is_cut_where_a_batch_ends() {
    // The token around the first end of a batch, in a run that goes on.
    for shift in [0, 1, 2, 20, 41] {
        let content = [&noise(BATCH_BYTES + 4096 - shift, 9)[..], TOKEN, &noise(50_000, 8)].concat();
        let leaf = base64(&content);
        let found = find(&leaf);
        assert!(!found.is_empty(), "shifted by {shift}");
        for (_, _, range) in found {
            let expected = (content.len() - 50_000 - TOKEN.len()) / 3 * 4;
            assert_eq!(range.start, expected);
        }
        let hex: Vec<u8> = content.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect();
        let found = find(&hex);
        assert!(!found.is_empty());
        assert_eq!(
            found[0].2,
            2 * (BATCH_BYTES + 4096 - shift)..2 * (BATCH_BYTES + 4096 - shift + TOKEN.len())
        );
    }
}

#[test]
fn ordinary_text_has_no_views() {
    let mut count = 0;
    let text = b"fn main() { println!(\"100% of {} a-b_c\", snake_case_name); }\n".repeat(50);
    views::each(&text, &mut |_| count += 1);
    assert_eq!(count, 0);
}

#[test]
fn a_last_group_that_is_cut_ends_with_the_leaf() {
    let cut = &base64(TOKEN)[..38];
    views::each(cut, &mut |view| assert_eq!(view.locate(0..view.text.len()), 0..cut.len(), "{view:?}"));
}
