//! Members that are assigned: what that replaces, loads or runs.
use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::names;
use super::strings;
use super::value::{HOLE_TEXT, Kind, NameId, Shape, Taint, Value};

impl<'a> Machine<'a> {
    pub(super) fn assign_member(
        &mut self,
        object: Value<'a>,
        key: &'a str,
        value: Value<'a>,
        offset: u32,
        folded: bool,
    ) {
        let site = Site { offset, place: offset as usize * 8 + 1, folded };
        match object.shape {
            Shape::Object(id) => {
                let kind = self.kind(id);
                match kind {
                    Kind::Script
                        if matches!(
                            key,
                            "src" | "text" | "textContent" | "innerHTML" | "innerText" | "href"
                        ) =>
                    {
                        self.script(value, offset);
                    }
                    Kind::Image if key == "src" => self.loaded(value, offset),
                    _ => {}
                }
                if key.starts_with("on") && value.is_callable() && kind == Kind::Plain {
                    self.tap_property(key, value, site);
                }
                if key.starts_with("on") && value.is_callable() && kind != Kind::Plain {
                    let taint = match kind {
                        Kind::Socket { receive, .. } | Kind::Request { receive, .. }
                            if !matches!(key, "onopen" | "onerror" | "onclose") =>
                        {
                            self.taint_of(receive)
                        }
                        _ => Taint(0),
                    };
                    self.run_all(&[value], &[Value::tainted(taint)], site);
                }
                if kind == Kind::Array
                    && let Ok(index) = key.parse::<usize>()
                {
                    let items = &mut self.objects[id.0 as usize].items;
                    if index < items.len() {
                        items[index] = value;
                    } else if index == items.len() && index < strings::PARTS {
                        items.push(value);
                    } else {
                        self.set_any(id, value);
                    }
                    return;
                }
                self.set_member(id, key, value);
            }
            Shape::Name(name) => self.assign_to_name(name, key, value, site),
            Shape::Function(id) => {
                let this = self.this_of(id);
                if key == "prototype" {
                    self.spread_object(this, value, offset);
                    if let Shape::Object(prototype) = value.shape {
                        // Methods of the literal see what the constructor made.
                        self.functions[id.0 as usize].this = Some(this);
                        self.set_any(prototype, Value::UNKNOWN);
                    }
                } else {
                    self.set_member(this, key, value);
                }
            }
            Shape::Either(id) => {
                for shape in self.eithers.get(id).to_vec() {
                    if let Shape::Object(_) = shape {
                        self.assign_member(Value::of(shape), key, value, offset, folded);
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn assign_to_name(&mut self, name: NameId, key: &'a str, value: Value<'a>, site: Site) {
        if self.path(name) == "module" && key == "exports" {
            let id = self.exports;
            self.set_member(id, "module.exports", value);
            return;
        }
        let Some(member) = self.name_member(name, key) else { return };
        let path = self.path(member);
        if path.starts_with("location") && matches!(path, "location" | "location.href") {
            self.loaded(value, site.offset);
            return;
        }
        if key.starts_with("on") && value.is_callable() && !self.tap_property(key, value, site) {
            self.run_callbacks(&[value], &[], site);
        }
        self.hook(member, value, site.offset, site.folded);
        if self.path(name) == "globalThis" && !names::is_hook(path) {
            let cell = self.declare(0, key);
            self.assign_cell(cell, value, false);
        }
    }

    /// Notes that something is replaced that others use; false where nobody else uses it.
    pub(super) fn hook(&mut self, name: NameId, value: Value<'a>, offset: u32, folded: bool) -> bool {
        let path = self.path(name);
        if !names::is_hook(path) {
            return false;
        }
        let lacking = self.absent.iter().any(|&absent| {
            let asked = self.path(absent);
            asked == path
                || (path.starts_with(asked) && path[asked.len()..].starts_with('.') && asked.contains('.'))
        });
        if !lacking && value.shape != Shape::Name(name) {
            let fact = self.fact(What::GlobalHook, path, offset, folded);
            let taint = self.deep(value);
            self.flow(taint, fact);
            let site = Site { offset, place: offset as usize * 8 + 5, folded };
            self.tap_hook(path, value, site);
        }
        true
    }

    /// Code or an address in a script element.
    pub(super) fn script(&mut self, value: Value<'a>, offset: u32) {
        let text = value.as_text().unwrap_or(HOLE_TEXT);
        let detail = format!("script {text}");
        let fact = self.fact(What::Eval, &detail, offset, value.folded);
        let taint = self.deep(value);
        self.flow(taint, fact);
    }

    /// An address that is loaded as an image or page: it sends what stands in it.
    pub(super) fn loaded(&mut self, value: Value<'a>, offset: u32) {
        let taint = self.deep(value);
        let fact = self.maybe(What::NetSend, value.as_text().unwrap_or(HOLE_TEXT), offset);
        self.flow(taint, fact);
    }
}
