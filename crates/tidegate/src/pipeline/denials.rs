//! What is said to the person who is refused: what, by which rule, why, what instead, and how to ask.

use tidegate_model::decision::Decision;
use tidegate_model::denial::DenialKind;
use tidegate_model::{Action, Denial};

use super::decide::{Decided, FIRST_SEEN_RULE, newest_compliant, past_tense};
use super::documents::LoadError;
use super::package::Package;
use crate::upstream::UpstreamError;

/// The refusal of a file under a decision.
pub fn of_decision(
    package: &Package,
    position: usize,
    decided: &Decided,
    all: &[Decision],
    door: &str,
) -> Denial {
    let file = &package.index.files()[position];
    let decision = &decided.decision;
    let alone = package.name.ecosystem().is_grouped();
    // People know a commit by its beginning, and a digest by the beginning of its digits.
    let beginning = if package.index.image().is_some() { "sha256:".len() + 12 } else { 12 };
    let version = if alone { file.version.as_str().get(..beginning) } else { None };
    let subject = format!("{}@{}", package.name, version.unwrap_or(file.version.as_str()));
    let leading = decision.leading_reason();
    let rule = leading.map_or("policy", |r| r.rule.as_str());
    let why = leading.map_or("", |r| r.message.as_str());
    let instead = newest_compliant(package, all)
        .filter(|_| !alone)
        .map(|i| package.index.files()[i].version.to_string());
    let link = format!("{door}d/{}", decided.id);
    let mut reason = format!("{subject} {} by {rule}: {why}", past_tense(decision.action));
    match &instead {
        Some(version) => reason.push_str(&format!("; newest compliant: {version}")),
        None if alone => {}
        None => reason.push_str("; no version is compliant now"),
    }
    reason.push_str(&format!("; {link}"));
    let kind = if rule == FIRST_SEEN_RULE {
        DenialKind::Integrity
    } else {
        DenialKind::Policy { action: decision.action, until: decision.selectable_from }
    };
    Denial {
        kind,
        reason,
        detail: detail(decision, decided, instead.as_deref()),
        decision: Some(decided.id),
        help: Some(link),
    }
}

fn detail(decision: &Decision, decided: &Decided, instead: Option<&str>) -> String {
    let mut lines = Vec::new();
    for reason in decision.reasons.iter().filter(|r| r.action > Action::Warn) {
        lines.push(format!("{} ({}): {}", reason.rule, reason.action, reason.message));
        if let Some(remediation) = &reason.remediation {
            lines.push(format!("  {remediation}"));
        }
    }
    if let Some(version) = instead {
        lines.push(format!("newest compliant version: {version}"));
    }
    if let Some(from) = decision.selectable_from {
        lines.push(format!("selectable from {}", from.to_minute()));
    }
    if decision.reasons.iter().any(|r| r.waivable && r.action > Action::Warn) {
        lines
            .push(format!("ask for an exception: tidegate waiver request {} --reason \"...\"", decided.purl));
    }
    lines.join("\n")
}

/// A refusal that is no decision of policy.
pub fn plain(kind: DenialKind, reason: impl Into<String>, detail: impl Into<String>) -> Denial {
    Denial { kind, reason: reason.into(), detail: detail.into(), decision: None, help: None }
}

/// The refusal that a failed load becomes. Never a "not found" unless an upstream said so.
pub fn of_load_error(name: &str, error: &LoadError) -> Denial {
    match error {
        LoadError::Upstream(error) => of_upstream_error(name, error),
        LoadError::NotConfigured(what) => plain(DenialKind::Unavailable, what.clone(), String::new()),
        LoadError::Private(_) => plain(
            DenialKind::NotFound,
            error.to_string(),
            "give the upstream that owns it a `private` pattern that matches",
        ),
        LoadError::Storage(_) => plain(
            DenialKind::CannotRecord,
            format!("tidegate cannot answer for {name}: {error}"),
            String::new(),
        ),
    }
}

/// The refusal that a failed fetch becomes.
pub fn of_upstream_error(name: &str, error: &UpstreamError) -> Denial {
    let kind = error.denial_kind();
    let reason = match kind {
        DenialKind::NotFound => format!("{name}: {error}"),
        DenialKind::Integrity => format!("{name} is refused: {error}"),
        _ => format!("tidegate could not fetch {name}: {error}"),
    };
    plain(kind, reason, String::new())
}
