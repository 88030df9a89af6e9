//! What packages say of themselves: name, version and licence, as each ecosystem's own file in the package has them.
//!
//! Which file that is, its clients know by the name; so does [`read`]. A file that cannot be read as what its name says gives
//! nothing. Nothing of a manifest is trusted or resolved: no parent of a `pom.xml`, no property but its own version.

mod headers;
mod json;
mod lines;
mod standing;
mod toml;
mod xml;

pub(crate) use standing::{Standing, file_name, inner, segments};

use crate::report::Leaf;

/// The longest manifest that is read, in bytes.
const MANIFEST_BYTES: usize = 1 << 20;

/// The longest name or version that is believed, in bytes.
const NAME_BYTES: usize = 256;

/// Statements about licences that are taken from one manifest.
const STATEMENTS: usize = 64;

/// A package as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Type of the package URL: `npm`, `pypi`, `maven`, …
    pub(crate) kind: &'static str,
    /// Group, scope or distribution.
    pub(crate) namespace: Option<String>,
    /// Its name, without the namespace.
    pub(crate) name: Option<String>,
    /// Its version.
    pub(crate) version: Option<String>,
    /// What it says of its licence.
    pub(crate) statements: Vec<Statement>,
    /// Which file of the ecosystem says so.
    pub(crate) source: &'static str,
}

/// One statement about a licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The field, as the file names it.
    pub(crate) field: &'static str,
    /// What it says.
    pub(crate) text: String,
}

impl Manifest {
    fn new(kind: &'static str, source: &'static str) -> Self {
        Self { kind, source, ..Self::default() }
    }

    fn state(&mut self, field: &'static str, text: &str) {
        if self.statements.len() < STATEMENTS && !text.trim().is_empty() {
            self.statements.push(Statement { field, text: text.trim().to_owned() });
        }
    }
}

/// A name or version that can be one.
fn believable(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.len() <= NAME_BYTES
        && !text.contains(|c: char| c.is_control() || c.is_whitespace());
    fits.then(|| text.to_owned())
}

/// Reads a manifest, if that is what a leaf is.
pub(crate) fn read(leaf: &Leaf<'_>) -> Option<Manifest> {
    let path = inner(leaf.path);
    let file = file_name(path);
    let reader = reader(path, file)?;
    if leaf.bytes.len() > MANIFEST_BYTES {
        return None;
    }
    let text = std::str::from_utf8(leaf.bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    reader(text)
}

type Reader = fn(&str) -> Option<Manifest>;

fn reader(path: &str, file: &str) -> Option<Reader> {
    let within = |folder: &str| segments(path).rev().nth(1).is_some_and(|parent| parent.ends_with(folder));
    Some(match file {
        "package.json" => json::npm,
        "index.json" if within("info") => json::conda,
        "METADATA" if within(".dist-info") => headers::metadata,
        "PKG-INFO" => headers::pkg_info,
        "control" if path == "control" || path == "./control" => headers::debian,
        "MANIFEST.MF" if within("META-INF") => headers::jar,
        "pom.properties" => lines::pom_properties,
        "Cargo.toml" => toml::cargo,
        "pom.xml" => xml::pom,
        "metadata" | "metadata.gz" => lines::gem,
        "copyright" if path.contains("usr/share/doc/") => headers::debian_copyright,
        _ if has_extension(file, "nuspec") => xml::nuspec,
        _ if has_extension(file, "pom") => xml::pom,
        _ => return None,
    })
}

fn has_extension(file: &str, extension: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, have)| have.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests;
