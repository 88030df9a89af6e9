//! Names already seen in one archive, kept as 64 bits each: their number is bounded by the budget for members.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use crate::path;
use crate::report::OddityKind;
use crate::walk::Walk;

/// Names of one archive, and the offsets at which they stood.
#[derive(Default)]
pub(super) struct Names {
    /// Hash of the name, whether it is a link.
    seen: HashMap<u64, bool, BuildHasherDefault<DefaultHasher>>,
    links: bool,
}

impl Names {
    /// Tells what is wrong with the name of a member: by itself, and beside the others.
    pub(super) fn member(
        &mut self,
        walk: &mut Walk<'_>,
        path: &str,
        name: &[u8],
        offset: u64,
        is_folder: bool,
    ) {
        walk.name(path, name, offset);
        if self.links {
            self.through_link(walk, path, name, offset);
        }
        if self.seen.insert(hash(name), false).is_some() && !is_folder {
            walk.oddity(OddityKind::DuplicateName, path, offset, "a member of this name came before");
        }
        let own = name.rsplit(|&b| b == b'/').next().unwrap_or_default();
        if own.starts_with(b".wh.") {
            walk.oddity(OddityKind::Whiteout, path, offset, "removes a file of a lower layer");
        }
    }

    /// Tells of a link and remembers it.
    pub(super) fn link(
        &mut self,
        walk: &mut Walk<'_>,
        path: &str,
        name: &[u8],
        target: &[u8],
        offset: u64,
        hard: bool,
    ) {
        self.member(walk, path, name, offset, false);
        let shown = path::printable(target);
        walk.oddity(
            OddityKind::Link,
            path,
            offset,
            format!("{} link to `{shown}`", if hard { "hard" } else { "symbolic" }),
        );
        // A hard link's target is a name of the archive, not relative to the link.
        if path::leads_out(if hard { b"" } else { name }, target) {
            walk.oddity(OddityKind::LinkOutside, path, offset, format!("link to `{shown}`"));
        }
        if !hard {
            self.seen.insert(hash(name), true);
            self.links = true;
        }
    }

    fn through_link(&self, walk: &mut Walk<'_>, path: &str, name: &[u8], offset: u64) {
        // Folders of a name are few: a name of thousands of them is told as too long.
        let folders =
            name.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| &name[..at]).take(64);
        for folder in folders {
            if self.seen.get(&hash(folder)) == Some(&true) {
                let detail = format!("lies behind the link `{}`", path::printable(folder));
                walk.oddity(OddityKind::ThroughLink, path, offset, detail);
                return;
            }
        }
    }
}

/// Of the name without `./`, empty parts and a slash at its end: so that two spellings of one file are one.
fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in name.split(|&b| b == b'/').filter(|part| !part.is_empty() && *part != b".") {
        part.hash(&mut hasher);
    }
    hasher.finish()
}
