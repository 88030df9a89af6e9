//! Deciding: a pure function of policy, facts, waivers and a time.

use sha2::Digest as _;
use tidegate_model::decision::{Action, Because, BecauseFact, Decision, DryRun, Gap, Reason, Truth, Waived};
use tidegate_model::facts::{FactState, Facts, Vulnerability};
use tidegate_model::{Sha256, Timestamp};

use crate::file::{Mode, Waivable};
use crate::logic::Tri;
use crate::message::{Seen, bounded, gaps};
use crate::paths::GroupId;
use crate::policy::{Policy, Rule};
use crate::reasons::evidence;
use crate::tree::{Context, Stage};
use crate::waivers::{Scoped, WaiverSet};

/// How many time boundaries are looked past when asking what time alone will do.
const MAX_BOUNDARIES: usize = 16;

/// Decides. Reads no clock, network or database: the same inputs give the same bytes.
///
/// The stage is `facts.request.operation`: at `index` pending facts are neutral (see [`Stage`]).
pub fn decide(policy: &Policy, facts: &Facts, waivers: &WaiverSet, now: Timestamp) -> Decision {
    let context = Context::new(facts, now, Stage::of(facts));
    let scoped = waivers.in_scope(facts);
    let mut out = Outcome::default();
    for rule in &policy.rules {
        let verdict = judge(policy, rule, &scoped, &context);
        let live = rule.is_live_at(now, &context);
        match verdict {
            Verdict::Silent => {}
            Verdict::Waived(ids) => {
                if live {
                    out.waived.push(Waived { rule: rule.id.clone(), waivers: ids });
                }
            }
            Verdict::Acts { truth, action, ease } => {
                let reason = reason(policy, rule, (truth, action), ease, &scoped, &context);
                if live {
                    out.obligations.extend(rule.obligations.iter().cloned());
                    out.reasons.push(reason);
                } else {
                    out.dry_run.push(reason);
                }
            }
        }
    }
    out.into_decision(policy, facts, waivers, &scoped, &context)
}

#[derive(Default)]
struct Outcome {
    reasons: Vec<Reason>,
    waived: Vec<Waived>,
    dry_run: Vec<Reason>,
    obligations: Vec<String>,
}

/// What one rule comes to, waivers and grace counted in.
pub(crate) enum Verdict {
    /// False, unknown with nothing to do about it, or off.
    Silent,
    Waived(Vec<String>),
    Acts {
        truth: Tri,
        action: Action,
        ease: Ease,
    },
}

/// Why a rule does less than it says about what was admitted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ease {
    /// It does what it says.
    Not,
    /// Until then it warns.
    Grace(Timestamp),
    /// What makes it act is held back.
    Held,
}

impl Rule {
    /// Whether the rule acts, rather than tell what it would do; notes the end of a dry run.
    fn is_live_at(&self, now: Timestamp, context: &Context<'_>) -> bool {
        match self.mode {
            Mode::Enforce => true,
            Mode::DryRun { until: Some(until) } => {
                context.note_boundary(until);
                now >= until
            }
            Mode::DryRun { until: None } | Mode::Off => false,
        }
    }

    /// The truth of the rule's condition; a proven security fix leaves the cool-down.
    pub(crate) fn truth(&self, context: &Context<'_>) -> Tri {
        if self.mode == Mode::Off || (self.cooldown && !context.facts.artifact.security_fix_for.is_empty()) {
            return Tri::False;
        }
        context.truth(&self.condition)
    }
}

/// Judges one rule: truth, then action by truth and state, then grace, then waivers.
pub(crate) fn judge(policy: &Policy, rule: &Rule, scoped: &[Scoped<'_>], context: &Context<'_>) -> Verdict {
    let truth = rule.truth(context);
    let (action, ease) = match truth {
        Tri::False => return Verdict::Silent,
        // An unknown that the rule allows says nothing; the gap itself stands in the decision.
        Tri::Unknown(states) if rule.unknown.of(states) == Action::Allow => return Verdict::Silent,
        Tri::Unknown(states) => (rule.unknown.of(states), Ease::Not),
        Tri::True => eased(rule, context),
    };
    match waived(policy, rule, truth, scoped, context) {
        Some(ids) => Verdict::Waived(ids),
        None => Verdict::Acts { truth, action, ease },
    }
}

/// What was admitted before: a rule that only acts because of what is held back warns until a person decides; any other
/// that reads advisories warns for a time.
fn eased(rule: &Rule, context: &Context<'_>) -> (Action, Ease) {
    if !context.facts.artifact.admitted_before || rule.action <= Action::Warn {
        return (rule.action, Ease::Not);
    }
    if !context.holds_back() {
        return graced(rule, context);
    }
    let without = context.without_held();
    let eased = match rule.truth(&without) {
        Tri::False => (Action::Warn, Ease::Held),
        Tri::Unknown(states) => (rule.unknown.of(states).max(Action::Warn), Ease::Held),
        Tri::True => graced(rule, &without),
    };
    if let Some(at) = without.boundary() {
        context.note_boundary(at);
    }
    eased
}

/// Retroactive advisories warn for a time on what is here already, counted from when this door first knew of them.
fn graced(rule: &Rule, context: &Context<'_>) -> (Action, Ease) {
    let full = (rule.action, Ease::Not);
    let Some(days) = rule.grace_days else { return full };
    let (_, advisories) = evidence(rule, context);
    // Grace ends with the advisory known longest; one of unknown age has none.
    let since = advisories.iter().map(|a| a.known_since).min().flatten();
    let Some(end) = since.map(|s| s.plus_seconds(i64::from(days) * 86_400)) else { return full };
    context.note_boundary(end);
    if context.now < end { (Action::Warn, Ease::Grace(end)) } else { full }
}

/// The waivers that silence a rule together, if they do.
fn waived(
    policy: &Policy,
    rule: &Rule,
    truth: Tri,
    scoped: &[Scoped<'_>],
    context: &Context<'_>,
) -> Option<Vec<String>> {
    if rule.waivable == Waivable::No || scoped.is_empty() {
        return None;
    }
    let unknown = matches!(truth, Tri::Unknown(_));
    let usable: Vec<_> = scoped
        .iter()
        .filter(|s| s.valid_for(rule, policy, context))
        .map(|s| s.waiver())
        .filter(|w| !unknown || w.covers_unknown)
        .filter(|w| !rule.reads_advisories || !w.advisories.is_empty())
        .collect();
    if usable.is_empty() {
        return None;
    }
    if rule.reads_advisories {
        // The rule is judged again without the advisories that are named: what then is left must be nothing, or an
        // unknown of the whole group that a waiver says it covers.
        let named: Vec<&str> = usable.iter().flat_map(|w| w.advisories.iter().map(|a| &**a)).collect();
        let without = context.excluding(&named);
        match rule.truth(&without) {
            Tri::False => {}
            Tri::True => return None,
            Tri::Unknown(_) => {
                let (_, left) = evidence(rule, &without);
                if !left.is_empty() || !usable.iter().any(|w| w.covers_unknown) {
                    return None;
                }
            }
        }
    }
    Some(usable.iter().map(|w| w.id.clone()).collect())
}

/// Puts a live rule into words.
fn reason(
    policy: &Policy,
    rule: &Rule,
    (truth, action): (Tri, Action),
    ease: Ease,
    scoped: &[Scoped<'_>],
    context: &Context<'_>,
) -> Reason {
    let (facts, advisories) = evidence(rule, context);
    let until = if action.serves() { None } else { lifted_at(policy, rule, scoped, context) };
    let seen = Seen { until, advisories: &advisories, groups: rule.reads };
    let mut message = match truth {
        Tri::Unknown(_) => untold(rule, &facts),
        _ => match &rule.message {
            Some(template) => template.render(context, &seen),
            None => plain_message(&facts, &advisories, context),
        },
    };
    match ease {
        Ease::Not => {}
        Ease::Grace(end) => {
            message = format!("{message}; grace until {}, then {}", end.to_minute(), rule.action);
        }
        Ease::Held if is_waiting(context) => {
            message = format!("{message}; admitted here before, so `{}` waits for a person", rule.action);
        }
        Ease::Held => {
            message = format!("{message}; admitted here before, and a person lets it stay");
        }
    }
    let mut ids: Vec<String> = advisories.iter().map(|a| a.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    Reason {
        rule: rule.id.clone(),
        truth: if truth == Tri::True { Truth::True } else { Truth::Unknown },
        action,
        message,
        remediation: rule.remediation.as_ref().map(|t| t.render(context, &seen)),
        because: Because { facts, advisories: ids },
        until,
        waivable: rule.waivable != Waivable::No,
    }
}

/// Whether any of what is held back waits for a person, rather than being dismissed by one.
fn is_waiting(context: &Context<'_>) -> bool {
    let reports = context.facts.malware.value.as_ref().and_then(|malware| malware.held.as_deref());
    let mut held = context.advisories().filter_map(|item| item.held.as_deref()).chain(reports);
    held.any(|word| word == "waiting")
}

fn untold(rule: &Rule, facts: &[BecauseFact]) -> String {
    let gaps: Vec<String> =
        facts.iter().map(|f| format!("{} {}", f.path, f.state.as_str().replace('_', " "))).collect();
    bounded(format!("`{}` cannot be told: {}", rule.id, gaps.join(", ")))
}

/// A sentence for rules that bring none.
fn plain_message(facts: &[BecauseFact], advisories: &[&Vulnerability], context: &Context<'_>) -> String {
    let mut parts: Vec<String> = facts
        .iter()
        .filter_map(|f| {
            f.value.as_ref().map(|v| format!("{} is {}", f.path, v.to_string().trim_matches('"')))
        })
        .collect();
    if !advisories.is_empty() {
        parts
            .push(format!("advisories {}", advisories.iter().map(|a| &*a.id).collect::<Vec<_>>().join(", ")));
    }
    if parts.is_empty() {
        let mask = facts.iter().filter_map(|f| GroupId::by_name(&f.path)).fold(0, |m, g| m | g.bit());
        parts.extend(gaps(context, mask));
    }
    if parts.is_empty() {
        parts.push("the condition holds".to_owned());
    }
    bounded(parts.join(", "))
}

/// The earliest moment at which time alone lets the rule serve; waivers that will begin do not count as time.
fn lifted_at(
    policy: &Policy,
    rule: &Rule,
    _scoped: &[Scoped<'_>],
    context: &Context<'_>,
) -> Option<Timestamp> {
    let mut at = context.at(context.now);
    for _ in 0..MAX_BOUNDARIES {
        let verdict = judge(policy, rule, &[], &at);
        let serves = match verdict {
            Verdict::Silent | Verdict::Waived(_) => true,
            Verdict::Acts { action, .. } => action.serves(),
        };
        if serves {
            return Some(at.now);
        }
        let next = at.boundary()?;
        at = context.at(next);
    }
    None
}

impl Outcome {
    fn into_decision(
        mut self,
        policy: &Policy,
        facts: &Facts,
        waivers: &WaiverSet,
        scoped: &[Scoped<'_>],
        context: &Context<'_>,
    ) -> Decision {
        order(policy, &mut self.reasons);
        order(policy, &mut self.dry_run);
        self.obligations.sort_unstable();
        self.obligations.dedup();
        let action = strictest(&self.reasons);
        let dry_run = (!self.dry_run.is_empty())
            .then(|| DryRun { action: action.max(strictest(&self.dry_run)), reasons: self.dry_run });
        let selectable_from =
            if action.serves() { None } else { selectable(policy, &self.reasons, scoped, context) };
        Decision {
            action,
            enforced: policy.enforce,
            gaps: gaps_of(policy, facts, context),
            valid_until: context.boundary(),
            selectable_from,
            reasons: self.reasons,
            waived: self.waived,
            dry_run,
            obligations: self.obligations,
            policy_digest: policy.digest,
            facts_digest: facts_digest(policy, facts, waivers),
            waivers_digest: waivers.digest(),
        }
    }
}

/// What does most first; of what does the same, the rule that would do most by itself: one that only warns because of a grace
/// time, or because it waits for a person, is what must be heard of.
fn order(policy: &Policy, reasons: &mut [Reason]) {
    let full = |reason: &Reason| policy.rules.iter().find(|r| r.id == reason.rule).map(|r| r.action);
    reasons.sort_by(|a, b| {
        let more = b.action.cmp(&a.action).then_with(|| full(b).cmp(&full(a)));
        more.then_with(|| a.rule.cmp(&b.rule))
    });
}

fn strictest(reasons: &[Reason]) -> Action {
    reasons.first().map_or(Action::Allow, |r| r.action)
}

/// When every rule that holds the artifact has let go, provided that no other takes its place by then.
fn selectable(
    policy: &Policy,
    reasons: &[Reason],
    scoped: &[Scoped<'_>],
    context: &Context<'_>,
) -> Option<Timestamp> {
    let holding = reasons.iter().filter(|r| !r.action.serves());
    let at = holding.map(|r| r.until).try_fold(context.now, |latest, until| until.map(|u| u.max(latest)))?;
    let then = context.at(at);
    let free = policy.rules.iter().filter(|r| r.is_live_at(at, &then)).all(|rule| {
        match judge(policy, rule, scoped, &then) {
            Verdict::Silent | Verdict::Waived(_) => true,
            Verdict::Acts { action, .. } => action.serves(),
        }
    });
    free.then_some(at)
}

/// The groups that the policy reads and that are not known.
fn gaps_of(policy: &Policy, facts: &Facts, context: &Context<'_>) -> Vec<Gap> {
    let mut out = Vec::new();
    for group in GroupId::ENVELOPED.iter().filter(|g| policy.reads & g.bit() != 0) {
        let state = context.state(*group);
        if !matches!(state, FactState::Known | FactState::NotApplicable) {
            let why = group.why(facts).map(str::to_owned);
            out.push(Gap { fact: group.as_str().to_owned(), state, why });
        }
    }
    out
}

/// SHA-256 of the facts that the decision could read: the artifact, the stage, and each group that a rule or a waiver
/// reads, as canonical JSON. What nothing reads does not change it, so one person's decision serves the next.
pub fn facts_digest(policy: &Policy, facts: &Facts, waivers: &WaiverSet) -> Sha256 {
    let mut reads = policy.reads | GroupId::Artifact.bit();
    if waivers.reads_repository() {
        reads |= GroupId::Repository.bit();
    }
    if waivers.reads_principal() {
        reads |= GroupId::Principal.bit();
    }
    let mut bytes = Vec::with_capacity(2048);
    bytes.extend_from_slice(b"{\"facts\":\"v1\",\"stage\":\"");
    bytes.extend_from_slice(if Stage::of(facts) == Stage::Index { b"index\"" } else { b"artifact\"" });
    let plain = [GroupId::Artifact, GroupId::Principal, GroupId::Repository, GroupId::Request];
    for group in plain.iter().chain(GroupId::ENVELOPED).filter(|g| reads & g.bit() != 0) {
        bytes.extend_from_slice(b",\"");
        bytes.extend_from_slice(group.as_str().as_bytes());
        bytes.extend_from_slice(b"\":");
        group.write(facts, &mut bytes);
    }
    bytes.push(b'}');
    Sha256::new(sha2::Sha256::digest(&bytes).into())
}
