//! Where values come from, and the facts that are made of it.
use super::super::facts::{Scope, What};
use super::drafts::{Circumstances, NO_FACT};
use super::machine::Machine;
use super::value::{HOLE, Shape, Taint, Value};

impl<'a> Machine<'a> {
    pub(super) fn join(&mut self, a: Taint, b: Taint) -> Taint {
        self.taints.join(a, b)
    }

    /// Where a value and everything in it come from.
    pub(super) fn deep(&mut self, value: Value<'a>) -> Taint {
        self.deep_to(value, 5)
    }

    pub(super) fn deep_to(&mut self, value: Value<'a>, levels: u32) -> Taint {
        let mut taint = value.taint;
        if levels == 0 {
            return taint;
        }
        match value.shape {
            Shape::Name(name) => {
                let own = self.taint_of_name(name);
                taint = self.join(taint, own);
            }
            Shape::Object(id) => {
                let object = &self.objects[id.0 as usize];
                let values: Vec<Value<'a>> = object
                    .items
                    .iter()
                    .chain(object.order.iter().filter_map(|key| object.members.get(key)))
                    .filter(|value| {
                        value.taint.0 != 0
                            || matches!(value.shape, Shape::Object(_) | Shape::Name(_) | Shape::Either(_))
                    })
                    .take(256)
                    .copied()
                    .collect();
                taint = self.taints.join(taint, object.any.taint);
                for value in values {
                    let own = self.deep_to(value, levels - 1);
                    taint = self.join(taint, own);
                }
            }
            Shape::Either(id) => {
                for shape in self.eithers.get(id).to_vec() {
                    let own = self.deep_to(Value::of(shape), levels - 1);
                    taint = self.join(taint, own);
                }
            }
            Shape::Bound(id) => {
                for item in self.objects[id.0 as usize].items.clone() {
                    let own = self.deep_to(item, levels - 1);
                    taint = self.join(taint, own);
                }
            }
            _ => {}
        }
        taint
    }

    /// Where all of several values come from.
    pub(super) fn deep_all(&mut self, values: &[Value<'a>]) -> Taint {
        let mut taint = Taint(0);
        for &value in values {
            let own = self.deep(value);
            taint = self.join(taint, own);
        }
        taint
    }

    pub(super) fn fact(&mut self, what: What, detail: &str, offset: u32, folded: bool) -> u32 {
        self.draft(what, detail, offset, folded, false)
    }

    /// A fact that is told only if it is part of a flow.
    pub(super) fn maybe(&mut self, what: What, detail: &str, offset: u32) -> u32 {
        self.draft(what, detail, offset, false, true)
    }

    pub(super) fn draft(
        &mut self,
        what: What,
        detail: &str,
        offset: u32,
        folded: bool,
        tentative: bool,
    ) -> u32 {
        let (offset, folded) = match self.text_place {
            Some(place) => (place, true),
            None => (offset, folded),
        };
        let how = Circumstances { offset, scope: self.stage, folded, gates: self.gates, tentative };
        self.drafts.add(what, detail, how)
    }

    /// A source, and the origin that its values have.
    pub(super) fn source(&mut self, what: What, detail: &str, offset: u32, folded: bool) -> Taint {
        let index = self.fact(what, detail, offset, folded);
        self.taint_of(index)
    }

    pub(super) fn taint_of(&mut self, fact: u32) -> Taint {
        if fact == NO_FACT { Taint(0) } else { self.taints.one(fact) }
    }

    /// Everything of an origin goes into a sink.
    pub(super) fn flow(&mut self, taint: Taint, to: u32) {
        if taint.0 == 0 || to == NO_FACT {
            return;
        }
        for &(from, decoded) in self.taints.get(taint) {
            self.drafts.flow(from, to, decoded);
        }
    }

    pub(super) fn import(&mut self, module: &'a str) {
        let load = self.stage == Scope::Load;
        if module.is_empty() || module.len() > 512 || module.contains(HOLE) || self.imports.len() > 4_000 {
            return;
        }
        if self.seen_imports.insert((module, load)) {
            if load {
                self.imports.push(module);
            } else if self.late_imports.len() < 4_000 {
                self.late_imports.push(module);
            }
        }
    }
}
