//! Lock files led through the door and back.
//!
//! Most lock files name no door: npm leaves addresses out when asked to, cargo writes the registry that was replaced. uv
//! writes the address of every file, so its lock file is led through the door before a run and back after it. What is
//! written back is what stood there before, else what the upstream's index says: never a guess.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_ecosystems::lockfile::{self, LintContext, Location, LockFormat, LockedPackage, Relocate};
use tidegate_model::Ecosystem;
use toml_edit::DocumentMut;
use url::Url;

use crate::clients::{LockFile, LockKind, LockMender, repository_url};

/// Finds where a file lies at its upstream.
pub trait Whereabouts {
    /// The address of a file behind the door, by package URL with version and file name.
    ///
    /// # Errors
    /// Why it is not known, for people.
    fn upstream_of(&self, purl: &str, file: &str) -> Result<String, String>;
}

/// Which way addresses are led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    /// Through the door.
    Door,
    /// To what lies behind the door, so that the file works without it.
    Upstream,
}

/// What is known of a door when a lock file is rewritten.
pub struct Relocation<'a> {
    /// The door's base address, as clients are given it.
    pub door: Url,
    /// Every address under which doors of this machine were reached.
    pub doors: Vec<Url>,
    /// Upstreams behind the door, the main one of each ecosystem first.
    pub upstreams: Vec<(Ecosystem, Url)>,
    /// Where files lie.
    pub whereabouts: Box<dyn Whereabouts + 'a>,
}

impl Relocation<'_> {
    /// What a lint compares addresses with.
    pub fn lint_context(&self) -> LintContext {
        LintContext {
            doors: self.doors.clone(),
            upstreams: self.upstreams.iter().map(|(_, url)| url.clone()).collect(),
        }
    }

    /// A lock file led one way. `original` is the same file as it stood before it was led the other way; `foreign` are
    /// indexes that the project asks for by name and that are left alone.
    ///
    /// # Errors
    /// The file cannot be read, or a file's address behind the door cannot be found.
    pub fn rewrite(
        &self,
        name: &str,
        bytes: &[u8],
        towards: Towards,
        original: Option<&[u8]>,
        foreign: &[String],
    ) -> Result<Vec<u8>, String> {
        let before = original.and_then(|bytes| lockfile::parse(name, bytes).ok());
        let known = before.into_iter().flat_map(|lock| lock.packages).filter_map(|package| {
            let file = package.file.as_ref()?.as_str().to_owned();
            Some(((package.coordinate.purl(), file), package.resolved?))
        });
        let index = original.and_then(main_index).filter(|index| !self.lint_context().is_door(index));
        let pass = Pass {
            relocation: self,
            context: self.lint_context(),
            towards,
            known: known.collect(),
            index,
            format: LockFormat::detect(name, bytes),
            main_host: main_host(name, bytes),
            ours: if name.ends_with("uv.lock") { uv_packages(bytes, foreign) } else { None },
            foreign,
            failed: std::cell::RefCell::new(None),
        };
        let rewritten = lockfile::rewrite(name, bytes, &pass).map_err(|error| error.to_string())?;
        pass.failed.into_inner().map_or(Ok(rewritten), Err)
    }

    fn upstream(&self, ecosystem: Ecosystem) -> Option<&Url> {
        self.upstreams.iter().find(|(other, _)| *other == ecosystem).map(|(_, url)| url)
    }

    fn door_index(&self) -> String {
        let mut url = repository_url(&self.door, Ecosystem::Pypi);
        // Credentials come from the client's configuration and never stand in a lock file.
        let _has_none = url.set_username("").and_then(|()| url.set_password(None));
        url.to_string()
    }

    fn door_tarball(&self, package: &LockedPackage) -> Option<String> {
        let mut url = repository_url(&self.door, Ecosystem::Npm);
        let _has_none = url.set_username("").and_then(|()| url.set_password(None));
        let name = package.coordinate.name.as_str().split('/');
        let below = name.chain(["-", package.file.as_ref()?.as_str()]);
        url.path_segments_mut().ok()?.pop_if_empty().extend(below);
        Some(url.to_string())
    }

    fn door_file(&self, package: &LockedPackage) -> Option<String> {
        let file = package.file.as_ref()?;
        let mut url: Url = self.door_index().parse().ok()?;
        url.path_segments_mut().ok()?.pop().extend([
            "files",
            package.coordinate.name.as_str(),
            file.as_str(),
        ]);
        Some(url.to_string())
    }
}

/// One rewriting of one lock file.
struct Pass<'a> {
    relocation: &'a Relocation<'a>,
    context: LintContext,
    towards: Towards,
    /// Addresses that stood in the file before, by package URL and file name.
    known: BTreeMap<(String, String), String>,
    /// The index that stood in the file before.
    index: Option<String>,
    format: Option<LockFormat>,
    /// Host and port that most addresses of the file name.
    main_host: Option<String>,
    /// Names whose index is the default one; `None` where the format has no indexes.
    ours: Option<BTreeSet<String>>,
    foreign: &'a [String],
    failed: std::cell::RefCell<Option<String>>,
}

impl Pass<'_> {
    /// An address behind the door for one that is at the door.
    fn behind(&self, package: &LockedPackage) -> Option<String> {
        let (purl, file) = (package.coordinate.purl(), package.file.as_ref()?.as_str());
        if let Some(before) =
            self.known.get(&(purl.clone(), file.to_owned())).filter(|before| !self.context.is_door(before))
        {
            return Some(before.clone());
        }
        match self.relocation.whereabouts.upstream_of(&purl, file) {
            Ok(address) => Some(address),
            Err(why) => {
                self.failed.borrow_mut().get_or_insert(why);
                None
            }
        }
    }
}

impl Pass<'_> {
    /// The address of a file in a format that must name one. What other registries than the main one have stays theirs.
    fn yarn_address(&self, package: &LockedPackage, address: &str) -> Option<String> {
        let at_door = self.context.is_door(address);
        match self.towards {
            Towards::Upstream => at_door.then(|| self.behind(package)).flatten(),
            Towards::Door => {
                let main = is_pinned(package) && host(address).is_some() && host(address) == self.main_host;
                let ours = self.context.is_upstream(address) || main;
                (ours && !at_door).then(|| self.relocation.door_tarball(package)).flatten()
            }
        }
    }
}

/// Whether a digest that cannot be forged says which bytes are meant, wherever they come from.
fn is_pinned(package: &LockedPackage) -> bool {
    package.digests.iter().any(|digest| digest.algorithm().is_strong())
}

/// Host and port of an address.
fn host(address: &str) -> Option<String> {
    let url: Url = address.parse().ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// The host that most addresses of a lock file name.
fn main_host(name: &str, bytes: &[u8]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for package in lockfile::parse(name, bytes).ok()?.packages {
        if let Some(host) = package.resolved.as_deref().and_then(host) {
            *counts.entry(host).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(host, _)| host)
}

impl Relocate for Pass<'_> {
    fn location(&self, package: &LockedPackage) -> Option<Location> {
        let address = package.resolved.as_deref()?;
        match package.coordinate.name.ecosystem() {
            Ecosystem::Npm if self.format == Some(LockFormat::YarnClassic) => {
                self.yarn_address(package, address).map(Location::Url)
            }
            // Without an address npm asks whatever registry it is configured for: the same file works both ways.
            Ecosystem::Npm => {
                let leads_to_us = self.context.is_door(address) || self.context.is_upstream(address);
                let same_bytes = self.towards == Towards::Door && is_pinned(package);
                (leads_to_us || same_bytes).then_some(Location::Omit)
            }
            Ecosystem::Pypi if self.towards == Towards::Door => {
                let ours =
                    self.ours.as_ref().is_none_or(|names| names.contains(package.coordinate.name.as_str()));
                ours.then(|| self.relocation.door_file(package)).flatten().map(Location::Url)
            }
            Ecosystem::Pypi => {
                self.context.is_door(address).then(|| self.behind(package)).flatten().map(Location::Url)
            }
            Ecosystem::Cargo
            | Ecosystem::Huggingface
            | Ecosystem::Oci
            | Ecosystem::Mcp
            | Ecosystem::Vscode => None,
        }
    }

    fn registry(&self, current: &str) -> Option<String> {
        if current.starts_with("registry+") || current.starts_with("sparse+") {
            // cargo writes the registry that was replaced; only one that was set up as a registry of its own names the door.
            let canonical = || format!("registry+{}", tame_index::CRATES_IO_INDEX);
            return (self.context.is_door(current) && self.towards == Towards::Upstream).then(canonical);
        }
        match self.towards {
            Towards::Door => (!is_foreign(self.foreign, current)).then(|| self.relocation.door_index()),
            Towards::Upstream if self.context.is_door(current) => {
                let upstream =
                    || self.relocation.upstream(Ecosystem::Pypi).map(|url| plain_index(url.as_str()));
                self.index.clone().or_else(upstream)
            }
            Towards::Upstream => None,
        }
    }
}

/// An index as uv writes it: without a slash at the end.
fn plain_index(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

fn is_foreign(foreign: &[String], index: &str) -> bool {
    foreign.iter().any(|other| plain_index(other) == plain_index(index))
}

/// The index of each package of a `uv.lock`, by name.
fn indexes(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let document: DocumentMut = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    let packages = document.get("package")?.as_array_of_tables()?;
    let index = |table: &toml_edit::Table| {
        let registry = table.get("source")?.as_table_like()?.get("registry")?.as_str()?.to_owned();
        Some((table.get("name")?.as_str()?.to_owned(), registry))
    };
    Some(packages.iter().filter_map(index).collect())
}

/// Names in a `uv.lock` that come from the default index.
fn uv_packages(bytes: &[u8], foreign: &[String]) -> Option<BTreeSet<String>> {
    let indexes = indexes(bytes)?.into_iter().filter(|(_, index)| !is_foreign(foreign, index));
    Some(indexes.map(|(name, _)| name).collect())
}

/// The index that most packages of a `uv.lock` come from.
fn main_index(bytes: &[u8]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (_, index) in indexes(bytes)?.into_iter().filter(|(_, index)| index.contains("://")) {
        *counts.entry(index).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(index, _)| index)
}

/// Indexes that the project beside a lock file names itself; uv asks them whatever its default index is.
pub fn foreign_indexes(lock: &std::path::Path) -> Vec<String> {
    let beside = |name: &str| std::fs::read_to_string(lock.with_file_name(name)).unwrap_or_default();
    let listed = |text: &str, keys: &[&str]| -> Vec<String> {
        let Ok(document) = text.parse::<DocumentMut>() else { return Vec::new() };
        let table = keys.iter().try_fold(document.as_item(), |item, key| item.get(key));
        let array = table.and_then(|table| table.get("index")).and_then(|item| item.as_array_of_tables());
        array
            .into_iter()
            .flatten()
            // A default index of the project is what `UV_DEFAULT_INDEX` stands in for.
            .filter(|index| index.get("default").and_then(|item| item.as_bool()) != Some(true))
            .filter_map(|index| index.get("url").and_then(|item| item.as_str()).map(str::to_owned))
            .collect()
    };
    let mut all = listed(&beside("pyproject.toml"), &["tool", "uv"]);
    all.extend(listed(&beside("uv.toml"), &[]));
    all
}

impl LockMender for Relocation<'_> {
    fn before(&self, lock: &LockFile, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        // Both name the whole address of every file, and ask it whatever registry they are configured for.
        let given = match lock.kind {
            LockKind::Uv => {
                let foreign = foreign_indexes(&lock.path);
                self.rewrite("uv.lock", bytes, Towards::Door, None, &foreign)?
            }
            LockKind::Yarn if LockFormat::detect("yarn.lock", bytes) == Some(LockFormat::YarnClassic) => {
                self.rewrite("yarn.lock", bytes, Towards::Door, None, &[])?
            }
            _ => return Ok(None),
        };
        Ok((given != bytes).then_some(given))
    }

    fn after(
        &self,
        lock: &LockFile,
        bytes: &[u8],
        original: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, String> {
        let name = match lock.kind {
            LockKind::Uv => "uv.lock",
            LockKind::Npm => "package-lock.json",
            LockKind::Cargo => "Cargo.lock",
            LockKind::Yarn => "yarn.lock",
            LockKind::Pnpm => "pnpm-lock.yaml",
            // Neither names an index that a run could have put there.
            LockKind::Requirements | LockKind::Poetry => return Ok(None),
        };
        let mended = self.rewrite(name, bytes, Towards::Upstream, original, &[])?;
        Ok((mended != bytes).then_some(mended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files;

    impl Whereabouts for Files {
        fn upstream_of(&self, _purl: &str, file: &str) -> Result<String, String> {
            if file.starts_with("lost") {
                return Err(format!("`{file}` is not known"));
            }
            Ok(format!("https://files.example/new/{file}"))
        }
    }

    const LOCK: &str = r#"version = 1
requires-python = ">=3.9"

[[package]]
name = "leaf"
version = "1.0"
source = { registry = "https://registry.example/simple" }
wheels = [
    { url = "https://files.example/old/leaf-1.0-py3-none-any.whl", hash = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
]

[[package]]
name = "ours"
version = "2.0"
source = { registry = "https://own.example/simple" }
wheels = [
    { url = "https://own.example/ours-2.0-py3-none-any.whl", hash = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
]
"#;

    fn relocation() -> Relocation<'static> {
        let door: Url = "http://127.0.0.1:8484/".parse().unwrap();
        Relocation {
            doors: vec![door.clone()],
            door,
            upstreams: vec![(Ecosystem::Pypi, "https://registry.example/simple/".parse().unwrap())],
            whereabouts: Box::new(Files),
        }
    }

    fn lead(text: &str, towards: Towards, original: Option<&str>) -> Result<String, String> {
        let foreign = ["https://own.example/simple/".to_owned()];
        let out = relocation().rewrite(
            "uv.lock",
            text.as_bytes(),
            towards,
            original.map(str::as_bytes),
            &foreign,
        )?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_uv_lock_goes_through_the_door_and_comes_back_as_it_was() {
        let led = lead(LOCK, Towards::Door, None).unwrap();
        assert!(led.contains(r#"registry = "http://127.0.0.1:8484/pypi/simple""#), "{led}");
        assert!(led.contains("http://127.0.0.1:8484/pypi/files/leaf/leaf-1.0-py3-none-any.whl"), "{led}");
        assert!(led.contains("https://own.example/ours-2.0-py3-none-any.whl"), "left alone: {led}");
        assert!(!led.contains("registry.example"), "{led}");
        assert_eq!(lead(&led, Towards::Upstream, Some(LOCK)).unwrap(), LOCK);
    }

    #[test]
    fn a_file_that_is_new_gets_the_address_its_upstream_gives() {
        let led = lead(LOCK, Towards::Door, None).unwrap();
        let back = lead(&led, Towards::Upstream, None).unwrap();
        assert!(back.contains("https://files.example/new/leaf-1.0-py3-none-any.whl"), "{back}");
        assert!(back.contains(r#"registry = "https://registry.example/simple""#), "{back}");
        assert!(!back.contains("127.0.0.1"), "{back}");
        let lost = led.replace("leaf-1.0", "lost-1.0");
        assert!(lead(&lost, Towards::Upstream, None).unwrap_err().contains("lost-1.0"));
    }

    #[test]
    fn npm_addresses_are_left_out_where_they_are_ours() {
        let lock = r#"{"lockfileVersion":3,"packages":{"node_modules/x":{"version":"1.0.0","resolved":"http://127.0.0.1:8484/npm/x/-/x-1.0.0.tgz","integrity":"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="}}}"#;
        let out =
            relocation().rewrite("package-lock.json", lock.as_bytes(), Towards::Upstream, None, &[]).unwrap();
        assert!(!String::from_utf8(out).unwrap().contains("resolved"));
    }

    #[test]
    fn a_yarn_lock_goes_through_the_door_and_comes_back_as_it_was() {
        let entry = |name: &str, address: &str| {
            format!(
                "{name}@^1.0.0:\n  version \"1.0.0\"\n  resolved \"{address}\"\n  integrity sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\n\n"
            )
        };
        // Yarn's own registry is another name for the one that npm uses, and no upstream of the door.
        let lock = format!(
            "# yarn lockfile v1\n\n{}{}{}",
            entry("leaf", "https://yarn.example/leaf/-/leaf-1.0.0.tgz#aa"),
            entry("\"@s/twig\"", "https://yarn.example/@s/twig/-/twig-1.0.0.tgz#bb")
                .replace("\"@s/twig\"@^1.0.0", "\"@s/twig@^1.0.0\""),
            entry("ours", "https://own.example/ours/-/ours-1.0.0.tgz#cc"),
        );
        let lead = |text: &str, towards, original: Option<&str>| {
            let original = original.map(str::as_bytes);
            let out = relocation().rewrite("yarn.lock", text.as_bytes(), towards, original, &[]).unwrap();
            String::from_utf8(out).unwrap()
        };
        let led = lead(&lock, Towards::Door, None);
        assert!(led.contains("\"http://127.0.0.1:8484/npm/leaf/-/leaf-1.0.0.tgz#aa\""), "{led}");
        assert!(led.contains("\"http://127.0.0.1:8484/npm/@s/twig/-/twig-1.0.0.tgz#bb\""), "{led}");
        assert!(led.contains("https://own.example/ours/-/ours-1.0.0.tgz#cc"), "left alone: {led}");
        assert_eq!(lead(&led, Towards::Upstream, Some(&lock)), lock);
        let elsewhere = lead(&led, Towards::Upstream, None);
        assert!(elsewhere.contains("https://files.example/new/leaf-1.0.0.tgz#aa"), "{elsewhere}");
    }
}
