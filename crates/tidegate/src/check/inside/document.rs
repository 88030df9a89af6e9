//! From what was seen to a report, which other formats are written from.

use std::collections::HashSet;

use tidegate_model::facts::FactState;
use tidegate_model::{Finding, Timestamp};

use super::{Form, Judged, in_folder};
use crate::check::{Answers, Input, report};
use crate::reports::{CannotRender, Component, Observation, Report, ReportFormat, ReportGap, Subject};

/// Writes the document of one file or folder.
///
/// # Errors
/// [`CannotRender`].
pub fn document(judged: &Judged, format: ReportFormat, now: Timestamp) -> Result<Vec<u8>, CannotRender> {
    whole(judged, now).render(format)
}

/// The package and what it brings along as components, what advisories say of them, and what was seen.
fn whole(judged: &Judged, now: Timestamp) -> Report {
    let looked = &judged.looked;
    let bundled = || judged.bundled.iter();
    let items = std::iter::once(&judged.item).chain(bundled().map(|(_, item, _)| item)).cloned().collect();
    let mut own = judged.answer.clone();
    own.gaps.clear();
    // A bundled component is told of, not decided on.
    let told = bundled().map(|(_, _, answer)| {
        let mut answer = answer.clone();
        (answer.action, answer.reasons, answer.error) = (None, Vec::new(), None);
        answer.gaps.retain(|gap| gap.fact == "vulnerabilities");
        answer
    });
    let answers = Answers { list: std::iter::once(own).chain(told).collect(), ..judged.with.clone() };
    let subject = Subject {
        name: judged.item.name.clone(),
        version: judged.item.version.clone(),
        purl: judged.item.purl.clone(),
        file: Some(looked.given.clone()),
        sha256: looked.sha256,
    };
    let input = Input { given: looked.given.clone(), subject, items, ..Input::default() };
    let mut whole = report(&input, &answers, now);
    let asked: HashSet<usize> = bundled().map(|(at, _, _)| *at).collect();
    let others = looked.components().iter().enumerate().filter(|(at, _)| !asked.contains(at));
    whole.components.extend(others.map(|(_, one)| Component {
        purl: one.purl.clone(),
        name: one.name.clone(),
        version: one.version.clone(),
        licence: one.licence.clone(),
        beneath: one.beneath.clone(),
        ..Component::default()
    }));
    whole.gaps.extend(judged.answer.gaps.iter().map(|gap| ReportGap {
        component: None,
        fact: gap.fact.clone(),
        state: gap.state,
        why: gap.why.clone(),
        line: None,
    }));
    whole.gaps.extend(not_seen(judged));
    if let Ok(inspection) = &looked.inspection {
        let compared = looked.compared.iter().flat_map(|compared| &compared.findings);
        whole.observations =
            compared.chain(&inspection.findings).map(|finding| observation(judged, finding)).collect();
    }
    whole
}

fn observation(judged: &Judged, finding: &Finding) -> Observation {
    let looked = &judged.looked;
    let path = finding.location.path.as_str();
    let (file, within) = match looked.form {
        Form::Folder => {
            let (file, within) = in_folder(&looked.given, &looked.name, path);
            (Some(file), within)
        }
        Form::File => (None, path.split_once("!/").map(|(_, within)| within)),
    };
    let within = within.map(str::to_owned);
    Observation { finding: Finding { secret_hash: None, ..finding.clone() }, file, within }
}

fn not_seen(judged: &Judged) -> Vec<ReportGap> {
    let gap = |state, why| ReportGap {
        component: None,
        fact: "contents".into(),
        state,
        why: Some(why),
        line: None,
    };
    match &judged.looked.inspection {
        Err(why) => vec![gap(FactState::Error, format!("nothing was seen: {why}"))],
        Ok(inspection) => inspection
            .not_seen
            .iter()
            .map(|one| gap(FactState::NotScanned, format!("{}: {} ({})", one.path, one.detail, one.kind)))
            .collect(),
    }
}
