//! FIRST's exploit prediction scores: the daily CSV.
//!
//! A first line `#model_version:v2025.03.14,score_date:2026-01-31T12:55:00Z`, then `cve,epss,percentile`, then rows.
//! Thresholds are tied to the model, so its version is kept.

use std::collections::BTreeMap;

use tidegate_model::Timestamp;

use super::{Feed, FeedKind, Item, Unreadable};
use crate::signals::{CveId, EpssSignal};

/// The most rows that are read: several times the number of CVEs there are.
pub const MAX_ROWS: usize = 3_000_000;

/// FIRST's scores.
#[derive(Clone, Copy, Debug)]
pub struct Epss;

/// A day's scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The model's version.
    pub model: Option<String>,
    /// When scores were computed.
    pub score_date: Option<Timestamp>,
    /// Scores by CVE.
    pub rows: BTreeMap<CveId, EpssSignal>,
}

impl Feed for Epss {
    fn kind(&self) -> FeedKind {
        FeedKind::Epss
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        let text = std::str::from_utf8(document).map_err(Unreadable::because)?;
        parse(text).map(Item::Epss)
    }

    fn stated_time(&self, document: &[u8]) -> Option<String> {
        let line = document.split(|b| *b == b'\n').next()?;
        head(std::str::from_utf8(line).ok()?).1
    }
}

/// Model and date of the first line.
fn head(line: &str) -> (Option<String>, Option<String>) {
    let field = |name: &str| {
        line.strip_prefix('#')?
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix(':'))
            .filter(|value| !value.is_empty() && value.len() <= 64)
            .map(|value| value.trim().to_owned())
    };
    (field("model_version"), field("score_date"))
}

/// Reads the whole file; one bad line refuses it.
///
/// # Errors
/// [`Unreadable`] names the line.
pub fn parse(text: &str) -> Result<Table, Unreadable> {
    let mut table = Table::default();
    let mut seen_columns = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let wrong =
            |what: &str| Unreadable(format!("line {}: {what}: `{}`", number + 1, super::osv::clipped(line)));
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            let (model, date) = head(line);
            table.model = model;
            table.score_date = match date {
                Some(date) => Some(parse_date(&date).ok_or_else(|| wrong("the date cannot be read"))?),
                None => None,
            };
            continue;
        }
        if !seen_columns {
            if !line.eq_ignore_ascii_case("cve,epss,percentile") {
                return Err(wrong("expected the columns `cve,epss,percentile`"));
            }
            seen_columns = true;
            continue;
        }
        let (cve, signal) = row(line).ok_or_else(|| wrong("not `cve,score,percentile`"))?;
        if table.rows.len() >= MAX_ROWS {
            return Err(wrong("more rows than there are CVEs"));
        }
        // A CVE that stands twice keeps the higher score, in whatever order they come.
        let kept = table.rows.entry(cve).or_insert(signal);
        if signal.score > kept.score {
            *kept = signal;
        }
    }
    if !seen_columns {
        return Err(Unreadable("there is no line `cve,epss,percentile`".to_owned()));
    }
    if !text.ends_with('\n') {
        return Err(Unreadable("the last line is cut off".to_owned()));
    }
    Ok(table)
}

/// The date as published, whose offset may lack its colon (`+0000`).
fn parse_date(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let (time, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        format!("{time}:{minutes}").parse().ok()
    })
}

fn row(line: &str) -> Option<(CveId, EpssSignal)> {
    let mut parts = line.split(',');
    let cve = CveId::parse(parts.next()?.trim())?;
    let mut share = || parts.next()?.trim().parse::<f64>().ok().filter(|s| (0.0..=1.0).contains(s));
    let signal = EpssSignal { score: share()?, percentile: share()? };
    parts.next().is_none().then_some((cve, signal))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "#model_version:v2025.03.14,score_date:2026-01-31T12:55:00Z\ncve,epss,percentile\n";

    #[test]
    fn a_published_file_is_read() {
        let table =
            parse(&format!("{HEAD}CVE-2021-44228,0.94358,0.99957\nCVE-2020-0001,5e-05,0.01\n")).unwrap();
        assert_eq!(table.model.as_deref(), Some("v2025.03.14"));
        assert_eq!(table.score_date.unwrap().to_string(), "2026-01-31T12:55:00Z");
        assert!((table.rows[&CveId::parse("CVE-2020-0001").unwrap()].score - 0.00005).abs() < 1e-12);
        assert!(parse_date("2026-01-31T12:55:00+0000").is_some());
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_line() {
        for (text, why) in [
            (format!("{HEAD}CVE-2021-44228,0.94358,0.99"), "cut off"),
            (format!("{HEAD}CVE-2021-44228,0.94358\n"), "line 3"),
            (format!("{HEAD}CVE-2021-44228,1.5,0.9\n"), "line 3"),
            (format!("{HEAD}CVE-2021-44228,NaN,0.9\n"), "line 3"),
            (format!("{HEAD}CVE-2021-44228,0.1,0.9,7\n"), "line 3"),
            ("CVE-2021-44228,0.1,0.9\n".to_owned(), "expected the columns"),
            (String::new(), "there is no line"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn of_two_scores_of_one_cve_the_higher_stays_in_any_order() {
        let one = parse(&format!("{HEAD}CVE-2021-44228,0.1,0.2\nCVE-2021-44228,0.9,0.8\n")).unwrap();
        let other = parse(&format!("{HEAD}CVE-2021-44228,0.9,0.8\nCVE-2021-44228,0.1,0.2\n")).unwrap();
        assert_eq!(one, other);
    }
}
