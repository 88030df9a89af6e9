//! `vulnerabilities` of the legacy JSON API, which `pip-audit` reads: what this door knows of a version, in place of what the
//! upstream says of its latest.
//!
//! Where nothing is loaded the upstream's own list stands; where there is none either, or what is loaded cannot tell, the
//! document of a version is an error: a document without the list reads as good news. A version that policy withholds
//! has a document, too, with each file marked: an audit asks about what is installed already.

use serde_json::{Map, Value, json};
use tidegate_model::{Ecosystem, Version};

use super::listing::Listing;
use super::{FORM_VERSION_JSON, project};
use crate::advice::{Advice, Advise};
use crate::index::Verdicts;
use crate::{Links, Rendered, View};

const MEMBER: &str = "vulnerabilities";
const JSON_TYPE: &str = "application/json";

pub(super) fn render(
    listing: &Listing,
    view: &View,
    verdicts: Verdicts<'_>,
    links: &Links,
    advise: Option<Advise<'_>>,
) -> Rendered {
    let asked = view.selector.as_deref().filter(|_| view.form == FORM_VERSION_JSON);
    let rendered = match asked {
        Some(version) => project::render_version(listing, version, verdicts, links),
        None => project::render_project(listing, verdicts, links),
    };
    let asked = asked.map(|version| Version::parse(Ecosystem::Pypi, version));
    let is_listed = |version: &Version| listing.page.files.iter().any(|file| file.version == *version);
    let document = match (&rendered, &asked) {
        (Rendered::Document { body, .. }, _) => serde_json::from_slice::<Map<String, Value>>(body).ok(),
        // It can be told of, whatever the upstream's document is about. What the index does not list any more is told of
        // where something is known: malware is taken down.
        (Rendered::Withheld(_) | Rendered::Absent(_), Some(version))
            if advise.is_some_and(|advise| {
                is_listed(version)
                    || advise(&listing.package, version.as_str()).is_ok_and(|found| !found.is_empty())
            }) =>
        {
            Some(project::of_version(listing, version, verdicts, links))
        }
        _ => None,
    };
    let Some(mut document) = document else {
        return match (rendered, &asked) {
            (Rendered::Absent(why), Some(version)) if advise.is_none() && is_listed(version) => {
                Rendered::Unknown(format!("{why}; and {}", nothing_loaded()))
            }
            (rendered, _) => rendered,
        };
    };
    let Some(advise) = advise else {
        // The document of a project has other readers; that of a version is read for this.
        return match (asked, document.get(MEMBER)) {
            (Some(_), None | Some(Value::Null)) => Rendered::Unknown(format!(
                "the upstream says nothing of vulnerabilities, and {}",
                nothing_loaded()
            )),
            _ => rendered,
        };
    };
    let latest = || listing.project.as_ref().and_then(|project| project.latest.clone());
    let Some(version) = asked.or_else(latest) else { return rendered };
    match advise(&listing.package, version.as_str()) {
        Err(why) => Rendered::Unknown(why),
        Ok(found) => {
            document.insert(MEMBER.into(), found.iter().map(told).collect());
            let body = serde_json::to_vec(&document).expect("maps with text keys serialize");
            Rendered::Document { content_type: JSON_TYPE, body }
        }
    }
}

fn nothing_loaded() -> String {
    format!("no advisory feed for {} is loaded", Ecosystem::Pypi)
}

/// One advisory in PyPI's form. `pip-audit` fails on a fixed version that is none, so such are left out.
fn told(advice: &Advice) -> Value {
    let is_version = |version: &&String| Version::parse(Ecosystem::Pypi, version).is_valid();
    json!({
        "id": advice.id,
        "aliases": advice.ids.iter().filter(|id| **id != advice.id).collect::<Vec<_>>(),
        "summary": Some(&advice.summary).filter(|summary| !summary.is_empty()),
        "details": advice.details,
        "fixed_in": advice.fixed_in.iter().filter(is_version).collect::<Vec<_>>(),
        "link": advice.url,
        "source": "tidegate",
        "withdrawn": null,
    })
}
