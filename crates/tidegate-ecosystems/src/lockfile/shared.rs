//! What lock files of npm packages have in common, whichever client writes them.

use std::borrow::Cow;
use std::ops::Range;

use super::{Lines, LintContext, LintFinding, LockError, LockFormat, LockedPackage, Lockfile, Skipped};

/// Where an entry of one of Yarn's lock files comes from.
pub(super) enum Origin {
    Registry(Box<LockedPackage>),
    Elsewhere { why: &'static str, bypasses: bool },
}

/// An entry of one of Yarn's lock files.
pub(super) trait YarnEntry {
    /// Where it stands, in bytes.
    fn at(&self) -> usize;
    /// What it is called in the file.
    fn label(&self) -> &str;
    fn origin(&self, text: &str) -> Result<Origin, LockError>;
    /// What is wrong with a package of a registry: the problem, the remedy, whether rewriting mends it.
    fn judge(package: &LockedPackage, context: &LintContext) -> Option<(String, String, bool)>;
}

pub(super) fn parse_yarn<E: YarnEntry>(
    format: LockFormat,
    text: &str,
    entries: &[E],
) -> Result<Lockfile, LockError> {
    let lines = Lines::of(text);
    let mut lock = Lockfile { format, packages: Vec::new(), skipped: Vec::new() };
    for entry in entries {
        let line = Some(lines.at(entry.at()));
        match entry.origin(text)? {
            Origin::Registry(package) => lock.packages.push(LockedPackage { line, ..*package }),
            Origin::Elsewhere { why, bypasses } => lock.skipped.push(Skipped {
                what: entry.label().to_owned(),
                why: why.into(),
                local: !bypasses,
                line,
            }),
        }
    }
    Ok(lock)
}

pub(super) fn lint_yarn<E: YarnEntry>(
    text: &str,
    entries: &[E],
    context: &LintContext,
) -> Result<Vec<LintFinding>, LockError> {
    let lines = Lines::of(text);
    let mut findings = Vec::new();
    for entry in entries {
        let found = match entry.origin(text)? {
            Origin::Registry(package) => E::judge(&package, context),
            Origin::Elsewhere { bypasses: true, why } => Some((
                why.to_owned(),
                "depend on a published version, or publish it to a registry".to_owned(),
                false,
            )),
            Origin::Elsewhere { .. } => None,
        };
        if let Some((problem, remedy, fixable)) = found {
            let (line, what) = (Some(lines.at(entry.at())), entry.label().to_owned());
            findings.push(LintFinding { line, what, problem, remedy, fixable });
        }
    }
    Ok(findings)
}

/// What is wrong with one npm package: the problem, the remedy, whether rewriting mends it. `again` is the command that
/// makes the client ask for digests again.
pub(super) fn judge_npm(
    package: &LockedPackage,
    context: &LintContext,
    again: &str,
) -> Option<(String, String, bool)> {
    if let Some(address) = &package.resolved {
        let conventional = is_conventional(address, package);
        let place = host_of(address);
        let rewrite = "rewrite the lock file (`tidegate lock rewrite`)".to_owned();
        if context.is_door(address) {
            let problem =
                format!("its address is the door's own (`{place}`): without this door it installs nowhere");
            return Some((problem, rewrite, conventional));
        }
        let whose =
            if context.is_upstream(address) { "the upstream's own" } else { "that of another registry" };
        let problem =
            format!("its address is {whose} (`{place}`): it is fetched from there, around the door");
        let remedy = if conventional && has_strong_digest(package) {
            "rewrite the lock file (`tidegate lock rewrite --to door`), after making sure that the registry behind the door \
             has the same file"
                .to_owned()
        } else {
            "make that registry an upstream of the door, and lock again".to_owned()
        };
        return Some((problem, remedy, conventional && has_strong_digest(package)));
    }
    (!package.digests.is_empty() && !has_strong_digest(package)).then(|| {
        let problem = "its only integrity can be forged".to_owned();
        (problem, format!("remove the entry and run `{again}`, which asks for it again"), false)
    })
}

/// Whether one of the digests cannot be forged.
pub(super) fn has_strong_digest(package: &LockedPackage) -> bool {
    package.digests.iter().any(|digest| digest.algorithm().is_strong())
}

/// Whether an address ends as registries have it, `/<name>/-/<base>-<version>.tgz`; some repeat the scope in the file.
pub(super) fn is_conventional(address: &str, package: &LockedPackage) -> bool {
    let Some(file) = &package.file else { return false };
    let Ok(url) = url::Url::parse(address) else { return false };
    let (name, path) = (&package.coordinate.name, decoded(url.path()));
    path.ends_with(&format!("/{name}/-/{}", file.as_str()))
        || name.scope().is_some_and(|scope| path.ends_with(&format!("/{name}/-/{scope}/{}", file.as_str())))
}

fn decoded(path: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy()
}

/// Host and port of an address, for messages: never credentials.
pub(super) fn host_of(address: &str) -> String {
    let shown = |url: url::Url| match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    url::Url::parse(address).map_or_else(|_| super::requirements::shown(address), shown)
}

/// Text with ranges replaced. Ranges do not overlap.
pub(super) fn splice(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, replacement) in edits {
        out.push_str(&text[done..range.start]);
        out.push_str(&replacement);
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}
