//! What leaves a file for other files of its package, and what it takes from them.
//!
//! One file is read at a time, so a value of another file is only a name here. It is noted which facts flow into such a name and
//! out of it, and which facts happen when what this file gives away is called; [`links`](super::super::links) joins both sides
//! when all files are known.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use oxc_ast::ast::{BindingPattern, Declaration, ModuleExportName};

use rustc_hash::FxHasher;

use super::super::facts::{Links, What};
use super::calls::Site;
use super::drafts::NO_FACT;
use super::machine::Machine;
use super::value::{FunctionId, NameId, Shape, Taint, Value};

/// Names of other files that one file uses and of which the ends are kept.
const ENDS: usize = 400;

/// Functions that are run as what others call.
const EXPORTS: usize = 300;

/// What an editor calls of an extension.
const EDITOR_CALLS: &str = "activate";

/// Arguments that such a function is given.
const ARGUMENTS: usize = 6;

/// Something that is given away.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// A name of the file.
    Local(&'a str),
    Value(Value<'a>),
}

/// Whether a module is a file beside this one.
pub(super) fn is_own(specifier: &str) -> bool {
    specifier.starts_with("./") || specifier.starts_with("../") || matches!(specifier, "." | "..")
}

impl<'a> Machine<'a> {
    /// Another file of the package, as a name.
    pub(super) fn own_module(&mut self, specifier: &'a str) -> Value<'a> {
        let mut path = String::with_capacity(specifier.len() + 1);
        path.push_str(specifier);
        path.push(Links::MARK);
        let path: &'a str = self.allocator.alloc_str(&path);
        self.name_value(path)
    }

    /// An end of this file; there is one for each name, at the place where it is used first.
    fn end(&mut self, what: What, detail: &str, offset: u32, tentative: bool) -> u32 {
        let mut hasher = FxHasher::default();
        detail.hash(&mut hasher);
        let key = (what, hasher.finish());
        let offset = match self.ends.get(&key) {
            Some(&first) => first,
            None if self.ends.len() >= ENDS * 3 => return NO_FACT,
            None => {
                self.ends.insert(key, offset);
                offset
            }
        };
        self.draft(what, detail, offset, false, tentative)
    }

    /// What comes from another file under a name.
    pub(super) fn imported(&mut self, name: NameId) -> Taint {
        let Some(detail) = self.end_of(name) else { return Taint(0) };
        let fact = self.end(What::Imported, detail, self.here, true);
        self.taint_of(fact)
    }

    /// The file and the name there that a path means.
    fn end_of(&mut self, name: NameId) -> Option<&'a str> {
        if self.sources.get(name.0 as usize) != Some(&true) {
            return None;
        }
        if let Some(&known) = self.end_names.get(&name) {
            return known;
        }
        let found = self.end_of_path(name);
        self.end_names.insert(name, found);
        found
    }

    fn end_of_path(&self, name: NameId) -> Option<&'a str> {
        let path = self.path(name);
        let (file, rest) = path.split_once(Links::MARK)?;
        let parts = rest.split('.').map(|part| part.trim_end_matches("()"));
        let parts: Vec<&str> =
            parts.filter(|part| !matches!(*part, "" | "prototype" | "bind" | "call" | "apply")).collect();
        Some(self.allocator.alloc_str(&format!("{file}{}{}", Links::MARK, parts.join("."))))
    }

    /// A function of another file is called.
    pub(super) fn hand_over(&mut self, name: NameId, arguments: &[Value<'a>], site: Site) -> Taint {
        let Some(detail) = self.end_of(name) else { return Taint(0) };
        let fact = self.end(What::Handed, detail, site.offset, false);
        let taint = self.deep_all(arguments);
        self.flow(taint, fact);
        let fact = self.end(What::Imported, detail, site.offset, true);
        self.taint_of(fact)
    }

    /// A function that was given to this file by another is called with something.
    pub(super) fn hand_back(&mut self, callee: Taint, arguments: &[Value<'a>]) {
        let Some(export) = self.drafts.export.clone() else { return };
        let given = self
            .taints
            .get(callee)
            .iter()
            .any(|&(source, _)| self.drafts.what(source) == Some(What::Parameter));
        if given {
            let taint = self.deep_all(arguments);
            let exported = self.end(What::Exported, &export, 0, true);
            self.flow(taint, exported);
        }
    }

    /// Notes what an `export` before a declaration gives away.
    pub(super) fn give_declared(&mut self, declaration: &'a Declaration<'a>) {
        match declaration {
            Declaration::VariableDeclaration(variables) => {
                for variable in &variables.declarations {
                    if let BindingPattern::BindingIdentifier(id) = &variable.id {
                        self.give(id.name.as_str(), Given::Local(id.name.as_str()));
                    }
                }
            }
            Declaration::FunctionDeclaration(function) => {
                if let Some(id) = &function.id {
                    self.give(id.name.as_str(), Given::Local(id.name.as_str()));
                }
            }
            Declaration::ClassDeclaration(class) => {
                if let Some(id) = &class.id {
                    self.give(id.name.as_str(), Given::Local(id.name.as_str()));
                }
            }
            _ => {}
        }
    }

    /// Notes something that is given away. The name `*` is everything, the empty one what the file is as a whole.
    pub(super) fn give(&mut self, name: &'a str, given: Given<'a>) {
        let name = if name == "default" { "" } else { name };
        if self.given.len() < EXPORTS {
            self.given.push((name, given));
        }
    }

    /// Runs what the file gives away, with arguments that come from others.
    pub(super) fn give_away(&mut self) {
        let mut functions: Vec<(String, FunctionId)> = Vec::new();
        for (name, value) in self.all_given() {
            self.export_value(name, value, 2, &mut functions);
        }
        let mut index = 0;
        while index < functions.len() && index < EXPORTS {
            let (name, id) = functions[index].clone();
            self.export_function(&name, id, &mut functions);
            index += 1;
        }
    }

    fn all_given(&mut self) -> Vec<(String, Value<'a>)> {
        let mut all: Vec<(String, Value<'a>)> = Vec::new();
        for (name, given) in std::mem::take(&mut self.given) {
            let value = match given {
                Given::Value(value) => value,
                Given::Local(local) => match self.lookup(0, local) {
                    Some(cell) => self.cells.get(cell as usize).copied().unwrap_or(Value::UNKNOWN),
                    None => continue,
                },
            };
            all.push((name.to_owned(), value));
        }
        // Bundlers give it away in ways of their own, and editors call it by this name.
        if let Some(cell) = self.lookup(0, EDITOR_CALLS) {
            let value = self.cells.get(cell as usize).copied().unwrap_or(Value::UNKNOWN);
            all.push((EDITOR_CALLS.to_owned(), value));
        }
        let exports = &self.objects[self.exports.0 as usize];
        for &(key, value) in exports.members.iter().take(EXPORTS) {
            let name = if matches!(key, "module.exports" | "default") { "" } else { key };
            all.push((name.to_owned(), value));
        }
        all
    }

    fn export_value(
        &mut self,
        name: String,
        value: Value<'a>,
        levels: u32,
        functions: &mut Vec<(String, FunctionId)>,
    ) {
        match value.shape {
            Shape::Function(id) => {
                if functions.len() < EXPORTS && !functions.contains(&(name.clone(), id)) {
                    functions.push((name, id));
                }
            }
            Shape::Object(id) if levels > 0 => {
                let taint = self.deep(value);
                self.export_taint(&name, taint);
                let object = &self.objects[id.0 as usize];
                let members: Vec<(&str, Value<'a>)> = object.members.iter().take(EXPORTS).copied().collect();
                for (key, member) in members {
                    let inner = match (name.as_str(), key) {
                        (_, "constructor") => name.clone(),
                        ("", key) => key.to_owned(),
                        (name, key) => format!("{name}.{key}"),
                    };
                    self.export_value(inner, member, levels - 1, functions);
                }
            }
            Shape::Either(id) => {
                for shape in self.eithers.get(id).to_vec() {
                    self.export_value(name.clone(), value.shaped(shape), levels, functions);
                }
            }
            Shape::Name(other) if self.path(other).contains(Links::MARK) => {
                if let Some(target) = self.end_of(other)
                    && self.again.len() < EXPORTS
                {
                    self.again.push((name, target.to_owned()));
                }
            }
            _ => {
                let taint = self.deep(value);
                self.export_taint(&name, taint);
            }
        }
    }

    fn export_taint(&mut self, name: &str, taint: Taint) {
        if taint.0 != 0 {
            let fact = self.end(What::Exported, name, 0, true);
            self.flow(taint, fact);
        }
    }

    fn export_function(&mut self, name: &str, id: FunctionId, functions: &mut Vec<(String, FunctionId)>) {
        let parameter = self.end(What::Parameter, name, 0, true);
        let argument = Value::tainted(self.taint_of(parameter));
        let this = self.functions[id.0 as usize].this;
        let this = this.map_or(Value::UNKNOWN, |object| Value::of(Shape::Object(object)));
        self.begin_unasked();
        self.drafts.export = Some(Rc::from(name));
        let value = self.call_function(id, &[argument; ARGUMENTS], this);
        self.drafts.export = None;
        let value = self.settled(value);
        let taint = self.deep(value);
        self.export_taint(name, taint);
        if let Shape::Object(_) | Shape::Function(_) = value.shape {
            self.export_value(name.to_owned(), value, 1, functions);
        }
    }
}

/// The name of an export.
pub(super) fn export_name<'a>(name: &ModuleExportName<'a>) -> &'a str {
    match name {
        ModuleExportName::IdentifierName(one) => one.name.as_str(),
        ModuleExportName::IdentifierReference(one) => one.name.as_str(),
        ModuleExportName::StringLiteral(one) => one.value.as_str(),
    }
}
