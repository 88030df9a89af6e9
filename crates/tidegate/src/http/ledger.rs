//! `/ledger/…`: the signed tree over the entries, as static files in the layout of C2SP tlog-tiles, and proofs made from it.
//!
//! `checkpoint`, `checkpoint.cosigned`, `tile/…` are the files themselves. `key` lists the keys that sign, the one in use first.
//! `handovers` has a line for each key that was replaced: the receipt of the entry that announces the next, signed by both.
//! `receipt/<node>/<seq>` is everything that proves one entry; `consistency/<old>/<new>` proves that one size continues another.
//! Entries name packages and pseudonyms, so whoever may ask the package routes may read here, and nobody else.

use std::fmt::Write as _;
use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode, header};
use tidegate_ecosystems::Answer;
use tidegate_ledger::RecordId;
use tidegate_ledger::handover::HANDOVERS_PATH;
use tidegate_ledger::tree::ViewError;
use tidegate_model::denial::DenialKind;

use super::packages::{self, Arrival, NoIdentity};
use super::respond::{self, HttpResponse, unrecorded};
use crate::door::{Door, token_of};
use crate::ledger::Tree;
use crate::pipeline::denials;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// Answers a request below `/ledger/`.
pub async fn answer(door: &Arc<Door>, path: &str, parts: &Parts, arrival: &Arrival) -> HttpResponse {
    let head_only = parts.method == Method::HEAD;
    if parts.method != Method::GET && !head_only {
        return refused(DenialKind::BadRequest, "the ledger is read with GET");
    }
    let demanded = arrival.auth_required;
    match packages::who(door, token_of(&parts.headers), &parts.headers, arrival, demanded).await {
        Ok(_) => {}
        Err(NoIdentity::Failed(why)) => return refused(DenialKind::Unavailable, &why),
        Err(_) => return refused(DenialKind::Unauthenticated, "this door demands a valid token"),
    }
    let (door2, path) = (Arc::clone(door), path.to_owned());
    match door.blocking(move || look_up(&door2.tree, &path)).await {
        Ok(answer) => unrecorded(answer, head_only),
        Err((kind, why)) => refused(kind, &why),
    }
}

fn refused(kind: DenialKind, why: &str) -> HttpResponse {
    respond::problem(&denials::plain(kind, why, ""))
}

type LookedUp = Result<Answer, (DenialKind, String)>;

fn look_up(tree: &Tree, path: &str) -> LookedUp {
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        ["key"] => Ok(fresh(TEXT, keys(tree))),
        ["receipt", node, seq] => receipt(tree, node, seq),
        ["consistency", old, new] => consistency(tree, old, new),
        _ => file(tree, path),
    }
}

/// The key in use, then those before it, one a line.
fn keys(tree: &Tree) -> String {
    let mut text = String::new();
    for key in [tree.key()].into_iter().chain(tree.earlier_keys().into_iter().rev()) {
        let _ = writeln!(text, "{key}");
    }
    text
}

fn fresh(content_type: &'static str, body: impl Into<bytes::Bytes>) -> Answer {
    Answer::new(StatusCode::OK, content_type, body).with_header(header::CACHE_CONTROL, "no-store")
}

fn file(tree: &Tree, path: &str) -> LookedUp {
    let found =
        tree.file(path).map_err(|e| (DenialKind::Unavailable, format!("the tree cannot be read: {e}")))?;
    let Some(bytes) = found else {
        return Err((DenialKind::NotFound, "the ledger has no such file (yet): it has checkpoint, tile/…, key, receipt/<node>/<number> and consistency/<old>/<new>".into()));
    };
    if path.starts_with("checkpoint") || path == HANDOVERS_PATH {
        return Ok(fresh(TEXT, bytes));
    }
    // A tile never changes; a partial one may leave once the full one is there.
    let answer = Answer::new(StatusCode::OK, BYTES, bytes);
    Ok(answer.with_header(header::CACHE_CONTROL, "private, max-age=31536000, immutable"))
}

fn receipt(tree: &Tree, node: &str, seq: &str) -> LookedUp {
    let record: RecordId = format!("{node}-{seq}")
        .parse()
        .map_err(|e: tidegate_ledger::InvalidRecordId| (DenialKind::BadRequest, e.to_string()))?;
    let receipt = view(tree)?.receipt(&record).map_err(told)?;
    Ok(fresh(JSON, receipt.to_json() + "\n"))
}

fn consistency(tree: &Tree, old: &str, new: &str) -> LookedUp {
    let number = |text: &str| {
        text.parse::<u64>().map_err(|_| {
            (DenialKind::BadRequest, format!("`{}` is no number of entries", text.escape_debug()))
        })
    };
    let proof = view(tree)?.prove_consistency(number(old)?, number(new)?).map_err(told)?;
    Ok(fresh(JSON, proof.to_json() + "\n"))
}

fn view(tree: &Tree) -> Result<tidegate_ledger::tree::TreeView, (DenialKind, String)> {
    let why = || tree.degradations().first().map_or_else(String::new, |d| d.why.clone());
    tree.view().ok_or_else(|| (DenialKind::Unavailable, format!("there is no tree: {}", why())))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn told(error: ViewError) -> (DenialKind, String) {
    let kind = match &error {
        ViewError::Unknown(_) | ViewError::Empty => DenialKind::NotFound,
        ViewError::Sizes { .. } => DenialKind::BadRequest,
        ViewError::Tiles(_) | ViewError::Checkpoint(_) | ViewError::Store(_) => DenialKind::Unavailable,
    };
    (kind, error.to_string())
}
