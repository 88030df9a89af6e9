//! Tests of the npm ecosystem.

mod audits;
mod documents;
mod hostile;
mod laws;
mod requests;
mod signed;

use std::sync::Arc;

use serde_json::Value;
use tidegate_model::{Action, Ecosystem, PackageName};

use super::Npm;
use crate::{FetchedDocument, Index, IndexError, Links, Protocol, Rendered, UpstreamBase, Verdict, View};

fn package(name: &str) -> PackageName {
    PackageName::parse(Ecosystem::Npm, name).unwrap()
}

fn upstream() -> UpstreamBase {
    UpstreamBase { url: "https://registry.example/npm/".parse().unwrap() }
}

fn links() -> Links {
    Links::below("http://127.0.0.1:8484/npm/")
}

fn parse(name: &str, body: impl Into<Vec<u8>>) -> Result<Arc<dyn Index>, IndexError> {
    let document = FetchedDocument {
        url: Npm.index_request(&package(name), &upstream()).url,
        content_type: Some("application/json".into()),
        body: body.into().into(),
    };
    Npm.parse_index(&package(name), &upstream(), &document, None, None)
}

fn withhold(message: &str) -> Verdict {
    Verdict { action: Action::Quarantine, withheld: true, message: message.into(), until: None }
}

/// One verdict a file: withheld where `withheld` says so of its version.
fn verdicts(index: &dyn Index, withheld: impl Fn(&str) -> bool) -> Vec<Verdict> {
    let verdict = |version: &str| match withheld(version) {
        true => withhold(&format!("{version} is too young")),
        false => Verdict::default(),
    };
    index.files().iter().map(|file| verdict(file.version.as_str())).collect()
}

fn rendered(index: &dyn Index, form: &'static str, selector: Option<&str>, verdicts: &[Verdict]) -> Rendered {
    index.render(&View { form, selector: selector.map(Into::into) }, verdicts, &links()).unwrap()
}

fn document(index: &dyn Index, form: &'static str, verdicts: &[Verdict]) -> String {
    match rendered(index, form, None, verdicts) {
        Rendered::Document { body, .. } => String::from_utf8(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A packument in upstream's compact form.
const PACKUMENT: &str = include_str!("packument.json");

fn fixture() -> Arc<dyn Index> {
    parse("@acme/left", PACKUMENT.trim_end()).unwrap()
}
