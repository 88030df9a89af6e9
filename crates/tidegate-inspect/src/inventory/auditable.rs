//! What `cargo auditable` writes into programs: the crates of the build, as JSON in zlib in a section of their own.

use std::io::Read as _;

use super::objects::Section;
use super::{Found, How};

/// Bytes of the list when it is unpacked. That of the largest programs has some hundred thousand.
const LIST_BYTES: u64 = 4 << 20;

/// Crates of one program.
const CRATES: usize = 10_000;

/// Sections of its name that are tried; a program has one.
const SECTIONS: usize = 2;

const SECTION: &[u8] = b".dep-v0";

#[derive(serde::Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(serde::Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    root: bool,
}

/// The crates of a program: what was built into it, not what built it.
pub(super) fn crates(sections: &[Section<'_>]) -> Vec<Found> {
    sections
        .iter()
        .filter(|section| section.name == SECTION)
        .take(SECTIONS)
        .find_map(read)
        .unwrap_or_default()
}

fn read(section: &Section<'_>) -> Option<Vec<Found>> {
    let mut text = Vec::new();
    flate2::read::ZlibDecoder::new(section.data).take(LIST_BYTES).read_to_end(&mut text).ok()?;
    let list: List = serde_json::from_slice(&text).ok()?;
    let built_in = |one: &Crate| one.kind.as_deref() != Some("build");
    let found = list.packages.into_iter().filter(built_in).take(CRATES).map(|one| {
        let mut found = Found::exact("cargo", None, &one.name, Some(&one.version), How::CargoAuditable);
        found.is_own = one.root;
        // Crates from folders and repositories share names with others of the registry. The public one is named by its host.
        let is_public = one.source.starts_with("crates.") || one.source == "registry";
        if !is_public {
            found.kind = "";
        }
        found
    });
    Some(found.collect())
}
