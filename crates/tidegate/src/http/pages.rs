//! Pages for people: what a refusal links to, and the front page.

use std::sync::Arc;

use http::StatusCode;
use http::header::{self, HeaderMap};
use tidegate_ecosystems::Answer;
use tidegate_intel::RecordText;
use tidegate_model::decision::Decision;
use tidegate_model::{DecisionId, Timestamp};
use tidegate_store::catalogue::DecisionRecord;

use super::respond::{HttpResponse, unrecorded};
use crate::door::Door;
use crate::pipeline::decide::past_tense;

/// Nothing on a page may load or run anything.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// `/d/<decision>`: what was decided and why, as a page or as problem details (RFC 9457).
pub async fn decision(door: &Arc<Door>, id: &str, headers: &HeaderMap, head_only: bool) -> HttpResponse {
    let wants_json = wants_json(headers);
    let found = match id.parse::<DecisionId>() {
        Ok(id) => door.catalogue(move |c| c.decision(id)).await.ok().flatten(),
        Err(_) => None,
    };
    let parsed = found.as_ref().and_then(|r| serde_json::from_str::<Decision>(&r.json).ok());
    let answer = match (found, parsed) {
        (Some(record), Some(decision)) if wants_json => {
            Answer::new(StatusCode::OK, "application/problem+json", problem(&record, &decision).to_string())
        }
        (Some(record), Some(decision)) => Answer::new(
            StatusCode::OK,
            "text/html; charset=utf-8",
            page(&record, &decision, door.clock.now()),
        ),
        _ if wants_json => Answer::new(
            StatusCode::NOT_FOUND,
            "application/problem+json",
            serde_json::json!({ "type": "about:blank", "title": "no such decision", "status": 404 })
                .to_string(),
        ),
        _ => Answer::new(
            StatusCode::NOT_FOUND,
            "text/html; charset=utf-8",
            html("No such decision", "<p>There is no decision with this id here.</p>"),
        ),
    };
    let answer = answer
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_header(header::VARY, "Accept")
        .with_header(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY)
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unrecorded(answer, head_only)
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    accept.is_some_and(|accept| accept.contains("json") && !accept.contains("text/html"))
}

/// `/advisories/<id>`: what is recorded under an id, as a page or as the records themselves.
pub async fn advisory(door: &Arc<Door>, id: &str, headers: &HeaderMap, head_only: bool) -> HttpResponse {
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned();
    let (rules, now, wanted) = (door.rules(), door.clock.now(), id.clone());
    let records =
        door.blocking(move || rules.advisories.snapshot.records(&wanted, now)).await.unwrap_or_default();
    let read = |record: &RecordText| serde_json::from_slice::<serde_json::Value>(&record.json).ok();
    let documents: Vec<_> = records.iter().filter_map(read).collect();
    let status = if documents.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let answer = if wants_json(headers) {
        Answer::new(
            status,
            "application/json",
            serde_json::json!({ "id": id, "records": documents }).to_string(),
        )
    } else if documents.is_empty() {
        let why = "<p>No advisory with this id is loaded here: <code>tidegate intel status</code> shows the feeds.</p>";
        Answer::new(status, "text/html; charset=utf-8", html("No such advisory", why))
    } else {
        let body: String = records.iter().zip(&documents).map(|(r, d)| advisory_section(r, d)).collect();
        Answer::new(status, "text/html; charset=utf-8", html(&id, &body))
    };
    let answer = answer
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_header(header::VARY, "Accept")
        .with_header(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY)
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unrecorded(answer, head_only)
}

fn advisory_section(text: &RecordText, record: &serde_json::Value) -> String {
    let said = |key: &str| escape(record[key].as_str().unwrap_or_default());
    let withdrawn = if text.withdrawn { " <b>(withdrawn)</b>" } else { "" };
    let mut out = format!("<h2>{}{withdrawn}</h2><p>{}</p>", escape(&text.id), said("summary"));
    let aliases = record["aliases"].as_array().into_iter().flatten().filter_map(|a| a.as_str());
    let aliases = aliases.map(escape).collect::<Vec<_>>().join(", ");
    out.push_str(&format!(
        "<table><tr><th>also</th><td>{aliases}</td></tr><tr><th>feed</th><td>{}</td></tr><tr><th>changed</th><td>{}</td></tr>",
        escape(&text.feed),
        said("modified")
    ));
    for affected in record["affected"].as_array().into_iter().flatten() {
        let package = &affected["package"];
        let word = |key: &str| escape(package[key].as_str().unwrap_or_default());
        let ranges = escape(&affected["ranges"].to_string());
        out.push_str(&format!(
            "<tr><th>touches</th><td>{} {} <code>{ranges}</code></td></tr>",
            word("ecosystem"),
            word("name")
        ));
    }
    out.push_str(&format!("</table><pre style=\"white-space:pre-wrap\">{}</pre>", said("details")));
    out
}

/// `/`: what this is and how to use it.
pub fn front(door: &Door, base: &str, head_only: bool) -> HttpResponse {
    let mut rows = String::new();
    for repository in door.repositories.values() {
        let upstream = match repository.upstreams.first() {
            Some(_) => format!("{} upstream(s)", repository.upstreams.len()),
            None => "not configured".to_owned(),
        };
        rows.push_str(&format!(
            "<tr><td>{}</td><td><code>{}{}/</code></td><td>{}</td></tr>",
            escape(&repository.name),
            escape(base),
            escape(&repository.name),
            escape(&upstream)
        ));
    }
    let body = format!(
        "<p>One door through which packages enter. Policy: <b>{}</b>.</p><table><tr><th>repository</th><th>address</th><th>upstream</th></tr>{rows}</table><p>Use it: <code>tidegate run -- npm ci</code>, or <code>tidegate setup npm</code>.</p>",
        escape(door.rules().policy.id())
    );
    let answer = Answer::new(StatusCode::OK, "text/html; charset=utf-8", html("tidegate", &body))
        .with_header(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY)
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unrecorded(answer, head_only)
}

fn problem(record: &DecisionRecord, decision: &Decision) -> serde_json::Value {
    serde_json::json!({
        "type": "about:blank",
        "title": format!("{} {}", record.purl, past_tense(decision.action)),
        "status": if decision.serves() { 200 } else { 403 },
        "detail": decision.reasons.iter().map(|r| format!("{}: {}", r.rule, r.message)).collect::<Vec<_>>().join("; "),
        "decision": record.id.to_string(),
        "purl": record.purl,
        "file": record.file,
        "sha256": record.sha256.map(|s| s.hex()),
        "repository": record.repository,
        "decided_at": record.at,
        "record": decision,
    })
}

fn page(record: &DecisionRecord, decision: &Decision, now: Timestamp) -> String {
    let mut body = format!("<p><code>{}</code>", escape(&record.purl));
    if let Some(file) = &record.file {
        body.push_str(&format!(", file <code>{}</code>", escape(file)));
    }
    body.push_str(&format!(
        ", in <b>{}</b>, decided {}.</p>",
        escape(&record.repository),
        escape(&record.at.to_minute())
    ));
    if let Some(sha256) = record.sha256 {
        body.push_str(&format!("<p>Content: <code>{sha256}</code></p>"));
    }
    if let Some(from) = decision.selectable_from {
        let word = if from > now { "selectable from" } else { "selectable since" };
        body.push_str(&format!("<p><b>{word} {}</b></p>", escape(&from.to_minute())));
    }
    body.push_str("<table><tr><th>rule</th><th>action</th><th>why</th><th>what to do</th></tr>");
    for reason in &decision.reasons {
        let known = match reason.truth {
            tidegate_model::decision::Truth::True => "",
            tidegate_model::decision::Truth::Unknown => " (not known)",
        };
        body.push_str(&format!(
            "<tr><td><code>{}</code></td><td>{}{known}</td><td>{}</td><td>{}</td></tr>",
            escape(&reason.rule),
            reason.action,
            escape(&reason.message),
            escape(reason.remediation.as_deref().unwrap_or(""))
        ));
    }
    body.push_str("</table>");
    if !decision.gaps.is_empty() {
        body.push_str("<h2>Not known</h2><ul>");
        for gap in &decision.gaps {
            body.push_str(&format!(
                "<li>{}: {}</li>",
                escape(&gap.fact),
                escape(gap.why.as_deref().unwrap_or(gap.state.as_str()))
            ));
        }
        body.push_str("</ul>");
    }
    if decision.reasons.iter().any(|r| r.waivable) && !decision.serves() {
        body.push_str(&format!(
            "<h2>Ask for an exception</h2><pre>tidegate waiver request {} --reason \"why it is needed\"</pre>",
            escape(&record.purl)
        ));
    }
    body.push_str(&format!(
        "<h2>What it rests on</h2><p>policy <code>{}</code><br>facts <code>{}</code><br>waivers <code>{}</code></p>",
        decision.policy_digest, decision.facts_digest, decision.waivers_digest
    ));
    html(&format!("{} {}", record.purl, past_tense(decision.action)), &body)
}

fn html(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}table{{border-collapse:collapse}}td,th{{border:1px solid #999;padding:.3rem .6rem;text-align:left;vertical-align:top}}pre,code{{font-size:.9em;overflow-wrap:anywhere}}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    )
}

/// Text for HTML, in and out of attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_packages_is_escaped() {
        assert_eq!(escape("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
    }
}
