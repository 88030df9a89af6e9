//! Packages that a command starts by their name: whether it is one release or whatever is newest, and where it comes from.

use super::super::remark::{Told, What};
use crate::behaviour::words::Address;

/// Reads the words of a command.
pub(super) fn read(subject: &str, words: &[String], told: &mut Told) {
    // A shell is given its line as one word.
    let split: Vec<&str> = words
        .iter()
        .flat_map(
            |word| if word.contains(' ') { word.split_whitespace().collect() } else { vec![word.as_str()] },
        )
        .collect();
    for (at, word) in split.iter().enumerate() {
        let Some(runner) = runner(word, split.get(at + 1).copied()) else { continue };
        let rest = &split[(at + runner.words).min(split.len())..];
        sources(subject, rest, told);
        let Some(spec) = spec(rest, runner.is_python) else { break };
        one(subject, spec, runner.is_python, told);
        break;
    }
}

struct Runner {
    /// Words of the runner itself.
    words: usize,
    is_python: bool,
}

fn runner(word: &str, next: Option<&str>) -> Option<Runner> {
    let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.trim_end_matches(".cmd").trim_end_matches(".exe");
    let (words, is_python) = match (name, next.unwrap_or_default()) {
        ("npx" | "bunx" | "pnpx", _) => (1, false),
        ("pnpm" | "yarn", "dlx") | ("npm", "exec" | "x") | ("bun", "x") => (2, false),
        ("uvx", _) => (1, true),
        ("pipx", "run") | ("uv", "tool") => (2, true),
        _ => return None,
    };
    Some(Runner { words, is_python })
}

/// Where else than from the registry things come.
fn sources(subject: &str, rest: &[&str], told: &mut Told) {
    const FLAGS: &[&str] =
        &["--registry", "--index-url", "--extra-index-url", "-i", "--index", "--default-index"];
    for (at, word) in rest.iter().enumerate() {
        let (flag, value) =
            word.split_once('=').unwrap_or((word, rest.get(at + 1).copied().unwrap_or_default()));
        let foreign =
            || Address::of(value).is_some_and(|address| address.is_constant() && !address.is_local());
        if FLAGS.contains(&flag) && foreign() {
            told.add(What::OffRegistry(flag.to_owned()), subject, format!("{flag} {value}"));
        }
    }
}

/// What is started: the value of `--package` or `--from`, else the first word that is no flag.
fn spec<'a>(rest: &[&'a str], is_python: bool) -> Option<&'a str> {
    const TAKES: &[&str] = &[
        "--registry",
        "--index-url",
        "--extra-index-url",
        "-i",
        "--index",
        "--default-index",
        "--python",
        "-c",
        "--with",
        "--cache",
        "--prefix",
        "--spec",
    ];
    let mut skip = false;
    let mut first = None;
    for (at, word) in rest.iter().enumerate() {
        if skip {
            skip = false;
            continue;
        }
        let is_package = matches!(*word, "--package" | "--from" | "--spec") || *word == "-p" && !is_python;
        if is_package {
            return rest.get(at + 1).copied();
        }
        if let Some(value) =
            ["--package=", "--from=", "--spec=", "-p="].iter().find_map(|flag| word.strip_prefix(flag))
        {
            return Some(value);
        }
        if TAKES.contains(word) {
            skip = true;
        } else if *word == "run" && is_python || word.starts_with('-') {
        } else if first.is_none() {
            first = Some(*word);
        }
    }
    first
}

fn one(subject: &str, spec: &str, is_python: bool, told: &mut Told) {
    if spec.starts_with(['.', '/', '~', '$', '%']) || spec.starts_with("file:") {
        return;
    }
    let is_shorthand = !is_python && !spec.starts_with('@') && spec.contains('/');
    if spec.contains("://")
        || spec.starts_with("git+")
        || spec.starts_with("github:")
        || spec.starts_with("gitlab:")
        || is_shorthand
    {
        told.add(What::OffRegistry(spec.to_owned()), subject, spec);
        return;
    }
    let (name, version) = split(spec, is_python);
    if name == "mcp-remote" && version.is_some_and(|version| is_between(version, [0, 0, 5], [0, 1, 15])) {
        told.add(What::BrokenBridge(spec.to_owned()), subject, spec);
    }
    if name == "@modelcontextprotocol/inspector"
        && version.is_some_and(|version| is_between(version, [0, 0, 0], [0, 14, 0]))
    {
        told.add(What::BrokenBridge(spec.to_owned()), subject, spec);
    }
    if !version.is_some_and(is_exact) {
        told.add(What::Unpinned(spec.to_owned()), subject, spec);
    }
}

fn split(spec: &str, is_python: bool) -> (&str, Option<&str>) {
    if is_python && let Some((name, version)) = spec.split_once("==") {
        return (name, Some(version));
    }
    let from = usize::from(spec.starts_with('@'));
    match spec.get(from..).and_then(|rest| rest.find('@')) {
        Some(at) => (&spec[..from + at], spec.get(from + at + 1..)),
        None => (spec, None),
    }
}

/// Whether a requirement means one release.
fn is_exact(version: &str) -> bool {
    let version = version.trim_start_matches(['=', 'v']);
    version.split('.').count() >= 2
        && version.starts_with(|c: char| c.is_ascii_digit())
        && !version.contains(['x', '*', '^', '~', '>', '<', '|', ' '])
}

fn is_between(version: &str, from: [u64; 3], to: [u64; 3]) -> bool {
    let mut numbers = version.split(['.', '-', '+']).map_while(|part| part.parse::<u64>().ok());
    let parts = [numbers.next(), numbers.next(), numbers.next()];
    let [Some(a), Some(b), Some(c)] = parts else { return false };
    (from..=to).contains(&[a, b, c])
}
