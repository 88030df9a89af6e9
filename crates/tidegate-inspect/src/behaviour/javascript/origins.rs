//! Where values come from, and the facts that are made of it.
use super::super::facts::{Scope, What};
use super::drafts::{Circumstances, NO_FACT};
use super::heap::Around;
use super::machine::Machine;
use super::value::{HOLE, Shape, Taint, Value};

impl<'a> Machine<'a> {
    pub(super) fn join(&mut self, a: Taint, b: Taint) -> Taint {
        self.taints.join(a, b)
    }

    /// Where a value and everything in it come from.
    pub(super) fn deep(&mut self, value: Value<'a>) -> Taint {
        if !matches!(value.shape, Shape::Name(_) | Shape::Object(_) | Shape::Either(_) | Shape::Bound(_)) {
            return value.taint;
        }
        let (eithers, taints, is_source) = (&self.eithers, &mut self.taints, &*self.sources);
        let found = self.objects.ask(value, &mut Around { eithers, taints, is_source });
        let mut taint = found.taint;
        let mut index = 0;
        while let Some(&name) = self.objects.names(found).get(index) {
            let own = self.taint_of_name(name);
            taint = self.join(taint, own);
            index += 1;
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

    /// Where the result of a call of which nothing is known comes from. What is handed over as `env` is the environment of a
    /// program that the call may start: it goes in, and what comes out is what that program says.
    pub(super) fn deep_back(&mut self, arguments: &[Value<'a>]) -> Taint {
        let mut taint = Taint(0);
        for &argument in arguments {
            let own = match argument.shape {
                Shape::Object(id) if self.objects[id.0 as usize].members.contains_key("env") => {
                    let object = &self.objects[id.0 as usize];
                    let rest =
                        object.members.iter().filter(|(key, _)| **key != *"env").map(|(_, member)| *member);
                    let rest: Vec<Value<'a>> =
                        rest.chain(object.items.iter().copied()).chain([object.any]).collect();
                    let within = self.deep_all(&rest);
                    self.join(argument.taint, within)
                }
                _ => self.deep(argument),
            };
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
