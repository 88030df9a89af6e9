//! Rules: what a secret of one kind looks like, whose it is, what it opens and how it is revoked.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::checksum::ChecksumKind;
use super::liveness::LivenessRequest;
use super::structure::Structure;
use tidegate_model::finding::{Confidence, FindingSeverity as Severity};

/// Bytes behind a keyword in which a rule looks, where it says nothing else.
const WINDOW_BYTES: usize = 512;

/// Bytes around a finding in which a rule's context words must stand, where it says nothing else.
const NEAR_BYTES: usize = 160;

/// Memory of one compiled pattern, and of its cache, in bytes.
const PATTERN_BYTES: usize = 4 << 20;

/// Names for what many patterns share. Each is written `@{name}`.
const SHARED: &[(&str, &str)] = &[
    // From a vendor's name to a value, by way of what makes it a secret's name.
    ("key", r"[\w.\-]{0,24}?(?i:key|token|secret|passw|pwd|auth|credential|pat|dsn|sid)@{is}"),
    // From a name to its value: the rest of the name, then what languages, formats and tables put between.
    (
        "is",
        r#"[\w.\-]{0,32}(?:\\{0,2}["'`]|&quot;)?\]?\)?@{between}(?:\\{0,2}["'`]|&quot;|b["']|<string>){0,2}"#,
    ),
    // The same, where the value has to stand in quotes.
    ("quoted", r#"[\w.\-]{0,32}(?:\\{0,2}["'`])?\]?@{between}\\{0,2}["'`]"#),
    (
        "between",
        r#"(?:[ \t]{0,40}(?::?=>?|:|>|\|\||\?\?|,)[ \t]{0,8}(?:\r?\n[ \t]{0,40})?|\s{0,4},?\s{0,40}\\{0,2}["']?(?:value|Value)\\{0,2}["']?[ \t]{0,4}[:=][ \t]{0,4}|</(?:key|name)>\s{0,20}<(?:string|value)>|[ \t]{1,4}|[\x00-\x08\x0e-\x1f\x80-\xff][\x00-\xff]{0,4}?)"#,
    ),
    ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
];

/// One kind of secret.
#[derive(Debug)]
pub struct Rule {
    /// The detector's id: `secrets/…`.
    pub id: String,
    /// What it finds, as a noun.
    pub title: String,
    /// Whoever issues it.
    pub issuer: String,
    /// What it lets a thief do, as a sentence.
    pub lets: String,
    /// Where it is revoked and what else to do, as a sentence.
    pub revoke: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure its structure makes.
    pub confidence: Confidence,
    /// Texts, one of which stands wherever the rule looks.
    pub keywords: Vec<String>,
    /// What it finds and does not find, as templates: `{base62:36}` stands for so many characters.
    pub examples: Examples,
    /// How its issuer can be asked whether a secret is still good.
    pub liveness: Option<LivenessRequest>,
    pub(crate) shape: Shape,
    pattern: OnceLock<Regex>,
}

/// What a rule finds and what it does not, as templates that tests expand. No secret stands in a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examples {
    /// Found, by this rule.
    pub found: Vec<String>,
    /// Not found, by any rule.
    pub clean: Vec<String>,
}

/// How a rule looks.
#[derive(Debug)]
pub(crate) struct Shape {
    pattern: String,
    pub(crate) anchor: Anchor,
    /// Bytes before the keyword that belong to the secret, at most.
    pub(crate) back: usize,
    /// What those bytes are.
    pub(crate) back_class: ByteClass,
    /// What may not stand right behind the secret.
    pub(crate) end: ByteClass,
    pub(crate) window: usize,
    pub(crate) near: Vec<String>,
    pub(crate) near_bytes: usize,
    pub(crate) entropy: f32,
    pub(crate) classes: u8,
    pub(crate) placeholders: bool,
    pub(crate) words: bool,
    pub(crate) checksum: Option<ChecksumKind>,
    pub(crate) structure: Option<Structure>,
    /// Of overlapping findings the one of the highest rank is told.
    pub(crate) rank: u8,
    /// Bytes at the beginning that evidence may show.
    pub(crate) show: usize,
}

/// Where a pattern begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Anchor {
    /// At the keyword, which is part of the secret and is written just so.
    Token,
    /// Behind the keyword, which is part of a name and may be in any case.
    Name,
    /// At the keyword, in any case, whatever stands before it.
    Text,
}

/// A set of bytes.
#[derive(Clone)]
pub(crate) struct ByteClass([bool; 256]);

impl ByteClass {
    /// Reads ranges as in `0-9A-Za-z_-`.
    fn parse(text: &str) -> Self {
        let mut class = [false; 256];
        let mut rest = text.as_bytes();
        while let Some((&first, tail)) = rest.split_first() {
            let (last, tail) = match tail {
                [b'-', last, tail @ ..] => (*last, tail),
                _ => (first, tail),
            };
            for byte in first..=last {
                class[usize::from(byte)] = true;
            }
            rest = tail;
        }
        Self(class)
    }

    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

impl std::fmt::Debug for ByteClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ByteClass")
    }
}

impl Rule {
    /// The pattern, anchored, compiled at its first use.
    pub(crate) fn pattern(&self) -> &Regex {
        self.pattern.get_or_init(|| {
            compile(&self.shape.pattern).expect("patterns of built-in rules are compiled by a test")
        })
    }
}

/// Fills in what patterns share.
fn expand(pattern: &str) -> String {
    let mut text = pattern.to_owned();
    for (name, value) in SHARED {
        text = text.replace(&format!("@{{{name}}}"), value);
    }
    text
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&format!("^(?:{})", expand(pattern)))
        .unicode(false)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
}

/// A rule file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The file is not what a rule file is.
    #[error("rule file `{file}` cannot be read")]
    File {
        /// Its name.
        file: String,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A rule contradicts itself or another.
    #[error("rule `{rule}` {what}")]
    Rule {
        /// Its id.
        rule: String,
        /// What is wrong, as a fragment.
        what: &'static str,
    },
}

/// The rules of one file, in its order.
pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<Rule>, RuleError> {
    let parsed: FileText = toml::from_str(text)
        .map_err(|source| RuleError::File { file: file.to_owned(), source: Box::new(source) })?;
    let common = Common { issuer: parsed.issuer, lets: parsed.lets, revoke: parsed.revoke };
    parsed.rule.into_iter().map(|rule| rule.finish(&common)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    issuer: String,
    lets: Option<String>,
    revoke: Option<String>,
    rule: Vec<RuleText>,
}

struct Common {
    issuer: String,
    lets: Option<String>,
    revoke: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    id: String,
    title: String,
    issuer: Option<String>,
    lets: Option<String>,
    revoke: Option<String>,
    severity: Severity,
    confidence: Confidence,
    keywords: Vec<String>,
    pattern: String,
    #[serde(default = "token")]
    anchor: Anchor,
    #[serde(default)]
    back: usize,
    back_class: Option<String>,
    end: Option<String>,
    window: Option<usize>,
    #[serde(default)]
    near: Vec<String>,
    near_bytes: Option<usize>,
    #[serde(default)]
    entropy: f32,
    #[serde(default)]
    classes: u8,
    #[serde(default = "yes")]
    placeholders: bool,
    #[serde(default)]
    words: bool,
    checksum: Option<ChecksumKind>,
    structure: Option<Structure>,
    rank: Option<u8>,
    show: Option<usize>,
    found: Vec<String>,
    clean: Vec<String>,
    liveness: Option<LivenessRequest>,
}

fn token() -> Anchor {
    Anchor::Token
}

fn yes() -> bool {
    true
}

impl RuleText {
    fn finish(self, common: &Common) -> Result<Rule, RuleError> {
        let fault = |what| RuleError::Rule { rule: self.id.clone(), what };
        if self.keywords.is_empty() || self.keywords.iter().any(|k| k.len() < 2) {
            return Err(fault("has no keyword of two characters or more"));
        }
        if self.found.is_empty() || self.clean.is_empty() {
            return Err(fault("lacks examples of what it finds or does not find"));
        }
        if self.window.is_some_and(|window| window > super::WINDOW_BYTES_MOST) {
            return Err(fault("looks too far"));
        }
        let lets = self.lets.clone().or_else(|| common.lets.clone());
        let revoke = self.revoke.clone().or_else(|| common.revoke.clone());
        let shape = Shape {
            rank: self.rank.unwrap_or(match (self.anchor, self.confidence) {
                (Anchor::Token, Confidence::High) => 70,
                (Anchor::Token, _) => 60,
                (Anchor::Name, _) => 50,
                (Anchor::Text, _) => 40,
            }),
            show: self.show.unwrap_or(match self.anchor {
                Anchor::Token if self.back == 0 => self.keywords.iter().map(String::len).min().unwrap_or(0),
                _ => 0,
            }),
            anchor: self.anchor,
            back: self.back,
            back_class: ByteClass::parse(self.back_class.as_deref().unwrap_or("0-9A-Za-z")),
            end: ByteClass::parse(self.end.as_deref().unwrap_or("0-9A-Za-z_")),
            window: self.window.unwrap_or(WINDOW_BYTES),
            near: self.near.iter().map(|word| word.to_ascii_lowercase()).collect(),
            near_bytes: self.near_bytes.unwrap_or(NEAR_BYTES),
            entropy: self.entropy,
            classes: self.classes,
            placeholders: self.placeholders,
            words: self.words,
            checksum: self.checksum,
            structure: self.structure,
            pattern: self.pattern.clone(),
        };
        Ok(Rule {
            lets: lets.ok_or_else(|| fault("does not say what the secret opens"))?,
            revoke: revoke.ok_or_else(|| fault("does not say how the secret is revoked"))?,
            issuer: self.issuer.clone().unwrap_or_else(|| common.issuer.clone()),
            id: format!("secrets/{}", self.id),
            title: self.title,
            severity: self.severity,
            confidence: self.confidence,
            keywords: self.keywords,
            examples: Examples { found: self.found, clean: self.clean },
            liveness: self.liveness,
            shape,
            pattern: OnceLock::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_has_no_unbounded_lead() {
        for rule in &super::super::Rules::builtin().rules {
            if let Err(error) = compile(&rule.shape.pattern) {
                panic!("{}: {error}", rule.id);
            }
            let expanded = expand(&rule.shape.pattern);
            assert!(!expanded.contains("@{"), "{}: a name that is not shared", rule.id);
            assert!(!rule.shape.pattern.starts_with('.'), "{}: begins with anything", rule.id);
        }
    }

    #[test]
    fn classes_are_ranges_and_single_bytes() {
        let class = ByteClass::parse("0-9a-f_-");
        let has: Vec<u8> = (0..=255).filter(|&b| class.has(b)).collect();
        assert_eq!(has, b"-0123456789_abcdef");
    }

    #[test]
    fn faults_are_told() {
        let file = |rule: &str| {
            format!(
                "issuer = \"x\"\nlets = \"y\"\nrevoke = \"z\"\n[[rule]]\nid = \"a\"\ntitle = \"b\"\nseverity = \"low\"\nconfidence = \"low\"\npattern = \"kk\"\n{rule}"
            )
        };
        let told = |rule: &str| parse("f", &file(rule)).map(|_| ()).unwrap_err().to_string();
        assert_eq!(
            told("keywords = [\"k\"]\nfound = [\"a\"]\nclean = [\"b\"]"),
            "rule `a` has no keyword of two characters or more"
        );
        assert_eq!(
            told("keywords = [\"kk\"]\nfound = []\nclean = [\"b\"]"),
            "rule `a` lacks examples of what it finds or does not find"
        );
        assert_eq!(
            told("keywords = [\"kk\"]\nfound = [\"a\"]\nclean = [\"b\"]\nother = 1"),
            "rule file `f` cannot be read"
        );
        assert_eq!(
            told("keywords = [\"kk\"]\nwindow = 99999999\nfound = [\"a\"]\nclean = [\"b\"]"),
            "rule `a` looks too far"
        );
    }
}
