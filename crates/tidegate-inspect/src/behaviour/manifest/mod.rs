//! What a package says of itself, in the same form for every ecosystem: what runs when, what it depends on.
//!
//! Readers are lenient as the clients are: an unknown or damaged field is as if it were absent. They refuse to resolve
//! anything: a dependency stays the text that it is.

pub mod cargo;
pub mod npm;
pub mod python;
#[cfg(test)]
mod tests;

/// Entries of each list that are kept.
pub(crate) const ENTRIES: usize = 2_000;

/// Bytes of a command line or specification that are kept.
pub(crate) const VALUE_BYTES: usize = 16 << 10;

/// A command line of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// What it is called: `postinstall`, `<!(`.
    pub name: String,
    /// The command line.
    pub command: String,
    /// File that holds it, within the package.
    pub path: String,
    /// Line there.
    pub line: u32,
}

/// A dependency as it is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Name.
    pub name: String,
    /// Range, address or path, as written.
    pub requirement: String,
    /// `dependencies`, `optionalDependencies`, `build-dependencies`, an extra.
    pub kind: String,
}

/// A program that the package installs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// The command's name.
    pub name: String,
    /// File (npm) or `module:function` (Python).
    pub target: String,
}

/// What a package says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// File that says it, within the package.
    pub path: String,
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Command lines that installing from a registry runs.
    pub hooks: Vec<Script>,
    /// Command lines that it does not run.
    pub scripts: Vec<Script>,
    /// Files or modules that are loaded when the package is.
    pub entries: Vec<String>,
    /// Files that run while it is installed or built.
    pub builds: Vec<String>,
    /// Programs.
    pub programs: Vec<Program>,
    /// Dependencies.
    pub dependencies: Vec<Dependency>,
    /// Dependencies that lie in the package.
    pub bundled: Vec<String>,
    /// Whether it says that it brings or builds native code, or that it is for one platform.
    pub is_native: bool,
    /// Build back end that lies in the package: the module's name.
    pub own_backend: Option<String>,
    /// Whether it is a procedural macro.
    pub is_macro: bool,
    /// Whether it is an extension of an editor, which calls what its entries give away.
    pub is_extension: bool,
}

impl Manifest {
    /// Whether a dependency is an address rather than a range of versions of a registry.
    pub fn by_address(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|dependency| is_address(&dependency.requirement))
    }
}

/// Whether a requirement is fetched from an address rather than from the registry.
fn is_address(requirement: &str) -> bool {
    let text = requirement.trim().to_ascii_lowercase();
    let schemes = [
        "http://",
        "https://",
        "git://",
        "git+",
        "git@",
        "github:",
        "gitlab:",
        "bitbucket:",
        "gist:",
        "ssh://",
        "hg+",
        "svn+",
    ];
    schemes.iter().any(|scheme| text.starts_with(scheme))
        || is_shorthand(&text)
        || text.starts_with("@ ") && text.contains("://")
}

/// `owner/repository`, which npm takes from a code host.
fn is_shorthand(text: &str) -> bool {
    let text = text.split('#').next().unwrap_or_default();
    text.split('/').count() == 2
        && !text.starts_with(['@', '.', '/', '~', '<', '>', '=', '^'])
        && !text.contains([' ', ':', '|'])
        && text
            .split('/')
            .all(|part| !part.is_empty() && part.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The line of a text in another, from 1.
pub(crate) fn line_of(text: &str, needle: &str) -> u32 {
    let at = text.find(needle).unwrap_or(0);
    u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(u32::MAX)
}

/// A text that is not longer than a value may be.
pub(crate) fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(VALUE_BYTES)].to_owned()
}
