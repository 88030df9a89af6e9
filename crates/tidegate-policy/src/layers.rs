//! Layers: what a lower file may do to an upper one.

use tidegate_model::decision::Action;

use crate::file::{FileSource, Mode, Param, RuleSource, UnknownSource, Waivable};
use crate::lint::{Level, Lint};
use crate::source::{Place, Problems, Raw};

/// What the lower file may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freedom {
    /// Anything: it is the owner's own file, which starts from a pack.
    Owner,
    /// Add and tighten; a loosening is an error.
    Refuse,
    /// Add and tighten; a loosening is left out and told.
    Ignore,
}

struct Merger<'a> {
    freedom: Freedom,
    /// What a rule of the upper layer does that does not say.
    default_unknown: Action,
    problems: &'a mut Problems,
    ignored: &'a mut Vec<Lint>,
}

pub(crate) fn merge(
    upper: &FileSource,
    lower: FileSource,
    freedom: Freedom,
    problems: &mut Problems,
    ignored: &mut Vec<Lint>,
) -> FileSource {
    let default_unknown = upper.header.default_unknown.unwrap_or(Action::Quarantine);
    let mut merger = Merger { freedom, default_unknown, problems, ignored };
    let mut out = upper.clone();
    let mut added: Vec<RuleSource> = Vec::new();
    merger.header(&mut out, &lower);
    for rule in lower.rules {
        // A second rule of the same id in the lower file is reported as a twin later.
        match out.rules.iter_mut().find(|r| r.id == rule.id) {
            Some(above) => merger.rule(above, rule),
            None => added.push(rule),
        }
    }
    out.rules.extend(added);
    out
}

impl Merger<'_> {
    fn header(&mut self, out: &mut FileSource, lower: &FileSource) {
        let (upper, below) = (&mut out.header, &lower.header);
        let owner = self.freedom == Freedom::Owner;
        if owner {
            upper.id.clone_from(&below.id);
            upper.version.clone_from(&below.version);
        } else {
            // The digest covers every layer; the version tells people which ones.
            upper.version = format!("{}+{}@{}", upper.version, below.id, below.version);
        }
        let (was, is) = (upper.enforce.unwrap_or(true), below.enforce.unwrap_or(true));
        if below.enforce.is_some() && self.allows(is >= was, &below.at, "policy", "`enforce`") {
            upper.enforce = below.enforce;
        }
        if let Some(unknown) = below.default_unknown {
            let was = upper.default_unknown.unwrap_or(Action::Quarantine);
            if self.allows(unknown >= was, &below.at, "policy", "`default_unknown`") {
                upper.default_unknown = Some(unknown);
            }
        }
        if let Some(approvers) = below.approvers
            && self.allows(approvers >= upper.approvers.unwrap_or(0), &below.at, "policy", "`approvers`")
        {
            upper.approvers = Some(approvers);
        }
        if let Some(days) = below.max_days
            && self.allows(days <= upper.max_days.unwrap_or(30), &below.at, "policy", "`max_days`")
        {
            upper.max_days = Some(days);
        }
        upper.at = below.at.clone();
    }

    /// Whether a change may be made: it tightens, or the file is the owner's.
    fn allows(&mut self, tightens: bool, at: &Place, rule: &str, what: &str) -> bool {
        if tightens || self.freedom == Freedom::Owner {
            return true;
        }
        let message = format!("a lower layer may not loosen {what} of `{rule}`");
        let remedy = "tighten it, or ask the owner of the upper layer to mark a parameter `overridable`";
        if self.freedom == Freedom::Refuse {
            self.problems.push(at, message, remedy);
        } else {
            self.ignored.push(Lint {
                level: Level::Warning,
                code: "loosening-ignored",
                rule: Some(rule.to_owned()),
                place: at.clone(),
                what: message,
                remedy: remedy.to_owned(),
            });
        }
        false
    }

    fn rule(&mut self, above: &mut RuleSource, below: RuleSource) {
        let (id, at) = (below.id.clone(), below.at.clone());
        if above.sealed == Some(true) && self.freedom != Freedom::Owner {
            self.allows(false, &at, &id, "anything: it is sealed,");
            return;
        }
        for param in below.params {
            self.param(above, param, &id);
        }
        if let Some(action) = below.action
            && self.allows(action >= above.action.unwrap_or_default(), &at, &id, "`action`")
        {
            above.action = Some(action);
        }
        if let Some(waivable) = below.waivable
            && self.allows(waivable >= above.waivable.unwrap_or(Waivable::Yes), &at, &id, "`waivable`")
        {
            above.waivable = Some(waivable);
        }
        if let Some(mode) = below.mode
            && self.allows(mode == Mode::Enforce, &at, &id, "`mode`")
        {
            above.mode = Some(mode);
        }
        if let Some(unknown) = below.unknown {
            self.unknown(above, &unknown, &at, &id);
        }
        for (slot, node, what) in [
            (&mut above.applies, below.applies, "`applies`"),
            (&mut above.when, below.when, "`when`"),
            (&mut above.grace_days, below.grace_days, "`grace_days`"),
        ] {
            // Whether another condition is tighter cannot be told in general; a rule of one's own is.
            if node.is_some() && self.allows(false, &at, &id, what) {
                *slot = node;
            }
        }
        if below.cooldown.is_some() && self.allows(below.cooldown == Some(false), &at, &id, "`cooldown`") {
            above.cooldown = below.cooldown;
        }
        if below.sealed == Some(true) || self.freedom == Freedom::Owner {
            above.sealed = below.sealed.or(above.sealed);
        }
        above.controls.extend(below.controls);
        above.obligations.extend(below.obligations);
        above.message = below.message.or(above.message.take());
        above.remediation = below.remediation.or(above.remediation.take());
    }

    fn unknown(&mut self, above: &mut RuleSource, below: &UnknownSource, at: &Place, id: &str) {
        let was = above.unknown.clone().unwrap_or_default();
        let of = |source: &UnknownSource, state| {
            let own = source.states.iter().find(|(s, _)| *s == state).map(|(_, a)| *a);
            own.or(source.every)
        };
        for state in crate::file::untold_states() {
            let before = of(&was, state).unwrap_or(self.default_unknown);
            let Some(after) = of(below, state) else { continue };
            if self.allows(after >= before, at, id, &format!("`unknown.{}`", state.as_str())) {
                let slot = above.unknown.get_or_insert_with(UnknownSource::default);
                slot.states.retain(|(s, _)| *s != state);
                slot.states.push((state, after));
            }
        }
    }

    fn param(&mut self, above: &mut RuleSource, param: Param, id: &str) {
        let Some(slot) = above.params.iter_mut().find(|p| p.name == param.name) else {
            let remedy = "use one of the parameters that the upper layer declares";
            self.problems.push(&param.at, format!("rule `{id}` has no parameter `{}`", param.name), remedy);
            return;
        };
        let inside = match (&param.value.value, slot.overridable) {
            (Raw::Number(n), Some((min, max))) => (min..=max).contains(n),
            _ => false,
        };
        let what = match slot.overridable {
            Some((min, max)) => format!("parameter `{}`, which may be {min} to {max},", param.name),
            None => format!("parameter `{}`, which is not `overridable`,", param.name),
        };
        if self.allows(inside, &param.at, id, &what) {
            slot.value = param.value;
            if self.freedom == Freedom::Owner {
                slot.overridable = param.overridable.or(slot.overridable);
            }
        }
    }
}
