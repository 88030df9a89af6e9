//! From files to a [`Policy`]: reading, layering, checking.

use tidegate_model::decision::Action;
use tidegate_model::facts::FactState;

use crate::condition::{ConditionCompiler, substitute};
use crate::file::{self, FileSource, Header, Mode, RuleSource, Waivable};
use crate::layers::{Freedom, merge};
use crate::lint::{Lint, lint};
use crate::message::Template;
use crate::packs;
use crate::policy::{Policy, Rule, UnknownActions, canonical, digest_of};
use crate::source::{PolicyErrors, Problems, Raw};
use crate::tree::{FactLeaf, Tree};

/// A policy and what could be better about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The policy.
    pub policy: Policy,
    /// What lint says, without what depends on the time or on waivers.
    pub warnings: Vec<Lint>,
}

/// What happens to a lower layer's attempt to loosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loosening {
    /// It is an error: in CI and when a person asks.
    Refuse,
    /// It is left out, and told as a warning: on a running door.
    Ignore,
}

impl Policy {
    /// Compiles a policy from TOML. `origin` names the file in errors. `[policy] extends = "<pack>"` starts from a pack.
    ///
    /// # Errors
    /// Everything that is wrong with the file, each with its place and a remedy.
    pub fn compile(source: &str, origin: &str) -> Result<Compiled, PolicyErrors> {
        let mut problems = Problems::new();
        let mut file = file::read(source, origin, &mut problems);
        if let Some((pack, at)) = file.header.extends.take() {
            match packs::source(&pack) {
                // A pack that extends another is resolved by compiling it.
                Some(_) => {
                    let upper = Self::pack(&pack).expect("the packs of this build compile").source;
                    file = merge(&upper, file, Freedom::Owner, &mut problems, &mut Vec::new());
                }
                None => problems.push(
                    &at,
                    format!("there is no pack `{}`", pack.escape_debug()),
                    format!("expected one of {}", packs::NAMES.join(", ")),
                ),
            }
        }
        finish(file, problems, Vec::new())
    }

    /// Puts a lower layer (a team's or a repository's file) under this policy. It may add rules and tighten; it may
    /// loosen only a parameter marked `overridable`, inside its range. The most restrictive wins, never the last file.
    ///
    /// # Errors
    /// What is wrong with the file, and with [`Loosening::Refuse`] every attempt to loosen.
    pub fn layer(&self, source: &str, origin: &str, loosening: Loosening) -> Result<Compiled, PolicyErrors> {
        let mut problems = Problems::new();
        let lower = file::read(source, origin, &mut problems);
        let mut ignored = Vec::new();
        let freedom = match loosening {
            Loosening::Refuse => Freedom::Refuse,
            Loosening::Ignore => Freedom::Ignore,
        };
        let merged = merge(&self.source, lower, freedom, &mut problems, &mut ignored);
        finish(merged, problems, ignored)
    }
}

fn finish(
    file: FileSource,
    mut problems: Problems,
    mut warnings: Vec<Lint>,
) -> Result<Compiled, PolicyErrors> {
    let Header { default_unknown, .. } = &file.header;
    let default_unknown = default_unknown.unwrap_or(Action::Quarantine);
    let mut rules = Vec::with_capacity(file.rules.len());
    for source in &file.rules {
        rules.push(rule(source, default_unknown, &mut problems));
    }
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    problems.into_result()?;
    let live = rules.iter().filter(|r| r.mode != Mode::Off);
    let mut policy = Policy {
        id: file.header.id.clone(),
        version: file.header.version.clone(),
        enforce: file.header.enforce.unwrap_or(true),
        approvers: file.header.approvers.unwrap_or(0),
        max_days: file.header.max_days.unwrap_or(30),
        default_unknown,
        reads: live.fold(0, |mask, r| mask | r.reads),
        rules,
        digest: tidegate_model::Sha256::new([0; 32]),
        canonical: serde_json::Value::Null,
        source: FileSource::default(),
    };
    policy.canonical = canonical(&file, &policy);
    policy.digest = digest_of(&policy.canonical);
    policy.source = file;
    warnings.extend(lint(&policy, &crate::WaiverSet::empty(), None));
    Ok(Compiled { policy, warnings })
}

fn rule(source: &RuleSource, default_unknown: Action, problems: &mut Problems) -> Rule {
    let id = &source.id;
    let mut used = Vec::new();
    let condition = condition(source, problems, &mut used);
    let grace_days = grace_days(source, problems, &mut used);
    let mut template = |text: &Option<(String, crate::Place)>, problems: &mut Problems| {
        text.as_ref().map(|(text, at)| Template::compile(text, at, &source.params, problems, &mut used))
    };
    let message = template(&source.message, problems);
    let remediation = template(&source.remediation, problems);
    for param in source.params.iter().filter(|p| !used.contains(&p.name)) {
        let remedy = "use it as `{name}` in `when`, `message`, `remediation` or `grace_days`, or take it out";
        problems.push(&param.at, format!("nothing reads parameter `{}` of `{id}`", param.name), remedy);
    }
    if source.action.is_none() {
        let remedy = "add `action = \"warn\"`, \"quarantine\", \"block\" or \"allow\"";
        problems.push(&source.at, format!("rule `{id}` has no `action`"), remedy);
    }
    let mut reads = 0;
    let mut reads_advisories = false;
    condition.visit(true, &mut |leaf, _| {
        reads |= leaf.group().bit();
        reads_advisories |= matches!(leaf, FactLeaf::Advisories(..));
    });
    let mut rule = Rule {
        id: id.clone(),
        at: source.at.clone(),
        action: source.action.unwrap_or_default(),
        waivable: Waivable::Yes,
        mode: source.mode.unwrap_or(Mode::Enforce),
        controls: source.controls.clone(),
        obligations: source.obligations.clone(),
        remediation,
        message,
        cooldown: source.cooldown.unwrap_or(false),
        sealed: source.sealed.unwrap_or(false),
        grace_days,
        unknown: unknown(source, default_unknown),
        unknown_stated: source.unknown.is_some(),
        condition,
        reads,
        reads_advisories,
    };
    if grace_days.is_some() && !reads_advisories {
        let remedy = "take it out, or read `vulnerabilities`";
        problems.push(
            &source.at,
            format!("`grace_days` of `{id}` counts from advisories it does not read"),
            remedy,
        );
    }
    rule.waivable = waivable(source, &rule, problems);
    rule
}

/// `applies` and `when` joined; selectors first, since they are cheap and often decide.
fn condition(source: &RuleSource, problems: &mut Problems, used: &mut Vec<String>) -> Tree<FactLeaf> {
    let mut parts = Vec::new();
    for node in [&source.applies, &source.when].into_iter().flatten() {
        let node = substitute(node, &source.params, problems, used);
        parts.push(ConditionCompiler { problems }.facts(&node, "", 0));
    }
    if source.when.is_none() {
        let remedy = "add `[rule.when]` with what must hold";
        problems.push(&source.at, format!("rule `{}` has no `when`", source.id), remedy);
    }
    if parts.len() == 1 { parts.remove(0) } else { Tree::All(parts.into()) }
}

fn grace_days(source: &RuleSource, problems: &mut Problems, used: &mut Vec<String>) -> Option<u32> {
    let node = substitute(source.grace_days.as_ref()?, &source.params, problems, used);
    match node.value {
        Raw::Number(n) if n.fract() == 0.0 && (0.0..=365.0).contains(&n) => Some(n as u32),
        _ => {
            problems.push(&node.at, "`grace_days` is a whole number from 0 to 365", "write a number of days");
            None
        }
    }
}

fn unknown(source: &RuleSource, default: Action) -> UnknownActions {
    let stated = source.unknown.clone().unwrap_or_default();
    let mut actions = [stated.every.unwrap_or(default); FactState::ALL.len()];
    for (state, action) in stated.states {
        actions[state as usize] = action;
    }
    UnknownActions(actions)
}

/// What the file says, within what no file may say: malware by digest only, failed provenance never.
fn waivable(source: &RuleSource, rule: &Rule, problems: &mut Problems) -> Waivable {
    let stated = source.waivable;
    if rule.reads_failed_provenance() {
        if stated.is_some_and(|w| w != Waivable::No) {
            let what = format!("rule `{}` holds for failed provenance, which nothing waives", rule.id);
            problems.push(
                &source.at,
                what,
                "write `waivable = false`, or ask for other states in a rule of its own",
            );
        }
        return Waivable::No;
    }
    if rule.reads_malware() {
        if stated == Some(Waivable::Yes) {
            let what = format!("rule `{}` reads malware, which is waived by digest only", rule.id);
            problems.push(&source.at, what, "write `waivable = \"digest\"` or false");
        }
        return stated.unwrap_or(Waivable::Digest).max(Waivable::Digest);
    }
    stated.unwrap_or(Waivable::Yes)
}
