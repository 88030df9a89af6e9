//! npm's `package-lock.json` and `npm-shrinkwrap.json`, lock file versions 1 to 3.
//!
//! Versions 2 and 3 list folders under `packages`; version 1 is a tree of `dependencies`, which version 2 repeats for
//! old clients. npm reads `packages` where there is one, so packages are told from there; addresses are linted and
//! rewritten in both.
//!
//! npm replaces the host of `resolved` by the configured registry's only for the public registry (its default), always,
//! or never, and keeps the path: an address that leads elsewhere goes around the door, and an address with a path of
//! its own arrives at the door as a path that it does not know.

mod read;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use self::read::{Entry, Origin, Tree, read};
use super::{
    Lines, LintContext, LintFinding, Location, LockError, LockFormat, LockedPackage, Lockfile, Relocate,
    Skipped,
};
use tidegate_model::Algorithm;

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    let lines = Lines::of(text);
    let mut lock = Lockfile { format: LockFormat::PackageLock, packages: Vec::new(), skipped: Vec::new() };
    for entry in primary(&read(text)?) {
        let line = Some(lines.at(entry.at));
        match entry.origin(text)? {
            Origin::Root => {}
            Origin::Registry(package) => lock.packages.push(LockedPackage { line, ..*package }),
            other => lock.skipped.push(Skipped {
                what: entry.place.clone(),
                why: why_skipped(&other),
                local: matches!(other, Origin::Local | Origin::Root),
                line,
            }),
        }
    }
    Ok(lock)
}

/// The entries that npm reads: `packages` where there is one.
fn primary<'e>(entries: &'e [Entry<'_>]) -> impl Iterator<Item = &'e Entry<'e>> {
    let packages = entries.iter().any(|entry| entry.tree == Tree::Packages);
    entries.iter().filter(move |entry| !packages || entry.tree == Tree::Packages)
}

fn why_skipped(origin: &Origin) -> String {
    match origin {
        Origin::Git(address) => format!("comes from git (`{}`) and goes around the door", shown(address)),
        Origin::Address(address) => {
            format!(
                "comes from `{}`, which is no registry's address for it and goes around the door",
                shown(address)
            )
        }
        Origin::Local => "is a folder or file of this machine, or a member of the workspace".into(),
        Origin::Bundled => {
            "is bundled inside the package that needs it and comes with that package's file".into()
        }
        Origin::Root | Origin::Registry(_) => String::new(),
    }
}

/// An address for messages: without credentials, query and whatever a terminal would act on.
fn shown(address: &str) -> String {
    let safe = match url::Url::parse(address) {
        Ok(mut url) => {
            // Refused where the address cannot have any; then there is nothing to hide.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.to_string()
        }
        Err(_) => address.split('@').next_back().unwrap_or_default().to_owned(),
    };
    safe.chars().take(200).collect::<String>().escape_debug().to_string()
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    let lines = Lines::of(text);
    let entries = read(text)?;
    let mut findings = Vec::new();
    let mut told = HashSet::new();
    for entry in &entries {
        // Version 2 says everything twice: the second tree is told of only where it differs.
        let address = entry.resolved.as_ref().map(|resolved| &*resolved.text);
        let repeats = !told.insert((entry.name(), address));
        if entry.tree == Tree::Dependencies && repeats {
            continue;
        }
        let Some((problem, remedy, fixable)) = (match entry.origin(text)? {
            Origin::Registry(package) => judge(&package, context),
            origin @ (Origin::Git(_) | Origin::Address(_)) => Some((
                why_skipped(&origin),
                "depend on a published version, or publish it to a registry".into(),
                false,
            )),
            Origin::Root | Origin::Local | Origin::Bundled => None,
        }) else {
            continue;
        };
        let line = Some(lines.at(entry.at));
        findings.push(LintFinding { line, what: entry.place.clone(), problem, remedy, fixable });
    }
    findings.sort_by_key(|finding| finding.line);
    Ok(findings)
}

/// What is wrong with one package: the problem, the remedy, whether rewriting mends it.
fn judge(package: &LockedPackage, context: &LintContext) -> Option<(String, String, bool)> {
    if let Some(address) = &package.resolved {
        if context.is_door(address) {
            let problem = format!(
                "its address is the door's own (`{}`): without this door it installs nowhere",
                shown(address)
            );
            let remedy = "rewrite the lock file; `omit-lockfile-registry-resolved=true` keeps npm from writing it again";
            return Some((problem, remedy.into(), true));
        }
        if !context.is_upstream(address) {
            let problem = format!(
                "its address (`{}`) is neither the door nor an upstream behind it: npm fetches it from there, around the door",
                shown(address)
            );
            let remedy = "rewrite the lock file, or set `replace-registry-host=always`, after making sure that the \
                          registry behind the door has the same file";
            return Some((problem, remedy.into(), true));
        }
        if let Some(prefix) = own_path(address, package) {
            let problem = format!(
                "its address has the path `{prefix}` before the package, which npm keeps when it replaces the host: \
                 the door knows no such path"
            );
            return Some((problem, "rewrite the lock file".into(), true));
        }
    }
    let remedy = || {
        "remove `resolved` and `integrity` of the entry and run `npm install`, which asks for both again"
            .to_owned()
    };
    if package.digests.is_empty() {
        return Some((
            "it has no integrity: npm cannot tell other bytes from the locked ones".into(),
            remedy(),
            false,
        ));
    }
    if !package.digests.iter().any(|digest| digest.algorithm().is_strong()) {
        let weak = package.digests.first().map_or(Algorithm::Sha1, tidegate_model::Digest::algorithm);
        let problem = format!("its only integrity is {}, which can be forged", weak.as_str());
        return Some((problem, remedy(), false));
    }
    None
}

/// What stands in an address between the host and the package, where anything does.
fn own_path(address: &str, package: &LockedPackage) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let path = read::decoded(url.path());
    let prefix = path.split_once(&format!("{}/-/", package.coordinate.name))?.0;
    (prefix != "/").then(|| shown(prefix))
}

pub(super) fn rewrite(text: &str, target: &dyn Relocate) -> Result<String, LockError> {
    let mut edits = Vec::new();
    for entry in &read(text)? {
        let (Some(resolved), Origin::Registry(package)) = (&entry.resolved, entry.origin(text)?) else {
            continue;
        };
        match target.location(&package) {
            None => {}
            Some(Location::Omit) => edits.push((resolved.member.clone(), String::new())),
            Some(Location::Url(address)) => edits.push((resolved.value.clone(), quoted(&address))),
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut rewritten = String::with_capacity(text.len());
    let mut from = 0;
    for (range, replacement) in edits {
        rewritten.push_str(&text[from..range.start]);
        rewritten.push_str(&replacement);
        from = range.end;
    }
    rewritten.push_str(&text[from..]);
    Ok(rewritten)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
