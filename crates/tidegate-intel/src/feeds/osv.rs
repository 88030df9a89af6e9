//! OSV: the schema that all advisory feeds share, and the index of a database that changes.
//!
//! In bulk it comes as an archive with a record a file (`all.zip`); between bulks, `modified_id.csv` lists what changed,
//! newest first, with the time of each change.

use tidegate_model::Timestamp;

use super::{Feed, FeedKind, Item, Unreadable};
use crate::advisory::{Advisory, AdvisoryKind, is_id};
use crate::osv::{DatabaseSpecific, Record, lenient};

/// Any database in the OSV schema.
#[derive(Clone, Copy, Debug)]
pub struct Osv;

impl Feed for Osv {
    fn kind(&self) -> FeedKind {
        FeedKind::Osv
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        record(document)
    }
}

/// A document that is one record, kept on one line: outside of texts, where none may stand, JSON needs no line breaks.
pub(super) fn record(document: &[u8]) -> Result<Item, Unreadable> {
    let one_line = |byte: &u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte };
    Ok(Item::Record(document.trim_ascii().iter().map(one_line).collect()))
}

/// What any database may say: that the weakness is embedded malicious code (CWE-506).
pub(super) fn describe_common(record: &Record<'_>, advisory: &mut Advisory) {
    let specific: DatabaseSpecific<'_> = lenient(record.database_specific).unwrap_or_default();
    let weaknesses: Vec<String> = lenient(specific.cwe_ids).unwrap_or_default();
    if weaknesses.iter().any(|cwe| cwe == "CWE-506") {
        advisory.kind = AdvisoryKind::Malware;
    }
}

/// One line of `modified_id.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modified {
    /// When the record changed.
    pub at: Timestamp,
    /// The ecosystem's folder, empty in the index of one ecosystem.
    pub folder: String,
    /// Which record.
    pub id: String,
}

/// The most lines of `modified_id.csv` that are read: several times the number of records there are.
pub const MAX_MODIFIED_LINES: usize = 5_000_000;

/// What changed after `since`, newest first, by `modified_id.csv` of the whole database (`time,folder/id`) or of one
/// ecosystem (`time,id`).
///
/// The list promises to be newest first. It is read to its end all the same, so that a reordered one hides nothing.
///
/// # Errors
/// [`Unreadable`] names the line that has another form, or says that the last line is cut off.
pub fn modified_since(csv: &str, since: Option<Timestamp>) -> Result<Vec<Modified>, Unreadable> {
    let mut changed = Vec::new();
    for (number, line) in csv.lines().enumerate() {
        if number >= MAX_MODIFIED_LINES {
            return Err(Unreadable(format!("more than {MAX_MODIFIED_LINES} lines")));
        }
        let entry = modified_line(line).ok_or_else(|| {
            Unreadable(format!("line {} is not `time,id`: `{}`", number + 1, clipped(line)))
        })?;
        if since.is_none_or(|since| entry.at > since) {
            changed.push(entry);
        }
    }
    if !csv.is_empty() && !csv.ends_with('\n') {
        return Err(Unreadable("the last line is cut off".to_owned()));
    }
    changed.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    Ok(changed)
}

fn modified_line(line: &str) -> Option<Modified> {
    let (at, path) = line.split_once(',')?;
    let at = at.parse().ok()?;
    let (folder, id) = path.trim_end().rsplit_once('/').unwrap_or(("", path.trim_end()));
    // Both become part of an address, so neither may climb out of it.
    let safe = is_id(id) && !id.starts_with('.') && !id.contains(['?', '#', '%', '\\']);
    let safe_folder = !folder.contains(['?', '#', '%', '\\']) && folder.split('/').all(|part| part != "..");
    (safe && safe_folder).then(|| Modified { at, folder: folder.to_owned(), id: id.to_owned() })
}

/// The beginning of a line for a message.
pub(super) fn clipped(line: &str) -> String {
    line.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_changes_is_read_up_to_what_is_known() {
        let csv = "2026-11-20T10:00:00Z,npm/MAL-2026-2\n2026-11-19T10:00:00.5Z,PyPI/PYSEC-2026-1\n2026-11-18T10:00:00Z,Go/GO-2026-1\n";
        let since = "2026-11-18T10:00:00Z".parse().ok();
        let ids: Vec<String> = modified_since(csv, since).unwrap().into_iter().map(|m| m.id).collect();
        assert_eq!(ids, ["MAL-2026-2", "PYSEC-2026-1"]);
        assert_eq!(modified_since(csv, None).unwrap().len(), 3);
        assert_eq!(modified_since("2026-11-20T10:00:00Z,MAL-2026-2\n", None).unwrap()[0].folder, "");
    }

    #[test]
    fn a_reordered_index_hides_nothing() {
        let csv = "2026-11-18T10:00:00Z,a\n2026-11-20T10:00:00Z,b\n";
        let since = "2026-11-19T00:00:00Z".parse().ok();
        assert_eq!(modified_since(csv, since).unwrap()[0].id, "b");
    }

    #[test]
    fn a_bad_index_is_refused_by_name() {
        for (csv, why) in [
            ("2026-11-20T10:00:00Z,npm/MAL-1", "cut off"),
            ("yesterday,npm/MAL-1\n", "line 1"),
            ("2026-11-20T10:00:00Z,a\n2026-11-20T10:00:00Z,../../etc/x\n", "line 2"),
            ("2026-11-20T10:00:00Z,npm/a?b\n", "line 1"),
        ] {
            let error = modified_since(csv, None).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
