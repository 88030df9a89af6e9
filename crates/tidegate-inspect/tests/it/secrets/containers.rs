//! A token is found wherever it is packed, and its path says where.

use tidegate_inspect::secrets::Rules;
use tidegate_inspect::{Budgets, Flow, Gap, Leaf, Oddity, Request, TemporaryFiles, Visitor, inspect, unfold};
use tidegate_model::finding::FindingKind;

use super::KEY;
use super::template::{base64, expand};
use crate::support::{gzip, tar, zip};

/// Tells path and id of what is found.
#[derive(Default)]
struct Looker(Vec<(String, &'static str)>);

impl Visitor for Looker {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        for hit in Rules::builtin().look(leaf.bytes, &KEY).hits {
            self.0.push((leaf.path.to_owned(), hit.rule.id.as_str()));
        }
        Flow::Continue(())
    }

    fn oddity(&mut self, _: Oddity) {}

    fn gap(&mut self, gap: Gap) {
        panic!("{gap}");
    }
}

#[track_caller]
fn check(name: &str, bytes: &[u8], path: &str) {
    let mut looker = Looker::default();
    unfold(name, bytes, &Budgets::default(), &TemporaryFiles::default(), &mut looker);
    assert_eq!(looker.0, [(path.to_owned(), "secrets/npm-token")]);
}

fn token(seed: u64) -> String {
    expand("npm_{base62:30}{crc32_base62}", seed)
}

#[test]
fn in_a_package() {
    let line = format!("const t = '{}';\n", token(1));
    let tgz = gzip(&tar::archive(&[tar::file("package/dist/a.js", line.as_bytes())]));
    check("x-1.0.0.tgz", &tgz, "x-1.0.0.tgz!/package/dist/a.js");
}

#[test]
fn in_the_one_pass_without_its_value() {
    let token = token(1);
    let text = format!("first line\nconst t = '{token}';\n");
    let tgz = gzip(&tar::archive(&[tar::file("package/a.js", text.as_bytes())]));
    let request = Request { name: "x.tgz".to_owned(), hash_key: [7; 32], ..Request::default() };
    let inspection = inspect(&request, &tgz, &Budgets::default(), &TemporaryFiles::default());
    let found: Vec<_> = inspection.findings.iter().filter(|f| f.kind == FindingKind::Secret).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].detector, "secrets/npm-token");
    assert_eq!((found[0].location.path.as_str(), found[0].location.line), ("x.tgz!/package/a.js", Some(2)));
    assert_eq!(found[0].secret_hash.as_deref().map(str::len), Some(64));
    assert!(!format!("{inspection:?}").contains(&token));
}

#[test]
fn in_a_java_class() {
    // A constant of the pool: tag, length, text, and the tag of the next.
    let token = token(2);
    let mut class = b"\xca\xfe\xba\xbe\0\0\0\x34\0\x03".to_vec();
    class.extend([1, 0, token.len() as u8]);
    class.extend(token.as_bytes());
    class.extend(b"\x01\0\x04Code\x01\0\x0fLineNumberTable");
    let jar = zip::archive(&[zip::Member::deflated("a/B.class", &class)]);
    check("x.jar", &jar, "x.jar!/a/B.class");
}

#[test]
fn in_compiled_python() {
    // A constant, with its length before it and the next object right behind it.
    for next in [&b"N"[..], b"z\x05other", b"\xda\x04name", b"r\x01\0\0\0"] {
        let token = token(3);
        let mut pyc = b"\xa7\x0d\x0d\x0a\0\0\0\0\x10\x20\x30\x40\x50\0\0\0\xe3\0\0\0\0".to_vec();
        pyc.extend([b'z', token.len() as u8]);
        pyc.extend(token.as_bytes());
        pyc.extend(next);
        pyc.extend(b"\xa9\0\0\0\0");
        check("x.pyc", &pyc, "x.pyc");
    }
}

#[test]
fn a_key_without_armour() {
    let der = decode(&expand("{pkcs8_64}", 11));
    let file = [&b"\0\x01keystore\0\0"[..], &der, b"\0\x02end"].concat();
    let found = super::look(&file);
    let places: Vec<_> = found.hits.iter().map(|h| (h.rule.id.as_str(), h.place.clone())).collect();
    assert_eq!(places, [("secrets/der-private-key", 12..12 + der.len())]);
    // Cut off, or of a length that is not its own, it is none.
    assert!(super::ids(&file[..200]).is_empty());
    let mut other = der;
    other[2] = 9;
    assert!(super::ids(&other).is_empty());
}

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    tidegate_inspect::views::each(text.as_bytes(), &mut |view| {
        if out.is_empty() {
            out = view.text[..view.text.len() - 1].to_vec();
        }
    });
    out
}

#[test]
fn in_utf_16() {
    let text: Vec<u8> =
        format!("Token = {}\r\n", token(4)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("x.resx", &text, "x.resx");
    let big: Vec<u8> =
        format!("Token = {}\r\n", token(5)).encode_utf16().flat_map(u16::to_be_bytes).collect();
    check("y.dll", &[&b"MZ\x90\0\x03\0\0\0"[..], &big, b"\0\0\xff\xff"].concat(), "y.dll");
}

#[test]
fn in_a_source_map() {
    let map = format!(
        "{{\"version\":3,\"file\":\"a.js\",\"sources\":[\"src/a.ts\"],\"sourcesContent\":[\"export const t = \\\"{}\\\";\\n\"],\"names\":[],\"mappings\":\"AAAA\"}}",
        token(6)
    );
    let mut looker = Looker::default();
    unfold("a.js.map", map.as_bytes(), &Budgets::default(), &TemporaryFiles::default(), &mut looker);
    assert!(
        looker.0.iter().any(|(path, id)| path.contains("src/a.ts") && *id == "secrets/npm-token"),
        "{:?}",
        looker.0
    );
}

#[test]
fn in_a_page_of_a_database() {
    // A record: header, then columns side by side.
    let page = [
        &b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20\0\0\0\x0c\x81\x05\x04\x17\x1b\x5d\x01"[..],
        b"npmrc",
        token(7).as_bytes(),
        b"name\0\0\0",
    ]
    .concat();
    check("x.db", &page, "x.db");
}

#[test]
fn in_base64_hex_and_escapes() {
    let line = format!("authToken={}", token(8));
    check("a.yaml", format!("data:\n  npmrc: {}\n", base64(line.as_bytes(), true)).as_bytes(), "a.yaml");
    let twice = base64(base64(line.as_bytes(), true).as_bytes(), true);
    check("b.yaml", format!("data: {twice}\n").as_bytes(), "b.yaml");
    let hex: String = line.bytes().map(|b| format!("{b:02x}")).collect();
    check("c.js", format!("x('{hex}')").as_bytes(), "c.js");
    let escaped: String = line.bytes().map(|b| format!("\\x{b:02x}")).collect();
    check("d.js", format!("x('{escaped}')").as_bytes(), "d.js");
}

#[test]
fn beside_other_strings_of_a_program() {
    // Linkers put strings side by side.
    let program = [
        &b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"[..],
        b"runtime errorinvalid",
        token(9).as_bytes(),
        b"unexpected end\0\0",
    ]
    .concat();
    check("tool", &program, "tool");
}
