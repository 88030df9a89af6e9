//! Where readers of languages put down facts while they follow values.
//!
//! A reader may pass the same place several times (a loop, a function called from two places); the recorder keeps one
//! fact for one thing at one place, knows which facts a value may come from, and writes flows when a value arrives
//! somewhere. It judges nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::facts::{Fact, FileFacts, Flow, Gate, Looks, Reading, Scope, What};
use super::modules::{self, Call, Function, JOINS_OF_A_FILE, Modules, Node};

/// Sources that one value remembers; later ones are forgotten.
const SOURCES_OF_A_VALUE: usize = 24;

/// Different details that one place keeps for one kind of fact.
const DETAILS_OF_A_PLACE: usize = 8;

/// Facts that are held before the file's own bound is applied.
const HELD_FACTS: usize = 20_000;

/// Flows that are held before the file's own bound is applied.
const HELD_FLOWS: usize = 20_000;

/// An entry that stands for a place in which something may be kept, not for a fact.
const MARKER: u32 = 1 << 31;

/// An entry that stands for what comes from another file: arguments of a function, or the result of a call.
const LINK: u32 = 1 << 30;

/// The place of an entry that is not a marker, among facts or, with [`LINK`], among links.
const fn index(entry: u32) -> usize {
    ((entry & !(MARKER | LINK)) >> 1) as usize
}

/// The facts that a value may come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Taint(Option<Rc<[u32]>>);

impl Taint {
    /// Whether the value comes from nothing that is told.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it comes from something that is told of this file, rather than only from whoever calls it.
    pub(crate) fn is_told(&self) -> bool {
        self.entries().iter().any(|entry| entry & LINK == 0)
    }

    /// What comes from either.
    pub(crate) fn with(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (_, None) => self.clone(),
            (None, _) => other.clone(),
            (Some(a), Some(b)) if Rc::ptr_eq(a, b) => self.clone(),
            (Some(a), Some(b)) => {
                let mut all: Vec<u32> = a.iter().chain(b.iter()).copied().collect();
                all.sort_unstable();
                all.dedup();
                all.truncate(SOURCES_OF_A_VALUE);
                Self(Some(all.into()))
            }
        }
    }

    /// The same sources, seen through a decoder.
    pub(crate) fn decoded(&self) -> Self {
        Self(self.0.as_ref().map(|all| {
            let mut all: Vec<u32> =
                all.iter().map(|entry| if entry & MARKER == 0 { entry | 1 } else { *entry }).collect();
            all.sort_unstable();
            all.dedup();
            all.into()
        }))
    }

    fn of(entry: u32) -> Self {
        Self(Some(Rc::from([entry])))
    }

    fn entries(&self) -> &[u32] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Where and under which circumstances something happens.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Offset in bytes in the file.
    pub(crate) offset: u64,
    /// Whether it runs on loading.
    pub(crate) scope: Scope,
    /// Conditions before it.
    pub(crate) gates: BTreeSet<Gate>,
    /// Whether its name or constant is visible only after folding.
    pub(crate) folded: bool,
}

struct Entry {
    fact: Fact,
    /// Counts only once something uses it.
    lazy: bool,
}

/// What joins the file to others, in the making.
#[derive(Default)]
struct Linking {
    /// Functions and calls, by their number.
    nodes: Vec<Node>,
    calls: Vec<Call>,
    places: HashMap<(u64, String), u32>,
    functions: Vec<Function>,
    /// The function that is followed for others.
    within: Option<u32>,
    /// What goes into calls and comes out of functions.
    edges: HashSet<(u32, Node)>,
    names: Vec<(String, String)>,
    constants: Vec<(String, String)>,
}

/// The facts of one file in the making.
#[derive(Default)]
pub(crate) struct Recorder {
    entries: Vec<Entry>,
    places: HashMap<(u64, What), Vec<u32>>,
    flows: HashSet<(u32, u32, bool)>,
    markers: Vec<Taint>,
    paths: BTreeMap<String, Taint>,
    links: Linking,
    /// Modules loaded on loading and in functions, as written.
    pub(crate) imports: [Vec<String>; 2],
    dropped: u32,
}

impl Recorder {
    /// Puts down a fact, or finds the one that says the same at this place.
    pub(crate) fn fact(&mut self, what: What, detail: &str, site: &Site) -> Option<u32> {
        self.put(what, detail, site, false)
    }

    /// Puts down a source and gives what comes from it.
    pub(crate) fn source(&mut self, what: What, detail: &str, site: &Site) -> Taint {
        self.put(what, detail, site, false).map_or_else(Taint::default, |index| Taint::of(index << 1))
    }

    /// As [`Recorder::source`], but the fact counts only if the value arrives somewhere.
    pub(crate) fn lazy_source(&mut self, what: What, detail: &str, site: &Site) -> Taint {
        self.put(what, detail, site, true).map_or_else(Taint::default, |index| Taint::of(index << 1))
    }

    /// Says that everything lazy in a value counts.
    pub(crate) fn settle(&mut self, taint: &Taint) {
        for entry in taint.entries() {
            if entry & (MARKER | LINK) == 0
                && let Some(entry) = self.entries.get_mut(index(*entry))
            {
                entry.lazy = false;
            }
        }
    }

    fn put(&mut self, what: What, detail: &str, site: &Site, lazy: bool) -> Option<u32> {
        let mut detail = detail.to_owned();
        super::facts::cut(&mut detail, super::facts::DETAIL_BYTES);
        let known = self.places.entry((site.offset, what)).or_default();
        let vague = |text: &str| text.is_empty() || text == "*";
        let same = known.iter().copied().find(|index| {
            self.entries.get(*index as usize).is_some_and(|entry| {
                entry.fact.detail == detail || vague(&detail) || vague(&entry.fact.detail)
            })
        });
        if let Some(index) = same.or_else(|| (known.len() >= DETAILS_OF_A_PLACE).then(|| known[0])) {
            let entry = self.entries.get_mut(index as usize)?;
            if vague(&entry.fact.detail) && !vague(&detail) {
                entry.fact.detail = detail;
            }
            entry.lazy &= lazy;
            entry.fact.scope = entry.fact.scope.min(site.scope);
            entry.fact.folded |= site.folded;
            self.done(Node::Fact(index));
            return Some(index);
        }
        if self.entries.len() >= HELD_FACTS {
            self.dropped += 1;
            return None;
        }
        let index = u32::try_from(self.entries.len()).ok()?;
        known.push(index);
        let fact = Fact {
            what,
            detail,
            line: 0,
            offset: site.offset,
            scope: site.scope,
            folded: site.folded,
            gates: site.gates.clone(),
            hops: 0,
        };
        self.entries.push(Entry { fact, lazy });
        self.done(Node::Fact(index));
        Some(index)
    }

    // ---- Other files -----------------------------------------------------------------------------------------------

    fn done(&mut self, node: Node) {
        if let Some(function) = self.links.within.and_then(|at| self.links.functions.get_mut(at as usize))
            && !function.does.contains(&node)
            && function.does.len() < modules::DONE_BY_A_FUNCTION
        {
            function.does.push(node);
        }
    }

    fn linked(&mut self, node: Node) -> Taint {
        let Ok(at) = u32::try_from(self.links.nodes.len()) else { return Taint::default() };
        self.links.nodes.push(node);
        Taint::of(LINK | at << 1)
    }

    /// A call of something that another file may define; gives what comes back.
    pub(crate) fn call_out(&mut self, name: &str, given: &Taint, site: &Site) -> Taint {
        let key = (site.offset, name.to_owned());
        let known = self.links.places.get(&key).copied();
        let call = match known {
            Some(call) => call,
            None if self.links.calls.len() < JOINS_OF_A_FILE && name.len() < 256 => {
                let call = u32::try_from(self.links.calls.len()).unwrap_or(u32::MAX);
                self.links.calls.push(Call { name: name.to_owned(), scope: site.scope });
                self.links.places.insert(key, call);
                call
            }
            None => return Taint::default(),
        };
        if let Some(call) = self.links.calls.get_mut(call as usize) {
            call.scope = call.scope.min(site.scope);
        }
        self.done(Node::Call(call));
        self.leave(given, Node::Call(call));
        self.linked(Node::Call(call))
    }

    /// Begins a function that others may call; gives what its arguments come from.
    pub(crate) fn begin_function(&mut self, name: &str) -> Option<Taint> {
        let at = u32::try_from(self.links.functions.len()).ok()?;
        if self.links.functions.len() >= JOINS_OF_A_FILE {
            return None;
        }
        self.links.functions.push(Function { name: name.to_owned(), does: Vec::new() });
        self.links.within = Some(at);
        Some(self.linked(Node::Given(at)))
    }

    /// Ends the function that was begun, with what it gives.
    pub(crate) fn end_function(&mut self, result: &Taint) {
        if let Some(at) = self.links.within.take() {
            self.leave(result, Node::Result(at));
        }
    }

    /// A name of another module that this one gives on.
    pub(crate) fn give_on(&mut self, local: &str, whole: &str) {
        if self.links.names.len() < JOINS_OF_A_FILE {
            self.links.names.push((local.to_owned(), whole.to_owned()));
        }
    }

    /// A text at the top of the file that others may name.
    pub(crate) fn constant(&mut self, name: &str, text: &str) {
        if self.links.constants.len() < JOINS_OF_A_FILE {
            self.links.constants.push((name.to_owned(), text.to_owned()));
        }
    }

    fn leave(&mut self, taint: &Taint, to: Node) {
        for entry in self.opened(taint).entries() {
            if self.links.edges.len() >= HELD_FLOWS {
                self.dropped += 1;
                return;
            }
            self.links.edges.insert((*entry, to));
        }
    }

    /// Writes the flows of a value that arrives at a fact, also of what was written to a file that the value names.
    pub(crate) fn arrive(&mut self, taint: &Taint, to: u32) {
        for entry in self.opened(taint).entries() {
            if entry & LINK != 0 {
                if self.links.edges.len() < HELD_FLOWS {
                    self.links.edges.insert((*entry, Node::Fact(to)));
                }
                continue;
            }
            let (from, decoded) = (entry >> 1, entry & 1 == 1);
            if from == to {
                continue;
            }
            if self.flows.len() >= HELD_FLOWS {
                self.dropped += 1;
                return;
            }
            self.flows.insert((from, to, decoded));
            if let Some(entry) = self.entries.get_mut(from as usize) {
                entry.lazy = false;
            }
        }
    }

    /// Whether a value comes from a fact of one of these kinds.
    pub(crate) fn comes_from(&self, taint: &Taint, kinds: &[What]) -> bool {
        self.opened(taint).entries().iter().filter(|entry| **entry & LINK == 0).any(|entry| {
            self.entries.get(index(*entry)).is_some_and(|entry| kinds.contains(&entry.fact.what))
        })
    }

    /// A new place in which something may be kept, such as a file of unknown name.
    pub(crate) fn marker(&mut self) -> Taint {
        let Some(index) = u32::try_from(self.markers.len()).ok().filter(|index| *index < MARKER) else {
            return Taint::default();
        };
        self.markers.push(Taint::default());
        Taint::of(MARKER | index)
    }

    /// Keeps what is written to the places that a path names.
    pub(crate) fn keep(&mut self, path: &Taint, text: &str, what: &Taint) {
        for entry in path.entries().iter().filter(|entry| **entry & MARKER != 0) {
            if let Some(kept) = self.markers.get_mut((entry & !MARKER) as usize) {
                *kept = kept.with(what);
            }
        }
        // Short names and names of which nothing is known would be found in everything.
        if text.len() >= 4 && text.chars().any(char::is_alphanumeric) && self.paths.len() < HELD_FACTS {
            let kept = self.paths.entry(text.to_owned()).or_default();
            *kept = kept.with(what);
        }
    }

    /// What was written to a path that a text names.
    pub(crate) fn kept_in(&self, text: &str) -> Taint {
        let mut all = Taint::default();
        if self.paths.len() <= 64 {
            for (path, kept) in &self.paths {
                if text.contains(path.as_str()) {
                    all = all.with(kept);
                }
            }
        }
        all
    }

    /// What was written to a file that a module of this name would be loaded from.
    pub(crate) fn kept_as_module(&self, name: &str) -> Taint {
        let last = name.rsplit('.').next().unwrap_or(name);
        let is_it = |path: &str| {
            let file = path.rsplit('/').next().unwrap_or(path);
            file.split_once('.').is_some_and(|(stem, ending)| {
                stem == last && matches!(ending, "py" | "pyc" | "pyw" | "so" | "pyd")
                    || path.ends_with(&format!("/{last}/__init__.py"))
            })
        };
        let all = self.paths.iter().take(HELD_FACTS).filter(|(path, _)| is_it(path));
        all.fold(Taint::default(), |all, (_, kept)| all.with(kept))
    }

    /// Real sources only: markers give way to what is kept there.
    fn opened(&self, taint: &Taint) -> Taint {
        if !taint.entries().iter().any(|entry| entry & MARKER != 0) {
            return taint.clone();
        }
        let plain: Vec<u32> = taint.entries().iter().copied().filter(|entry| entry & MARKER == 0).collect();
        let mut all = if plain.is_empty() { Taint::default() } else { Taint(Some(plain.into())) };
        for entry in taint.entries().iter().filter(|entry| **entry & MARKER != 0) {
            if let Some(kept) = self.markers.get((entry & !MARKER) as usize) {
                let real: Vec<u32> =
                    kept.entries().iter().copied().filter(|entry| entry & MARKER == 0).collect();
                if !real.is_empty() {
                    all = all.with(&Taint(Some(real.into())));
                }
            }
        }
        all
    }

    /// Notes a module that is loaded.
    pub(crate) fn import(&mut self, module: &str, scope: Scope) {
        let [early, late] = &mut self.imports;
        let list = if scope == Scope::Load { early } else { late };
        if !list.iter().any(|known| known == module) {
            if list.len() < super::facts::FACTS_OF_A_FILE {
                list.push(module.to_owned());
            } else {
                self.dropped += 1;
            }
        }
    }

    /// The facts in the order of the text. `line` tells the line of an offset.
    pub(crate) fn finish(mut self, reading: Reading, looks: Looks, line: impl Fn(u64) -> u32) -> FileFacts {
        let mut order: Vec<u32> =
            (0..self.entries.len() as u32).filter(|index| !self.entries[*index as usize].lazy).collect();
        order.sort_by(|a, b| {
            let key = |index: u32| {
                let fact = &self.entries[index as usize].fact;
                (fact.offset, fact.what, fact.detail.clone())
            };
            key(*a).cmp(&key(*b))
        });
        let mut file = FileFacts { reading, looks, dropped: self.dropped, ..FileFacts::default() };
        let mut places = HashMap::new();
        for index in order {
            let mut fact = self.entries[index as usize].fact.clone();
            fact.line = line(fact.offset);
            let open = fact.detail.contains(modules::OPEN).then(|| fact.detail.clone());
            if let Some(plain) = modules::filled(&fact.detail, |_| None) {
                fact.detail = plain;
            }
            if let Some(place) = file.add(fact) {
                places.insert(index, place);
                if let Some(open) = open.filter(|_| file.modules.open.len() < JOINS_OF_A_FILE) {
                    file.modules.open.push((place, open));
                }
            }
        }
        self.finish_links(&places, &mut file.modules);
        let mut flows: Vec<Flow> = self
            .flows
            .drain()
            .filter_map(|(from, to, decoded)| {
                Some(Flow { from: *places.get(&from)?, to: *places.get(&to)?, decoded })
            })
            .collect();
        flows.sort_unstable_by_key(|flow| (flow.from, flow.to, flow.decoded));
        for flow in flows {
            file.join(flow);
        }
        let [early, late] = self.imports;
        file.late_imports = late.into_iter().filter(|module| !early.contains(module)).collect();
        file.imports = early;
        file
    }

    /// Writes down what joins the file to others, with the places that its facts got.
    fn finish_links(&mut self, places: &HashMap<u32, u32>, links: &mut Modules) {
        let made = std::mem::take(&mut self.links);
        let mut hidden: HashMap<u32, u32> = HashMap::new();
        let mut all: Vec<(u32, Node)> = made.edges.into_iter().collect();
        all.sort_unstable();
        for (entry, to) in all {
            let to = match to {
                Node::Fact(fact) => match places.get(&fact) {
                    Some(place) => Node::Fact(*place),
                    None => continue,
                },
                node => node,
            };
            let fact = (entry & !MARKER) >> 1;
            let from = if entry & LINK != 0 {
                match made.nodes.get(index(entry)) {
                    Some(node) => *node,
                    None => continue,
                }
            } else if let Some(place) = places.get(&fact) {
                Node::Fact(*place)
            } else if let Some(known) = self.entries.get(fact as usize) {
                let at = *hidden.entry(fact).or_insert_with(|| {
                    links.hidden.push(known.fact.clone());
                    u32::try_from(links.hidden.len() - 1).unwrap_or(u32::MAX)
                });
                Node::Hidden(at)
            } else {
                continue;
            };
            // What a function is given and gives back goes on in the caller, who knows better where it is from.
            if !matches!((from, to), (Node::Given(_), Node::Result(_))) {
                links.edges.push((from, to, entry & 1 == 1));
            }
        }
        links.edges.sort_unstable();
        links.edges.dedup();
        links.calls = made.calls;
        links.functions = made.functions;
        for function in &mut links.functions {
            function.does.retain_mut(|node| match node {
                Node::Fact(fact) => places.get(fact).map(|place| *fact = *place).is_some(),
                _ => true,
            });
        }
        (links.names, links.constants) = (made.names, made.constants);
    }
}
