//! The zip family.

use tidegate_inspect::{Budgets, GapKind, OddityKind, Role};

use crate::support::zip::{Member, archive, archive_with_comment, finish};
use crate::support::{look, look_within, noise, tar};

#[test]
fn members_come_in_the_order_of_the_directory() {
    let bytes = archive(&[
        Member::stored("a/", b""),
        Member::stored("a/one.txt", b"one"),
        Member::deflated("a/two.txt", &b"two ".repeat(100)),
        Member { flags: 8, ..Member::deflated("late", b"sizes behind") },
    ]);
    let told = look("x.whl", &bytes);
    told.holds(&[
        ("x.whl!/a/one.txt", b"one"),
        ("x.whl!/a/two.txt", &b"two ".repeat(100)),
        ("x.whl!/late", b"sizes behind"),
    ]);
    told.is_odd(&[]);
    told.lacks(&[]);
    let at = usize::try_from(told.leaves[0].offset).unwrap();
    assert_eq!(&bytes[at..at + 3], b"one");
}

#[test]
fn a_name_may_stand_twice_and_both_are_read() {
    let bytes = archive(&[Member::stored("data.pkl", b"bad"), Member::stored("data.pkl", b"good")]);
    let told = look("m.pt", &bytes);
    told.holds(&[("m.pt!/data.pkl", b"bad"), ("m.pt!/data.pkl", b"good")]);
    told.is_odd(&[(OddityKind::DuplicateName, "m.pt!/data.pkl")]);
}

#[test]
fn a_member_that_is_packed_twice_means_one_thing() {
    let bytes = archive(&[Member::stored("a.py", b"same"), Member::stored("a.py", b"same")]);
    look("x.whl", &bytes).is_odd(&[]);
    let bytes = archive(&[Member::stored("a.py", b"same"), Member::stored("a.py", b"sane")]);
    look("x.whl", &bytes).is_odd(&[(OddityKind::DuplicateName, "x.whl!/a.py")]);
}

#[test]
fn headers_that_disagree_give_both_readings() {
    let name =
        archive(&[Member { local_name: Some(b"evil.py".to_vec()), ..Member::stored("fine.txt", b"x") }]);
    let told = look("x.zip", &name);
    told.holds(&[("x.zip!/fine.txt", b"x"), ("x.zip!/evil.py", b"x")]);
    told.is_odd(&[(OddityKind::HeaderMismatch, "x.zip!/fine.txt")]);
    assert_eq!(told.leaves[1].role, Role::OtherReading);

    let packed = crate::support::deflate(b"as deflate");
    let method = archive(&[Member {
        local_method: Some(8),
        crc: Some(1),
        local_crc: Some(crate::support::crc32(b"as deflate")),
        size: Some(10),
        ..Member::stored("m", &packed)
    }]);
    let told = look("x.zip", &method);
    assert_eq!(told.leaves.len(), 2);
    assert_eq!(told.leaves[1].bytes, b"as deflate");
    assert_eq!(told.leaves[1].path, "x.zip!/m#local");
}

#[test]
fn a_wrong_crc_or_size_does_not_hide_the_content() {
    let told = look(
        "x.zip",
        &archive(&[Member { crc: Some(7), size: Some(99), ..Member::deflated("m", b"content") }]),
    );
    told.holds(&[("x.zip!/m", b"content")]);
    told.is_odd(&[(OddityKind::SizeMismatch, "x.zip!/m"), (OddityKind::Checksum, "x.zip!/m")]);
}

#[test]
fn a_flag_is_not_encryption() {
    for member in [Member::stored("m", b"plain"), Member::deflated("m", b"plain")] {
        let told = look("x.zip", &archive(&[Member { flags: 1, ..member }]));
        told.holds(&[("x.zip!/m", b"plain")]);
        told.is_odd(&[(OddityKind::FalseEncryption, "x.zip!/m")]);
        told.lacks(&[]);
    }
    for method in [0, 8, 99] {
        let secret =
            Member { flags: 1, method, packed: Some(noise(64, 3)), ..Member::stored("m", b"secret") };
        let told = look("x.zip", &archive(&[secret]));
        told.holds(&[]);
        told.lacks(&[(GapKind::Encrypted, "x.zip!/m")]);
    }
}

#[test]
fn bytes_around_and_between_are_leaves() {
    let honest = archive_with_comment(&[Member::stored("a", b"1")], b"a comment");
    let told = look("x.zip", &[b"\x7fELF prefix".to_vec(), honest.clone()].concat());
    told.holds(&[
        ("x.zip!/a", b"1"),
        ("x.zip!/#comment", b"a comment"),
        ("x.zip!/#prefix", b"\x7fELF prefix"),
    ]);
    told.is_odd(&[(OddityKind::PrefixBytes, "x.zip")]);

    let told = look("x.zip", &[honest, b"behind".to_vec()].concat());
    told.holds(&[("x.zip!/a", b"1"), ("x.zip!/#comment", b"a comment"), ("x.zip!/#trailing", b"behind")]);
    told.is_odd(&[(OddityKind::TrailingBytes, "x.zip")]);

    let member = Member::stored("a", b"1");
    let bytes = finish([member.local(), b"HIDDEN".to_vec()].concat(), &member.central(0), 1, b"");
    let told = look("x.zip", &bytes);
    told.holds(&[("x.zip!/a", b"1"), ("x.zip!/#hidden-32", b"HIDDEN")]);
    told.is_odd(&[(OddityKind::HiddenBytes, "x.zip")]);
}

#[test]
fn bytes_behind_a_members_stream_are_leaves() {
    let packed = [crate::support::deflate(b"seen"), b"unseen".to_vec()].concat();
    let told = look("x.zip", &archive(&[Member { packed: Some(packed), ..Member::deflated("m", b"seen") }]));
    assert_eq!(told.leaves[0].bytes, b"seen");
    assert_eq!(told.leaves[1].bytes, b"unseen");
    told.is_odd(&[(OddityKind::HiddenBytes, "x.zip!/m")]);
}

#[test]
fn members_that_are_not_listed_are_found() {
    let bytes = archive(&[
        Member { unlisted: true, ..Member::deflated("evil.js", b"hidden") },
        Member::stored("a", b"1"),
        Member { unlisted: true, flags: 8, ..Member::stored("late.js", b"hidden too") },
    ]);
    let told = look("x.zip", &bytes);
    told.holds(&[("x.zip!/a", b"1"), ("x.zip!/evil.js", b"hidden"), ("x.zip!/late.js", b"hidden too")]);
    told.is_odd(&[(OddityKind::Unlisted, "x.zip!/evil.js"), (OddityKind::Unlisted, "x.zip!/late.js")]);
}

#[test]
fn without_a_directory_the_local_headers_are_followed() {
    let bytes = [Member::deflated("a", b"1").local(), Member::stored("b", b"2").local()].concat();
    let told = look("x.zip", &bytes);
    assert_eq!(told.paths(), ["x.zip!/a", "x.zip!/b", "x.zip"]);
    told.is_odd(&[(OddityKind::Missing, "x.zip")]);
}

#[test]
fn names_and_links_that_lead_out_are_told() {
    let link =
        |name: &str, target: &str| Member { mode: 0o120_777, ..Member::stored(name, target.as_bytes()) };
    let mut latin = Member::stored("", b"8");
    latin.name = b"caf\xe9".to_vec();
    let told = look(
        "x.zip",
        &archive(&[
            Member::stored("../../up", b"1"),
            Member::stored("/root", b"2"),
            Member::stored("C:\\x", b"3"),
            link("dir", "/etc"),
            Member::stored("dir/passwd", b"4"),
            latin,
        ]),
    );
    told.is_odd(&[
        (OddityKind::Traversal, "x.zip!/../../up"),
        (OddityKind::AbsoluteName, "x.zip!//root"),
        (OddityKind::DriveName, "x.zip!/C:\\x"),
        (OddityKind::Link, "x.zip!/dir"),
        (OddityKind::LinkOutside, "x.zip!/dir"),
        (OddityKind::ThroughLink, "x.zip!/dir/passwd"),
        (OddityKind::NonUtf8Name, "x.zip!/caf\\xe9"),
    ]);
    assert_eq!(told.leaves.len(), 6);
}

/// Many directory entries that all point at one member: the bomb of the overlapping kind.
#[test]
fn members_that_overlap_cannot_multiply() {
    let content = vec![0; 8 << 20];
    let kernel = Member {
        packed: Some(crate::support::deflate(&content)),
        crc: Some(crate::support::crc32(&content)),
        size: Some(8 << 20),
        ..Member::deflated("k", b"")
    };
    let mut directory = Vec::new();
    for n in 0..2000 {
        directory.extend(Member { name: format!("m{n}").into(), ..kernel.clone() }.central(0));
    }
    let bytes = finish(kernel.local(), &directory, 2000, b"");
    let told = look("x.zip", &bytes);
    assert!(told.summary.unpacked_bytes < 1 << 30, "{:?}", told.summary);
    assert!(told.oddities.iter().any(|o| o.kind == OddityKind::Overlap));
    assert!(told.gaps.iter().any(|g| g.kind == GapKind::OverlapBytes && g.found <= 2 * g.limit));
    assert!(told.summary.oddities > 2000 && told.oddities.len() < 100, "a flood is told as a number");
}

#[test]
fn too_many_members_are_a_gap() {
    let members: Vec<Member> = (0..50).map(|n| Member::stored(&format!("m{n}"), b"x")).collect();
    let told = look_within("x.zip", &archive(&members), &Budgets { entries: 20, ..Budgets::default() });
    assert_eq!(told.summary.entries, 20);
    assert!(told.gaps.iter().all(|g| g.kind == GapKind::Entries && g.limit == 20));
    assert!(!told.gaps.is_empty());
}

#[test]
fn a_method_without_a_reader_is_a_gap() {
    let told = look("x.zip", &archive(&[Member { method: 98, ..Member::stored("m", b"packed") }]));
    told.lacks(&[(GapKind::Unsupported, "x.zip!/m")]);
    told.holds(&[("x.zip!/m", b"packed")]);
}

#[test]
fn a_member_that_is_listed_but_not_there_is_told() {
    let member = Member::stored("m", b"x");
    let told =
        look("x.zip", &finish(member.local(), &[member.central(0), member.central(9000)].concat(), 2, b""));
    assert!(told.oddities.iter().any(|o| o.kind == OddityKind::Missing));
    told.lacks(&[(GapKind::Damaged, "x.zip!/m")]);
}

#[test]
fn a_tar_whose_last_member_is_a_zip_is_a_tar() {
    let zip = archive(&[Member::stored("inner", b"1")]);
    let told = look("x.tar", &tar::archive(&[tar::file("a.zip", &zip)]));
    told.holds(&[("x.tar!/a.zip!/inner", b"1")]);
    told.is_odd(&[]);
}

#[test]
fn a_zip_behind_a_tar_is_read_as_both() {
    let mut bytes = tar::archive(&[tar::file("t", b"tar")]);
    bytes.extend(archive(&[Member::stored("z", b"zip")]));
    let told = look("x", &bytes);
    assert!(told.paths().contains(&"x!/t") && told.paths().contains(&"x!/z"), "{:?}", told.paths());
    assert!(told.oddities.iter().any(|o| o.kind == OddityKind::Polyglot));
}
