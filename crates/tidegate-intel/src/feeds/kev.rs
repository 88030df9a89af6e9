//! CISA's catalogue of known exploited vulnerabilities: the JSON document as published, or one row a line.

use serde::Deserialize;
use tidegate_model::Timestamp;

use super::{Feed, FeedKind, Item, Unreadable};
use crate::signals::{CveId, KevSignal};

/// CISA's catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Kev;

/// One row.
pub type Row = (CveId, KevSignal);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    vulnerabilities: Vec<Entry>,
    count: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
    date_added: String,
    #[serde(default)]
    due_date: Option<String>,
    #[serde(default)]
    known_ransomware_campaign_use: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    date_released: Option<String>,
}

impl Entry {
    fn row(&self) -> Result<Row, Unreadable> {
        let wrong = |what: &str| Unreadable(format!("`{}`: {what}", super::osv::clipped(&self.cve)));
        let cve = CveId::parse(&self.cve).ok_or_else(|| wrong("not a CVE id"))?;
        let added: Timestamp = self.date_added.parse().map_err(|_| wrong("`dateAdded` is not a date"))?;
        let due = self.due_date.as_deref().and_then(|d| d.parse().ok());
        let ransomware =
            self.known_ransomware_campaign_use.as_deref().is_some_and(|w| w.eq_ignore_ascii_case("known"));
        Ok((cve, KevSignal { added, due, ransomware }))
    }
}

impl Feed for Kev {
    fn kind(&self) -> FeedKind {
        FeedKind::Kev
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        if let Ok(entry) = serde_json::from_slice::<Entry>(document) {
            return Ok(Item::Kev(vec![entry.row()?]));
        }
        let catalogue: Catalogue = serde_json::from_slice(document).map_err(Unreadable::because)?;
        if let Some(count) = catalogue.count.filter(|count| *count != catalogue.vulnerabilities.len()) {
            let found = catalogue.vulnerabilities.len();
            return Err(Unreadable(format!("the catalogue says it has {count} rows and has {found}")));
        }
        let rows: Result<Vec<Row>, Unreadable> = catalogue.vulnerabilities.iter().map(Entry::row).collect();
        Ok(Item::Kev(rows?))
    }

    fn stated_time(&self, document: &[u8]) -> Option<String> {
        serde_json::from_slice::<Head>(document).ok()?.date_released
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known"}"#;

    fn rows(text: &str) -> Result<Vec<Row>, Unreadable> {
        match Kev.read(text.as_bytes())? {
            Item::Kev(rows) => Ok(rows),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_forms_are_read() {
        let catalogue = format!(
            r#"{{"title":"t","catalogVersion":"2026.11.20","dateReleased":"2026-11-20T15:00:00.000Z","count":1,"vulnerabilities":[{ROW}]}}"#
        );
        assert_eq!(rows(ROW).unwrap(), rows(&catalogue).unwrap());
        let (cve, kev) = rows(ROW).unwrap()[0];
        assert_eq!((cve.to_string().as_str(), kev.ransomware), ("CVE-2021-44228", true));
        assert_eq!(kev.due.unwrap().to_string(), "2021-12-24T00:00:00Z");
        assert_eq!(Kev.stated_time(catalogue.as_bytes()).unwrap(), "2026-11-20T15:00:00.000Z");
    }

    #[test]
    fn a_catalogue_that_lost_rows_is_refused() {
        let error = rows(&format!(r#"{{"count":2,"vulnerabilities":[{ROW}]}}"#)).unwrap_err();
        assert!(error.to_string().contains("2 rows and has 1"), "{error}");
        assert!(rows(r#"{"cveID":"x","dateAdded":"2021-12-10"}"#).is_err());
        assert!(rows(r#"{"cveID":"CVE-2021-44228","dateAdded":"soon"}"#).is_err());
    }
}
