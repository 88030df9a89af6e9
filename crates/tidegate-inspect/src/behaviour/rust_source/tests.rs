//! Cases are files under `cases/`: `=== name`, the source, `---`, and what is told of it. `name` may end in ` @path`.

use super::super::render::{blocks, rendered};

fn run(file: &str, text: &str) {
    let wrong: Vec<String> = blocks(text)
        .into_iter()
        .filter_map(|case| {
            let found = rendered(&super::read(case.source.as_bytes(), case.path.unwrap_or("build.rs")));
            (found.trim() != case.expected.trim()).then(|| {
                format!("=== {}\n{}\n---\n{}\n", case.title, case.source.trim_end(), found.trim_end())
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{file}: {} differ; what is told now:\n{}", wrong.len(), wrong.join("\n"));
}

const BAD: &str = include_str!("cases/bad.txt");
const FACTS: &str = include_str!("cases/single.txt");
const ORDINARY: &str = include_str!("cases/ordinary.txt");

#[test]
fn bad() {
    run("bad.txt", BAD);
}

#[test]
fn single() {
    run("single.txt", FACTS);
}

#[test]
fn ordinary() {
    run("ordinary.txt", ORDINARY);
}

#[test]
fn deep_and_long_sources_are_borne() {
    let nested = format!("fn main() {{ let x = {}1{}; }}", "(".repeat(50_000), ")".repeat(50_000));
    let chain = format!("fn main() {{ let x = 1{}; }}", "+1".repeat(9_000));
    let methods = format!("fn main() {{ a{}; }}", ".b()".repeat(4_000));
    let nots = format!("fn main() {{ let x = {}y; }}", "!".repeat(9_000));
    let elses = format!("fn main() {{ if a {{}} {} }}", "else if a {} ".repeat(4_000));
    let types = format!("fn f(x: {}u8{}) {{}}", "Vec<".repeat(4_000), ">".repeat(4_000));
    let references = format!("fn f(x: {}u8) {{}}", "&".repeat(9_000));
    for text in [&nested, &chain, &methods, &nots, &elses, &types, &references] {
        let _ = super::read(text.as_bytes(), "a.rs");
    }
}

#[test]
fn what_does_not_parse_is_read_by_tokens() {
    let text = "fn main() { let = ; std::process::Command::new(\"sh\"); std::env::var(\"HOME\"); }";
    let told = rendered(&super::read(text.as_bytes(), "build.rs"));
    assert_eq!(told, "tokens\nexec sh [call]\nenv_read HOME [call]\n");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 192, ..Default::default() })]

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2_000)) {
        let _ = super::read(&bytes, "build.rs");
    }

    #[test]
    fn torn_sources_are_read(at in 0_usize..12_000, to in 0_usize..12_000, flip in 0_usize..12_000) {
        let whole: String = [BAD, FACTS, ORDINARY].iter().flat_map(|text| blocks(text)).map(|case| case.source).collect();
        let mut bytes = whole.into_bytes();
        let length = bytes.len();
        bytes[flip % length] ^= 0x11;
        let (from, to) = (at.min(to) % length, at.max(to) % length);
        let _ = super::read(&bytes[from.min(to)..to.max(from)], "a.rs");
    }
}
