//! gzip.

use tidegate_inspect::{Budgets, Format, GapKind, OddityKind, Role};

use crate::support::{gzip, look, look_within, tar};

#[test]
fn a_compressed_archive_needs_no_segment_of_its_own() {
    let inner = tar::archive(&[tar::file("package/index.js", b"1")]);
    let outer = tar::archive(&[tar::file("package/vendor/x.tgz", &gzip(&inner))]);
    let told = look("a.tgz", &gzip(&outer));
    told.holds(&[("a.tgz!/package/vendor/x.tgz!/package/index.js", b"1")]);
    told.is_odd(&[]);
    told.lacks(&[]);
}

#[test]
fn the_name_in_the_header_names_the_content() {
    let encoder = flate2::GzBuilder::new().filename("../real.js").comment("note").extra(*b"extra");
    let mut encoder = encoder.write(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"content").unwrap();
    let told = look("x.gz", &encoder.finish().unwrap());
    told.holds(&[("x.gz!/../real.js", b"content"), ("x.gz!/#comment", b"note"), ("x.gz!/#extra", b"extra")]);
    told.is_odd(&[(OddityKind::Traversal, "x.gz")]);
    assert_eq!(told.leaves[1].role, Role::Metadata);
    look("notes.txt.gz", &gzip(b"x")).holds(&[("notes.txt.gz!/notes.txt", b"x")]);
}

#[test]
fn members_are_one_content_and_what_follows_is_told() {
    let bytes = [gzip(b"one "), gzip(b"two"), b"\0\0tail".to_vec()].concat();
    let told = look("x.gz", &bytes);
    told.holds(&[("x.gz!/x", b"one two"), ("x.gz!/#trailing", b"\0\0tail")]);
    told.is_odd(&[(OddityKind::SeveralStreams, "x.gz"), (OddityKind::TrailingBytes, "x.gz")]);
    told.lacks(&[]);
    // Padding is nobody's message.
    look("x.gz", &[gzip(b"one"), vec![0; 512]].concat()).is_odd(&[]);
}

#[test]
fn a_wrong_checksum_does_not_hide_the_content() {
    let mut bytes = gzip(b"content");
    let at = bytes.len() - 8;
    bytes[at] ^= 1;
    bytes[at + 4] ^= 1;
    let told = look("x.gz", &bytes);
    told.holds(&[("x.gz!/x", b"content")]);
    told.is_odd(&[(OddityKind::Checksum, "x.gz"), (OddityKind::SizeMismatch, "x.gz")]);
}

#[test]
fn what_breaks_off_is_a_gap_and_still_read() {
    let whole = gzip(&crate::support::noise(100_000, 1));
    for cut in [5, 12, whole.len() / 2, whole.len() - 4] {
        let told = look("x.gz", &whole[..cut]);
        told.lacks(&[(GapKind::Damaged, "x.gz")]);
        assert_eq!(told.leaves.last().unwrap().format, Format::Gzip, "the bytes themselves, cut at {cut}");
    }
    assert!(look("x.gz", &whole[..whole.len() / 2]).leaves[0].length > 40_000);
}

#[test]
fn bombs_end_at_the_ratio_and_at_the_size() {
    let bomb = gzip(&vec![0; 40 << 20]);
    let told = look("b.gz", &bomb);
    told.lacks(&[(GapKind::Ratio, "b.gz")]);
    let gap = &told.gaps[0];
    assert!(gap.limit == Budgets::default().ratio && gap.found > gap.limit, "{gap}");
    for (budgets, kind) in [
        (Budgets { ratio: 10_000, leaf_bytes: 1 << 20, ..Budgets::default() }, GapKind::LeafBytes),
        (Budgets { ratio: 10_000, total_bytes: 1 << 20, ..Budgets::default() }, GapKind::TotalBytes),
        (Budgets { steps: 100, ..Budgets::default() }, GapKind::Steps),
    ] {
        let told = look_within("b.gz", &bomb, &budgets);
        told.lacks(&[(kind, "b.gz")]);
        assert!(told.gaps[0].found > told.gaps[0].limit, "{}", told.gaps[0]);
    }
}

#[test]
fn depth_has_an_end() {
    let mut bytes = b"core".to_vec();
    for _ in 0..10_000 {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        std::io::Write::write_all(&mut encoder, &bytes).unwrap();
        bytes = encoder.finish().unwrap();
    }
    let told = look("q.gz", &bytes);
    assert_eq!(told.gaps.len(), 1);
    assert_eq!((told.gaps[0].kind, told.gaps[0].limit), (GapKind::Depth, 8));
    assert_eq!(told.leaves.len(), 1);
    let shallow = (0..8).fold(b"core".to_vec(), |bytes, _| gzip(&bytes));
    let told = look("q.gz", &shallow);
    told.lacks(&[]);
    assert_eq!(told.leaves[0].bytes, b"core");
}
