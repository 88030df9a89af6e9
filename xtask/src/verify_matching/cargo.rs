//! The algorithm of the OSV schema over the `semver` crate that cargo itself compares versions with, written without a
//! look at the product's matcher.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use semver::Version;
use serde_json::Value;

use super::{Answer, Pair};

/// Answers for pairs of Rust packages.
pub(super) fn answers(ecosystem: &str, records: &[Value], pairs: &[Pair]) -> Vec<Option<Answer>> {
    pairs.iter().map(|pair| answer(ecosystem, records, pair)).collect()
}

fn answer(ecosystem: &str, records: &[Value], pair: &Pair) -> Option<Answer> {
    let version = Version::parse(&pair.version).ok()?;
    let of_package = |record: &&Value| entries(record, ecosystem, &pair.name).next().is_some();
    let live = records.iter().filter(|record| record["withdrawn"].is_null()).filter(of_package);
    let mut answer = Answer::default();
    for (ids, members) in matters(live) {
        let said: Vec<Option<bool>> =
            members.iter().map(|record| says(record, ecosystem, pair, &version)).collect();
        if said.contains(&None) {
            answer.unclear.extend(ids);
        } else if said.contains(&Some(true)) {
            answer.found.push(ids.into_iter().collect());
        }
    }
    answer.found.sort();
    answer.unclear.sort();
    Some(answer)
}

fn entries<'r>(record: &'r Value, ecosystem: &'r str, name: &'r str) -> impl Iterator<Item = &'r Value> {
    let all = record["affected"].as_array().into_iter().flatten();
    all.filter(move |a| a["package"]["ecosystem"] == ecosystem && a["package"]["name"] == name)
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a record calls the version affected; `None` where a boundary is no version.
fn says(record: &Value, ecosystem: &str, pair: &Pair, version: &Version) -> Option<bool> {
    let mut unclear = false;
    for entry in entries(record, ecosystem, &pair.name) {
        let same = |v: &str| {
            v == pair.version || Version::parse(v).is_ok_and(|v| v.cmp_precedence(version) == Ordering::Equal)
        };
        if texts(&entry["versions"]).any(same) {
            return Some(true);
        }
        for range in entry["ranges"].as_array().into_iter().flatten().filter(|r| r["type"] != "GIT") {
            match in_range(range, version) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unclear = true,
            }
        }
    }
    (!unclear).then_some(false)
}

fn in_range(range: &Value, version: &Version) -> Option<bool> {
    let mut events = Vec::new();
    for event in range["events"].as_array()? {
        let (kind, at) = event.as_object()?.iter().next()?;
        let at = at.as_str()?;
        let zero = kind == "introduced" && at == "0";
        events.push((kind.as_str(), if zero { None } else { Some(Version::parse(at).ok()?) }));
    }
    events.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) => a.cmp_precedence(b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    let mut vulnerable = false;
    for (kind, at) in events {
        let order = at.map_or(Ordering::Greater, |at| version.cmp_precedence(&at));
        match kind {
            "introduced" if order.is_ge() => vulnerable = true,
            "fixed" if order.is_ge() => vulnerable = false,
            "last_affected" if order.is_gt() => vulnerable = false,
            "introduced" | "fixed" | "last_affected" => {}
            _ => return None,
        }
    }
    Some(vulnerable)
}

fn matters<'r>(records: impl Iterator<Item = &'r Value>) -> Vec<(BTreeSet<String>, Vec<&'r Value>)> {
    let mut groups: Vec<(BTreeSet<String>, Vec<&Value>)> = Vec::new();
    for record in records {
        let own = record["id"].as_str().into_iter().chain(texts(&record["aliases"]));
        let mut joined = (own.map(str::to_owned).collect::<BTreeSet<_>>(), vec![record]);
        let (same, apart): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(ids, _)| !ids.is_disjoint(&joined.0));
        for (ids, members) in same {
            joined.0.extend(ids);
            joined.1.extend(members);
        }
        groups = apart;
        groups.push(joined);
    }
    groups
}
