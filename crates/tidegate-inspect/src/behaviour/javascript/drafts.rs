//! Facts and flows while the machine still runs: each kept once, whatever way it was reached.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHasher};

use super::super::facts::{
    DETAIL_BYTES, FACTS_OF_A_FILE, FLOWS_OF_A_FILE, Fact, FileFacts, Flow, LINK, Scope, What,
};
use super::gates;
use super::value::HOLE;

/// Facts that are drafted before the rest is only counted.
const DRAFTS: usize = 6_000;

/// Texts among them.
const TEXTS: usize = 1_200;

/// Facts of functions that are given away.
const RUNS: usize = 2_000;

/// An index that stands for no fact.
pub(super) const NO_FACT: u32 = u32::MAX;

/// A fact, and how sure it is to be one.
#[derive(Debug)]
struct Draft {
    what: What,
    detail: String,
    offset: u32,
    scope: Scope,
    folded: bool,
    gates: u8,
    /// Only worth telling if something flows from it or to it.
    tentative: bool,
}

/// What is said of a fact beside its kind and detail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) offset: u32,
    pub(super) scope: Scope,
    pub(super) folded: bool,
    pub(super) gates: u8,
    pub(super) tentative: bool,
}

/// Facts and flows.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    list: Vec<Draft>,
    index: FxHashMap<(What, u32, u64), u32>,
    flows: BTreeMap<(u32, u32), bool>,
    texts: usize,
    taps: usize,
    dropped: u32,
    /// Name under which the function that runs is given away.
    pub(super) export: Option<Rc<str>>,
    /// Facts that happen when what is given away is called.
    runs: BTreeSet<(Rc<str>, u32)>,
    /// Counts what a further pass could change.
    pub(super) changes: u64,
}

impl Drafts {
    /// Keeps a fact and tells its index.
    pub(super) fn add(&mut self, what: What, detail: &str, how: Circumstances) -> u32 {
        let mut hasher = FxHasher::default();
        detail.hash(&mut hasher);
        let key = (what, how.offset, hasher.finish());
        if let Some(&index) = self.index.get(&key) {
            if let Some(draft) = self.list.get_mut(index as usize) {
                draft.scope = draft.scope.min(how.scope);
                draft.gates |= how.gates;
                draft.folded |= how.folded;
                draft.tentative &= how.tentative;
            }
            self.run_by(index);
            return index;
        }
        let text = what == What::Text;
        if self.list.len() >= DRAFTS || (text && self.texts >= TEXTS) {
            self.dropped = self.dropped.saturating_add(1);
            return NO_FACT;
        }
        self.texts += usize::from(text);
        self.taps += usize::from(what == What::Tapped);
        self.changes += 1;
        let index = u32::try_from(self.list.len()).unwrap_or(NO_FACT);
        self.list.push(Draft {
            what,
            detail: shown(detail),
            offset: how.offset,
            scope: how.scope,
            folded: how.folded,
            gates: how.gates,
            tentative: how.tentative,
        });
        self.index.insert(key, index);
        self.run_by(index);
        index
    }

    /// Notes that a fact happens when what is given away is called.
    fn run_by(&mut self, index: u32) {
        if let Some(export) = &self.export
            && self.runs.len() < RUNS
        {
            self.runs.insert((Rc::clone(export), index));
        }
    }

    /// Whether anything is taken that passes by.
    pub(super) fn taps(&self) -> bool {
        self.taps > 0
    }

    /// The kind of a fact.
    pub(super) fn what(&self, index: u32) -> Option<What> {
        self.list.get(index as usize).map(|draft| draft.what)
    }

    /// The detail of a fact, as it is shown.
    pub(super) fn detail(&self, index: u32) -> Option<&str> {
        self.list.get(index as usize).map(|draft| draft.detail.as_str())
    }

    /// Says that a process outlives its caller.
    pub(super) fn detach(&mut self, index: u32) {
        if let Some(draft) = self.list.get_mut(index as usize)
            && draft.what == What::Exec
        {
            draft.what = What::ExecDetached;
        }
    }

    /// Joins a source and a sink, where one that goes to the other tells something.
    pub(super) fn flow(&mut self, from: u32, to: u32, decoded: bool) {
        let (Some(source), Some(sink)) = (self.list.get(from as usize), self.list.get(to as usize)) else {
            return;
        };
        let tells = match source.what {
            What::HostIdentity => {
                matches!(
                    sink.what,
                    What::NetSend | What::DnsQuery | What::FileWrite | What::Handed | What::Exported
                )
            }
            What::Imported | What::Parameter => !matches!(sink.what, What::Decode),
            What::EnvRead if sink.what != What::Eval => {
                !matches!(
                    source.detail.as_str(),
                    "HOME" | "USERPROFILE" | "PATH" | "APPDATA" | "LOCALAPPDATA" | "TMPDIR"
                ) && sink.what != What::Decode
            }
            _ => true,
        };
        if from != to && tells {
            let before = self.flows.len();
            *self.flows.entry((from, to)).or_insert(false) |= decoded;
            self.changes += (self.flows.len() - before) as u64;
        }
    }

    /// Whether there is anything that could flow, and anywhere it could go.
    pub(super) fn may_flow(&self) -> bool {
        let mut sources = false;
        let mut sinks = false;
        for draft in &self.list {
            match draft.what {
                What::Text | What::Imported | What::Parameter | What::Handed | What::Exported => {}
                what if what <= What::BigConstant => sources = true,
                _ => sinks = true,
            }
        }
        sources && sinks
    }

    /// Whether a fact only joins this file with others.
    fn is_end(&self, index: u32) -> bool {
        self.what(index).is_some_and(|what| {
            matches!(what, What::Imported | What::Parameter | What::Handed | What::Exported)
        })
    }

    /// Writes everything down in the order of the text.
    pub(super) fn finish(self, text: &str, into: &mut FileFacts) {
        let mut kept = vec![false; self.list.len()];
        let mut linked = vec![false; self.list.len()];
        for (index, draft) in self.list.iter().enumerate() {
            kept[index] = !draft.tentative;
        }
        for &(from, to) in self.flows.keys() {
            let keeps = if self.is_end(from) || self.is_end(to) { &mut linked } else { &mut kept };
            keeps[from as usize] = true;
            keeps[to as usize] = true;
        }
        for index in 0..self.list.len() {
            if self.is_end(u32::try_from(index).unwrap_or(NO_FACT)) {
                linked[index] |= kept[index];
                kept[index] = false;
            }
        }
        let mut order: Vec<usize> =
            (0..self.list.len()).filter(|&index| kept[index] || linked[index]).collect();
        // The rarest are worth the most where there are too many: texts go last.
        order.sort_by(|&a, &b| {
            let key = |draft: &Draft| (draft.offset, draft.what);
            let (a, b) = (&self.list[a], &self.list[b]);
            key(a).cmp(&key(b)).then_with(|| a.detail.cmp(&b.detail))
        });
        into.dropped = into.dropped.saturating_add(self.dropped);
        let mut places: Vec<Option<u32>> = vec![None; self.list.len()];
        let (mut line, mut seen) = (1_u32, 0_usize);
        for index in order {
            let draft = &self.list[index];
            let offset = (draft.offset as usize).min(text.len());
            let between = text.as_bytes().get(seen..offset).unwrap_or_default();
            line =
                line.saturating_add(u32::try_from(memchr::memchr_iter(b'\n', between).count()).unwrap_or(0));
            seen = offset;
            let fact = Fact {
                what: draft.what,
                detail: draft.detail.clone(),
                line,
                offset: u64::from(draft.offset),
                scope: draft.scope,
                folded: draft.folded,
                gates: gates::set(draft.gates),
                hops: 0,
            };
            if kept[index] {
                places[index] = into.add(fact);
            } else if into.links.facts.len() < FACTS_OF_A_FILE {
                places[index] = u32::try_from(into.links.facts.len()).ok().map(|at| at | LINK);
                into.links.facts.push(fact);
            }
        }
        for ((from, to), decoded) in self.flows {
            if let (Some(from), Some(to)) = (places[from as usize], places[to as usize]) {
                let flow = Flow { from, to, decoded };
                if (from | to) & LINK == 0 {
                    into.join(flow);
                } else if into.links.flows.len() < FLOWS_OF_A_FILE {
                    into.links.flows.push(flow);
                }
            }
        }
        for (export, index) in self.runs {
            if let Some(place) = places[index as usize] {
                into.links.runs.push((export.to_string(), place));
            }
        }
    }
}

/// A detail as it is shown: `*` for what is not constant.
pub(super) fn shown(detail: &str) -> String {
    let mut text = String::with_capacity(detail.len().min(DETAIL_BYTES));
    let mut hole = false;
    for character in detail.chars() {
        if character == HOLE {
            if !hole {
                text.push('*');
            }
            hole = true;
        } else {
            hole = false;
            text.push(character);
        }
        if text.len() > DETAIL_BYTES {
            break;
        }
    }
    text
}
