//! Where values come from, and the facts that are made of it.
use super::super::facts::{Scope, What};
use super::drafts::{Circumstances, NO_FACT};
use super::machine::Machine;
use super::value::{Eithers, HOLE, NameId, Object, Shape, Taint, Taints, Value};

/// Values within values that are asked where they come from.
const LEVELS: u8 = 5;

/// Names that one question tells apart.
const NAMES: usize = 64;

/// Values of one object that are asked.
const VALUES_OF_AN_OBJECT: usize = 256;

/// Objects that all questions of a file may meet, besides those that its bytes allow.
const MEETINGS: u64 = 2_000_000;

/// Objects that questions may meet for each byte of a file.
const MEETINGS_OF_A_BYTE: u64 = 16;

/// Objects that one question has met, each with the levels that were left there: what is met again with no more of them
/// adds nothing.
#[derive(Debug, Default)]
pub(super) struct Seen {
    question: u32,
    objects: Vec<(u32, u8)>,
    /// Meetings that are left.
    left: u64,
}

impl Seen {
    pub(super) fn of_a_file(bytes: usize) -> Self {
        Self { left: MEETINGS + MEETINGS_OF_A_BYTE * bytes as u64, ..Self::default() }
    }

    /// Whether questions were not asked to their end.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    fn begin(&mut self, objects: usize) {
        self.objects.resize(objects, (0, 0));
        self.question = self.question.wrapping_add(1);
        if self.question == 0 {
            self.objects.fill((0, 0));
            self.question = 1;
        }
    }

    /// Whether an object is worth another look with this many levels left.
    fn is_news(&mut self, object: usize, levels: u8) -> bool {
        let Some(seen) = self.objects.get_mut(object) else { return true };
        if self.left == 0 || seen.0 == self.question && seen.1 >= levels {
            return false;
        }
        self.left -= 1;
        *seen = (self.question, levels);
        true
    }
}

/// One question where a value and everything in it come from.
struct Walk<'m, 'a> {
    objects: &'m [Object<'a>],
    eithers: &'m Eithers<'a>,
    taints: &'m mut Taints,
    seen: &'m mut Seen,
    /// Names that were met: some are sources themselves, as the environment and what other files give are.
    names: Vec<NameId>,
    taint: Taint,
}

impl<'a> Walk<'_, 'a> {
    fn within(&mut self, shape: Shape<'a>, levels: u8) {
        if levels == 0 {
            return;
        }
        match shape {
            Shape::Name(name) if self.names.len() < NAMES && !self.names.contains(&name) => {
                self.names.push(name);
            }
            Shape::Object(id) => {
                let objects = self.objects;
                let Some(object) = objects.get(id.0 as usize) else { return };
                if !self.seen.is_news(id.0 as usize, levels) {
                    return;
                }
                self.taint = self.taints.join(self.taint, object.any.taint);
                let values = object.items.iter().chain(object.members.values()).filter(|value| {
                    value.taint.0 != 0
                        || matches!(value.shape, Shape::Object(_) | Shape::Name(_) | Shape::Either(_))
                });
                for value in values.take(VALUES_OF_AN_OBJECT) {
                    self.value(*value, levels - 1);
                }
            }
            Shape::Either(id) => {
                let eithers = self.eithers;
                for &shape in eithers.get(id) {
                    self.within(shape, levels - 1);
                }
            }
            Shape::Bound(id) => {
                let objects = self.objects;
                for &item in objects.get(id.0 as usize).iter().flat_map(|object| &object.items) {
                    self.value(item, levels - 1);
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, value: Value<'a>, levels: u8) {
        self.taint = self.taints.join(self.taint, value.taint);
        self.within(value.shape, levels);
    }
}

impl<'a> Machine<'a> {
    pub(super) fn join(&mut self, a: Taint, b: Taint) -> Taint {
        self.taints.join(a, b)
    }

    /// Where a value and everything in it come from.
    pub(super) fn deep(&mut self, value: Value<'a>) -> Taint {
        if !matches!(value.shape, Shape::Name(_) | Shape::Object(_) | Shape::Either(_) | Shape::Bound(_)) {
            return value.taint;
        }
        self.seen.begin(self.objects.len());
        let mut walk = Walk {
            objects: &self.objects,
            eithers: &self.eithers,
            taints: &mut self.taints,
            seen: &mut self.seen,
            names: Vec::new(),
            taint: value.taint,
        };
        walk.within(value.shape, LEVELS);
        let (mut taint, names) = (walk.taint, walk.names);
        for name in names {
            let own = self.taint_of_name(name);
            taint = self.join(taint, own);
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
