//! What holds for any bytes.

use proptest::prelude::*;
use tidegate_inspect::{Budgets, views};

use crate::support::{Told, gzip, look_within, tar, zip, zlib};

fn budgets() -> Budgets {
    Budgets {
        depth: 5,
        entries: 500,
        total_bytes: 4 << 20,
        leaf_bytes: 1 << 20,
        ratio_floor_bytes: 1 << 19,
        steps: 5_000,
        ..Budgets::default()
    }
}

fn check(bytes: &[u8]) {
    let budgets = budgets();
    let once = look_within("x", bytes, &budgets);
    assert_eq!(once, look_within("x", bytes, &budgets), "the same bytes are told alike");
    let Told { summary, leaves, gaps, .. } = &once;
    assert!(summary.entries <= budgets.entries);
    assert!(summary.unpacked_bytes <= budgets.total_bytes);
    assert!(leaves.iter().all(|leaf| leaf.path.starts_with('x') && !leaf.path.contains(char::is_control)));
    // Whatever it is: something was shown or a reason was given.
    assert!(!leaves.is_empty() || !gaps.is_empty() || summary.oddities > 0 || is_empty_archive(bytes));
}

/// An archive without files shows nothing.
fn is_empty_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK")
        || bytes.len() >= 512
        || bytes.starts_with(b"!<arch>")
        || bytes.starts_with(b"PACK")
}

/// One archive of everything, by parts.
fn archives() -> Vec<Vec<u8>> {
    let files = [
        zip::Member::deflated("a", &b"text ".repeat(50)),
        zip::Member { flags: 8, ..zip::Member::stored("b", b"two") },
    ];
    let zip = zip::archive_with_comment(&files, b"comment");
    let pax = tar::member("p", b'x', "", tar::record("path", "named").as_bytes());
    let tar = tar::archive(&[pax, tar::file("f", &zip), tar::member("l", b'2', "f", b"")]);
    vec![
        gzip(&tar),
        tar,
        zip,
        zlib(b"blob 4\0text"),
        crate::containers::base64(&b"words in base64 ".repeat(9)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        check(&bytes);
    }

    #[test]
    fn damaged_archives(
        which in 0usize..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = archives().swap_remove(which);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check(&bytes);
    }

    #[test]
    fn views_lead_back(bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(b'\\'), Just(b'%'), any::<u8>(), b'0'..b'z'], 0..3000)) {
        views::each(&bytes, &mut |view| {
            for at in 0..view.text.len() {
                let place = view.locate(at..at + 1);
                assert!(place.start <= place.end && place.end <= bytes.len());
            }
        });
    }
}
