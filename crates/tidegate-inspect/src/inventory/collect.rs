//! What each leaf adds.

use std::collections::BTreeMap;

use tidegate_model::finding::Confidence;
use tidegate_model::licence;

use super::subject::{self, Candidate};
use super::system::{self, Account, Distro, Package};
use super::{Component, Found, How, Inventory, auditable, bundles, go, libraries, listed, objects};
use crate::Format;
use crate::manifests::{self, Manifest, Standing};
use crate::report::{Leaf, Role};

/// Components of one package that are kept.
const COMPONENTS: usize = 5_000;

/// Own manifests of one package that are compared.
const CANDIDATES: usize = 64;

/// Bytes of a script in which banners are looked for.
const SCRIPT_BYTES: usize = 16 << 20;

/// Places of one component that are kept beside the first, for what lies in layers.
const PLACES: usize = 32;

/// Places that are kept in all.
const ALL_PLACES: usize = 20_000;

/// Packages of system accounts that are kept.
const SYSTEM_PACKAGES: usize = 20_000;

/// Gaps of accounts that are kept; there are few accounts.
const GAPS: usize = 50;

/// Whose files they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A package's: one of the manifests is its own, and a component is told once.
    Package,
    /// A system's, or those of layers of one: nothing in it is what it is, and a component is told for each file that tells of it.
    System,
    /// As above, where nothing but the content says that it is one: whatever could be its own is told as a component.
    Tree,
}

/// A component, and where else it is told of.
#[derive(Debug)]
struct Kept {
    component: Component,
    also: Vec<String>,
}

/// What makes components one: package URL or name, version, how it is known.
type Key = (String, Option<String>, How);

/// Collects the components that the leaves of one package tell of.
#[derive(Debug, Default)]
pub struct InventoryCollector {
    components: BTreeMap<Key, Kept>,
    places: usize,
    candidates: Vec<Candidate>,
    /// Packages of the system, each with the nested path of its account.
    packages: Vec<(String, Package)>,
    distros: Vec<Distro>,
    accounts: u64,
    gaps: Vec<(String, String)>,
    /// The name of the file that the leaves are from.
    file: String,
    not_kept: u64,
    not_read: u64,
}

impl InventoryCollector {
    /// For one package.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at a leaf.
    pub fn leaf(&mut self, leaf: &Leaf<'_>) {
        if self.file.is_empty() {
            self.file = manifests::file_name(leaf.path.split("!/").next().unwrap_or_default()).to_owned();
        }
        match leaf.place.role {
            Role::Embedded => {
                if let Some(found) = bundles::source(manifests::inner(leaf.path)) {
                    self.keep(&found, leaf.path.rsplit_once("!/").map_or(leaf.path, |(map, _)| map));
                }
            }
            Role::Member => self.member(leaf),
            _ => {}
        }
    }

    /// All that was found of a package, in a stable order.
    #[must_use]
    pub fn finish(self) -> Inventory {
        self.finish_as(Whose::Package)
    }

    /// The distributions that files name.
    pub(crate) fn distros(&self) -> &[Distro] {
        &self.distros
    }

    /// Whether package managers keep account in it.
    pub(crate) fn has_accounts(&self) -> bool {
        self.accounts > 0
    }

    /// What of accounts was not read: nested path, and a fragment.
    pub(crate) fn gaps(&self) -> &[(String, String)] {
        &self.gaps
    }

    /// All that was found, in a stable order.
    pub(crate) fn finish_as(self, whose: Whose) -> Inventory {
        match whose {
            Whose::Package => self.of_package(),
            Whose::System => self.of_system(true),
            Whose::Tree => self.of_system(false),
        }
    }

    fn of_system(mut self, is_certain: bool) -> Inventory {
        // What lies at the top of a layer is a source tree that somebody copied, but for what installers write.
        let is_source = |source| {
            matches!(
                source,
                "package.json" | "Cargo.toml" | "pom.xml" | "PKG-INFO" | "MANIFEST.MF" | "control"
            )
        };
        for one in std::mem::take(&mut self.candidates) {
            if !is_certain || !is_source(one.source) {
                self.keep(&one.found, &one.path);
            }
        }
        let mut components = self.of_accounts();
        let each = |kept: Kept| {
            let first = Component { places: 1, ..kept.component };
            let others = kept.also.into_iter().map({
                let first = first.clone();
                move |path| Component { path, ..first.clone() }
            });
            std::iter::once(first).chain(others)
        };
        components.extend(self.components.into_values().flat_map(each));
        subject::drop_bundles_told_better(&mut components);
        Inventory { subject: None, components, not_kept: self.not_kept, not_read: self.not_read }
    }

    /// What package managers keep account of.
    fn of_accounts(&self) -> Vec<Component> {
        let component = |(path, package): &(String, Package)| {
            let mut component = package.found().component(path)?;
            if let Some(distro) = distro_of(&self.distros, path) {
                component.purl = component.purl.map(|purl| distro.placed(&purl));
            }
            Some(component)
        };
        let mut components: Vec<Component> = self.packages.iter().filter_map(component).collect();
        components.sort_by(|a, b| (&a.path, &a.purl).cmp(&(&b.path, &b.purl)));
        components
    }

    fn of_package(mut self) -> Inventory {
        let candidates = std::mem::take(&mut self.candidates);
        let (own, others) = subject::choose(candidates, &self.file);
        for other in others {
            self.keep(&other.found, &other.path);
        }
        let subject = own.and_then(|own| own.found.component(&own.path));
        let of_accounts = self.of_accounts();
        let is_subject = |one: &Component| {
            one.purl.is_some() && subject.as_ref().is_some_and(|subject| subject.purl == one.purl)
        };
        let mut components: Vec<Component> =
            self.components.into_values().map(|kept| kept.component).filter(|one| !is_subject(one)).collect();
        subject::drop_bundles_told_better(&mut components);
        components.extend(of_accounts);
        Inventory { subject, components, not_kept: self.not_kept, not_read: self.not_read }
    }

    fn member(&mut self, leaf: &Leaf<'_>) {
        let inner = manifests::inner(leaf.path);
        let file = manifests::file_name(inner);
        if let Some(account) = Account::of(inner) {
            self.account(account, leaf);
            return;
        }
        if let Some(manifest) = manifests::read(leaf) {
            self.manifest(leaf.path, inner, manifest);
            return;
        }
        if let Some(list) = listed::list(leaf.path, file) {
            if leaf.bytes.len() > listed::LIST_BYTES {
                self.not_read += 1;
            } else {
                self.keep_all(listed::read(list, leaf.bytes), leaf.path);
            }
            return;
        }
        match leaf.format {
            Format::Elf | Format::Pe | Format::MachO => self.program(leaf, inner, file),
            Format::Text | Format::InlineSourceMap if is_script(file) => {
                let script = leaf.bytes.get(..SCRIPT_BYTES).unwrap_or(leaf.bytes);
                self.keep_all(bundles::banners(script), leaf.path);
            }
            _ => {}
        }
    }

    fn account(&mut self, account: Account, leaf: &Leaf<'_>) {
        let read = system::read(account, leaf);
        self.accounts += u64::from(!matches!(account, Account::OsRelease | Account::RpmLog));
        self.distros.extend(read.distro.filter(|_| self.distros.len() < GAPS));
        for package in read.packages {
            if self.packages.len() < SYSTEM_PACKAGES {
                self.packages.push((leaf.path.to_owned(), package));
            } else {
                self.not_kept += 1;
            }
        }
        for gap in read.gaps {
            if self.gaps.len() < GAPS {
                self.gaps.push((leaf.path.to_owned(), gap));
            }
        }
    }

    fn manifest(&mut self, path: &str, inner: &str, manifest: Manifest) {
        let standing = Standing::of(path);
        let is_told = match manifest.source {
            "package.json" => standing == Standing::Main || is_installed(inner),
            "PKG-INFO" => standing == Standing::Main || inner.contains(".egg-info/"),
            // Elsewhere they are parts of the same work, or of its tests.
            "Cargo.toml" => standing == Standing::Main || inner.contains("vendor/"),
            "pom.xml" => standing == Standing::Main || inner.contains("META-INF/maven/"),
            _ => true,
        };
        let Some(name) = manifest.name.filter(|_| is_told) else { return };
        let said = manifest.statements.iter().map(|statement| licence::read(&statement.text));
        let licence = said.filter_map(|reading| reading.expression().map(str::to_owned)).next();
        let mut found = Found {
            licence,
            ..Found::exact(
                manifest.kind,
                manifest.namespace.as_deref(),
                &name,
                manifest.version.as_deref(),
                How::Manifest,
            )
        };
        match manifest.source {
            // A name of OSGi is nobody's package URL.
            "MANIFEST.MF" => found.kind = "",
            "control" => found.namespace = None,
            _ => {}
        }
        if standing == Standing::Main && self.candidates.len() < CANDIDATES {
            self.candidates.push(Candidate { found, source: manifest.source, path: path.to_owned() });
        } else {
            self.keep(&found, path);
        }
    }

    fn program(&mut self, leaf: &Leaf<'_>, inner: &str, file: &str) {
        let sections = objects::sections(leaf.bytes);
        self.keep_all(go::modules(&sections), leaf.path);
        self.keep_all(auditable::crates(&sections), leaf.path);
        self.keep_all(libraries::libraries(leaf.bytes), leaf.path);
        self.keep_all(copied_library(inner, file), leaf.path);
    }

    fn keep_all(&mut self, found: impl IntoIterator<Item = Found>, path: &str) {
        for one in found {
            self.keep(&one, path);
        }
    }

    fn keep(&mut self, found: &Found, path: &str) {
        let Some(component) = found.component(path) else { return };
        let name = component.purl.clone().unwrap_or_else(|| component.name.clone());
        let key = (name, component.version.clone(), component.how);
        if let Some(known) = self.components.get_mut(&key) {
            known.component.places += 1;
            let is_told = known.component.path == path || known.also.last().is_some_and(|last| last == path);
            if !is_told && known.also.len() < PLACES && self.places < ALL_PLACES {
                self.places += 1;
                known.also.push(path.to_owned());
            }
        } else if self.components.len() < COMPONENTS {
            self.components.insert(key, Kept { component, also: Vec::new() });
        } else {
            self.not_kept += 1;
        }
    }
}

/// The distribution of the system that an account lies in: both begin with the same root.
fn distro_of<'d>(distros: &'d [Distro], account: &str) -> Option<&'d Distro> {
    let root = |path: &str| {
        let ends = ["etc/os-release", "usr/lib/os-release"];
        ends.iter().find_map(|end| path.strip_suffix(end).map(str::to_owned))
    };
    let own =
        || distros.iter().filter(|distro| root(&distro.path).is_some_and(|root| account.starts_with(&root)));
    own().find(|distro| distro.path.ends_with("etc/os-release")).or_else(|| own().next())
}

fn is_script(file: &str) -> bool {
    [".js", ".mjs", ".cjs", ".css"].iter().any(|end| file.ends_with(end))
}

/// Whether a `package.json` is that of an installed package: `…/node_modules/name` or `…/node_modules/@scope/name`.
fn is_installed(inner: &str) -> bool {
    let parts: Vec<&str> = manifests::segments(inner).collect();
    match parts.as_slice() {
        [.., "node_modules", name, _] => !name.starts_with(['@', '.']),
        [.., "node_modules", scope, _, _] => scope.starts_with('@'),
        _ => false,
    }
}

/// A library that `auditwheel` and the like have copied into a wheel: `x.libs/libgfortran-0123abcd.so.5.0.0`. What stands behind
/// is the version of its interface, so it has none.
fn copied_library(inner: &str, file: &str) -> Option<Found> {
    let folder = manifests::segments(inner).rev().nth(1)?;
    if !folder.ends_with(".libs") && folder != ".dylibs" {
        return None;
    }
    let (stem, _) = file.split_once(".so").or_else(|| file.split_once(".dll"))?;
    let (name, hash) = stem.rsplit_once('-')?;
    let is_hash = matches!(hash.len(), 8 | 32 | 64) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut found = Found::exact("generic", None, name, None, How::CopiedLibrary);
    found.confidence = Confidence::Low;
    (is_hash && !name.is_empty()).then_some(found)
}
