//! CISA's SSVC decision points: one flat row a line, or a CVE record as vulnrichment publishes it.
//!
//! Words are written in several ways upstream (`none`, `None`, `PoC`), so case does not count.

use serde::Deserialize;
use serde_json::Value;
use tidegate_model::Timestamp;

use super::{Feed, FeedKind, Item, Unreadable};
use crate::signals::{CveId, Exploitation, SsvcSignal, TechnicalImpact};

/// CISA's decision points.
#[derive(Clone, Copy, Debug)]
pub struct Ssvc;

/// One row.
pub type Row = (CveId, SsvcSignal);

#[derive(Deserialize)]
struct Flat {
    cve: String,
    #[serde(default)]
    exploitation: Option<String>,
    #[serde(default)]
    automatable: Option<String>,
    #[serde(default)]
    technical_impact: Option<String>,
    #[serde(default)]
    ssvc_time: Option<String>,
}

impl Feed for Ssvc {
    fn kind(&self) -> FeedKind {
        FeedKind::Ssvc
    }

    /// A record a file, named after its CVE, or rows in files of any name.
    fn keeps(&self, path: &str) -> bool {
        let file = path.rsplit('/').next().unwrap_or(path);
        file.ends_with(".jsonl") || file.starts_with("CVE-") && file.ends_with(".json")
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        if let Ok(flat) = serde_json::from_slice::<Flat>(document) {
            return Ok(Item::Ssvc(vec![row(&flat)?]));
        }
        let record: Value = serde_json::from_slice(document).map_err(Unreadable::because)?;
        let flat = of_cve_record(&record).ok_or_else(|| Unreadable("not a CVE record".to_owned()))?;
        Ok(Item::Ssvc(vec![row(&flat)?]))
    }
}

fn row(flat: &Flat) -> Result<Row, Unreadable> {
    let wrong = |what: &str| Unreadable(format!("`{}`: {what}", super::osv::clipped(&flat.cve)));
    let cve = CveId::parse(&flat.cve).ok_or_else(|| wrong("not a CVE id"))?;
    let word = |text: &Option<String>| text.as_deref().map(str::trim).map(str::to_ascii_lowercase);
    let exploitation = match word(&flat.exploitation).as_deref() {
        Some("none") => Some(Exploitation::None),
        Some("poc" | "public poc") => Some(Exploitation::Poc),
        Some("active") => Some(Exploitation::Active),
        None | Some("") => None,
        Some(_) => return Err(wrong("`exploitation` is none of none, poc, active")),
    };
    let automatable = match word(&flat.automatable).as_deref() {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        None | Some("") => None,
        Some(_) => return Err(wrong("`automatable` is neither yes nor no")),
    };
    let technical_impact = match word(&flat.technical_impact).as_deref() {
        Some("partial") => Some(TechnicalImpact::Partial),
        Some("total") => Some(TechnicalImpact::Total),
        None | Some("") => None,
        Some(_) => return Err(wrong("`technical impact` is neither partial nor total")),
    };
    let at = flat.ssvc_time.as_deref().and_then(|t| t.parse::<Timestamp>().ok());
    Ok((cve, SsvcSignal { exploitation, automatable, technical_impact, at }))
}

/// The decision points in the containers of a CVE record (`containers.adp[].metrics[].other`, type `ssvc`). A record
/// without any gives a row of nothing, which is how most records are.
fn of_cve_record(record: &Value) -> Option<Flat> {
    let cve = record.pointer("/cveMetadata/cveId")?.as_str()?.to_owned();
    let mut flat =
        Flat { cve, exploitation: None, automatable: None, technical_impact: None, ssvc_time: None };
    let containers = record.pointer("/containers/adp").and_then(Value::as_array).into_iter().flatten();
    let metrics = containers.filter_map(|c| c.get("metrics")?.as_array()).flatten();
    let decision = metrics
        .rev()
        .filter_map(|m| m.get("other"))
        .filter(|other| other.get("type").and_then(Value::as_str) == Some("ssvc"))
        .find_map(|other| other.get("content"));
    let Some(content) = decision else { return Some(flat) };
    flat.ssvc_time = content.get("timestamp").and_then(Value::as_str).map(str::to_owned);
    for option in content.get("options").and_then(Value::as_array).into_iter().flatten() {
        for (name, value) in option.as_object().into_iter().flatten() {
            let value = value.as_str().map(str::to_owned);
            match name.to_ascii_lowercase().as_str() {
                "exploitation" => flat.exploitation = value,
                "automatable" => flat.automatable = value,
                "technical impact" => flat.technical_impact = value,
                _ => {}
            }
        }
    }
    Some(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Row, Unreadable> {
        match Ssvc.read(text.as_bytes())? {
            Item::Ssvc(rows) => Ok(rows[0]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn case_does_not_count_and_both_forms_agree() {
        let flat = r#"{"cve":"CVE-2024-0001","exploitation":"PoC","automatable":"Yes","technical_impact":"total","ssvc_time":"2024-08-01T18:51:01.909711Z"}"#;
        let record = r#"{"cveMetadata":{"cveId":"CVE-2024-0001"},"containers":{"adp":[{"metrics":[{"other":{"type":"ssvc","content":{"timestamp":"2024-08-01T18:51:01.909711Z","options":[{"Exploitation":"poc"},{"Automatable":"yes"},{"Technical Impact":"Total"}]}}}]}]}}"#;
        assert_eq!(read(flat).unwrap(), read(record).unwrap());
        let (_, ssvc) = read(flat).unwrap();
        assert_eq!(ssvc.exploitation, Some(Exploitation::Poc));
        assert_eq!((ssvc.automatable, ssvc.technical_impact), (Some(true), Some(TechnicalImpact::Total)));
    }

    #[test]
    fn a_word_that_is_none_is_refused_and_a_missing_one_is_unknown() {
        assert!(read(r#"{"cve":"CVE-2024-0001","exploitation":"perhaps"}"#).is_err());
        assert!(read(r#"{"cve":"CVE-2024-x"}"#).is_err());
        assert_eq!(read(r#"{"cve":"CVE-2024-0001"}"#).unwrap().1, SsvcSignal::default());
    }
}
