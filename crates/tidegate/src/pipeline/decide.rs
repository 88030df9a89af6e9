//! From facts to a decision, and what overrides policy.

use std::collections::HashSet;
use std::sync::Arc;

use tidegate_ecosystems::Verdict;
use tidegate_model::approval::ApprovalSet;
use tidegate_model::decision::{Because, Decision, Reason, Truth};
use tidegate_model::facts::Facts;
use tidegate_model::{Action, DecisionId, Sha256, Timestamp};
use tidegate_policy::{Policy, WaiverSet, decide};
use tidegate_store::catalogue::LocalBlock;

use super::facts::{Question, assemble, purl_of};
use super::package::Package;
use super::parts;
use crate::intel::Advisories;
use crate::intel::facts::KnownVersions;

/// The id of the rule that no policy can switch off: bytes once seen under a name stay.
pub const FIRST_SEEN_RULE: &str = "tidegate/first-seen";

/// The id of the rule that no policy can switch off: every part of an image comes through the door.
pub const ELSEWHERE_RULE: &str = "tidegate/one-door";

/// The id of the rule of repositories that let in what is approved by name and nothing else.
pub const UNLISTED_RULE: &str = "tidegate/not-approved";

/// Everything that decides, swapped as one.
#[derive(Clone)]
pub struct Ruleset {
    /// The policy in force.
    pub policy: Policy,
    /// Where it came from, for people.
    pub source: String,
    /// Waivers in any state; the engine judges which are valid.
    pub waivers: WaiverSet,
    /// What is approved by name, in any state; facts say what is valid.
    pub approvals: Arc<ApprovalSet>,
    /// Blocks by hand that stand.
    pub blocks: Vec<LocalBlock>,
    /// What is known to be bad.
    pub advisories: Advisories,
    /// Counts swaps: what was decided under another number may be decided otherwise now.
    pub epoch: u64,
    /// Whether every principal gets the same decisions.
    pub one_class: bool,
}

/// A decision that has a name and can be recorded.
#[derive(Debug)]
pub struct Decided {
    /// Its id.
    pub id: DecisionId,
    /// When it was made.
    pub at: Timestamp,
    /// Under which ruleset.
    pub epoch: u64,
    /// What it says.
    pub decision: Decision,
    /// Package URL with version.
    pub purl: Arc<str>,
    /// File name.
    pub file: Arc<str>,
    /// Digest of the bytes, where they were here.
    pub sha256: Option<Sha256>,
    /// Ids of the live rules, for entries.
    pub rules: Arc<[Arc<str>]>,
}

impl Decided {
    /// Whether the decision still stands: no rule, waiver or block changed, and no moment passed that could change it.
    pub fn stands(&self, epoch: u64, now: Timestamp) -> bool {
        self.epoch == epoch && self.decision.valid_until.is_none_or(|until| now < until)
    }
}

/// Decides on one file.
pub fn decide_file(rules: &Ruleset, question: &Question<'_>, now: Timestamp) -> Decision {
    decide_known(rules, question, &KnownVersions::new(question.advisories, &question.package.name, now), now)
}

fn decide_known(
    rules: &Ruleset,
    question: &Question<'_>,
    known: &KnownVersions<'_>,
    now: Timestamp,
) -> Decision {
    let made_of = parts::decide_all(rules, question, now);
    let facts = assemble(question, known, &made_of, now);
    let mut decision = decide(&rules.policy, &facts, &rules.waivers, now);
    if !made_of.is_empty() {
        parts::hold_to(&mut decision, &made_of);
    }
    if question.repository.approved_only {
        refuse_unlisted(&mut decision, &facts);
    }
    if question.package.sightings[question.position].changed {
        refuse_changed_bytes(&mut decision, question);
    }
    decision
}

/// The repository lets in what is approved by name, and this is not, or not any more.
fn refuse_unlisted(decision: &mut Decision, facts: &Facts) {
    let approved = facts.approval.value.as_ref().filter(|approval| approval.approved);
    if let Some(approval) = approved {
        decision.valid_until = decision.valid_until.into_iter().chain(approval.expires_at).min();
        return;
    }
    let purl = &facts.artifact.purl;
    decision.reasons.push(Reason {
        rule: UNLISTED_RULE.into(),
        truth: Truth::True,
        action: Action::Quarantine,
        message: format!("{purl} is not on the list of what is approved"),
        remediation: Some(format!("ask for it: tidegate approval request {purl}")),
        because: Because::default(),
        until: None,
        waivable: false,
    });
    decision.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.action));
    decision.action = decision.action.max(Action::Quarantine);
    decision.enforced = true;
    decision.selectable_from = None;
}

/// Gives a decision a name.
pub fn name_decision(
    rules: &Ruleset,
    question: &Question<'_>,
    decision: Decision,
    id: DecisionId,
    now: Timestamp,
) -> Decided {
    let file = &question.package.index.files()[question.position];
    Decided {
        id,
        at: now,
        epoch: rules.epoch,
        rules: decision.reasons.iter().map(|r| Arc::from(r.rule.as_str())).collect(),
        purl: purl_of(question.package, question.position).into(),
        file: file.file.as_str().into(),
        sha256: question.bytes.map(|b| b.sha256),
        decision,
    }
}

/// The index promised other bytes for this file before. No policy, waiver or observing pack lets that pass.
fn refuse_changed_bytes(decision: &mut Decision, question: &Question<'_>) {
    decision.reasons.insert(
        0,
        Reason {
            rule: FIRST_SEEN_RULE.into(),
            truth: Truth::True,
            action: Action::Block,
            message: format!(
                "{} was first seen with other digests; a version's bytes never change",
                purl_of(question.package, question.position)
            ),
            remediation: Some("use another version, and ask the publisher why the bytes changed".into()),
            because: Because::default(),
            until: None,
            waivable: false,
        },
    );
    decision.action = Action::Block;
    decision.enforced = true;
    decision.selectable_from = None;
}

/// Clients would fetch a part of this image past the door, and its manifest cannot be changed. No policy, waiver or observing
/// pack lets that pass.
pub fn refuse_elsewhere(decision: &mut Decision, why: &str) {
    decision.reasons.insert(
        0,
        Reason {
            rule: ELSEWHERE_RULE.into(),
            truth: Truth::True,
            action: Action::Block,
            message: why.to_owned(),
            remediation: Some("use an image whose layers are all kept in its registry".into()),
            because: Because::default(),
            until: None,
            waivable: false,
        },
    );
    decision.action = Action::Block;
    decision.enforced = true;
    decision.selectable_from = None;
}

/// Decides on every file of a package for its index.
pub fn decide_all(rules: &Ruleset, base: &Question<'_>, now: Timestamp) -> Vec<Decision> {
    let known = KnownVersions::new(base.advisories, &base.package.name, now);
    let question = |position| Question { position, operation: "index", bytes: None, ..*base };
    (0..base.package.index.files().len())
        .map(|position| decide_known(rules, &question(position), &known, now))
        .collect()
}

/// What a resolver may do with each file, in words its client can show.
pub fn verdicts(package: &Package, decisions: &[Decision]) -> Vec<Verdict> {
    decisions
        .iter()
        .enumerate()
        .map(|(position, decision)| {
            let withheld = !decision.serves();
            let message = match decision.leading_reason() {
                Some(reason) if withheld => format!(
                    "tidegate {} by {}: {} (tidegate why {})",
                    past_tense(decision.action),
                    reason.rule,
                    reason.message,
                    purl_of(package, position)
                ),
                _ => String::new(),
            };
            Verdict {
                action: decision.action,
                withheld,
                message: ascii_line(&message),
                until: decision.selectable_from,
            }
        })
        .collect()
}

/// `blocked`, `quarantined`…
pub const fn past_tense(action: Action) -> &'static str {
    match action {
        Action::Allow => "allowed",
        Action::Warn => "warned about",
        Action::Quarantine => "quarantined",
        Action::Block => "blocked",
    }
}

/// Text as one line of printable ASCII.
pub fn ascii_line(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_graphic() {
                c
            } else if c.is_whitespace() {
                ' '
            } else {
                '?'
            }
        })
        .collect()
}

/// The file that a person who is refused another could take instead: the highest version that is served, stable ones
/// first. A version of which any file is refused for more than its age is none to point at.
pub fn newest_compliant(package: &Package, decisions: &[Decision]) -> Option<usize> {
    let files = package.index.files();
    // Of a commit no other version is listed, and nothing was decided on for this.
    let all = 0..files.len().min(decisions.len());
    let is_refused = |i: &usize| !decisions[*i].serves() && decisions[*i].selectable_from.is_none();
    let refused: HashSet<&str> = all.clone().filter(is_refused).map(|i| files[i].version.as_str()).collect();
    let may_be_had = |i: &usize| {
        let file = &files[*i];
        decisions[*i].serves() && file.yanked.is_none() && !refused.contains(file.version.as_str())
    };
    all.filter(may_be_had).max_by(|a, b| {
        let key = |i: &usize| (!files[*i].version.is_prerelease(), &files[*i].version);
        key(a).0.cmp(&key(b).0).then_with(|| key(a).1.cmp(key(b).1))
    })
}
