//! What `check` shows to a developer: what is worst first, what to take instead, and what nobody could look at.

use std::collections::BTreeMap;

use tidegate_model::Action;
use tidegate_model::decision::Reason;
use tidegate_model::facts::FactState;

use super::answer::is_of_something_known;
use super::{Answer, Answers, Input, Item, Note};
use crate::cli::show::{BAD, CARE, FAINT, STRONG, action_style, safe, styled};

/// Where details begin: below the package URL.
const INDENT: &str = "           ";
/// How many advisories of one component are shown before the others are counted.
const SHOWN_FINDINGS: usize = 5;
/// How many feeds are named that something is wrong with.
const SHOWN_FEEDS: usize = 3;
/// How many entries that were not looked at are shown one by one.
const SHOWN_NOTES: usize = 5;

/// The report; by default of what needs action, with `all` of everything.
pub fn readable(input: &Input, answers: &Answers, all: bool) -> String {
    let mut told = String::new();
    let mut shown: Vec<(&Item, &Answer)> = input
        .items
        .iter()
        .zip(&answers.list)
        .filter(|(_, answer)| all || input.is_purl() || answer.needs_action())
        .collect();
    // Packages that a person named are answered in that order.
    if !input.is_purl() {
        shown.sort_by_key(|(_, answer)| std::cmp::Reverse(badness(answer)));
    }
    for (item, answer) in shown {
        component(&mut told, item, answer);
    }
    gaps(&mut told, answers, all);
    notes(&mut told, input, all);
    if !input.is_purl() {
        told.push_str(&summary(input, answers));
    }
    told
}

/// What ranks components: the action, whether it could be decided, then the worst finding.
fn badness(answer: &Answer) -> impl Ord {
    let standing = || answer.findings.iter().filter(|finding| finding.counts() && !finding.is_cleared());
    let malicious = standing().any(|finding| finding.vulnerability.malicious);
    let exploited = standing().any(|finding| finding.vulnerability.kev == Some(true));
    let severity = standing().filter_map(super::Told::severity).max();
    (
        answer.action.filter(|action| !action.serves()),
        answer.error.is_some(),
        malicious,
        exploited,
        severity,
        standing().count(),
        answer.action,
    )
}

fn component(told: &mut String, item: &Item, answer: &Answer) {
    let name = item.purl.clone().unwrap_or_else(|| {
        format!("{} {} (no package URL)", item.name, item.version.as_deref().unwrap_or("of unknown version"))
    });
    let (word, style) = match answer.action {
        Some(action) => (action.as_str(), action_style(action.as_str())),
        None => ("failed", BAD),
    };
    // Padded before it is coloured, or the columns would count the colour.
    told.push_str(&format!("{} {}", styled(style, &format!("{word:<10}")), safe(&name)));
    told.push_str(&safe(&why(answer)));
    told.push('\n');
    if answer.action.is_some()
        && let Some(error) = &answer.error
    {
        told.push_str(&format!("{INDENT}could not be looked up: {}\n", safe(error)));
    }
    for finding in answer.findings.iter().take(SHOWN_FINDINGS) {
        told.push_str(&format!("{INDENT}{}\n", safe(&finding.line())));
    }
    if answer.findings.len() > SHOWN_FINDINGS {
        told.push_str(&format!("{INDENT}and {} more\n", answer.findings.len() - SHOWN_FINDINGS));
    }
    let place = item.place.as_ref().map(|place| format!("{}:{}", item.input, place.line));
    let remedy = remedy(item, answer);
    let line = match (remedy, place) {
        (Some(remedy), Some(place)) => {
            format!("{} {}", styled(STRONG, &safe(&remedy)), styled(FAINT, &format!("({})", safe(&place))))
        }
        (Some(remedy), None) => styled(STRONG, &safe(&remedy)),
        (None, Some(place)) if answer.needs_action() => styled(FAINT, &safe(&place)),
        _ => return,
    };
    told.push_str(&format!("{INDENT}{line}\n"));
}

/// The reason that decided. A warning of what is not known is told once for all; what is known comes first.
pub(super) fn leading(answer: &Answer) -> Option<&Reason> {
    answer.reasons.first().map(|first| match first.action {
        Action::Warn => answer.reasons.iter().find(|reason| is_of_something_known(reason)).unwrap_or(first),
        _ => first,
    })
}

/// The reason that decided, behind the name.
pub(super) fn why(answer: &Answer) -> String {
    let mut line = match (answer.action, leading(answer)) {
        (None, _) => format!(": {}", answer.error.as_deref().unwrap_or("it could not be decided")),
        (Some(Action::Allow), _) | (Some(_), None) => String::new(),
        (Some(Action::Warn), Some(reason))
            if !answer.findings.is_empty() && !is_of_something_known(reason) =>
        {
            String::new()
        }
        (Some(_), Some(reason)) => format!(" {}: {}", reason.rule, reason.message),
    };
    if answer.action.is_some_and(|action| !action.serves())
        && let Some(from) = answer.selectable_from
        && !line.contains("selectable from")
    {
        line.push_str(&format!("; selectable from {}", from.to_minute()));
    }
    line
}

/// What to do, in a few words.
fn remedy(item: &Item, answer: &Answer) -> Option<String> {
    let touched = answer.findings.iter().any(|finding| finding.counts() && !finding.is_cleared());
    let held = answer.action.is_some_and(|action| !action.serves());
    if !touched && !held {
        return None;
    }
    let malicious = answer.findings.iter().any(|finding| finding.vulnerability.malicious);
    let instead = answer.nearest.as_ref().or_else(|| answer.newest.as_ref().filter(|_| held));
    let instead = instead.filter(|version| Some(version.as_str()) != item.version.as_deref());
    Some(match (malicious, instead) {
        (true, None) => "remove it, and treat machines that installed it as compromised".into(),
        (true, Some(version)) => {
            format!("take {version} instead, and treat machines that installed this one as compromised")
        }
        (false, Some(version)) => format!("take {version} instead"),
        (false, None) if touched && !held => {
            "no version is known that mends it: replace it, or mitigate".into()
        }
        (false, None) => {
            let remedies = answer.reasons.iter().filter(|reason| reason.action != Action::Allow);
            remedies.filter_map(|reason| reason.remediation.clone()).next()?
        }
    })
}

/// What was not known, a line per kind: which facts, of how many components, why.
fn gaps(told: &mut String, answers: &Answers, all: bool) {
    type Key<'a> = (FactState, &'a str);
    let mut kinds: BTreeMap<Key<'_>, BTreeMap<&str, usize>> = BTreeMap::new();
    for gap in answers.list.iter().flat_map(|answer| &answer.gaps) {
        // A component that could not be decided on says so itself.
        if gap.fact != "artifact" {
            let why = gap.why.as_deref().unwrap_or(match gap.state {
                FactState::Stale => "what is loaded is too old to be sure of; what it found is told",
                _ => "it was not looked at",
            });
            *kinds.entry((gap.state, why)).or_default().entry(&gap.fact).or_default() += 1;
        }
    }
    let is_loud = |facts: &BTreeMap<&str, usize>| facts.contains_key("vulnerabilities");
    let count = answers.list.len();
    for ((state, why), facts) in kinds.iter().filter(|(_, facts)| is_loud(facts)) {
        let of = facts["vulnerabilities"];
        let line = format!(
            "not known [{}]: vulnerabilities of {of} of {count} {}: {}",
            state.as_str(),
            components(count),
            safe(why)
        );
        told.push_str(&format!("{}\n", styled(CARE, &line)));
    }
    if let Some(line) = degraded(&answers.degraded) {
        told.push_str(&format!("{}\n", styled(CARE, &safe(&line))));
    }
    let quiet: Vec<_> = kinds.iter().filter(|(_, facts)| !is_loud(facts)).collect();
    if all {
        for ((state, why), facts) in quiet {
            let of = facts.values().max().copied().unwrap_or_default();
            let names = facts.keys().copied().collect::<Vec<_>>().join(", ");
            let line = format!(
                "not known [{}]: {names} of {of} of {count} {}: {}",
                state.as_str(),
                components(count),
                safe(why)
            );
            told.push_str(&format!("{}\n", styled(FAINT, &line)));
        }
    } else if !quiet.is_empty() {
        let mut names: Vec<&str> = quiet.iter().flat_map(|(_, facts)| facts.keys().copied()).collect();
        names.sort_unstable();
        names.dedup();
        let line = format!("not known of some: {} (--all says why)", names.join(", "));
        told.push_str(&format!("{}\n", styled(FAINT, &line)));
    }
}

/// What is wrong with the feeds, in one line.
fn degraded(lines: &[String]) -> Option<String> {
    let what = |line: &String| line.strip_prefix("advisories: ").unwrap_or(line).to_owned();
    let mut shown = lines.iter().take(SHOWN_FEEDS).map(what).collect::<Vec<_>>().join("; ");
    if lines.len() > SHOWN_FEEDS {
        shown.push_str(&format!("; and {} more", lines.len() - SHOWN_FEEDS));
    }
    let hint = if lines.iter().any(|line| line.contains("no feed")) {
        "open a door and load some with `tidegate intel sync` or `tidegate intel import FILE`"
    } else {
        "see `tidegate intel status`"
    };
    (!lines.is_empty()).then(|| format!("advisories: {shown} ({hint})"))
}

fn notes(told: &mut String, input: &Input, all: bool) {
    let count = input.notes.len() + input.notes_left_out;
    if count == 0 {
        return;
    }
    let line = format!(
        "not looked at: {count} {} of {}",
        if count == 1 { "entry" } else { "entries" },
        safe(&input.given)
    );
    told.push_str(&format!("{}\n", styled(CARE, &line)));
    let most = if all { input.notes.len() } else { SHOWN_NOTES };
    for Note { what, why, line } in input.notes.iter().take(most) {
        let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        told.push_str(&format!("  {}\n", safe(&format!("{line}{what} {why}"))));
    }
    if count > most.min(input.notes.len()) {
        told.push_str(&format!("  and {} more\n", count - most.min(input.notes.len())));
    }
}

const fn components(count: usize) -> &'static str {
    if count == 1 { "component" } else { "components" }
}

fn summary(input: &Input, answers: &Answers) -> String {
    let list = &answers.list;
    let of = |action: Action| list.iter().filter(|answer| answer.action == Some(action)).count();
    let mut parts: Vec<String> = [Action::Block, Action::Quarantine, Action::Warn, Action::Allow]
        .into_iter()
        .filter_map(|action| Some((of(action), action)).filter(|(count, _)| *count > 0))
        .map(|(count, action)| format!("{count} {action}"))
        .collect();
    let failed = list.iter().filter(|answer| answer.action.is_none()).count();
    if failed > 0 {
        parts.push(format!("{failed} not decided"));
    }
    let mut line =
        format!("{}: {} {}: {}", safe(&input.given), list.len(), components(list.len()), parts.join(", "));
    if list.is_empty() {
        line = format!("{}: no components", safe(&input.given));
    }
    let standing = || {
        let all = list.iter().flat_map(|answer| &answer.findings);
        all.filter(|finding| finding.counts() && finding.certain && !finding.is_cleared())
    };
    let malicious = standing().filter(|finding| finding.vulnerability.malicious).count();
    let flaws = standing().count() - malicious;
    let exploited = standing().filter(|finding| finding.vulnerability.kev == Some(true)).count();
    let judged = list.iter().filter(|answer| answer.is_judged_by_advisories()).count();
    if malicious > 0 {
        line.push_str(&format!("; {malicious} malicious"));
    }
    if judged > 0 || flaws > 0 {
        line.push_str(&format!(
            "; {flaws} known {}",
            if flaws == 1 { "vulnerability" } else { "vulnerabilities" }
        ));
        if exploited > 0 {
            line.push_str(&format!(" ({exploited} exploited)"));
        }
    }
    if judged < list.len() {
        line.push_str(&format!("; vulnerabilities not known of {}", list.len() - judged));
    }
    if input.local > 0 {
        line.push_str(&format!("; {} of the project itself", input.local));
    }
    format!("{}\n", styled(STRONG, &line))
}
