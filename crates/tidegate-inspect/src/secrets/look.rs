//! One leaf: its bytes and its views, with each secret told once.

use std::collections::HashMap;
use std::ops::Range;

use super::attempt::Candidate;
use super::checksum::Checksum;
use super::engine::{Rules, Work};
use super::rule::Rule;
use super::secret::{Fingerprint, FingerprintKey, Secret, evidence};
use super::{HITS_OF_A_LEAF, HITS_OF_A_RULE};
use crate::views::{self, ViewKind};
use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity as Severity, Location};

/// A secret that was found.
#[derive(Clone, Debug)]
pub struct Hit<'r> {
    /// What found it.
    pub rule: &'r Rule,
    /// Where it stands in the leaf: of an encoded one, its encoded form.
    pub place: Range<usize>,
    /// How the leaf had to be read, if not as it is.
    pub view: Option<ViewKind>,
    /// How bad it is: the rule's severity, or less.
    pub severity: Severity,
    /// How sure it is: the rule's confidence, or less.
    pub confidence: Confidence,
    /// What its own checksum says.
    pub checksum: Checksum,
    /// What may be shown: its kind and its length.
    pub evidence: String,
    /// Recognises it without keeping it.
    pub fingerprint: Fingerprint,
    /// Its value, which does not print.
    pub secret: Secret,
    /// How often it stands in this leaf.
    pub times: u32,
}

/// What was found in one leaf.
#[derive(Debug, Default)]
pub struct Found<'r> {
    /// By place.
    pub hits: Vec<Hit<'r>>,
    /// Secrets beyond [`HITS_OF_A_RULE`] and [`HITS_OF_A_LEAF`], which were only counted. One that stands there several times
    /// may be counted more than once.
    pub untold: u64,
    /// The leaf is made of keywords: it was left before its end, and what follows was not looked at.
    pub is_cut: bool,
}

impl Rules {
    /// Looks through the bytes of a leaf and through its views. The same bytes and key give the same findings.
    #[must_use]
    pub fn look<'r>(&'r self, leaf: &[u8], key: &FingerprintKey) -> Found<'r> {
        let mut collector = Collector::new(key);
        let mut work = Work::for_leaf(leaf.len());
        self.scan(leaf, &mut work, &mut |rule, candidate| {
            collector.take(rule, &candidate, leaf, candidate.secret.clone(), None);
        });
        let mut is_cut = work.is_spent();
        let mut work = Work::for_leaf(leaf.len());
        views::each(leaf, &mut |view| {
            if work.is_spent() {
                return;
            }
            self.scan(view.text, &mut work, &mut |rule, candidate| {
                let place = view.locate(candidate.secret.clone());
                collector.take(rule, &candidate, view.text, place, Some(view.kind));
            });
        });
        is_cut |= work.is_spent();
        collector.finish(is_cut)
    }
}

struct Collector<'k, 'r> {
    key: &'k FingerprintKey,
    hits: Vec<Hit<'r>>,
    by_value: HashMap<(Fingerprint, *const Rule), usize>,
    of_rule: HashMap<*const Rule, u32>,
    untold: u64,
}

impl<'k, 'r> Collector<'k, 'r> {
    fn new(key: &'k FingerprintKey) -> Self {
        Self { key, hits: Vec::new(), by_value: HashMap::new(), of_rule: HashMap::new(), untold: 0 }
    }

    fn take(
        &mut self,
        rule: &'r Rule,
        candidate: &Candidate,
        text: &[u8],
        place: Range<usize>,
        view: Option<ViewKind>,
    ) {
        let value = &text[candidate.secret.clone()];
        let fingerprint = self.key.of(value);
        let identity = (fingerprint, std::ptr::from_ref(rule));
        if let Some(&known) = self.by_value.get(&identity) {
            let known = &mut self.hits[known];
            // A view shows again what stands there plainly.
            let is_again = known.place.start < place.end && place.start < known.place.end;
            known.times += u32::from(!is_again && view.is_none());
            return;
        }
        let of_rule = self.of_rule.entry(std::ptr::from_ref(rule)).or_default();
        if *of_rule >= HITS_OF_A_RULE || self.hits.len() >= HITS_OF_A_LEAF {
            self.untold += 1;
            return;
        }
        *of_rule += 1;
        self.by_value.insert(identity, self.hits.len());
        self.hits.push(Hit {
            rule,
            place,
            view,
            severity: candidate.severity,
            confidence: candidate.confidence,
            checksum: candidate.checksum,
            evidence: evidence(value, rule.shape.show),
            fingerprint,
            secret: Secret::new(value),
            times: 1,
        });
    }

    /// Of findings that overlap or are of the same value, the most telling one stays.
    fn finish(mut self, is_cut: bool) -> Found<'r> {
        let mut hits = std::mem::take(&mut self.hits);
        hits.sort_by(|a, b| {
            let order = |hit: &Hit<'_>| {
                (std::cmp::Reverse((hit.rule.shape.rank, hit.confidence)), hit.view, hit.place.start)
            };
            order(a).cmp(&order(b)).then_with(|| a.rule.id.cmp(&b.rule.id))
        });
        let mut kept: Vec<Hit<'r>> = Vec::new();
        for hit in hits {
            let is_told = kept.iter().any(|other| {
                other.fingerprint == hit.fingerprint
                    || (other.place.start < hit.place.end && hit.place.start < other.place.end)
            });
            if !is_told {
                kept.push(hit);
            }
        }
        kept.sort_by_key(|hit| (hit.place.start, hit.place.end));
        Found { hits: kept, untold: self.untold, is_cut }
    }
}

impl Hit<'_> {
    /// The finding of a leaf's hit, without its value. `path` is the leaf's, `leaf` its bytes.
    #[must_use]
    pub fn finding(&self, path: &str, leaf: &[u8], is_text: bool) -> Finding {
        let sum = match self.checksum {
            Checksum::Wrong => ", whose checksum is wrong",
            Checksum::Valid => ", whose checksum is right",
            Checksum::None => "",
        };
        let view = self.view.map(|view| format!(", read through {view}")).unwrap_or_default();
        let before = &leaf[..self.place.start.min(leaf.len())];
        let line = || memchr::memchr_iter(b'\n', before).count() + 1;
        Finding {
            detector: self.rule.id.clone(),
            kind: FindingKind::Secret,
            severity: self.severity,
            confidence: self.confidence,
            location: Location {
                path: path.to_owned(),
                line: is_text.then(line).and_then(|line| u32::try_from(line).ok()),
                offset: Some(self.place.start as u64),
            },
            message: format!("holds a secret ({}){sum}{view}", self.rule.title),
            evidence: Some(self.evidence.clone()),
            secret_hash: Some(self.fingerprint.to_string()),
            count: u64::from(self.times),
        }
    }
}
