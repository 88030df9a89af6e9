//! Verifies everything that was stated of one artifact, as one chain.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use tidegate_model::Sha256;

use super::event::LedgerRecord;
use super::predicate::{Custody, Predicate};
use super::problem::Problem;
use super::verify::{Artifact, Trust, Verified, verify};

/// The most bundles of one artifact that are read.
pub const MAX_CHAIN_BUNDLES: usize = 4096;

/// Everything that was stated of one artifact, and holds.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The custody records, from the first on.
    pub records: Vec<Verified>,
    /// Summaries and ingestion provenance that the records name.
    pub beside: Vec<Verified>,
}

impl Chain {
    /// The digest that the next record will name as the one before it.
    pub fn head(&self) -> Option<Sha256> {
        self.records.last().map(|record| record.payload)
    }
}

/// A chain that does not hold.
#[derive(Debug, thiserror::Error)]
#[error("the chain of custody does not hold: {}", problems.first().map_or_else(String::new, |found| found.problem.to_string()))]
pub struct Broken {
    /// Everything that is wrong, statements first; at least one.
    pub problems: Vec<Located>,
    /// The statements that hold by themselves, in the order in which they were given.
    pub verified: Vec<Verified>,
}

/// A problem, and with which of the bundles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Which of the bundles given, from 0; none where it is with the chain.
    pub bundle: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
}

/// Verifies each statement, and that the custody records among them form one unbroken chain from a first record on: each
/// names the payload of the one before, no two name the same, times and ledger numbers go forward, and every other
/// statement is named by a record. The order in which they are given does not matter: links decide.
///
/// Links cannot show that the *last* records were withheld. `ledger` can: every decision about the artifact that the
/// ledger holds. Without it, the chain is whole up to where it ends.
///
/// # Errors
/// Everything that does not hold.
pub fn chain(
    artifact: &Artifact<'_>,
    bundles: &[&[u8]],
    trust: &Trust<'_>,
    ledger: Option<&[LedgerRecord]>,
) -> Result<Chain, Broken> {
    if bundles.len() > MAX_CHAIN_BUNDLES {
        let problem = Problem::TooLarge(format!("{} bundles", bundles.len()));
        return Err(Broken { problems: vec![Located { bundle: None, problem }], verified: Vec::new() });
    }
    let mut problems = Vec::new();
    let mut verified: Vec<Verified> = Vec::new();
    for (at, bundle) in bundles.iter().enumerate() {
        // All go by one name: the one that is wanted, else that of the first.
        let named =
            Artifact { purl: artifact.purl.or(verified.first().map(|v| v.purl.as_str())), ..*artifact };
        match verify(&named, bundle, trust) {
            // Stated once and kept twice, perhaps signed again: one statement.
            Ok(statement) if verified.iter().any(|other| other.payload == statement.payload) => {}
            Ok(statement) => verified.push(statement),
            Err(problem) => problems.push(Located { bundle: Some(at), problem }),
        }
    }
    let (records, beside): (Vec<Verified>, Vec<Verified>) =
        verified.iter().cloned().partition(|statement| custody(statement).is_some());
    let mut wrong = |problem| problems.push(Located { bundle: None, problem });
    let records = ordered(&records, &mut wrong);
    go_forward(&records, &mut wrong);
    are_named(&records, &beside, &mut wrong);
    if let Some(expected) = ledger {
        let told: BTreeSet<&LedgerRecord> =
            records.iter().filter_map(custody).map(|custody| &custody.ledger_record).collect();
        let missing = expected.iter().filter(|record| !told.contains(record));
        missing.for_each(|record| wrong(Problem::ChainIncomplete(record.clone())));
    }
    if problems.is_empty() { Ok(Chain { records, beside }) } else { Err(Broken { problems, verified }) }
}

fn custody(statement: &Verified) -> Option<&Custody> {
    match &statement.predicate {
        Predicate::Custody(custody) => Some(custody),
        Predicate::Summary(_) | Predicate::Dependency => None,
    }
}

/// The digest that a record names as the one before it, as text; empty for a first record.
fn previous(custody: &Custody) -> Result<String, Problem> {
    match &custody.previous {
        None => Ok(String::new()),
        Some(set) => match &set.sha256 {
            Some(digest) => Ok(digest.to_string()),
            None => Err(Problem::Malformed("it names no SHA-256 of the record before it".to_owned())),
        },
    }
}

/// The records along their links.
fn ordered(records: &[Verified], wrong: &mut impl FnMut(Problem)) -> Vec<Verified> {
    let mut followers: BTreeMap<String, &Verified> = BTreeMap::new();
    for record in records {
        let Some(custody) = custody(record) else { continue };
        match previous(custody) {
            Err(problem) => wrong(problem),
            Ok(before) => match followers.entry(before) {
                Entry::Vacant(place) => drop(place.insert(record)),
                Entry::Occupied(place) if place.key().is_empty() => {
                    wrong(Problem::ChainForked("nothing".to_owned()));
                }
                Entry::Occupied(place) => wrong(Problem::ChainForked(place.key().clone())),
            },
        }
    }
    let mut walked = Vec::new();
    let mut at = String::new();
    // Each record is taken out as it is reached, so this ends whatever the links say.
    while let Some(record) = followers.remove(&at) {
        at = record.payload.to_string();
        walked.push(record.clone());
    }
    if records.is_empty() {
        wrong(Problem::ChainBroken("there is no custody record at all".to_owned()));
    }
    let reached: BTreeSet<Sha256> = records.iter().map(|record| record.payload).collect();
    for (before, record) in &followers {
        // Only the first after a gap is told; what follows it is linked.
        let linked = before.parse::<Sha256>().is_ok_and(|before| reached.contains(&before));
        if !linked {
            let record = custody(record).map(|custody| custody.ledger_record.to_string()).unwrap_or_default();
            wrong(Problem::ChainBroken(format!("the record before `{record}` ({before}) is missing")));
        }
    }
    walked
}

/// Later records are of later times, and of higher numbers where one node wrote both.
fn go_forward(records: &[Verified], wrong: &mut impl FnMut(Problem)) {
    for pair in records.windows(2) {
        let (Some(before), Some(after)) = (custody(&pair[0]), custody(&pair[1])) else { continue };
        let same_node = before.ledger_record.node() == after.ledger_record.node();
        let number_falls = same_node && before.ledger_record.seq() >= after.ledger_record.seq();
        if after.time < before.time || number_falls {
            let (after, before) = (&after.ledger_record, &before.ledger_record);
            wrong(Problem::ChainBroken(format!(
                "`{after}` claims to follow `{before}` and goes back in time"
            )));
        }
    }
}

fn are_named(records: &[Verified], beside: &[Verified], wrong: &mut impl FnMut(Problem)) {
    let named: BTreeSet<(String, String)> = records
        .iter()
        .filter_map(custody)
        .flat_map(|custody| &custody.statements)
        .filter_map(|beside| {
            Some((beside.predicate_type.clone(), beside.digest.sha256.as_ref()?.to_string()))
        })
        .collect();
    for statement in beside {
        let name = (statement.predicate_type.clone(), statement.payload.to_string());
        if !named.contains(&name) {
            wrong(Problem::NotInChain(name.0));
        }
    }
}
