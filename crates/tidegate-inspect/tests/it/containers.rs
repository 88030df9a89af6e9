//! The other containers, each as its own writers make it.

use tidegate_inspect::{Format, GapKind, OddityKind, Role};

use crate::support::{deflate, gzip, look, noise, tar, zip, zlib};

fn xz(content: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    std::io::Write::write_all(&mut writer, content).unwrap();
    writer.finish().unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    std::io::Write::write_all(&mut encoder, content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(content, 3).unwrap()
}

#[test]
fn compressed_archives_of_every_kind_and_what_follows_them() {
    let inner = tar::archive(&[tar::file("a", b"1")]);
    for (packed, format) in [
        (gzip(&inner), Format::Gzip),
        (xz(&inner), Format::Xz),
        (bzip2(&inner), Format::Bzip2),
        (zstd(&inner), Format::Zstd),
        (zlib(&inner), Format::Zlib),
    ] {
        assert_eq!(Format::of(&packed), format);
        let told = look("x", &packed);
        told.holds(&[("x!/a", b"1")]);
        told.is_odd(&[]);
        told.lacks(&[]);

        let told = look("x", &[&packed[..], b"behind"].concat());
        told.holds(&[("x!/a", b"1"), ("x!/#trailing", b"behind")]);
        told.is_odd(&[(OddityKind::TrailingBytes, "x")]);

        let told = look("x", &packed[..packed.len() - 6]);
        assert!(told.gaps.iter().any(|gap| gap.kind == GapKind::Damaged), "{format}: {told:?}");
    }
}

#[test]
fn streams_one_after_another_are_one_content() {
    for pack in [xz, bzip2, zstd] {
        let told = look("x", &[pack(b"one "), pack(b"two")].concat());
        told.holds(&[("x!/content", b"one two")]);
        told.is_odd(&[(OddityKind::SeveralStreams, "x")]);
    }
}

#[test]
fn a_container_without_a_reader_is_a_gap() {
    let told = look("x.rar", b"Rar!\x1a\x07\x01\0rest");
    told.lacks(&[(GapKind::Unsupported, "x.rar")]);
    assert_eq!(told.leaves[0].format, Format::OtherContainer);
}

#[test]
fn frames_that_decoders_skip_are_leaves() {
    let skipped = [&b"\x50\x2a\x4d\x18\x06\0\0\0"[..], b"secret"].concat();
    let told = look("x.zst", &[skipped, zstd(b"content")].concat());
    told.holds(&[("x.zst!/#skipped-0", b"secret"), ("x.zst!/x", b"content")]);
    told.is_odd(&[(OddityKind::HiddenBytes, "x.zst")]);
}

#[test]
fn windows_beyond_the_budget_are_gaps() {
    // A frame header that asks for a window of 2 GiB.
    let zstd = [&b"\x28\xb5\x2f\xfd\x00\xa8"[..], b"\x01\0\0"].concat();
    look("x", &zstd).lacks(&[(GapKind::WindowBytes, "x")]);

    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.lzma_options.dict_size = 256 << 20;
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    std::io::Write::write_all(&mut writer, b"small").unwrap();
    look("x", &writer.finish().unwrap()).lacks(&[(GapKind::WindowBytes, "x")]);
}

fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in members {
        out.extend(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, content.len()).bytes(),
        );
        out.extend(*content);
        out.resize(out.len().next_multiple_of(2), b'\n');
    }
    out
}

#[test]
fn a_debian_package_is_three_members_deep() {
    let data = xz(&tar::archive(&[tar::file("./usr/bin/x", b"program")]));
    let control = gzip(&tar::archive(&[tar::file("./postinst", b"#!/bin/sh")]));
    let told = look(
        "x.deb",
        &ar(&[("debian-binary", b"2.0\n"), ("control.tar.gz", &control), ("data.tar.xz", &data)]),
    );
    told.holds(&[
        ("x.deb!/debian-binary", b"2.0\n"),
        ("x.deb!/control.tar.gz!/./postinst", b"#!/bin/sh"),
        ("x.deb!/data.tar.xz!/./usr/bin/x", b"program"),
    ]);
    told.is_odd(&[]);
}

#[test]
fn archives_keep_long_names_in_two_ways() {
    let told = look(
        "x.a",
        &ar(&[("//", b"a-name-longer-than-the-field.o/\n"), ("/0", b"gnu"), ("#1/8", b"name.o\0\0bsd")]),
    );
    told.holds(&[("x.a!/a-name-longer-than-the-field.o", b"gnu"), ("x.a!/name.o", b"bsd")]);
    let mut cut = ar(&[("x", b"content")]);
    cut.truncate(70);
    look("x.a", &cut).lacks(&[(GapKind::Damaged, "x.a!/x")]);
    let mut negative = ar(&[("x", b"")]);
    negative[8 + 48..8 + 58].copy_from_slice(b"-1        ");
    let told = look("x.a", &negative);
    told.is_odd(&[(OddityKind::InvalidNumber, "x.a")]);
    told.lacks(&[(GapKind::Damaged, "x.a")]);
}

fn cpio_member(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut out = b"070701".to_vec();
    for field in [
        1,
        mode,
        0,
        0,
        1,
        0,
        u32::try_from(content.len()).unwrap(),
        0,
        0,
        0,
        0,
        u32::try_from(name.len() + 1).unwrap(),
        0,
    ] {
        out.extend(format!("{field:08x}").bytes());
    }
    out.extend(name.bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(content);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn cpio() -> Vec<u8> {
    [
        cpio_member("./usr", 0o040_755, b""),
        cpio_member("./usr/x", 0o100_755, b"program"),
        cpio_member("./l", 0o120_777, b"/etc/passwd"),
        cpio_member("TRAILER!!!", 0, b""),
    ]
    .concat()
}

#[test]
fn cpio_and_rpm() {
    let told = look("x.cpio", &cpio());
    told.holds(&[("x.cpio!/./usr/x", b"program"), ("x.cpio!/./l", b"/etc/passwd")]);
    told.is_odd(&[(OddityKind::Link, "x.cpio!/./l"), (OddityKind::LinkOutside, "x.cpio!/./l")]);

    let mut rpm = b"\xed\xab\xee\xdb".to_vec();
    rpm.resize(96, 0);
    for store in [&b"1234567890"[..], b"rm -rf in a script"] {
        rpm.resize(rpm.len().next_multiple_of(8), 0);
        rpm.extend(b"\x8e\xad\xe8\x01\0\0\0\0\0\0\0\x01");
        rpm.extend(u32::try_from(store.len()).unwrap().to_be_bytes());
        rpm.extend([0; 16]);
        rpm.extend(store);
    }
    rpm.extend(zstd(&cpio()));
    let told = look("x.rpm", &rpm);
    assert_eq!(told.paths(), ["x.rpm!/#signature", "x.rpm!/#header", "x.rpm!/./usr/x", "x.rpm!/./l"]);
    assert!(told.leaves[1].bytes.ends_with(b"rm -rf in a script"));
}

#[test]
fn an_image_shows_files_that_a_later_layer_removes() {
    let lower = gzip(&tar::archive(&[tar::file("app/.env", b"TOKEN=1")]));
    let upper = tar::archive(&[tar::file("app/.wh..env", b"")]);
    let config = br#"{"architecture":"amd64","config":{"Env":["KEY=v\u0061lue"]},
        "history":[{"created_by":"RUN curl \"http://x.invalid\""}],"rootfs":{"type":"layers"}}"#;
    let told = look(
        "image.tar",
        &tar::archive(&[
            tar::file("blobs/sha256/aa", &lower),
            tar::file("blobs/sha256/bb", &upper),
            tar::file("blobs/sha256/cc", config),
        ]),
    );
    assert_eq!(
        told.paths(),
        [
            "image.tar!/blobs/sha256/aa!/app/.env",
            "image.tar!/blobs/sha256/bb!/app/.wh..env",
            "image.tar!/blobs/sha256/cc!/#env-0",
            "image.tar!/blobs/sha256/cc!/#history-0",
            "image.tar!/blobs/sha256/cc",
        ]
    );
    assert_eq!(told.leaves[2].bytes, b"KEY=value\n");
    assert_eq!(told.leaves[3].bytes, b"RUN curl \"http://x.invalid\"\n");
    told.is_odd(&[(OddityKind::Whiteout, "image.tar!/blobs/sha256/bb!/app/.wh..env")]);
}

#[test]
fn electron_archives() {
    let index = br#"{"files":{"dir":{"files":{"a.js":{"size":3,"offset":"0"},"n.node":{"size":9,"unpacked":true}}},"b":{"size":2,"offset":"3"},"l":{"link":"../x"},"far":{"size":9,"offset":"99999"}}}"#;
    let length = u32::try_from(index.len()).unwrap();
    let mut bytes = Vec::new();
    for number in [4, length + 8, length + 4, length] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(index);
    bytes.extend(b"onetw");
    let told = look("app.asar", &bytes);
    assert_eq!(told.paths(), ["app.asar!/dir/a.js", "app.asar!/b", "app.asar"]);
    assert_eq!((&told.leaves[0].bytes[..], &told.leaves[1].bytes[..]), (&b"one"[..], &b"tw"[..]));
    told.is_odd(&[(OddityKind::Link, "app.asar!/l"), (OddityKind::LinkOutside, "app.asar!/l")]);
    told.lacks(&[(GapKind::Unsupported, "app.asar!/dir/n.node"), (GapKind::Damaged, "app.asar!/far")]);
}

#[test]
fn objects_and_packs_of_git() {
    let told = look("ab/cdef", &zlib(b"blob 6\0secret"));
    told.holds(&[("ab/cdef!/#blob", b"secret")]);

    let mut pack = b"PACK\0\0\0\x02\0\0\0\x03".to_vec();
    let base = pack.len();
    pack.push(0x30 | 11);
    pack.extend(zlib(b"hello world"));
    let difference = pack.len();
    pack.push(0x60 | 13);
    let back = difference - base;
    assert!(back < 128);
    pack.push(u8::try_from(back).unwrap());
    // From 11 bytes make 13: copy 6 from 0, insert "secret!".
    pack.extend(zlib(b"\x0b\x0d\x90\x06\x07secret!"));
    pack.push(0x70 | 5);
    pack.extend([7; 20]);
    pack.extend(zlib(b"\x01\x01\x01x"));
    pack.extend([0; 20]);
    let told = look("x.pack", &pack);
    assert_eq!(told.leaves[0].bytes, b"hello world");
    assert_eq!(told.leaves[1].bytes, b"hello secret!");
    assert_eq!(told.paths()[..2], [format!("x.pack!/blob-{base}"), format!("x.pack!/blob-{difference}")]);
    told.lacks(&[(GapKind::Unsupported, "x.pack")]);
}

#[test]
fn source_maps_alone_and_within_a_script() {
    let map = br#"{"version":3,"sourcesContent":["const key = \"s\u0065cret\";\n",null,"plain"],"sources":["webpack://a.ts","b.ts","../c.ts"],"mappings":"AAAA"}"#;
    let told = look("x.js.map", map);
    assert_eq!(told.paths(), ["x.js.map!/webpack://a.ts", "x.js.map!/../c.ts", "x.js.map"]);
    assert_eq!(told.leaves[0].bytes, b"const key = \"secret\";\n");
    let at = usize::try_from(told.leaves[1].offset).unwrap();
    assert_eq!(&map[at..at + 5], b"plain");

    let script =
        [b"f();\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,", &base64(map)[..], b"\n"]
            .concat();
    let told = look("x.js", &script);
    assert_eq!(told.leaves.last().unwrap().path, "x.js");
    assert!(told.paths()[0].ends_with("!/webpack://a.ts"), "{:?}", told.paths());
    assert_eq!(told.leaves[0].role, Role::Embedded);
}

/// Standard base64, written here so that nothing is tested against itself.
pub(crate) fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0u32, |bits, (n, b)| bits | u32::from(*b) << (16 - 8 * n));
        for n in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * n) & 63).unwrap();
            out.push(if n <= group.len() { ALPHABET[index] } else { b'=' });
        }
    }
    out
}

#[test]
fn notebooks_give_what_cells_printed() {
    let picture = noise(60, 4);
    let notebook = format!(
        r#"{{"cells":[{{"cell_type":"code","source":["x = 1\n","y = \"2\"\n"],"outputs":[{{"text":["printed \"secret\"\n"]}},{{"data":{{"image/png":"{}","text/plain":"shown"}}}}]}}],"nbformat":4}}"#,
        String::from_utf8(base64(&picture)).unwrap()
    );
    let told = look("x.ipynb", notebook.as_bytes());
    let contents: Vec<&[u8]> = told.leaves.iter().map(|leaf| &leaf.bytes[..]).collect();
    assert!(contents.contains(&&b"x = 1\ny = \"2\"\n"[..]), "lines of one cell are one text: {told:?}");
    assert!(contents.contains(&&b"printed \"secret\"\n"[..]), "{told:?}");
    assert!(contents.contains(&&picture[..]) && contents.contains(&&b"shown"[..]), "{told:?}");
    assert_eq!(told.leaves.last().unwrap().format, Format::Notebook);
}

fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let body = [kind, data].concat();
    let crc = crate::support::crc32(&body).to_be_bytes();
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &body, &crc].concat()
}

#[test]
fn pictures_hold_texts_and_tails() {
    let mut bad = chunk(b"tEXt", b"a\0plain text");
    let end = bad.len() - 1;
    bad[end] ^= 1;
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0; 13]),
        bad,
        chunk(b"zTXt", &[b"key\0\0", &zlib(b"packed text")[..]].concat()),
        chunk(b"iTXt", &[b"key\0\x01\0en\0\0", &zlib(b"other text")[..]].concat()),
        chunk(b"prIv", b"private"),
        chunk(b"IEND", b""),
        zip::archive(&[zip::Member::stored("payload", b"1")]),
    ]
    .concat();
    let told = look("x.png", &png);
    let contents: Vec<String> =
        told.leaves.iter().map(|leaf| String::from_utf8_lossy(&leaf.bytes).into_owned()).collect();
    for expected in ["a\0plain text", "packed text", "other text", "private", "1"] {
        assert!(contents.iter().any(|content| content == expected), "{expected:?} in {contents:?}");
    }
    assert!(told.oddities.iter().any(|o| o.kind == OddityKind::Polyglot), "a zip behind a picture is both");
    assert!(told.oddities.iter().any(|o| o.kind == OddityKind::Checksum));
    look("x.png", &png[..40]).lacks(&[(GapKind::Damaged, "x.png")]);
}

#[test]
fn documents_hold_deflated_streams() {
    let pdf = [
        b"%PDF-1.7\n1 0 obj\n<< /Length 9 /Filter /FlateDecode >>\nstream\n".to_vec(),
        zlib(b"hidden text"),
        b"\nendstream\nendobj\n%%EOF\n".to_vec(),
        deflate(b"tail"),
    ]
    .concat();
    let told = look("x.pdf", &pdf);
    assert_eq!(told.leaves[0].bytes, b"hidden text");
    told.is_odd(&[(OddityKind::TrailingBytes, "x.pdf")]);
    let encrypted = b"%PDF-1.7\n1 0 obj\ntrailer << /Encrypt 5 0 R >>\n%%EOF";
    look("x.pdf", encrypted).lacks(&[(GapKind::Encrypted, "x.pdf")]);
}

/// A 7z number of up to 14 bits.
fn number(value: usize) -> Vec<u8> {
    match u8::try_from(value) {
        Ok(small) if small < 0x80 => vec![small],
        _ => vec![0x80 | u8::try_from(value >> 8).unwrap(), u8::try_from(value & 0xff).unwrap()],
    }
}

/// Where packed bytes lie, one coder for them, and the files in them.
fn seven_streams(packed: &[u8], start: usize, coder: &[u8], files: &[&[u8]]) -> Vec<u8> {
    let size = files.iter().map(|f| f.len()).sum();
    let mut out = [&[6][..], &number(start), &[1, 9], &number(packed.len()), &[0]].concat();
    out.extend([&[7, 0x0b, 1, 0, 1][..], coder, &[0x0c], &number(size), &[0]].concat());
    out.extend([8, 0x0d]);
    out.extend(number(files.len()));
    if files.len() > 1 {
        out.push(9);
        files[..files.len() - 1].iter().for_each(|file| out.extend(number(file.len())));
    }
    out.extend([0x0a, 1]);
    files.iter().for_each(|file| out.extend(crate::support::crc32(file).to_le_bytes()));
    out.extend([0, 0]);
    out
}

fn seven_zip(packed: &[u8], header: &[u8]) -> Vec<u8> {
    let mut start = u64::try_from(packed.len()).unwrap().to_le_bytes().to_vec();
    start.extend(u64::try_from(header.len()).unwrap().to_le_bytes());
    start.extend(crate::support::crc32(header).to_le_bytes());
    let crc = crate::support::crc32(&start).to_le_bytes();
    [&b"7z\xbc\xaf\x27\x1c\0\x04"[..], &crc, &start, packed, header].concat()
}

fn seven_header(packed: &[u8], coder: &[u8], files: &[(&str, &[u8])]) -> Vec<u8> {
    let contents: Vec<&[u8]> = files.iter().map(|(_, content)| *content).collect();
    let mut names = vec![0];
    for (name, _) in files {
        names.extend(name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    }
    let list = [&[5][..], &number(files.len()), &[0x11], &number(names.len()), &names, &[0]].concat();
    [&[1, 4][..], &seven_streams(packed, 0, coder, &contents), &list, &[0]].concat()
}

const FILES: [(&str, &[u8]); 2] = [("dir/one.txt", b"one one one one"), ("two", b"two")];

#[test]
fn seven_zip_stored_packed_and_with_a_packed_header() {
    let plain = [FILES[0].1, FILES[1].1].concat();
    let mut options = lzma_rust2::Lzma2Options::with_preset(1);
    options.lzma_options.dict_size = 1 << 20;
    let mut writer = lzma_rust2::Lzma2Writer::new(Vec::new(), options);
    std::io::Write::write_all(&mut writer, &plain).unwrap();
    let packed = writer.finish().unwrap();
    for (bytes, coder) in [
        (plain.clone(), &[1, 0][..]),
        (deflate(&plain), &[3, 4, 1, 8]),
        (bzip2(&plain), &[3, 4, 2, 2]),
        (packed, &[0x21, 0x21, 1, 16]),
    ] {
        let header = seven_header(&bytes, coder, &FILES);
        let told = look("x.7z", &seven_zip(&bytes, &header));
        assert_eq!(told.paths(), ["x.7z!/dir/one.txt", "x.7z!/two", "x.7z"], "{told:?}");
        assert_eq!((&told.leaves[0].bytes[..], &told.leaves[1].bytes[..]), (FILES[0].1, FILES[1].1));
        told.is_odd(&[]);
        told.lacks(&[]);

        // The header as one more packed stream behind the others.
        let outer = [&[0x17][..], &seven_streams(&header, bytes.len(), &[1, 0], &[&header]), &[]].concat();
        let told = look("x.7z", &seven_zip(&[&bytes[..], &header].concat(), &outer));
        assert_eq!(told.leaves[1].bytes, b"two", "{told:?}");
    }
}

#[test]
fn seven_zip_that_cannot_be_read_says_why() {
    let plain = [FILES[0].1, FILES[1].1].concat();
    for (coder, kind) in [
        (&[4, 6, 0xf1, 7, 1][..], GapKind::Encrypted),
        (&[3, 3, 4, 1], GapKind::Unsupported),
        (&[0x21, 0x21, 1, 38], GapKind::WindowBytes),
        (&[0x23, 3, 1, 1, 5, 0x5d, 0, 0, 0, 0x7f], GapKind::WindowBytes),
    ] {
        let told = look("x.7z", &seven_zip(&plain, &seven_header(&plain, coder, &FILES)));
        assert_eq!(told.gaps[0].kind, kind, "{told:?}");
        assert_eq!(told.leaves.last().unwrap().path, "x.7z");
    }
    let whole = seven_zip(&plain, &seven_header(&plain, &[1, 0], &FILES));
    for cut in [10, 40, whole.len() - 1] {
        look("x.7z", &whole[..cut]).lacks(&[(GapKind::Damaged, "x.7z")]);
    }
}
