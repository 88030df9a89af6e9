//! Package names, normalised once, so that no other spelling of a name can reach another decision.

use std::fmt;
use std::sync::Arc;

use crate::Ecosystem;

/// The longest name any ecosystem here allows, in bytes (npm's limit; crates end at 64, MCP servers at 200).
pub const MAX_NAME_BYTES: usize = 214;

/// The normalised name of a package in one ecosystem.
///
/// * npm: as given, `@scope/name` or `name`; letters of either case, because old packages have upper-case names and
///   the registry tells them apart.
/// * PyPI: PEP 503 (lower case, runs of `-`, `_`, `.` become one `-`).
/// * cargo: ASCII letters, digits, `-` and `_`, lower case, because the index path is lower case.
/// * Hugging Face: `owner/name`, or `name` alone for the oldest repositories, letters of either case; data sets and spaces
///   begin with `datasets/` and `spaces/`, so that a model of the same name is another package.
/// * OCI: the repository's path within its registry (`library/debian`), which the distribution specification spells in lower
///   case. The registry's own name is no part of it: which registry that is, the door's repository says.
/// * MCP: `namespace/name`, the namespace a reversed domain, letters of either case.
/// * VS Code: `publisher/name`, also read from `publisher.name`, lower case, because galleries tell no case apart.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageName {
    ecosystem: Ecosystem,
    normal: Arc<str>,
}

/// Text that cannot be the name of a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a valid {ecosystem} package name: {why}", text.escape_debug())]
pub struct InvalidName {
    ecosystem: Ecosystem,
    text: String,
    why: &'static str,
}

impl PackageName {
    /// Parses and normalises a name.
    ///
    /// # Errors
    /// [`InvalidName`] says which rule of the ecosystem the text breaks.
    pub fn parse(ecosystem: Ecosystem, text: &str) -> Result<Self, InvalidName> {
        let invalid = |why| InvalidName { ecosystem, text: text.chars().take(80).collect(), why };
        if text.is_empty() {
            return Err(invalid("it is empty"));
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(invalid("it is longer than 214 bytes"));
        }
        let normal = match ecosystem {
            Ecosystem::Npm => npm(text),
            Ecosystem::Pypi => pypi(text),
            Ecosystem::Cargo => cargo(text),
            Ecosystem::Huggingface => hub(text),
            Ecosystem::Oci => oci(text),
            Ecosystem::Mcp => mcp(text),
            Ecosystem::Vscode => extension(text),
        }
        .map_err(invalid)?;
        Ok(Self { ecosystem, normal: normal.into() })
    }

    /// The ecosystem whose rules the name follows.
    pub const fn ecosystem(&self) -> Ecosystem {
        self.ecosystem
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.normal
    }

    /// npm's scope with its `@`, where the name has one; on the model hub and in registries of images everything before the last
    /// part; the namespace of an MCP server; an extension's publisher.
    pub fn scope(&self) -> Option<&str> {
        match self.ecosystem {
            Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp | Ecosystem::Vscode => {
                self.normal.rsplit_once('/').map(|(owner, _)| owner)
            }
            Ecosystem::Npm if self.normal.starts_with('@') => {
                self.normal.split_once('/').map(|(scope, _)| scope)
            }
            _ => None,
        }
    }

    /// The name without its scope.
    pub fn base(&self) -> &str {
        match self.scope() {
            Some(scope) => &self.normal[scope.len() + 1..],
            None => &self.normal,
        }
    }
}

fn npm(text: &str) -> Result<String, &'static str> {
    let part = |part: &str| {
        if part.is_empty() {
            return Err("a part of it is empty");
        }
        if part.starts_with('.') {
            return Err("a part of it begins with a dot");
        }
        // The set that encodeURIComponent leaves alone, which is npm's own test for a legacy name.
        if part.bytes().any(|b| !(b.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&b))) {
            return Err("only letters, digits and -_.!~*'() may stand in it");
        }
        Ok(())
    };
    if let Some(rest) = text.strip_prefix('@') {
        let (scope, name) = rest.split_once('/').ok_or("a scope needs a name after `/`")?;
        part(scope)?;
        part(name)?;
    } else {
        if text.starts_with('_') {
            return Err("it begins with an underscore");
        }
        part(text)?;
    }
    Ok(text.to_owned())
}

/// The name of a repository by the OCI distribution specification 1.1, "Pulling manifests".
fn oci(text: &str) -> Result<String, &'static str> {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let part = |part: &str| {
        let bytes = part.as_bytes();
        let ends = bytes.first().is_some_and(|b| is_word(*b)) && bytes.last().is_some_and(|b| is_word(*b));
        let mut between = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        // Between letters and digits: one dot, one or two underscores, any number of hyphens.
        ends && between.all(|run| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|b| b == b'-'))
    };
    if text.split('/').all(part) {
        return Ok(text.to_owned());
    }
    Err("each part is lower-case letters and digits, with `.`, `_`, `__` or hyphens between them")
}

fn pypi(text: &str) -> Result<String, &'static str> {
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    if !ends(text.bytes().next()) || !ends(text.bytes().last()) {
        return Err("it must begin and end with a letter or digit");
    }
    let mut normal = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'_' | b'.' => {
                if !normal.ends_with('-') {
                    normal.push('-');
                }
            }
            b if b.is_ascii_alphanumeric() => normal.push(b.to_ascii_lowercase().into()),
            _ => return Err("only ASCII letters, digits, `-`, `_` and `.` may stand in it"),
        }
    }
    Ok(normal)
}

fn cargo(text: &str) -> Result<String, &'static str> {
    if text.len() > 64 {
        return Err("it is longer than 64 characters");
    }
    if !text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') {
        return Err("it must begin with a letter");
    }
    if text.bytes().any(|b| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'_')) {
        return Err("only ASCII letters, digits, `-` and `_` may stand in it");
    }
    Ok(text.to_ascii_lowercase())
}

/// A repository of the model hub: what its client's `validate_repo_id` allows, and the kind before it.
fn hub(text: &str) -> Result<String, &'static str> {
    let id = text.strip_prefix("datasets/").or_else(|| text.strip_prefix("spaces/")).unwrap_or(text);
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() > 2 {
        return Err("it is `name` or `owner/name`");
    }
    if matches!(parts[0], "datasets" | "spaces" | "models" | "api") {
        return Err("it begins with a word that names no owner");
    }
    for part in parts {
        if part.is_empty() {
            return Err("a part of it is empty");
        }
        if part.len() > 96 {
            return Err("a part of it is longer than 96 characters");
        }
        if part.bytes().any(|b| !(b.is_ascii_alphanumeric() || b"-_.".contains(&b))) {
            return Err("only letters, digits, `-`, `_` and `.` may stand in it");
        }
        if part.starts_with(['-', '.'])
            || part.ends_with(['-', '.'])
            || part.contains("..")
            || part.contains("--")
        {
            return Err("a part of it begins or ends with `-` or `.`, or holds `--` or `..`");
        }
    }
    Ok(text.to_owned())
}

/// A server of the MCP registry, by the schema of its `server.json`.
fn mcp(text: &str) -> Result<String, &'static str> {
    let (namespace, name) = text.split_once('/').ok_or("it is `namespace/name`")?;
    if text.len() > 200 {
        return Err("it is longer than 200 characters");
    }
    if namespace.is_empty() || name.is_empty() {
        return Err("a part of it is empty");
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    if !namespace.bytes().all(plain) || !name.bytes().all(|b| plain(b) || b == b'_') {
        return Err("only letters, digits, `.` and `-` may stand in it, and `_` in its last part");
    }
    if [namespace, name].iter().any(|part| part.bytes().all(|b| b == b'.')) {
        return Err("a part of it is dots alone");
    }
    Ok(text.to_owned())
}

/// An extension's publisher and name, by the characters that galleries allow in either.
fn extension(text: &str) -> Result<String, &'static str> {
    let (publisher, name) =
        text.split_once('/').or_else(|| text.split_once('.')).ok_or("it is `publisher/name`")?;
    for part in [publisher, name] {
        if !part.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err("a part of it is empty or begins with neither a letter nor a digit");
        }
        if part.bytes().any(|b| !(b.is_ascii_alphanumeric() || b"-_+$~".contains(&b))) {
            return Err("only letters, digits, `-`, `_`, `+`, `$` and `~` may stand in it");
        }
    }
    Ok(format!("{publisher}/{name}").to_ascii_lowercase())
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.normal)
    }
}

impl fmt::Debug for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.ecosystem, self.normal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ecosystem: Ecosystem, text: &str, expected: Option<&str>) {
        let parsed = PackageName::parse(ecosystem, text).ok();
        assert_eq!(parsed.as_ref().map(PackageName::as_str), expected, "{ecosystem} {text:?}");
    }

    #[test]
    fn npm_names() {
        check(Ecosystem::Npm, "left-pad", Some("left-pad"));
        check(Ecosystem::Npm, "JSONStream", Some("JSONStream"));
        check(Ecosystem::Npm, "@scope/name", Some("@scope/name"));
        for bad in [
            "", "@scope", "@/x", "@a/", "a/b", "../x", ".x", "a b", "a%2fb", "a\0b", "_x", "@s/..", "ä",
            "@a/b/c",
        ] {
            check(Ecosystem::Npm, bad, None);
        }
        let name = PackageName::parse(Ecosystem::Npm, "@scope/name").unwrap();
        assert_eq!((name.scope(), name.base()), (Some("@scope"), "name"));
    }

    #[test]
    fn pypi_names_follow_pep_503() {
        check(Ecosystem::Pypi, "Zope.Interface__x", Some("zope-interface-x"));
        for bad in ["-a", "a-", "a b", "a/b", "é"] {
            check(Ecosystem::Pypi, bad, None);
        }
    }

    #[test]
    fn cargo_names() {
        check(Ecosystem::Cargo, "Inflector", Some("inflector"));
        check(Ecosystem::Cargo, "serde_json", Some("serde_json"));
        for bad in ["1st", "a.b", "a/b", "..", "a+b"] {
            check(Ecosystem::Cargo, bad, None);
        }
    }

    #[test]
    fn repositories_of_image_registries() {
        for good in ["debian", "library/debian", "a/b/c-d/e_f", "a__b", "x.y/z---1", "0/1"] {
            check(Ecosystem::Oci, good, Some(good));
        }
        for bad in [
            "", "/a", "a/", "a//b", "Debian", "a/../b", "a..b", "a___b", "a.-b", "-a", "a-", "a b", "a:b",
            "\u{e4}",
        ] {
            check(Ecosystem::Oci, bad, None);
        }
        let name = PackageName::parse(Ecosystem::Oci, "a/b/c").unwrap();
        assert_eq!((name.scope(), name.base()), (Some("a/b"), "c"));
    }

    #[test]
    fn extensions_have_a_publisher() {
        for text in ["Acme/Left-Pad", "acme.left-pad", "ACME.LEFT-PAD"] {
            check(Ecosystem::Vscode, text, Some("acme/left-pad"));
        }
        for bad in
            ["", "acme", "acme.", ".x", "a/b/c", "a/b.c", "a.b.c", "a/..", "../b", "a b/c", "a/b%2f", "-a/b"]
        {
            check(Ecosystem::Vscode, bad, None);
        }
        let name = PackageName::parse(Ecosystem::Vscode, "acme.left-pad").unwrap();
        assert_eq!((name.scope(), name.base()), (Some("acme"), "left-pad"));
    }

    #[test]
    fn repositories_of_the_model_hub() {
        for good in ["gpt-x", "Org/Model_v1.5", "datasets/org/set", "datasets/set", "spaces/org/app"] {
            check(Ecosystem::Huggingface, good, Some(good));
        }
        for bad in [
            "",
            "/x",
            "a/",
            "a/b/c",
            "datasets/a/b/c",
            "datasets/datasets/x",
            "api/models",
            "models/x",
            "../x",
            "a/..",
            "a/.git",
            "a/b--c",
            "a b/c",
            "a/b%2f",
            "-a/b",
            "a/b.",
            "datasets",
            "\u{e4}/b",
            &format!("a/{}", "b".repeat(97)),
        ] {
            check(Ecosystem::Huggingface, bad, None);
        }
        let name = PackageName::parse(Ecosystem::Huggingface, "datasets/org/set").unwrap();
        assert_eq!((name.scope(), name.base()), (Some("datasets/org"), "set"));
    }

    #[test]
    fn servers_of_the_mcp_registry() {
        for good in ["io.github.someone/weather", "example/x", "com.example.sub-part/Some_server.v2"] {
            check(Ecosystem::Mcp, good, Some(good));
        }
        for bad in [
            "", "weather", "/x", "a/", "a/b/c", "a_b/c", "a/b c", "a/../b", "../b", "a/..", "a%2fb", "a/b\0",
            "\u{e4}/b",
        ] {
            check(Ecosystem::Mcp, bad, None);
        }
        let name = PackageName::parse(Ecosystem::Mcp, "io.github.someone/weather").unwrap();
        assert_eq!((name.scope(), name.base()), (Some("io.github.someone"), "weather"));
    }
}
