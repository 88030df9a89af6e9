//! tar.

use tidegate_inspect::{GapKind, OddityKind};

use crate::support::look;
use crate::support::tar::{archive, file, header, member, record, seal};

#[test]
fn names_come_from_the_field_the_prefix_gnu_and_pax() {
    let long = format!("{}/deep.js", "d".repeat(150));
    let mut prefixed = header("name.js", b"00000000001", b'0', "");
    prefixed[345..351].copy_from_slice(b"prefix");
    seal(&mut prefixed);
    let mut block = prefixed.to_vec();
    block.extend([b'p'; 1]);
    block.resize(1024, 0);
    let told = look(
        "x.tar",
        &archive(&[
            member("dir/", b'5', "", b""),
            file("plain.js", b"1"),
            block,
            member("././@LongLink", b'L', "", format!("{long}\0").as_bytes()),
            file("cut", b"2"),
            member(
                "PaxHeaders/x",
                b'x',
                "",
                format!("{}{}", record("path", "from pax.js"), record("mtime", "1")).as_bytes(),
            ),
            file("other", b"3"),
        ]),
    );
    told.holds(&[
        ("x.tar!/plain.js", b"1"),
        ("x.tar!/prefix/name.js", b"p"),
        (&format!("x.tar!/{long}"), b"2"),
        ("x.tar!/from pax.js", b"3"),
    ]);
    told.is_odd(&[]);
    told.lacks(&[]);
}

#[test]
fn the_last_of_a_name_wins_for_npm_and_both_are_read() {
    let told = look("x.tar", &archive(&[file("a/package.json", b"1"), file("./a//package.json", b"2")]));
    told.holds(&[("x.tar!/a/package.json", b"1"), ("x.tar!/./a//package.json", b"2")]);
    told.is_odd(&[(OddityKind::DuplicateName, "x.tar!/./a//package.json")]);
}

#[test]
fn links_devices_and_names_that_lead_out_are_told() {
    let told = look(
        "x.tar",
        &archive(&[
            member("in", b'2', "a/b", b""),
            member("out", b'2', "../../etc/passwd", b""),
            member("hard", b'1', "/etc/shadow", b""),
            file("in/x", b"1"),
            member("null", b'3', "", b""),
            file("../up", b"2"),
            file("etc/.wh.passwd", b""),
        ]),
    );
    told.is_odd(&[
        (OddityKind::Link, "x.tar!/in"),
        (OddityKind::Link, "x.tar!/out"),
        (OddityKind::LinkOutside, "x.tar!/out"),
        (OddityKind::Link, "x.tar!/hard"),
        (OddityKind::LinkOutside, "x.tar!/hard"),
        (OddityKind::ThroughLink, "x.tar!/in/x"),
        (OddityKind::SpecialFile, "x.tar!/null"),
        (OddityKind::Traversal, "x.tar!/../up"),
        (OddityKind::Whiteout, "x.tar!/etc/.wh.passwd"),
    ]);
    told.holds(&[("x.tar!/in/x", b"1"), ("x.tar!/../up", b"2"), ("x.tar!/etc/.wh.passwd", b"")]);
}

#[test]
fn sizes_that_are_none_are_told_and_bounded() {
    for size in [&b"-0000000001"[..], b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"] {
        let told = look("x.tar", &archive(&[header("m", size, b'0', "").to_vec(), file("next", b"1")]));
        told.is_odd(&[(OddityKind::InvalidNumber, "x.tar!/m")]);
        assert_eq!(told.leaves[1].path, "x.tar!/next");
    }
    let told = look("x.tar", &archive(&[header("m", b"77777777777", b'0', "").to_vec(), file("next", b"1")]));
    told.lacks(&[(GapKind::Damaged, "x.tar!/m")]);
    assert_eq!(told.paths(), ["x.tar!/m!/next", "x.tar"], "the rest as the member, and the bytes themselves");
}

#[test]
fn two_sizes_are_told_and_the_extended_one_counts() {
    let pax = member("p", b'x', "", record("size", "3").as_bytes());
    let told = look("x.tar", &archive(&[pax, file("m", b"one\0\0\0")]));
    assert_eq!(told.leaves[0].bytes, b"one");
    assert_eq!(told.oddities[0].kind, OddityKind::HeaderMismatch);
}

#[test]
fn two_gigabytes_of_holes_are_not_made() {
    let mut sparse = header("s", b"00000000005", b'S', "");
    sparse[257..265].copy_from_slice(b"ustar  \0");
    sparse[386..397].copy_from_slice(b"20000000000");
    sparse[398..409].copy_from_slice(b"00000000005");
    sparse[483..494].copy_from_slice(b"20000000005");
    seal(&mut sparse);
    let mut bytes = sparse.to_vec();
    bytes.extend(b"hello");
    bytes.resize(1024, 0);
    let told = look("x.tar", &archive(&[bytes, file("next", b"1")]));
    told.holds(&[("x.tar!/s", b"hello"), ("x.tar!/next", b"1")]);
    told.is_odd(&[(OddityKind::Sparse, "x.tar!/s")]);
    assert_eq!(told.oddities[0].detail, "2147483653 bytes with its holes");
}

#[test]
fn what_ends_an_archive_for_some_readers_ends_nothing_here() {
    let bytes = [file("a", b"1"), vec![0; 512], file("b", b"2"), vec![0; 1024], file("c", b"3")].concat();
    let told = look("x.tar", &bytes);
    told.holds(&[("x.tar!/a", b"1"), ("x.tar!/b", b"2"), ("x.tar!/#trailing!/c", b"3")]);
    told.is_odd(&[(OddityKind::HiddenBytes, "x.tar"), (OddityKind::TrailingBytes, "x.tar")]);
}

#[test]
fn a_header_with_a_wrong_checksum_is_skipped_as_npm_does() {
    let mut bad = file("bad", b"hidden");
    bad[148] ^= 1;
    let told = look("x.tar", &archive(&[file("a", b"1"), bad, file("b", b"2")]));
    assert_eq!(told.paths(), ["x.tar!/a", "x.tar!/#hidden-1024", "x.tar!/b"]);
    assert!(told.leaves[1].bytes.windows(6).any(|w| w == b"hidden"));
    told.is_odd(&[(OddityKind::Checksum, "x.tar")]);
}

#[test]
fn bytes_in_the_padding_and_comments_are_leaves() {
    let mut bytes = file("a", b"1");
    bytes[600..606].copy_from_slice(b"secret");
    let pax = member("p", b'x', "", record("comment", "text").as_bytes());
    let told = look("x.tar", &archive(&[bytes, pax, file("b", b"2")]));
    assert_eq!(told.paths(), ["x.tar!/a", "x.tar!/#padding-513", "x.tar!/#pax-1024", "x.tar!/b"]);
}

#[test]
fn a_link_with_a_size_does_not_swallow_the_next_member() {
    let link = header("l", b"00000000512", b'2', "x").to_vec();
    let told = look("x.tar", &archive(&[link, file("next", b"1")]));
    assert_eq!(told.paths(), ["x.tar!/next"]);
    assert!(told.oddities.iter().any(|o| o.kind == OddityKind::SizeMismatch));
}
