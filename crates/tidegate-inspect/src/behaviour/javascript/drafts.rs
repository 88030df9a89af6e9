//! Facts and flows while the machine still runs: each kept once, whatever way it was reached.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use super::super::facts::{DETAIL_BYTES, Fact, FileFacts, Flow, Scope, What};
use super::gates;
use super::value::HOLE;

/// Facts that are drafted before the rest is only counted.
const DRAFTS: usize = 6_000;

/// Texts among them.
const TEXTS: usize = 1_200;

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
    dropped: u32,
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
            return index;
        }
        let text = what == What::Text;
        if self.list.len() >= DRAFTS || (text && self.texts >= TEXTS) {
            self.dropped = self.dropped.saturating_add(1);
            return NO_FACT;
        }
        self.texts += usize::from(text);
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
        index
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
            What::HostIdentity => matches!(sink.what, What::NetSend | What::DnsQuery | What::FileWrite),
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
                What::Text => {}
                what if what <= What::BigConstant => sources = true,
                _ => sinks = true,
            }
        }
        sources && sinks
    }

    /// Writes everything down in the order of the text.
    pub(super) fn finish(self, text: &str, into: &mut FileFacts) {
        let mut kept = vec![false; self.list.len()];
        for (index, draft) in self.list.iter().enumerate() {
            kept[index] = !draft.tentative;
        }
        for &(from, to) in self.flows.keys() {
            kept[from as usize] = true;
            kept[to as usize] = true;
        }
        let mut order: Vec<usize> = (0..self.list.len()).filter(|&index| kept[index]).collect();
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
            places[index] = into.add(Fact {
                what: draft.what,
                detail: draft.detail.clone(),
                line,
                offset: u64::from(draft.offset),
                scope: draft.scope,
                folded: draft.folded,
                gates: gates::set(draft.gates),
            });
        }
        for ((from, to), decoded) in self.flows {
            if let (Some(from), Some(to)) = (places[from as usize], places[to as usize]) {
                into.join(Flow { from, to, decoded });
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
