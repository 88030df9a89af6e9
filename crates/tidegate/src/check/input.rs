//! What a person asks about: a package URL, a lock file or an inventory.

use std::collections::HashMap;
use std::path::Path;

use sha2::Digest as _;
use tidegate_ecosystems::inventory::{self, Inventory, InventoryError, Place, Purl, Scope};
use tidegate_ecosystems::lockfile::{self, LockFormat, Lockfile, MAX_LOCKFILE_BYTES};
use tidegate_model::coordinate::PackageRef;
use tidegate_model::{Algorithm, Digest, Ecosystem, Sha256};

use super::inside::{BytesError, Source};
use crate::inspection::Seen;
use crate::reports::Subject;

/// One component to ask about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The input it comes from, as given.
    pub input: String,
    /// Package URL in its canonical form; none where a component has none.
    pub purl: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version, unless the person or the inventory left it out.
    pub version: Option<String>,
    /// The files that a lock file names.
    pub files: Vec<String>,
    /// The digests that the input promises for its files.
    pub digests: Vec<Digest>,
    /// Its licence, as the inventory states it.
    pub licence: Option<String>,
    /// What it is needed for.
    pub scope: Option<Scope>,
    /// Where in the file it stands.
    pub place: Option<Place>,
    /// Whether it is a part of something, so that without a version it is not the newest that is meant.
    pub is_component: bool,
    /// Why it has no package URL.
    pub why_nameless: Option<String>,
    /// What was seen in its bytes, which are those of the one digest, where they are at hand.
    pub seen: Option<Box<Seen>>,
}

/// Something in a file that is no component which can be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which entry.
    pub what: String,
    /// What is the matter with it.
    pub why: String,
    /// Line, from 1.
    pub line: Option<u32>,
}

/// One input, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// As given.
    pub given: String,
    /// What it is of.
    pub subject: Subject,
    /// Components, in order, each once.
    pub items: Vec<Item>,
    /// What could not be read as a component.
    pub notes: Vec<Note>,
    /// How many more of these there were.
    pub notes_left_out: usize,
    /// How many entries are the project's own and not looked up.
    pub local: usize,
}

/// An input that cannot be asked about.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It looks like a package URL and is none.
    #[error(transparent)]
    Purl(#[from] tidegate_model::coordinate::InvalidPurl),
    /// As above, of a type that is none of ours.
    #[error("`{}` is no package URL such as pkg:npm/left-pad@1.3.0: {why}", .given.escape_debug())]
    ForeignPurl {
        /// What was given.
        given: String,
        /// What is wrong.
        why: inventory::NotAPurl,
    },
    /// It is neither.
    #[error(
        "`{0}` is no package URL, and there is no such file: give pkg:npm/left-pad@1.3.0, or the path of a file or folder"
    )]
    Unknown(String),
    /// An inventory in a form that is not read.
    #[error(
        "`{path}` is no lock file or SBOM that tidegate reads{hint}\n  lock files: \
         package-lock.json, npm-shrinkwrap.json, pnpm-lock.yaml, yarn.lock, requirements*.txt, uv.lock, poetry.lock, \
         Pipfile.lock, Cargo.lock, go.mod, go.sum, pom.xml, gradle.lockfile, Gemfile.lock, composer.lock\n  SBOMs as JSON: \
         CycloneDX 1.2 to 1.7, SPDX 2.2, 2.3 and 3.0"
    )]
    File {
        /// Which file.
        path: String,
        /// What it looks like, beginning with `; `.
        hint: &'static str,
    },
    /// A file that breaks its format.
    #[error("`{path}`: {why}\n  make the file anew with the tool that wrote it, or give another")]
    Malformed {
        /// Which file.
        path: String,
        /// Where and what is wrong.
        why: String,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    Bytes(#[from] BytesError),
}

/// What was given.
#[derive(Debug)]
pub enum Given {
    /// Components: a package URL, a lock file, an inventory.
    Components(Input),
    /// A file that is looked into.
    File(Source),
    /// A folder that is looked into.
    Folder,
}

/// Bytes by which it is told whether a file is text.
const HEAD_BYTES: usize = 8 << 10;

impl Input {
    /// Reads what was given: a lock file or an inventory is one by its content or its name; every other file is looked into.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn read(given: &str) -> Result<Given, InputError> {
        if given.starts_with("pkg:") {
            return Self::of_purl(given).map(Given::Components);
        }
        let failed =
            |error: std::io::Error| BytesError::Read { given: given.to_owned(), why: error.to_string() };
        let found = match std::fs::metadata(given) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(InputError::Unknown(given.to_owned()));
            }
            found => found.map_err(failed)?,
        };
        if found.is_dir() {
            return Ok(Given::Folder);
        }
        let mut source = Source::open(given, &found)?;
        if is_binary(&source.head(HEAD_BYTES)?) {
            return Ok(Given::File(source));
        }
        let bytes = source.head(MAX_LOCKFILE_BYTES + 1)?;
        match Self::of_file(given, &bytes)? {
            Some(input) => Ok(Given::Components(input)),
            None => Ok(Given::File(source)),
        }
    }

    fn of_purl(given: &str) -> Result<Self, InputError> {
        let foreign = |why| InputError::ForeignPurl { given: given.chars().take(300).collect(), why };
        let purl = given.parse::<Purl>();
        let ours = purl.as_ref().is_ok_and(|purl| purl.ty.parse::<Ecosystem>().is_ok());
        if ours || purl.is_err() {
            PackageRef::parse(given)?;
        }
        let purl = purl.map_err(foreign)?;
        let item = Item {
            input: given.to_owned(),
            name: purl.full_name(),
            version: purl.version.clone(),
            purl: Some(purl.to_string()),
            ..Item::default()
        };
        let subject = Subject {
            name: item.name.clone(),
            version: item.version.clone(),
            purl: item.purl.clone(),
            ..Subject::default()
        };
        Ok(Self { given: given.to_owned(), subject, items: vec![item], ..Self::default() })
    }

    /// A lock file or an inventory; none where it is neither.
    fn of_file(given: &str, bytes: &[u8]) -> Result<Option<Self>, InputError> {
        let malformed = |why: String| InputError::Malformed { path: given.to_owned(), why };
        let is_lock = LockFormat::detect(given, bytes).is_some();
        if bytes.len() > MAX_LOCKFILE_BYTES {
            if is_lock || names_inventory(bytes) {
                let why = "it is larger than 64 MiB, which no lock file or SBOM is read up to";
                return Err(malformed(why.into()));
            }
            return Ok(None);
        }
        let mut input = if is_lock {
            Self::of_lock(given, lockfile::parse(given, bytes).map_err(|e| malformed(e.to_string()))?)
        } else {
            match inventory::parse(given, bytes) {
                Ok(inventory) => Self::of_inventory(given, inventory),
                Err(InventoryError::UnknownFormat { hint: "", .. }) => return Ok(None),
                Err(InventoryError::UnknownFormat { hint, .. }) => {
                    return Err(InputError::File { path: given.to_owned(), hint });
                }
                Err(other) => return Err(malformed(other.to_string())),
            }
        };
        input.given = given.to_owned();
        input.subject.file = Some(given.to_owned());
        input.subject.sha256 = Some(Sha256::new(sha2::Sha256::digest(bytes).into()));
        if input.subject.name.is_empty() {
            let name = Path::new(given).file_name().map(|name| name.to_string_lossy().into_owned());
            input.subject.name = name.unwrap_or_else(|| given.to_owned());
        }
        Ok(Some(input))
    }

    fn of_lock(given: &str, lock: Lockfile) -> Self {
        let mut input = Self::default();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for package in lock.packages {
            let purl = package.coordinate.purl();
            // A package that is installed in several places, or pinned by several files, is one package.
            let at = *seen.entry(purl.clone()).or_insert_with(|| {
                input.items.push(Item {
                    input: given.to_owned(),
                    // The one spelling of reports and answers.
                    purl: Some(purl.parse::<Purl>().map_or(purl, |purl| purl.to_string())),
                    name: package.coordinate.name.as_str().to_owned(),
                    version: Some(package.coordinate.version.as_str().to_owned()),
                    place: package.line.map(|line| Place { line, pointer: None }),
                    is_component: true,
                    ..Item::default()
                });
                input.items.len() - 1
            });
            let item = &mut input.items[at];
            if let Some(file) = package.file.map(|file| file.as_str().to_owned())
                && !item.files.contains(&file)
            {
                item.files.push(file);
            }
            for digest in package.digests {
                if !item.digests.contains(&digest) {
                    item.digests.push(digest);
                }
            }
        }
        input.local = lock.skipped.iter().filter(|entry| entry.local).count();
        let elsewhere = lock.skipped.into_iter().filter(|entry| !entry.local);
        input.notes =
            elsewhere.map(|entry| Note { what: entry.what, why: entry.why, line: entry.line }).collect();
        input
    }

    fn of_inventory(given: &str, inventory: Inventory) -> Self {
        let mut input = Self::default();
        let mut seen = HashMap::new();
        for component in inventory.components {
            let purl = component.purl.as_ref().map(Purl::to_string);
            let key = (purl.clone(), component.name.clone(), component.version.clone());
            // One that stands there twice is one.
            if seen.insert(key, ()).is_some() {
                continue;
            }
            input.items.push(Item {
                input: given.to_owned(),
                why_nameless: component.purl.is_none().then(|| why_nameless(&component.osv)),
                // A version that stands beside the package URL and not in it belongs to it.
                purl: component.purl.map(|mut purl| {
                    purl.version = purl.version.or_else(|| component.version.clone());
                    purl.to_string()
                }),
                name: component.name,
                version: component.version,
                files: Vec::new(),
                digests: component.digests,
                licence: component.licence,
                scope: component.scope,
                place: Some(component.place),
                is_component: true,
                seen: None,
            });
        }
        input.notes = inventory
            .remarks
            .into_iter()
            .map(|remark| Note { what: remark.what, why: remark.why, line: Some(remark.line) })
            .collect();
        input.notes_left_out = inventory.remarks_left_out;
        if let Some(subject) = inventory.subject {
            input.subject.purl = subject.purl.as_ref().map(Purl::to_string);
            input.subject.name = subject.name;
            input.subject.version = subject.version;
        }
        input
    }

    /// Whether a person named the packages one by one.
    pub fn is_purl(&self) -> bool {
        self.subject.file.is_none()
    }
}

fn why_nameless(osv: &Result<inventory::OsvPackage, inventory::NoOsv>) -> String {
    match osv {
        Err(why) => why.to_string(),
        Ok(_) => inventory::NoOsv::NoPurl.to_string(),
    }
}

/// The digest of a single file.
pub(super) fn sha256(item: &Item) -> Option<String> {
    let mut found = item.digests.iter().filter(|digest| digest.algorithm() == Algorithm::Sha256);
    found.next().filter(|_| found.next().is_none()).map(Digest::hex)
}

/// Whether bytes begin something that is no text.
pub fn is_binary(head: &[u8]) -> bool {
    /// What archives without a zero byte nearby begin with.
    const MAGIC: [&[u8]; 5] = [b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"];
    head.contains(&0) || MAGIC.iter().any(|magic| head.starts_with(magic))
}

/// Whether a text that is too long to be read says that it is an inventory.
fn names_inventory(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD_BYTES)]);
    ["bomFormat", "spdxVersion", "spdx.org/rdf", "cyclonedx.org/schema"]
        .iter()
        .any(|word| head.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &str) -> Item {
        match Input::read(given).unwrap() {
            Given::Components(mut input) => input.items.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn of_file(given: &str, text: &str) -> Input {
        Input::of_file(given, text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn inputs_are_told_apart() {
        assert_eq!(read("pkg:npm/left-pad@1.3.0").purl.unwrap(), "pkg:npm/left-pad@1.3.0");
        assert_eq!(read("pkg:maven/org.x/y@1?type=jar").purl.unwrap(), "pkg:maven/org.x/y@1?type=jar");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("image.tar");
        std::fs::write(&file, "x").unwrap();
        std::fs::write(folder.path().join("Cargo.lock"), "").unwrap();
        let why = |given: &str| Input::read(given).unwrap_err().to_string();
        assert!(why("pkg:npm").contains("is not a package URL"));
        assert!(why("pkg:npm/..%2f..@1").contains("not a valid npm package name"));
        assert!(why("pkg:maven/").contains("pkg:maven/"));
        assert!(why("left-pad").contains("no such file"));
        let read = |path: &Path| Input::read(path.to_str().unwrap()).unwrap();
        assert!(matches!(read(folder.path()), Given::Folder));
        assert!(matches!(read(&file), Given::File(_)));
        assert!(matches!(read(&folder.path().join("Cargo.lock")), Given::Components(_)));
        assert!(why("/dev/zero").contains("is a device"));
    }

    #[test]
    fn content_decides_what_is_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str, bytes: &[u8]| {
            let file = folder.path().join(name);
            std::fs::write(&file, bytes).unwrap();
            Input::read(file.to_str().unwrap())
        };
        for (name, bytes) in
            [("x.js", &b"var a"[..]), ("requirements.txt", b"PK\x03\x04"), ("bom.json", b"\0\0")]
        {
            assert!(matches!(read(name, bytes), Ok(Given::File(_))), "{name}");
        }
        assert!(matches!(read("requirements.txt", b"x==1\n"), Ok(Given::Components(_))));
        let xml = b"<bom xmlns='http://cyclonedx.org/schema/bom/1.5'/>";
        assert!(read("bom.xml", xml).unwrap_err().to_string().contains("convert it to JSON"));
    }

    #[test]
    fn a_lock_file_gives_each_package_once() {
        let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"registry+https://registry.example/index\"\nchecksum = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n\n[[package]]\nname = \"y\"\nversion = \"1.0.0\"\nsource = \"git+https://git.example/y\"\n";
        let input = of_file("Cargo.lock", lock);
        assert_eq!(input.items.len(), 1);
        assert_eq!(input.items[0].purl.as_deref(), Some("pkg:cargo/x@1.0.0"));
        assert!(sha256(&input.items[0]).unwrap().starts_with("e3b0"));
        // What is the project's own is counted; what is fetched past every registry is told.
        assert_eq!((input.local, input.notes.len()), (1, 1));
        assert!(input.notes[0].what.contains('y'), "{:?}", input.notes);
    }

    #[test]
    fn files_of_one_version_are_one_component() {
        let lock = "version = 1\nrequires-python = \">=3.9\"\n\n[[package]]\nname = \"x\"\nversion = \"1.0\"\nsource = { registry = \"https://registry.example/simple\" }\nsdist = { url = \"https://files.example/x-1.0.tar.gz\", hash = \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\" }\nwheels = [{ url = \"https://files.example/x-1.0-py3-none-any.whl\", hash = \"sha256:f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\" }]\n";
        let input = of_file("uv.lock", lock);
        assert_eq!(input.items.len(), 1);
        assert_eq!(input.items[0].files.len(), 2);
        assert_eq!(sha256(&input.items[0]), None, "two files have no one digest");
    }

    #[test]
    fn a_component_without_a_package_url_stays_one() {
        let bom = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
            {"type":"library","name":"inner","version":"2"},
            {"type":"library","name":"y","version":"1","purl":"pkg:maven/org.x/y@1"},
            {"type":"library","name":"y","version":"1","purl":"pkg:maven/org.x/y@1"}]}"#;
        let input = of_file("bom.json", bom);
        assert_eq!(input.items.len(), 2);
        assert_eq!(input.items[0].purl, None);
        assert!(input.items[0].why_nameless.as_deref().unwrap().contains("no package URL"));
        assert_eq!(input.items[1].purl.as_deref(), Some("pkg:maven/org.x/y@1"));
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        let why = |name: &str, text: &str| Input::of_file(name, text.as_bytes()).unwrap_err().to_string();
        let told = why("a/Cargo.lock", "version = 4\n[[package]\n");
        assert!(told.contains("`a/Cargo.lock`: line 2") && told.contains("make the file anew"), "{told}");
        let told =
            why("bom.json", "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\n\"components\":[}");
        assert!(told.contains("`bom.json`: line 2"), "{told}");
    }
}
