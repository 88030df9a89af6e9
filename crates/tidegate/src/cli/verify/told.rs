//! What was found of one attestation, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tidegate_model::Timestamp;
use tidegate_provenance::{Claim, Evidence, Format, Origin, Reason, Roots, State, Verification, predicate};

use super::super::show::{BAD, CARE, FAINT, GOOD, STRONG, safe, styled};

/// How wide the names of rows are.
const NAME_WIDTH: usize = 11;

/// What an outcome means for the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// It holds, and is what was demanded.
    Proven,
    /// It holds, and is not what was demanded; another one may be.
    Unmet,
    /// Nothing was proven: nothing is there, or it cannot be checked.
    Nothing,
    /// It does not hold, or is about something else.
    Wrong,
}

/// What was found of one attestation.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Where it lies.
    pub(super) from: String,
    /// What it is, in words.
    pub(super) what: String,
    /// What it came to, as one word with its reason.
    pub(super) state: String,
    /// What that means.
    pub(super) class: Class,
    /// The state in a sentence.
    pub(super) detail: Option<String>,
    /// Names and values, in the order in which people read them.
    pub(super) rows: Vec<(&'static str, String)>,
    /// What was not proven.
    pub(super) not_proven: Vec<String>,
    /// The same for programs.
    pub(super) json: Value,
}

/// A trust root, as far as people want to know of it.
#[derive(Clone, Debug)]
pub(super) struct RootLine {
    pub(super) digest: String,
    pub(super) shown: String,
    pub(super) json: Value,
}

/// Lines about roots in force.
pub(super) fn root_lines(roots: &Roots, now: Timestamp) -> Vec<RootLine> {
    roots
        .iter()
        .map(|root| {
            let (as_of, age) = (root.as_of(), root.age_days(now));
            let shown = match root.origin() {
                // Nobody says how old a file is that a person gave.
                Origin::Configured => format!("{}, given by --root, {}", root.instance(), root.digest()),
                Origin::Embedded => format!("{}, compiled in, {}", root.instance(), aged(as_of, age)),
                Origin::Refreshed | Origin::Imported => format!("{}, {}", root.instance(), aged(as_of, age)),
            };
            let given = root.origin() == Origin::Configured;
            RootLine {
                digest: root.digest().to_string(),
                shown,
                json: json!({
                    "instance": root.instance(), "origin": root.origin(), "digest": root.digest().to_string(),
                    "as_of": (!given).then_some(as_of), "age_days": (!given).then_some(age),
                }),
            }
        })
        .collect()
}

/// `as of 2026-10-23, 30 days old`.
pub(super) fn aged(as_of: Timestamp, days: i64) -> String {
    let date = as_of.to_string();
    format!("as of {}, {days} days old", date.get(..10).unwrap_or(&date))
}

impl Told {
    /// An outcome of the verifier.
    pub(super) fn of(from: String, found: &Verification, roots: &[RootLine]) -> Self {
        let root = found.root.as_ref().map(ToString::to_string);
        let line = roots.iter().find(|line| Some(&line.digest) == root.as_ref());
        let mut json = serde_json::to_value(found).expect("an outcome is plain data");
        json["attestation"] = from.clone().into();
        if let Some(line) = line {
            json["trust_root"] = line.json.clone();
        }
        Self {
            from,
            what: what(found),
            state: found.state.to_string(),
            class: class(found),
            detail: found.detail.clone(),
            rows: rows(found, line),
            not_proven: found.not_proven.clone(),
            json,
        }
    }

    /// Something of which nothing is proven, with the reason.
    pub(super) fn nothing(from: &str, what: &str, state: &str, why: String) -> Self {
        let json = json!({ "attestation": from, "state": state, "evidence": "none", "detail": why });
        Self {
            from: from.to_owned(),
            what: what.to_owned(),
            state: state.to_owned(),
            class: Class::Nothing,
            detail: Some(why),
            rows: Vec::new(),
            not_proven: Vec::new(),
            json,
        }
    }

    /// For people.
    pub(super) fn readable(&self) -> String {
        let detail = self.detail.as_deref().map_or_else(String::new, |detail| format!(": {}", safe(detail)));
        let state = match self.class {
            Class::Proven => styled(GOOD, "verified"),
            Class::Unmet | Class::Nothing | Class::Wrong => {
                let style = if self.class == Class::Wrong { BAD } else { CARE };
                format!("{}: {}{detail}", styled(style, "NOT VERIFIED"), safe(&self.state))
            }
        };
        // Writing to a String cannot fail.
        let mut out = format!("{state}\n");
        let mut row = |name: &str, value: &str| {
            let _ = writeln!(out, "  {name:NAME_WIDTH$} {}", safe(value));
        };
        row("what", &self.what);
        row("from", &self.from);
        self.rows.iter().for_each(|(name, value)| row(name, value));
        for sentence in &self.not_proven {
            let _ = writeln!(out, "  {} {}", styled(FAINT, "not proven:"), safe(sentence));
        }
        out
    }
}

/// What an outcome means for the status. An attestation under another name is about another thing, whatever else holds;
/// every other demand may be met by another attestation of the same bytes.
fn class(found: &Verification) -> Class {
    match found.state {
        State::Verified => Class::Proven,
        State::PolicyMismatch { claim: Claim::SubjectName | Claim::Instance } | State::Malformed => {
            Class::Wrong
        }
        State::PolicyMismatch { .. } => Class::Unmet,
        // By a key that nobody lists: as much as no signature at all, and the door reads it so.
        State::Invalid { reason: Reason::UnknownKey } if found.format == Format::NpmSignature => {
            Class::Nothing
        }
        State::Invalid { .. } => Class::Wrong,
        State::Absent | State::NotOffered | State::Unsupported | State::StaleRoot => Class::Nothing,
    }
}

fn what(found: &Verification) -> String {
    let form = match found.format {
        Format::Npm => "npm attestation",
        Format::NpmSignature => "signature of the npm registry",
        Format::Pep740 => "attestation (PEP 740)",
        Format::Bundle => "Sigstore bundle",
        Format::Cosign => "cosign signature",
        Format::OpenVsx => "Open VSX signature",
        Format::Model => "model signature",
        Format::Pgp => "OpenPGP signature",
        Format::GoSumdb => "signed note",
    };
    match found.predicate_type.as_deref() {
        Some(kind) if predicate::PROVENANCE.contains(&kind) => format!("{form}: build provenance, {kind}"),
        Some(kind @ predicate::NPM_PUBLISH) => format!("{form}: the registry published it, {kind}"),
        Some(kind @ predicate::PYPI_PUBLISH) => format!("{form}: who uploaded it, {kind}"),
        Some(kind) => format!("{form}: {kind}"),
        None => form.to_owned(),
    }
}

fn rows(found: &Verification, root: Option<&RootLine>) -> Vec<(&'static str, String)> {
    let signer = found.signer.clone().unwrap_or_default();
    let signed = [found.subject_name.clone(), found.subject_digest.as_ref().map(ToString::to_string)];
    let signed: Vec<String> = signed.into_iter().flatten().collect();
    let builder = found.builder.as_ref().map(|builder| match &found.runner_environment {
        Some(environment) => format!("{builder} ({environment})"),
        None => builder.clone(),
    });
    let when = found.signed_at.map(|at| format!("{} ({})", at.to_minute(), evidence(found.evidence)));
    let when =
        when.or_else(|| signer.key_id.as_ref().map(|_| "not known: no one but the signer says".to_owned()));
    let log = found.log_index.map(|index| format!("entry {index}"));
    let rows = [
        ("signed", (!signed.is_empty()).then(|| signed.join("  "))),
        ("by", signer.identity),
        ("key", signer.key_id),
        ("issuer", signer.issuer),
        ("built by", builder),
        ("source", found.source_repository.clone()),
        ("commit", found.source_digest.clone()),
        ("ref", found.source_ref.clone()),
        ("workflow", found.workflow.clone()),
        ("trigger", found.trigger.clone()),
        ("run", found.run.clone()),
        ("when", when),
        ("log", log),
        (
            "root",
            root.map(|line| line.shown.clone()).or_else(|| found.instance.as_ref().map(ToString::to_string)),
        ),
    ];
    rows.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}

const fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::InclusionProof => "in a log, proven against its signed checkpoint",
        Evidence::PromiseOnly => "a log promised to include it",
        Evidence::TimestampOnly => "seen by a timestamp authority, in no log",
        Evidence::SignatureOnly | Evidence::None => "the signer says so, nobody else",
    }
}

/// The status for everything that was found: 0 all of it holds and one meets what was demanded, 4 something does not hold or is
/// not what was demanded, 3 something is not proven.
pub(super) fn status(all: &[Told]) -> u8 {
    let any = |class| all.iter().any(|told| told.class == class);
    if any(Class::Wrong) || (any(Class::Unmet) && !any(Class::Proven)) {
        4
    } else if any(Class::Nothing) || !any(Class::Proven) {
        3
    } else {
        0
    }
}

/// The last line for people.
pub(super) fn conclusion(all: &[Told]) -> String {
    let count = |class| all.iter().filter(|told| told.class == class).count();
    let (proven, unmet) = (count(Class::Proven), count(Class::Unmet));
    let words = match status(all) {
        0 if unmet > 0 => {
            format!("{proven} of {} verified and as demanded; {unmet} hold and say something else", all.len())
        }
        0 => format!("{proven} of {} verified", all.len()),
        4 if count(Class::Wrong) > 0 => {
            format!("{} of {} do not hold: do not use it", count(Class::Wrong), all.len())
        }
        4 => "none is what was demanded: do not use it as that".to_owned(),
        _ if proven > 0 => format!("{proven} of {} verified; of the others nothing is proven", all.len()),
        _ => "nothing is proven".to_owned(),
    };
    format!("{}\n", styled(STRONG, &words))
}
