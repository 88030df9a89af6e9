//! How cargo is told no.
//!
//! cargo prints the body of a failed index file or download as it comes, so it is a few plain lines. The web API's
//! commands (`search`, `publish`, `yank`) read `{"errors":[{"detail":…}]}` instead.

use tidegate_model::Denial;
use tidegate_model::denial::DenialKind;

use crate::answer::denial_answer;
use crate::{Answer, ClientRequest};

pub(super) const PLAIN: &str = "text/plain; charset=utf-8";

pub(super) fn answer(denial: &Denial, request: &ClientRequest<'_>) -> Answer {
    if speaks_json(request.path) {
        let detail = lines(denial).join("\n");
        let body = serde_json::json!({ "errors": [{ "detail": detail }] }).to_string();
        return denial_answer(denial, "application/json", body);
    }
    let mut body = lines(denial).join("\n");
    body.push('\n');
    denial_answer(denial, PLAIN, body)
}

/// Web API routes other than downloads.
fn speaks_json(path: &str) -> bool {
    path.starts_with("api/v1/crates") && !path.ends_with("/download")
}

/// The reason first: a terminal may show no more.
fn lines(denial: &Denial) -> Vec<String> {
    let mut lines = vec![printable(&denial.reason)];
    lines.extend(denial.detail.lines().filter(|l| !l.trim().is_empty()).map(printable));
    if let DenialKind::Policy { until: Some(until), .. } = denial.kind {
        let when = until.to_minute();
        if !lines.iter().any(|line| line.contains(&when)) {
            lines.push(format!("selectable from {when}"));
        }
    }
    if let Some(help) = &denial.help
        && !lines.iter().any(|line| line.contains(help.as_str()))
    {
        lines.push(format!("more: {}", printable(help)));
    }
    lines
}

/// The text without control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
