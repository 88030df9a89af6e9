//! From answers to a report, which other formats are written from.

use std::collections::HashMap;

use tidegate_model::Timestamp;
use tidegate_model::facts::FactState;

use super::{Answers, Input};
use crate::reports::{Certainty, Component, Finding, Outcome, Report, ReportGap, Tool};

/// A gap that so many components share is one of the whole.
const SHARED_BY: usize = 20;

/// Makes the report of one input; `now` where the door did not say when it decided.
pub fn report(input: &Input, answers: &Answers, now: Timestamp) -> Report {
    let components = input
        .items
        .iter()
        .zip(&answers.list)
        .map(|(item, answer)| Component {
            purl: item.purl.clone(),
            name: item.name.clone(),
            version: item.version.clone(),
            digests: item.digests.clone(),
            licence: item.licence.clone(),
            scope: item.scope,
            place: item.place.clone(),
            beneath: None,
            outcome: answer.action.map(|action| Outcome { action, reasons: answer.reasons.clone() }),
            nearest_compliant: answer.nearest.clone(),
        })
        .collect();
    let told = answers.list.iter().enumerate().flat_map(|(component, answer)| {
        answer.findings.iter().map(move |told| Finding {
            component,
            advisory: told.vulnerability.clone(),
            certainty: if told.certain { Certainty::Matched } else { Certainty::Unclear },
            summary: told.summary.clone(),
            details: told.details.clone(),
            source: told.source.clone(),
            links: told.links.clone(),
            cwes: told.cwes.clone(),
            published: told.published,
            modified: told.modified,
            justification: None,
            impact: None,
        })
    });
    Report {
        tool: Tool::this(),
        author: None,
        at: answers.at.unwrap_or(now),
        subject: input.subject.clone(),
        policy: answers.policy,
        components,
        findings: told.collect(),
        gaps: gaps(input, answers),
        observations: Vec::new(),
    }
}

fn gaps(input: &Input, answers: &Answers) -> Vec<ReportGap> {
    let whole = |fact: &str, state, why: String, line| ReportGap {
        component: None,
        fact: fact.into(),
        state,
        why: Some(why),
        line,
    };
    let mut gaps: Vec<ReportGap> = answers
        .degraded
        .iter()
        .map(|line| whole("vulnerabilities", FactState::Stale, line.clone(), None))
        .collect();
    let mut counts: HashMap<(&str, FactState, Option<&str>), usize> = HashMap::new();
    for gap in answers.list.iter().flat_map(|answer| &answer.gaps) {
        *counts.entry((&gap.fact, gap.state, gap.why.as_deref())).or_default() += 1;
    }
    for (component, answer) in answers.list.iter().enumerate() {
        for gap in &answer.gaps {
            let key = (gap.fact.as_str(), gap.state, gap.why.as_deref());
            match counts.get_mut(&key) {
                // Told already.
                Some(0) | None => {}
                Some(count) if *count > SHARED_BY => {
                    let why = gap.why.as_deref().unwrap_or("it was not looked at");
                    gaps.push(whole(&gap.fact, gap.state, format!("{why} ({count} components)"), None));
                    *count = 0;
                }
                Some(_) => gaps.push(ReportGap {
                    component: Some(component),
                    fact: gap.fact.clone(),
                    state: gap.state,
                    why: gap.why.clone(),
                    line: None,
                }),
            }
        }
    }
    gaps.extend(input.notes.iter().map(|note| {
        whole("components", FactState::Unsupported, format!("`{}` {}", note.what, note.why), note.line)
    }));
    if input.notes_left_out > 0 {
        let why = format!("{} more entries could not be read as components", input.notes_left_out);
        gaps.push(whole("components", FactState::Unsupported, why, None));
    }
    gaps
}
