//! Maven's `pom.xml` (<https://maven.apache.org/pom.html>): the dependencies it declares.
//!
//! Properties and managed versions are resolved as far as this one file holds them. What its parent, an imported bill of
//! materials or the command line would add is not here: such a dependency is a component without a version, and a remark
//! says where the version would come from. Dependencies of dependencies are in no pom, and build plug-ins are passed.

use std::collections::HashMap;

use super::xml::{self, Element};
use super::{Component, Inventory, InventoryError, InventoryFormat, MAX_TEXT_BYTES, Place, Purl, Scope};

/// How often a property may lead to another one.
const MAX_PROPERTY_STEPS: usize = 16;

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    let root = xml::read(text)?;
    if root.name != "project" {
        let why = format!("the root element is `{}`: expected Maven's `project`", super::shown(&root.name));
        return Err(InventoryError::MalformedAt { line: root.line, why });
    }
    let mut inventory = Inventory::new(InventoryFormat::MavenPom);
    inventory.format_version = root.text_of("modelVersion").map(str::to_owned);
    let main = Model::of(&root, &[]);
    inventory.subject = main.subject(&root);
    main.imports(&root, &mut inventory);
    for dependency in root.list("dependencies", "dependency") {
        main.dependency(dependency, &mut inventory)?;
    }
    for profile in root.list("profiles", "profile") {
        // A profile sees the project around it and may change its properties.
        let model = Model::of(&root, &[profile]);
        model.imports(profile, &mut inventory);
        for dependency in profile.list("dependencies", "dependency") {
            model.dependency(dependency, &mut inventory)?;
        }
    }
    Ok(inventory)
}

/// What a pom says that its dependencies refer to.
struct Model<'a> {
    properties: HashMap<String, &'a str>,
    managed: HashMap<String, &'a Element>,
    parent: Option<String>,
    imports: bool,
}

/// A text whose properties could not all be resolved: the first that could not.
struct Unresolved(String);

impl<'a> Model<'a> {
    fn of(root: &'a Element, profiles: &[&'a Element]) -> Self {
        let mut model =
            Self { properties: HashMap::new(), managed: HashMap::new(), parent: None, imports: false };
        model.built_in(root);
        for section in std::iter::once(root).chain(profiles.iter().copied()) {
            for property in section.child("properties").into_iter().flat_map(|p| &p.children) {
                model.properties.insert(property.name.clone(), &property.text);
            }
        }
        for section in std::iter::once(root).chain(profiles.iter().copied()) {
            for dependency in managed(section) {
                if dependency.text_of("scope") == Some("import") {
                    model.imports = true;
                } else if let Some(key) = model.key(dependency) {
                    model.managed.insert(key, dependency);
                }
            }
        }
        model
    }

    /// What every pom offers as properties of its own; `pom.` is the older spelling.
    fn built_in(&mut self, root: &'a Element) {
        let parent = root.child("parent");
        for name in ["groupId", "artifactId", "version"] {
            let inherited = parent.filter(|_| name != "artifactId").and_then(|parent| parent.text_of(name));
            if let Some(value) = root.text_of(name).or(inherited) {
                for prefix in ["project.", "pom.", ""] {
                    self.properties.insert(format!("{prefix}{name}"), value);
                }
            }
            if let Some(value) = parent.and_then(|parent| parent.text_of(name)) {
                for prefix in ["project.parent.", "parent."] {
                    self.properties.insert(format!("{prefix}{name}"), value);
                }
            }
        }
        self.parent = parent.map(|parent| {
            let part = |name| parent.text_of(name).unwrap_or("?");
            super::shown(&format!("{}:{}:{}", part("groupId"), part("artifactId"), part("version")))
        });
    }

    /// Puts values for `${…}`, again in what they hold. Bounded in steps and in length: properties may grow each other.
    fn resolve(&self, text: &str) -> Result<String, Unresolved> {
        let mut text = text.to_owned();
        for _ in 0..MAX_PROPERTY_STEPS {
            if !text.contains("${") {
                return Ok(text.trim().to_owned());
            }
            let mut out = String::new();
            let mut rest = text.as_str();
            while let Some(at) = rest.find("${") {
                let Some(end) = rest[at..].find('}') else { return Err(Unresolved(super::shown(rest))) };
                let name = &rest[at + 2..at + end];
                let value = self.properties.get(name).ok_or_else(|| Unresolved(super::shown(name)))?;
                out.push_str(&rest[..at]);
                out.push_str(value);
                rest = &rest[at + end + 1..];
                if out.len() > MAX_TEXT_BYTES {
                    return Err(Unresolved(super::shown(name)));
                }
            }
            out.push_str(rest);
            text = out;
        }
        Err(Unresolved(super::shown(&text)))
    }

    /// As [`Self::resolve`], for an optional child; an empty one is none.
    fn resolved(&self, element: &Element, child: &str) -> Result<Option<String>, Unresolved> {
        match element.text_of(child) {
            Some(text) if text.len() <= MAX_TEXT_BYTES => {
                Ok(Some(self.resolve(text)?).filter(|t| !t.is_empty()))
            }
            Some(text) => Err(Unresolved(super::shown(text))),
            None => Ok(None),
        }
    }

    /// What Maven matches a dependency with its managed one by.
    fn key(&self, dependency: &Element) -> Option<String> {
        let part = |name| self.resolved(dependency, name).ok();
        let (group, artifact) = (part("groupId")??, part("artifactId")??);
        let kind = part("type")?.unwrap_or_else(|| "jar".into());
        Some(format!("{group}:{artifact}:{kind}:{}", part("classifier")?.unwrap_or_default()))
    }

    fn subject(&self, root: &Element) -> Option<Component> {
        let group = self.resolve("${project.groupId}").ok()?;
        let artifact = self.resolve("${project.artifactId}").ok()?;
        let version = self.resolve("${project.version}").ok();
        let purl = Purl::new("maven", Some(&group), &artifact, version.as_deref());
        Some(Component::of(purl, Place { line: root.line, pointer: None }))
    }

    /// Says which bills of materials would have to be read, too.
    fn imports(&self, section: &Element, inventory: &mut Inventory) {
        for import in managed(section).filter(|d| d.text_of("scope") == Some("import")) {
            let part = |name| self.resolved(import, name).ok().flatten().unwrap_or_else(|| "?".into());
            let what = format!("{}:{}:{}", part("groupId"), part("artifactId"), part("version"));
            let why = "is imported: the versions it manages stand in another file and are not known here";
            inventory.remark(import.line, what, why);
        }
    }

    fn dependency(&self, element: &Element, inventory: &mut Inventory) -> Result<(), InventoryError> {
        let line = element.line;
        let written = |name| element.text_of(name).unwrap_or("?");
        let what = format!("{}:{}", written("groupId"), written("artifactId"));
        let names = self.resolved(element, "groupId").and_then(|group| {
            let artifact = self.resolved(element, "artifactId")?;
            Ok((group, artifact, self.resolved(element, "type")?, self.resolved(element, "classifier")?))
        });
        let (group, artifact, kind, classifier) = match names {
            Ok((Some(group), Some(artifact), kind, classifier)) => (group, artifact, kind, classifier),
            Ok(_) => {
                let why = "a dependency without a `groupId` or an `artifactId`".into();
                return Err(InventoryError::MalformedAt { line, why });
            }
            Err(Unresolved(property)) => {
                let why =
                    format!("cannot be named: `{property}` has no value in this file; it is not looked up");
                inventory.remark(line, what, why);
                return Ok(());
            }
        };
        let managed = self.key(element).and_then(|key| self.managed.get(&key).copied());
        let of = |name: &str| element.text_of(name).or_else(|| managed.and_then(|m| m.text_of(name)));
        let scope = of("scope").and_then(|scope| self.resolve(scope).ok());
        if scope.as_deref() == Some("system") {
            inventory.remark(line, &what, "is a file of this machine (scope `system`); it is not looked up");
            return Ok(());
        }
        let version = match self.version(of("version")) {
            Ok(version) => Some(version),
            Err(why) => {
                inventory.remark(
                    line,
                    format!("{group}:{artifact}"),
                    format!("{why}; so it is not known whether it is affected"),
                );
                None
            }
        };
        let mut purl = Purl::new("maven", Some(&group), &artifact, version.as_deref())
            .with("classifier", classifier.as_deref().unwrap_or_default());
        if let Some(kind) = kind.filter(|kind| kind != "jar") {
            purl = purl.with("type", &kind);
        }
        let optional = of("optional") == Some("true");
        let component = Component::of(purl, Place { line, pointer: None });
        inventory.push(Component { scope: Some(meaning(scope.as_deref(), optional)), ..component })
    }

    /// The version, or why there is none.
    fn version(&self, written: Option<&str>) -> Result<String, String> {
        let Some(written) = written else {
            return Err(match &self.parent {
                _ if self.imports => "its version is managed by a bill of materials in another file".into(),
                Some(parent) => format!("its version would come from the parent `{parent}`, another file"),
                None => "it has no version, and nothing in this file manages one".into(),
            });
        };
        let version = self
            .resolve(written)
            .map_err(|Unresolved(property)| format!("its version `{property}` has no value in this file"))?;
        // A range of one is a version.
        let one = version.strip_prefix('[').and_then(|v| v.strip_suffix(']')).map(str::trim);
        let version = one.unwrap_or(&version).to_owned();
        if version.is_empty() || version.contains(['[', '(', ',']) {
            return Err(format!("its version `{}` is a range, not a version", super::shown(&version)));
        }
        if matches!(version.as_str(), "LATEST" | "RELEASE") {
            return Err(format!("its version `{version}` is whatever is newest when it is built"));
        }
        Ok(version)
    }
}

/// The managed dependencies of a project or a profile.
fn managed(section: &Element) -> impl Iterator<Item = &Element> {
    section.child("dependencyManagement").into_iter().flat_map(|m| m.list("dependencies", "dependency"))
}

/// `provided` is on the class path at run time, brought by someone else.
fn meaning(scope: Option<&str>, optional: bool) -> Scope {
    match scope {
        Some("test") => Scope::Development,
        _ if optional => Scope::Optional,
        _ => Scope::Runtime,
    }
}
