//! Builds small, real packages in memory: archives that npm, pip, uv and cargo install like any other.
//!
//! A [`Package`] says what to build; [`Package::build`] makes the files that its ecosystem publishes for one version.
//! Building is deterministic: the same package gives the same bytes and so the same digests.

pub(crate) mod archive;
mod krate;
mod npm;
mod python;
pub(crate) mod vsix;

use bytes::Bytes;
use serde_json::{Map, Value};
use sha2::Digest as _;
use tidegate_model::{Ecosystem, Timestamp};

/// One dependency: a name and a requirement in the words of the ecosystem (`^1.0.0`, `>=1,<2`, `1.2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name of the package that is needed.
    pub name: String,
    /// Which versions of it will do.
    pub requirement: String,
}

/// What a Python project publishes for a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PythonForms {
    /// A wheel only.
    Wheel,
    /// A source distribution only: installing it runs its build backend.
    Sdist,
    /// Both.
    Both,
}

/// The description of one version of a package, to be built and published.
#[derive(Clone, Debug)]
pub struct Package {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) published: Timestamp,
    pub(crate) licence: Option<String>,
    pub(crate) publisher: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) install_code: Option<String>,
    pub(crate) code: String,
    pub(crate) listed: Vec<(String, Value)>,
    pub(crate) extra_files: Vec<(String, Bytes)>,
    pub(crate) forms: PythonForms,
    pub(crate) targets: Vec<String>,
    pub(crate) pack: Vec<String>,
}

/// One file that a registry hosts for a version, with the digests that an index promises.
#[derive(Clone, Debug)]
pub struct BuiltFile {
    /// The file name, as the last segment of its URL.
    pub name: String,
    /// The content.
    pub bytes: Bytes,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub sha256: String,
    /// SHA-1 of the content, lower-case hexadecimal (npm's `shasum`).
    pub sha1: String,
    /// SHA-512 of the content as a W3C Subresource Integrity string (npm's `integrity`).
    pub integrity: String,
    /// A wheel's METADATA file, which an index may offer beside it (PEP 658).
    pub metadata: Option<Bytes>,
    /// npm: the version object of the packument without `dist`; empty for other ecosystems.
    pub(crate) manifest: Map<String, Value>,
}

impl BuiltFile {
    /// The same as an index lists it, with other bytes.
    pub(crate) fn replaced(self, name: &str, bytes: Vec<u8>) -> Self {
        Self { manifest: self.manifest, ..Self::new(name.to_owned(), bytes) }
    }

    fn new(name: String, bytes: Vec<u8>) -> Self {
        let integrity = format!("sha512-{}", base64_of(&sha2::Sha512::digest(&bytes)));
        Self {
            name,
            sha256: hex::encode(sha2::Sha256::digest(&bytes)),
            sha1: hex::encode(sha1::Sha1::digest(&bytes)),
            integrity,
            bytes: bytes.into(),
            metadata: None,
            manifest: Map::new(),
        }
    }
}

pub(crate) fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

impl Package {
    fn new(ecosystem: Ecosystem, name: &str, version: &str) -> Self {
        Self {
            ecosystem,
            name: name.to_owned(),
            version: version.to_owned(),
            published: "2024-01-15T12:00:00Z".parse().expect("a literal time"),
            licence: Some("MIT".to_owned()),
            publisher: "someone".to_owned(),
            dependencies: Vec::new(),
            install_code: None,
            code: String::new(),
            listed: Vec::new(),
            extra_files: Vec::new(),
            forms: PythonForms::Wheel,
            targets: Vec::new(),
            pack: Vec::new(),
        }
    }

    /// An npm package, scoped (`@acme/x`) or not: a tarball with `package.json` and `index.js`.
    pub fn npm(name: &str, version: &str) -> Self {
        Self::new(Ecosystem::Npm, name, version)
    }

    /// A Python project: a pure wheel unless [`Package::forms`] asks for a source distribution.
    pub fn pypi(name: &str, version: &str) -> Self {
        Self::new(Ecosystem::Pypi, name, version)
    }

    /// A Rust library crate.
    pub fn cargo(name: &str, version: &str) -> Self {
        Self::new(Ecosystem::Cargo, name, version)
    }

    /// An editor extension called `publisher.name`: one package for all platforms unless [`Package::targets`] names some.
    pub fn vscode(id: &str, version: &str) -> Self {
        Self::new(Ecosystem::Vscode, id, version)
    }

    /// Extensions: for which platforms a package is built, each.
    pub fn targets(mut self, targets: &[&str]) -> Self {
        self.targets = targets.iter().map(|target| (*target).to_owned()).collect();
        self
    }

    /// Extensions: those that are installed along with it.
    pub fn brings(mut self, ids: &[&str]) -> Self {
        self.pack = ids.iter().map(|id| (*id).to_owned()).collect();
        self
    }

    /// When the registry says the version was published: RFC 3339 or a bare date. Default 2024-01-15.
    ///
    /// # Panics
    /// Where `text` is no time.
    pub fn published(mut self, text: &str) -> Self {
        self.published = text.parse().expect("the test names a valid time");
        self
    }

    /// Needs `name` in the versions that `requirement` allows.
    pub fn depends_on(mut self, name: &str, requirement: &str) -> Self {
        self.dependencies.push(Dependency { name: name.to_owned(), requirement: requirement.to_owned() });
        self
    }

    /// The licence expression; `None` leaves the field out. Default `MIT`.
    pub fn licence(mut self, expression: Option<&str>) -> Self {
        self.licence = expression.map(str::to_owned);
        self
    }

    /// The account that published the version. Default `someone`.
    pub fn publisher(mut self, account: &str) -> Self {
        account.clone_into(&mut self.publisher);
        self
    }

    /// Code that runs while the package is installed. npm: the command of `scripts.install`; cargo: the statements of
    /// `main` in `build.rs`; PyPI: statements of the source distribution's build backend (a wheel runs nothing).
    pub fn runs_on_install(mut self, code: &str) -> Self {
        self.install_code = Some(code.to_owned());
        self
    }

    /// Code that runs when the package is loaded: npm: `index.js`; PyPI: `__init__.py`; cargo: items of `src/lib.rs`.
    pub fn code(mut self, code: &str) -> Self {
        code.clone_into(&mut self.code);
        self
    }

    /// What the index says in one place instead of what the package says there. npm: a member of the version object, gone
    /// where `value` is null; cargo: a member of the line; PyPI: `metadata`, the whole text beside the wheel.
    pub fn listed(mut self, member: &str, value: Value) -> Self {
        self.listed.push((member.to_owned(), value));
        self
    }

    /// One more file, by its path below the package's root.
    pub fn file(mut self, path: &str, bytes: impl Into<Bytes>) -> Self {
        self.extra_files.push((path.to_owned(), bytes.into()));
        self
    }

    /// A file of `bytes` incompressible bytes, so that the archive is about that large.
    pub fn padded(self, bytes: usize) -> Self {
        let seed = self.name.bytes().chain(self.version.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        self.file("padding.bin", archive::noise(seed, bytes))
    }

    /// PyPI: which forms are published. Default: a wheel only.
    pub fn forms(mut self, forms: PythonForms) -> Self {
        self.forms = forms;
        self
    }

    /// The ecosystem that the package belongs to.
    pub fn ecosystem(&self) -> Ecosystem {
        self.ecosystem
    }

    /// The name as published.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version as published.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The files that the ecosystem publishes for this version: one, or two where a Python project has both forms.
    pub fn build(&self) -> Vec<BuiltFile> {
        match self.ecosystem {
            Ecosystem::Npm => vec![npm::tarball(self)],
            Ecosystem::Pypi => python::files(self),
            Ecosystem::Cargo => vec![krate::archive(self)],
            // A repository of the hub has commits, one of images has manifests, servers have listings: see `Catalog::commit`,
            // `Catalog::image` and `Catalog::list`.
            Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp => Vec::new(),
            Ecosystem::Vscode => vsix::files(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_package_has_the_same_bytes() {
        for package in [
            Package::npm("@acme/x", "1.0.0").padded(1000),
            Package::pypi("Some.Thing", "1.0").forms(PythonForms::Both),
            Package::cargo("thing", "0.1.0").runs_on_install(""),
        ] {
            let (one, two) = (package.build(), package.build());
            let digests = |files: &[BuiltFile]| files.iter().map(|f| f.sha256.clone()).collect::<Vec<_>>();
            assert_eq!(digests(&one), digests(&two), "{}", package.name());
        }
    }

    #[test]
    fn file_names_follow_the_ecosystem() {
        let names = |package: Package| package.build().into_iter().map(|f| f.name).collect::<Vec<_>>();
        assert_eq!(names(Package::npm("@acme/x", "1.0.0")), ["x-1.0.0.tgz"]);
        assert_eq!(
            names(Package::pypi("Some.Thing", "1.0").forms(PythonForms::Both)),
            ["some_thing-1.0-py3-none-any.whl", "some_thing-1.0.tar.gz"]
        );
        assert_eq!(names(Package::cargo("thing", "0.1.0")), ["thing-0.1.0.crate"]);
    }

    #[test]
    fn padding_decides_the_size() {
        let size = Package::npm("big", "1.0.0").padded(200_000).build()[0].bytes.len();
        assert!((200_000..202_000).contains(&size), "{size}");
    }
}
