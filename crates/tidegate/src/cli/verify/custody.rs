//! Statements of a door about what came through it, checked with the door's public key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tidegate_model::{Algorithm, Sha256, Timestamp};
use tidegate_provenance::custody::statement::PublicUri;
use tidegate_provenance::custody::{self, Artifact, Predicate, Problem, Trust, Verified};
use tidegate_provenance::signing::{OwnKeys, Use};

use super::attestation::Attestation;
use super::judge::Judge;
use super::told::{Class, Told};

const WHAT: &str = "statement of a door";

/// One statement.
pub(super) fn one(judge: &Judge<'_>, attestation: &Attestation) -> Told {
    let from = attestation.shown();
    let (sha256, keys) = match ready(judge, attestation) {
        Ok(ready) => ready,
        Err(why) => return Told::nothing(&from, WHAT, "unsupported", why),
    };
    let trust = Trust { keys: &keys, policies: None, at: judge.now };
    match custody::verify(&artifact(judge, sha256), &attestation.bytes, &trust) {
        Ok(verified) => held(judge, from, &verified, sha256, &keys),
        Err(problem) => refused(&from, WHAT, &problem),
    }
}

/// Whether several statements are one unbroken chain; nothing where there are not several.
pub(super) fn chain(judge: &Judge<'_>, ours: &[&Attestation]) -> Option<Told> {
    let [first, _, ..] = ours else { return None };
    let (sha256, keys) = ready(judge, first).ok()?;
    let trust = Trust { keys: &keys, policies: None, at: judge.now };
    let bundles: Vec<&[u8]> = ours.iter().map(|one| &one.bytes[..]).collect();
    let (from, what) = (format!("{} statements", bundles.len()), "chain of custody");
    match custody::chain(&artifact(judge, sha256), &bundles, &trust, None) {
        Ok(chain) => Some(Told {
            from,
            what: what.to_owned(),
            state: "verified".to_owned(),
            class: Class::Proven,
            detail: None,
            rows: vec![("records", chain.records.len().to_string())],
            not_proven: vec![
                "that the last records were not withheld: only the ledger knows how many there are"
                    .to_owned(),
            ],
            json: json!({ "format": "custody_chain", "state": "verified", "records": chain.records.len() }),
        }),
        Err(broken) => broken.problems.first().map(|found| refused(&from, what, &found.problem)),
    }
}

fn artifact<'a>(judge: &'a Judge<'_>, sha256: Sha256) -> Artifact<'a> {
    Artifact { sha256, sha512: judge.artifact.digest(Algorithm::Sha512), purl: judge.name }
}

/// The digest and the keys to check with, or what is missing.
fn ready(judge: &Judge<'_>, attestation: &Attestation) -> Result<(Sha256, OwnKeys), String> {
    let digest =
        judge.artifact.digest(Algorithm::Sha256).and_then(|digest| digest.as_bytes().try_into().ok());
    let sha256 = digest
        .map(Sha256::new)
        .ok_or("a door's statement is about a SHA-256: give the file, or --digest sha256:…")?;
    if judge.keys.of_doors.is_empty() {
        return Err(
            "a door's statement is checked with the door's public key: give it by --key FILE".to_owned()
        );
    }
    let deployment = deployment(&attestation.bytes).ok_or("it does not say which deployment made it")?;
    let mut keys = Vec::new();
    for key in &judge.keys.of_doors {
        if !keys.iter().any(|(known, _)| known == key) {
            keys.push((key.clone(), Use::Custody));
        }
    }
    let keys = OwnKeys::first(deployment, Timestamp::from_unix_seconds(0), keys);
    keys.map(|keys| (sha256, keys)).map_err(|e| e.to_string())
}

/// Who a statement says made it. Only the key decides whether that is believed.
fn deployment(bundle: &[u8]) -> Option<PublicUri> {
    let bundle: Value = serde_json::from_slice(bundle).ok()?;
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str()?).ok()?;
    let statement: Value = serde_json::from_slice(&payload).ok()?;
    let said = &statement["predicate"];
    let names = [&said["deployment"], &said["verifier"]["id"], &said["ingestionPlatform"]["id"]];
    names.into_iter().find_map(Value::as_str)?.parse().ok()
}

fn held(judge: &Judge<'_>, from: String, verified: &Verified, sha256: Sha256, keys: &OwnKeys) -> Told {
    let mut rows = vec![
        ("signed", format!("{}  {sha256}", verified.purl)),
        ("by", keys.deployment().to_string()),
        ("key", verified.key.to_string()),
    ];
    rows.extend(said(&verified.predicate));
    rows.push(("when", format!("{} (the door says so, nobody else)", verified.time.to_minute())));
    let mut not_proven = vec![
        "that what it says is so: it is the word of the door that signed it".to_owned(),
        "when the key was in use, and that it was not revoked: a key was given, and no key ring".to_owned(),
        "who built it, where and from which source: that is for the attestations that the door names"
            .to_owned(),
    ];
    if judge.name.is_none() {
        not_proven.push("that it was stated under this name: no name was compared".to_owned());
    }
    let (state, class, detail) = match missed(judge, &verified.predicate_type) {
        Some((claim, detail)) => (format!("policy_mismatch({claim})"), Class::Unmet, Some(detail)),
        None => ("verified".to_owned(), Class::Proven, None),
    };
    let (word, claim) = state.split_once('(').unwrap_or((&state, ""));
    let json = json!({
        "attestation": from, "format": "custody", "state": word, "detail": detail,
        "claim": (!claim.is_empty()).then(|| claim.trim_end_matches(')')),
        "evidence": "signature_only", "subject_name": verified.purl, "subject_digest": sha256.to_string(),
        "signer": { "identity": keys.deployment(), "key_id": verified.key }, "stated_at": verified.time,
        "predicate_type": verified.predicate_type, "not_proven": not_proven,
    });
    let what = format!("{WHAT}: {}", verified.predicate_type);
    Told { from, what, state, class, detail, rows, not_proven, json }
}

/// What a statement says, in rows.
fn said(predicate: &Predicate) -> Vec<(&'static str, String)> {
    match predicate {
        Predicate::Custody(custody) => {
            let mut rows = vec![
                (
                    "event",
                    format!(
                        "{}, {} ({})",
                        custody.event,
                        custody.decision.action,
                        custody.decision.rules.join(", ")
                    ),
                ),
                ("repository", custody.repository.clone()),
                ("ledger", custody.ledger_record.to_string()),
            ];
            rows.extend(custody.fetched_from.clone().map(|upstream| ("fetched from", upstream)));
            rows
        }
        Predicate::Summary(summary) => {
            let result = serde_json::to_value(summary.verification_result).unwrap_or_default();
            let levels = summary.verified_levels.join(", ");
            vec![("result", format!("{}, {levels}", result.as_str().unwrap_or_default()))]
        }
        Predicate::Dependency => Vec::new(),
    }
}

/// The first demand that a door's statement does not meet.
fn missed(judge: &Judge<'_>, predicate_type: &str) -> Option<(&'static str, String)> {
    let wanted = judge.requirement;
    let kinds = &wanted.predicate_types;
    if !kinds.is_empty() && !kinds.iter().any(|kind| kind == predicate_type) {
        return Some((
            "predicate_type",
            format!("the predicate type is `{predicate_type}`, not `{}`", kinds.join("` or `")),
        ));
    }
    let demands = [
        ("issuer", &wanted.issuer),
        ("source_repository", &wanted.source_repository),
        ("workflow", &wanted.workflow),
    ];
    demands.into_iter().find_map(|(claim, demand)| {
        let demand = demand.as_ref()?;
        Some((claim, format!("a door's statement names none, and `{demand}` was demanded")))
    })
}

fn refused(from: &str, what: &str, problem: &Problem) -> Told {
    let (word, reason) = match problem {
        Problem::TooLarge(_) | Problem::Malformed(_) | Problem::MediaType(_) => ("malformed", None),
        Problem::OtherName { .. } => ("policy_mismatch", Some("subject_name")),
        other => ("invalid", Some(other.word())),
    };
    let state = reason.map_or_else(|| word.to_owned(), |reason| format!("{word}({reason})"));
    let detail = problem.to_string();
    Told {
        from: from.to_owned(),
        what: what.to_owned(),
        class: Class::Wrong,
        rows: Vec::new(),
        not_proven: Vec::new(),
        json: json!({
            "attestation": from, "format": "custody", "state": word, "reason": reason, "evidence": "none", "detail": detail,
        }),
        state,
        detail: Some(detail),
    }
}
