//! `yarn.lock` of Yarn 2 and later: YAML.
//!
//! An entry's `resolution` is its name and version; an address stands behind it (`::__archiveUrl=…`) only where the
//! registry's is not the conventional one. Its `checksum` is that of an archive that Yarn makes itself, and says nothing of
//! the registry's file, so that an entry has no digest here.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use tidegate_model::{Coordinate, Ecosystem, FileName, PackageName, Version};

use super::shared::{Origin, YarnEntry};
use super::{
    LintContext, LintFinding, Location, LockError, LockFormat, LockedPackage, Lockfile, Relocate,
    check_entries, shared, yaml,
};

/// What stands before an address in a `resolution`.
const ADDRESS: &str = "::__archiveUrl=";

/// One entry.
struct Entry<'a> {
    resolution: Cow<'a, str>,
    at: usize,
    /// The address, decoded, and where it stands with its mark.
    address: Option<(String, Range<usize>)>,
}

fn read(text: &str) -> Result<Vec<Entry<'_>>, LockError> {
    let mut entries = Vec::new();
    let (mut at, mut metadata, mut depth) = (0, false, None);
    for line in yaml::lines(text)? {
        if line.indent == 0 {
            (at, depth) = (line.at, None);
            metadata |= line.key == "__metadata";
        } else if line.key == "resolution" && *depth.get_or_insert(line.indent) == line.indent {
            check_entries(entries.len() + 1)?;
            let (written, value_at) = (line.value, line.value_at);
            let address = written.find(ADDRESS).map(|begins| {
                let encoded = &written[begins + ADDRESS.len()..];
                let ends = encoded.find(['&', '"', '\'']).unwrap_or(encoded.len());
                let decoded = percent_decode_str(&encoded[..ends]).decode_utf8_lossy().into_owned();
                (decoded, value_at + begins..value_at + begins + ADDRESS.len() + ends)
            });
            entries.push(Entry { resolution: yaml::unquoted(written), at, address });
        } else {
            // A dependency may have a member's name; it stands deeper than the members of the entry.
            depth.get_or_insert(line.indent);
        }
    }
    if metadata { Ok(entries) } else { Err(LockError::Malformed("it has no `__metadata`".into())) }
}

impl YarnEntry for Entry<'_> {
    fn at(&self) -> usize {
        self.at
    }

    fn label(&self) -> &str {
        &self.resolution
    }

    fn judge(package: &LockedPackage, context: &LintContext) -> Option<(String, String, bool)> {
        judge(package, context)
    }

    fn origin(&self, text: &str) -> Result<Origin, LockError> {
        let malformed = |why: &str| {
            LockError::at_offset(text, self.at, format!("`{}`: {why}", self.resolution.escape_debug()))
        };
        let elsewhere = |why, bypasses| Ok(Origin::Elsewhere { why, bypasses });
        let end = self.resolution.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
        let end = end.ok_or_else(|| malformed("expected `name@npm:version`"))?;
        let (name, reference) = (&self.resolution[..end], &self.resolution[end + 1..]);
        let Some(version) = reference.strip_prefix("npm:") else {
            let scheme = reference.split(':').next().unwrap_or_default();
            return match scheme {
                "workspace" | "file" | "link" | "portal" => {
                    elsewhere("is a file or folder of this machine, or a member of the workspace", false)
                }
                "patch" => elsewhere("is a patched copy of another entry", false),
                "git" | "ssh" | "git+ssh" | "git+https" => {
                    elsewhere("comes from git and goes around the door", true)
                }
                _ => elsewhere("is fetched from an address of its own and goes around the door", true),
            };
        };
        let version = version.split("::").next().unwrap_or(version);
        let version = Version::parse(Ecosystem::Npm, version);
        if !version.is_valid() {
            return Err(malformed("expected `name@npm:version`"));
        }
        let name = PackageName::parse(Ecosystem::Npm, name).map_err(|e| malformed(&e.to_string()))?;
        Ok(Origin::Registry(Box::new(LockedPackage {
            file: FileName::parse(&format!("{}-{version}.tgz", name.base())).ok(),
            coordinate: Coordinate { name, version },
            digests: Vec::new(),
            resolved: self.address.as_ref().map(|(address, _)| address.clone()),
            line: None,
            aliased_as: None,
        })))
    }
}

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    shared::parse_yarn(LockFormat::YarnBerry, text, &read(text)?)
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    shared::lint_yarn(text, &read(text)?, context)
}

/// As for any npm package, but that there is no digest by which another registry's file could be told to be the same:
/// what comes from elsewhere is not led to the door.
fn judge(package: &LockedPackage, context: &LintContext) -> Option<(String, String, bool)> {
    let address = package.resolved.as_deref()?;
    let (problem, remedy, _) = shared::judge_npm(package, context, "yarn install")?;
    let ours = context.is_door(address) || context.is_upstream(address);
    let fixable = ours && shared::is_conventional(address, package);
    let mend = "rewrite the lock file (`tidegate lock rewrite`)".to_owned();
    Some((problem, if fixable { mend } else { remedy }, fixable))
}

/// Takes addresses out where Yarn would build the same; it knows no other form for a registry's file.
pub(super) fn rewrite(text: &str, target: &dyn Relocate) -> Result<String, LockError> {
    let mut edits = Vec::new();
    for entry in read(text)? {
        let (Some((address, place)), Origin::Registry(package)) = (&entry.address, entry.origin(text)?)
        else {
            continue;
        };
        match target.location(&package) {
            Some(Location::Omit) if shared::is_conventional(address, &package) => {
                edits.push((place.clone(), String::new()));
            }
            Some(Location::Url(moved)) => {
                let encoded =
                    percent_encoding::utf8_percent_encode(&moved, percent_encoding::NON_ALPHANUMERIC);
                edits.push((place.clone(), format!("{ADDRESS}{encoded}")));
            }
            Some(Location::Omit) | None => {}
        }
    }
    Ok(shared::splice(text, edits))
}

#[cfg(test)]
mod tests;
