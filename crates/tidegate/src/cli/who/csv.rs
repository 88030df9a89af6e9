//! Accesses as comma-separated values, by RFC 4180.

use serde_json::Value;

/// Columns of the comma-separated form: members of an access.
const CSV_COLUMNS: [&str; 22] = [
    "at",
    "person",
    "pseudonym",
    "kind",
    "host",
    "address",
    "client",
    "credential",
    "purl",
    "file",
    "sha256",
    "repository",
    "bytes",
    "action",
    "decision",
    "record",
    "method",
    "operation",
    "status",
    "enforced",
    "cache",
    "path",
];

pub(super) fn of(rows: &[Value]) -> String {
    let mut out = CSV_COLUMNS.join(",") + "\r\n";
    for access in rows {
        let cells = CSV_COLUMNS.map(|column| match &access[column] {
            Value::Null => String::new(),
            Value::String(text) => cell(text),
            other => cell(&other.to_string()),
        });
        out += &cells.join(",");
        out += "\r\n";
    }
    out
}

/// One cell: quoted where it must be, and never a formula to a spreadsheet, whatever a client calls itself.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        for (text, expected) in [
            ("npm", "npm"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=cmd()", "'=cmd()"),
            ("@acme", "'@acme"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(cell(text), expected);
        }
        let rows = [serde_json::json!({ "at": "2026-11-21T10:00:00Z", "bytes": 5, "host": null })];
        let told = of(&rows);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0].split(',').count(), CSV_COLUMNS.len());
        assert_eq!(lines[1], "2026-11-21T10:00:00Z,,,,,,,,,,,,5,,,,,,,,,");
    }
}
