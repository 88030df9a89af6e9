//! Programs made by hand, and by the tools that are here.

use std::process::Command;

use super::*;

/// A small program of one format with these sections.
fn elf(wide: bool, big: bool, sections: &[(&str, &[u8], u64)]) -> Vec<u8> {
    let number = |value: u64, len: usize| -> Vec<u8> {
        let bytes = value.to_be_bytes();
        let mut bytes = bytes[8 - len..].to_vec();
        if !big {
            bytes.reverse();
        }
        bytes
    };
    let word = if wide { 8 } else { 4 };
    let header = if wide { 64 } else { 52 };
    let mut names = vec![0_u8];
    let mut data: Vec<u8> = Vec::new();
    let mut rows: Vec<(usize, u64, usize, usize)> = Vec::new();
    for (name, bytes, address) in sections {
        rows.push((names.len(), *address, header + data.len(), bytes.len()));
        names.extend(name.as_bytes());
        names.push(0);
        data.extend(*bytes);
    }
    rows.push((0, 0, header + data.len(), names.len()));
    data.extend(&names);
    let table = header + data.len();
    let mut file = vec![0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, if big { 2 } else { 1 }, 1];
    file.resize(16, 0);
    file.extend(number(2, 2));
    file.extend(number(62, 2));
    file.extend(number(1, 4));
    file.extend(number(0, word));
    file.extend(number(0, word));
    file.extend(number(table as u64, word));
    file.extend(number(0, 4));
    for value in [header, 0, 0, if wide { 64 } else { 40 }, rows.len(), rows.len() - 1] {
        file.extend(number(value as u64, 2));
    }
    assert_eq!(file.len(), header);
    file.extend(data);
    for (name, address, offset, length) in rows {
        file.extend(number(name as u64, 4));
        file.extend(number(1, 4));
        file.extend(number(0, word));
        file.extend(number(address, word));
        file.extend(number(offset as u64, word));
        file.extend(number(length as u64, word));
        file.extend(vec![0; if wide { 24 } else { 16 }]);
    }
    file
}

fn pe(name: &[u8; 8], data: &[u8]) -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    file.resize(0x3c, 0);
    file.extend(0x40_u32.to_le_bytes());
    file.extend(b"PE\0\0");
    file.extend([0x64, 0x86, 1, 0]);
    file.extend([0; 12]);
    file.extend([64, 0, 0, 0]);
    let mut optional = vec![0x0b, 0x02];
    optional.resize(64, 0);
    file.extend(optional);
    file.extend(name);
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(0x1000_u32.to_le_bytes());
    file.extend((data.len() as u32).to_le_bytes());
    let at = file.len() as u32 + 20;
    file.extend(at.to_le_bytes());
    file.extend([0; 16]);
    file.extend(data);
    file
}

fn mach_o(section: &[u8; 16], data: &[u8]) -> Vec<u8> {
    let mut file = vec![0xcf, 0xfa, 0xed, 0xfe];
    file.extend([0; 12]);
    file.extend(1_u32.to_le_bytes());
    file.extend(152_u32.to_le_bytes());
    file.extend([0; 8]);
    file.extend(0x19_u32.to_le_bytes());
    file.extend(152_u32.to_le_bytes());
    file.extend([0; 56]);
    file.extend(1_u32.to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    file.extend(section);
    file.extend([0; 16]);
    file.extend(0x1000_u64.to_le_bytes());
    file.extend((data.len() as u64).to_le_bytes());
    file.extend(184_u32.to_le_bytes());
    file.extend([0; 28]);
    assert_eq!(file.len(), 184);
    file.extend(data);
    file
}

const LIST: &str = "path\tacme.test/app\nmod\tacme.test/app\tv1.0.0\th1:x=\ndep\tgithub.com/Acme/b\tv1.2.3\th1:y=\ndep\told.test/c\tv1.0.0\n=>\tnew.test/c\tv1.1.0\th1:z=\ndep\tlocal.test/d\tv1.0.0\n=>\t./d\t(devel)\nbuild\t-ldflags=x\n";

const MODULES: [&str; 4] = [
    "pkg:golang/acme.test/app@v1.0.0",
    "pkg:golang/github.com/Acme/b@v1.2.3",
    "pkg:golang/new.test/c@v1.1.0",
    "pkg:golang/stdlib@1.22.1",
];

fn framed(list: &str) -> Vec<u8> {
    [&[1_u8; 16][..], list.as_bytes(), &[2; 16]].concat()
}

/// The header of Go 1.18 and later, with both texts behind it.
fn build_info() -> Vec<u8> {
    let list = framed(LIST);
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    info.push(8);
    info.extend(b"go1.22.1");
    let mut length = list.len();
    while length >= 0x80 {
        info.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    info.push(length as u8);
    info.extend(list);
    info
}

/// The header of earlier versions, which points at them.
fn pointing(big: bool) -> Vec<u8> {
    let word = |value: u64| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let list = framed(LIST);
    let base = 0x4000_u64;
    let mut info = b"\xff Go buildinf:\x08".to_vec();
    info.push(u8::from(big));
    // Header, then two texts' headers, then the texts.
    info.extend(word(base + 32));
    info.extend(word(base + 48));
    info.extend(word(base + 64));
    info.extend(word(8));
    info.extend(word(base + 72));
    info.extend(word(list.len() as u64));
    info.extend(b"go1.22.1");
    info.extend(list);
    info
}

fn purls(program: &[u8]) -> Vec<String> {
    let inventory = inventory("a.zip", &[("bin/app", program)]);
    inventory.components.into_iter().filter_map(|one| one.purl).collect()
}

#[test]
fn go_s_build_information_is_read_in_both_forms() {
    for program in [
        elf(true, false, &[(".text", b"x", 0), (".go.buildinfo", &build_info(), 0x4000)]),
        elf(false, true, &[(".go.buildinfo", &build_info(), 0x4000)]),
        elf(true, false, &[(".go.buildinfo", &pointing(false), 0x4000)]),
        elf(true, true, &[(".go.buildinfo", &pointing(true), 0x4000)]),
        pe(b".data\0\0\0", &build_info()),
        mach_o(b"__go_buildinfo\0\0", &build_info()),
    ] {
        assert_eq!(purls(&program), MODULES);
    }
    // The mark alone, as in programs that look for it.
    let mark = [b"\xff Go buildinf:".as_slice(), &[0; 64]].concat();
    assert_eq!(purls(&elf(true, false, &[(".data", &mark, 0)])), [""; 0]);
}

#[test]
fn cargo_auditable_is_read_from_every_format() {
    // The public registry is named by its host, which begins so.
    let public = concat!("crates", ".", "io");
    let list = serde_json::json!({ "packages": [
        { "name": "app", "version": "0.1.0", "source": "local", "root": true, "dependencies": [1] },
        { "name": "b", "version": "1.0.0", "source": public },
        { "name": "c", "version": "2.0.0", "source": "git" },
        { "name": "builder", "version": "3.0.0", "source": public, "kind": "build" },
    ]});
    let data = zlib(list.to_string().as_bytes());
    for program in [
        elf(true, false, &[(".dep-v0", &data, 0)]),
        pe(b".dep-v0\0", &data),
        mach_o(b".dep-v0\0\0\0\0\0\0\0\0\0", &data),
    ] {
        let inventory = inventory("a.whl", &[("a/x.so", &program)]);
        let components: Vec<String> = inventory.components.iter().map(told).collect();
        assert_eq!(
            components,
            [
                "app@0.1.0 cargo_auditable high",
                "c@2.0.0 cargo_auditable high",
                "pkg:cargo/b@1.0.0 cargo_auditable high"
            ]
        );
    }
    let bomb = zlib(&vec![b' '; 64 << 20]);
    assert_eq!(purls(&elf(true, false, &[(".dep-v0", &bomb, 0)])), [""; 0]);
}

#[test]
fn tables_that_lie_are_harmless() {
    let good = elf(true, false, &[(".go.buildinfo", &build_info(), 0x4000), (".dep-v0", &zlib(b"{}"), 0)]);
    for program in [good, pe(b".data\0\0\0", &build_info()), mach_o(b"__go_buildinfo\0\0", &build_info())] {
        for at in 0..program.len().min(400) {
            for value in [0, 0x7f, 0xff] {
                let mut broken = program.clone();
                broken[at] = value;
                inventory("a", &[("x", &broken)]);
            }
            inventory("a", &[("x", &program[..at])]);
        }
    }
}

#[test]
fn a_table_that_repeats_itself_costs_little() {
    let data = [&zlib(&vec![b' '; 64 << 20])[..], &vec![0; 1 << 20]].concat();
    let mut sections: Vec<(&str, &[u8], u64)> = vec![(".data", b"", 0); 200];
    sections.extend(vec![(".dep-v0", b"" as &[u8], 0); 200]);
    sections.push(("x", &data, 0));
    let mut program = elf(true, false, &sections);
    // Every section is the whole file.
    let table = program.len() - 64 * (sections.len() + 1);
    let whole = (program.len() as u64).to_le_bytes();
    for number in 0..400 {
        let at = table + number * 64;
        program[at + 0x18..at + 0x20].copy_from_slice(&0_u64.to_le_bytes());
        program[at + 0x20..at + 0x28].copy_from_slice(&whole);
    }
    program.extend(b"OpenSSL 3.0.1 1 Jan 2024\0".repeat(50_000));
    let started = std::time::Instant::now();
    assert_eq!(purls(&program), ["pkg:generic/openssl@3.0.1"]);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn a_real_program_of_go_is_read_as_go_reads_it() {
    let Some(program) = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|folder| folder.join("go")).find(|file| file.is_file())
    }) else {
        eprintln!("SKIPPED: a_real_program_of_go_is_read_as_go_reads_it: go is not here");
        return;
    };
    let program = std::fs::canonicalize(program).unwrap();
    let output = Command::new(&program).args(["version", "-m"]).arg(&program).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let expected: Vec<String> = said
        .lines()
        .filter_map(|line| {
            let parts: Vec<&str> = line.trim().split('\t').collect();
            matches!(parts.first(), Some(&"dep")).then(|| format!("pkg:golang/{}@{}", parts[1], parts[2]))
        })
        .collect();
    let bytes = std::fs::read(&program).unwrap();
    let found = purls(&bytes);
    let version = said.split_ascii_whitespace().nth(1).unwrap().trim_start_matches("go");
    assert!(found.contains(&format!("pkg:golang/stdlib@{version}")), "{found:?} of {said}");
    for module in expected {
        assert!(found.contains(&module), "{module} of {said}");
    }
}
