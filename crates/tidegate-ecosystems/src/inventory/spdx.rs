//! What both shapes of SPDX have in common: packages, and relationships that say afterwards what each is there for.

use std::collections::{HashMap, HashSet};

use super::json::Stated;
use super::{Component, Inventory, InventoryError, MAX_COMPONENTS, Place, Purl, Scope};

/// One package, before the relationships are known.
pub(super) struct Package {
    pub(super) id: Option<String>,
    pub(super) stated: Stated,
    /// Package URLs beside the first.
    pub(super) more_purls: Vec<String>,
    pub(super) place: Place,
}

/// Packages and what is said of them.
#[derive(Default)]
pub(super) struct Packages {
    packages: Vec<Package>,
    uses: HashMap<String, Use>,
    roots: HashSet<String>,
    ids: HashSet<String>,
}

/// What a package is used for. The first of several counts: somebody needs it for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    Runtime,
    /// A dependency, and nothing is said of what for.
    Plain,
    Optional,
    Development,
}

impl Packages {
    /// Adds a package.
    pub(super) fn push(&mut self, package: Package, inventory: &mut Inventory) -> Result<(), InventoryError> {
        if self.packages.len() == MAX_COMPONENTS {
            return Err(InventoryError::TooMuch { limit: "200,000 components" });
        }
        if let Some(id) = &package.id
            && !self.ids.insert(id.clone())
        {
            let why = "is the identifier of two packages, which must differ; both are read";
            inventory.remark(package.place.line, id, why);
        }
        self.packages.push(package);
        Ok(())
    }

    /// Says that a package is used for something.
    pub(super) fn used(&mut self, id: &str, what_for: Use) {
        self.uses
            .entry(id.to_owned())
            .and_modify(|known| *known = (*known).min(what_for))
            .or_insert(what_for);
    }

    /// Says that the document is about an element.
    pub(super) fn root(&mut self, id: String) {
        self.roots.insert(id);
    }

    /// Makes components. The one package that a document of several is about is its subject, not a component; a document
    /// that is about many just lists them.
    pub(super) fn settle(
        self,
        inventory: &mut Inventory,
        licence_of: impl Fn(&str) -> Option<String>,
    ) -> Result<(), InventoryError> {
        let is_root = |package: &Package| package.id.as_ref().is_some_and(|id| self.roots.contains(id));
        let has_subject =
            self.packages.len() > 1 && self.packages.iter().filter(|package| is_root(package)).count() == 1;
        for package in self.packages {
            let root = has_subject && package.id.as_ref().is_some_and(|id| self.roots.contains(id));
            let scope = package.id.as_ref().and_then(|id| self.uses.get(id)).and_then(|used| match used {
                Use::Runtime => Some(Scope::Runtime),
                Use::Plain => None,
                Use::Optional => Some(Scope::Optional),
                Use::Development => Some(Scope::Development),
            });
            let mut stated = package.stated;
            stated.licence = stated.licence.or_else(|| package.id.as_deref().and_then(&licence_of));
            let line = package.place.line;
            let Some(mut component) = stated.into_component(package.place, inventory) else { continue };
            component.scope = scope;
            if root {
                inventory.subject = Some(component);
                continue;
            }
            for purl in package.more_purls {
                match purl.parse::<Purl>() {
                    Ok(purl) if component.purl.as_ref() == Some(&purl) => {}
                    Ok(purl) => {
                        let other = Component::of(purl, component.place.clone());
                        inventory.push(Component { scope, ..other })?;
                    }
                    Err(why) => {
                        inventory.remark(
                            line,
                            &purl,
                            format!("is not a package URL: {why}; it is not looked up"),
                        );
                    }
                }
            }
            inventory.push(component)?;
        }
        Ok(())
    }
}
