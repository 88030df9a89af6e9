//! Getting feeds: asked for conditionally, kept as files until they are read, put in force whole or not at all.
//!
//! A feed that fails keeps what it had; its age then shows. OSV databases are followed by their list of changes and
//! fetched whole where too much changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use tidegate_ecosystems::DocumentRequest;
use tidegate_intel::ApplyError;
use tidegate_intel::feeds::osv::modified_since;
use tidegate_intel::import::{self, Applied, Delivery, Extent, FeedReport, PlanOptions, ReadOptions};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_model::Timestamp;
use tidegate_sys::memory;
use tokio::io::AsyncWriteExt as _;
use url::Url;

use super::feeds::FeedSource;
use crate::door::Door;
use crate::upstream::{Fetched, UpstreamError, Validators};

/// The most bytes of one feed as delivered.
const MAX_FEED_BYTES: u64 = 4 << 30;
/// The most bytes of a list of changes.
const MAX_CHANGES_BYTES: u64 = 512 << 20;
/// The most bytes of one record.
const MAX_RECORD_BYTES: u64 = 16 << 20;
/// Bytes of memory that reading a packed delivery may take for each of its bytes: names, ids and versions are in memory
/// while it is compiled, and what was compiled is mapped. Measured: 5.7 for 700,000 records, 45 MB packed.
const MEMORY_FOR_A_BYTE: u64 = 6;
/// And what reading takes whatever the size: records in memory, and the buffers to sort them.
const MEMORY_FOR_ANY: u64 = 96 << 20;
/// More changed records than this are fetched as a whole delivery.
const MAX_CHANGED: usize = 300;

/// What became of one attempt to get a feed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// What is loaded is current.
    Current,
    /// Something changed; how much.
    Changed {
        /// Records, rows or statements that are new, changed, taken back, restored or gone.
        count: usize,
    },
    /// It was delivered and not put in force.
    Refused {
        /// The alarms.
        why: String,
    },
    /// It could not be had or read.
    Failed {
        /// Why.
        why: String,
    },
}

/// The last attempt at each feed, kept over restarts.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Attempt {
    /// When.
    pub at: Option<Timestamp>,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// When the feed was last found current or put in force.
    pub succeeded_at: Option<Timestamp>,
    /// What the whole delivery in force was told apart by.
    #[serde(default)]
    validators: Validators,
    /// The newest change of an OSV database that is in force.
    #[serde(default)]
    changed_until: Option<Timestamp>,
}

/// The last attempts, by feed.
#[derive(Debug, Default)]
pub struct Attempts {
    file: PathBuf,
    all: Mutex<BTreeMap<String, Attempt>>,
    /// One pass over the feeds at a time.
    running: tokio::sync::Mutex<()>,
    /// What the pass is doing.
    under_way: Mutex<Option<UnderWay>>,
}

/// What a pass over the feeds is doing, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct UnderWay {
    /// Which feed.
    pub feed: String,
    /// What is done with it.
    pub step: Step,
    /// Bytes that arrived.
    pub bytes: u64,
    /// Of how many, where the publisher says.
    pub of: Option<u64>,
}

/// A step of getting a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Its publisher is asked whether it changed.
    Asking,
    /// It arrives.
    Fetching,
    /// It is read, compared and put in force.
    Reading,
}

/// Takes back what was said to be under way, also where a pass is broken off.
struct Watched<'a>(&'a Attempts);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        *self.0.under_way.lock().expect("no panic while holding it") = None;
    }
}

impl Attempts {
    /// Reads what an earlier process left. A file that cannot be read costs a fetch, nothing else.
    pub fn open(dir: &Path) -> Self {
        let file = dir.join("attempts.json");
        let all = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { file, all: Mutex::new(all.unwrap_or_default()), ..Self::default() }
    }

    /// What is being done right now; `None` while no feed is looked at.
    pub fn under_way(&self) -> Option<UnderWay> {
        self.under_way.lock().expect("no panic while holding it").clone()
    }

    fn doing(&self, feed: &str, step: Step, bytes: u64, of: Option<u64>) {
        let doing = UnderWay { feed: feed.to_owned(), step, bytes, of };
        *self.under_way.lock().expect("no panic while holding it") = Some(doing);
    }

    /// The last attempt at each feed.
    pub fn all(&self) -> BTreeMap<String, Attempt> {
        self.all.lock().expect("no panic while holding it").clone()
    }

    /// When each feed was last found current or put in force.
    pub fn successes(&self) -> BTreeMap<String, Timestamp> {
        let all = self.all.lock().expect("no panic while holding it");
        all.iter().filter_map(|(feed, attempt)| Some((feed.clone(), attempt.succeeded_at?))).collect()
    }

    fn of(&self, feed: &str) -> Attempt {
        self.all.lock().expect("no panic while holding it").get(feed).cloned().unwrap_or_default()
    }

    /// Notes that a feed was loaded whole by hand, as its publisher had it at a time.
    pub fn note_loaded(&self, feed: &str, as_of: Timestamp) {
        let attempt = Attempt { succeeded_at: Some(as_of), ..self.of(feed) };
        self.note(feed, attempt);
    }

    fn note(&self, feed: &str, attempt: Attempt) {
        let mut all = self.all.lock().expect("no panic while holding it");
        all.insert(feed.to_owned(), attempt);
        let text = serde_json::to_vec_pretty(&*all).expect("attempts serialise");
        let temporary = self.file.with_extension("tmp");
        let written = std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, &self.file));
        if let Err(error) = written {
            tracing::warn!(error = %error, "the last attempts at feeds could not be written down");
        }
    }
}

/// Goes over every feed once. Who waits for it sees each outcome as it comes.
pub async fn all(door: &Arc<Door>, mut progress: impl FnMut(&str, &Outcome)) -> BTreeMap<String, Outcome> {
    let _one_at_a_time = door.attempts.running.lock().await;
    let _watched = Watched(&door.attempts);
    let mut outcomes = BTreeMap::new();
    for feed in &door.feeds {
        door.attempts.doing(&feed.name, Step::Asking, 0, None);
        let outcome = one(door, feed).await;
        match &outcome {
            Outcome::Failed { why } => {
                tracing::warn!(feed.name = %feed.name, "feed {} could not be had: {why}", feed.name);
            }
            Outcome::Refused { why } => {
                tracing::error!(feed.name = %feed.name, "feed {} was delivered and is not put in force: {why}", feed.name);
            }
            Outcome::Changed { count } => {
                tracing::info!(feed.name = %feed.name, feed.changes = count, "feed {} has {count} changes", feed.name);
            }
            Outcome::Current => {}
        }
        progress(&feed.name, &outcome);
        outcomes.insert(feed.name.clone(), outcome);
    }
    merge(door).await;
    outcomes
}

/// Merges what came in many small changes, so that a look-up asks few segments however long the door follows its feeds.
async fn merge(door: &Arc<Door>) {
    let busy = Arc::clone(door);
    let merged = door.heavy(move || {
        let _one_at_a_time = busy.effects.applying();
        let before = busy.intel.snapshot();
        if !busy.intel.compact()? {
            return Ok(false);
        }
        let after = busy.intel.snapshot();
        let applied = Applied { generation: after.generation(), reports: Vec::new(), before, after };
        super::effects::swap(&busy, &applied, None);
        Ok::<_, ApplyError>(true)
    });
    match merged.await {
        Ok(true) => super::effects::settle(door).await,
        Ok(false) => {}
        // Many small segments answer as well, only later.
        Err(error) => tracing::error!(error = %error, "feeds could not be merged: {}", chain(&error)),
    }
}

async fn one(door: &Arc<Door>, feed: &FeedSource) -> Outcome {
    let before = door.attempts.of(&feed.name);
    let now = door.clock.now();
    let mut next = Attempt { at: Some(now), ..before.clone() };
    let outcome = match attempt(door, feed, &before, &mut next).await {
        Ok(outcome) => outcome,
        Err(why) => Outcome::Failed { why },
    };
    if matches!(outcome, Outcome::Current | Outcome::Changed { .. }) {
        next.succeeded_at = Some(now);
    }
    next.outcome = Some(outcome.clone());
    door.attempts.note(&feed.name, next);
    let checked = Arc::clone(door);
    door.blocking(move || checked.note_checked(checked.attempts.successes())).await;
    super::effects::settle(door).await;
    outcome
}

async fn attempt(
    door: &Arc<Door>,
    feed: &FeedSource,
    before: &Attempt,
    next: &mut Attempt,
) -> Result<Outcome, String> {
    let loaded = door.intel.snapshot().feeds().iter().any(|state| state.name() == feed.name);
    if let (Some(changes), Some(since), true) = (&feed.changes, before.changed_until, loaded)
        && let Some(outcome) = follow(door, feed, changes, since, next).await?
    {
        return Ok(outcome);
    }
    whole(door, feed, before, next, loaded).await
}

/// Fetches what changed since; `None` where that is too much.
async fn follow(
    door: &Arc<Door>,
    feed: &FeedSource,
    changes: &Url,
    since: Timestamp,
    next: &mut Attempt,
) -> Result<Option<Outcome>, String> {
    let Some(csv) = document(door, feed, changes, MAX_CHANGES_BYTES).await? else {
        return Err(format!("{changes} is not there"));
    };
    let csv = String::from_utf8(csv.to_vec()).map_err(|_| format!("{changes} is not text"))?;
    let changed = modified_since(&csv, Some(since)).map_err(|e| format!("{changes}: {e}"))?;
    let Some(newest) = changed.first().map(|change| change.at) else { return Ok(Some(Outcome::Current)) };
    if changed.len() > MAX_CHANGED {
        return Ok(None);
    }
    let mut records = Vec::new();
    for change in &changed {
        let address = changes
            .join(&format!("{}.json", change.id))
            .map_err(|e| format!("`{}` gives no address: {e}", change.id))?;
        // A record that is listed and gone was moved to another folder; the next whole delivery tells.
        let Some(record) = document(door, feed, &address, MAX_RECORD_BYTES).await? else { continue };
        records.extend_from_slice(record.trim_ascii());
        records.push(b'\n');
    }
    let options = ReadOptions {
        feed: Some(feed.name.clone()),
        kind: Some(feed.kind),
        extent: Extent::Part,
        as_of: Some(newest),
        scratch: None,
    };
    let name = format!("{}.jsonl", feed.name);
    let outcome = apply(door, move || {
        // JSON may span lines; records are stored one a line.
        import::read_bytes(&name, compact(&records), &options).map_err(|e| chain(&e))
    })
    .await?;
    if !matches!(outcome, Outcome::Refused { .. }) {
        next.changed_until = Some(newest);
    }
    Ok(Some(outcome))
}

/// JSON documents one after another, as one a line.
fn compact(documents: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(documents.len());
    for value in serde_json::Deserializer::from_slice(documents).into_iter::<serde_json::Value>() {
        match value {
            Ok(value) => lines.extend_from_slice(value.to_string().as_bytes()),
            // Whatever is broken stays, for the reader to name.
            Err(_) => return documents.to_vec(),
        }
        lines.push(b'\n');
    }
    lines
}

async fn whole(
    door: &Arc<Door>,
    feed: &FeedSource,
    before: &Attempt,
    next: &mut Attempt,
    loaded: bool,
) -> Result<Outcome, String> {
    let validators = if loaded { before.validators.clone() } else { Validators::default() };
    let incoming = scratch(door)?;
    let name = feed.whole.path_segments().and_then(Iterator::last).filter(|n| !n.is_empty());
    // The reader tells formats by content first and by name where that is not enough.
    let path = incoming.join(format!("{}-{}", feed.name, name.unwrap_or("feed")));
    let arrived = download(door, feed, &validators, &path).await;
    let outcome = match arrived {
        Ok(None) => Ok(Outcome::Current),
        Ok(Some((_, size))) if !fits(size, memory::available()) => Err(format!(
            "reading {} MB may take {} MB of memory, which are not available: give the door more, or load the feed \
             with `tidegate intel import`",
            size / 1_000_000,
            memory_for(size) / 1_000_000
        )),
        Ok(Some((validators, _))) => {
            // Taken before the delivery is read, so that a change in between is asked for again, not missed.
            let as_of = validators.last_modified.as_deref().and_then(http_date);
            let options = ReadOptions {
                feed: Some(feed.name.clone()),
                kind: Some(feed.kind),
                extent: Extent::Whole,
                as_of,
                scratch: Some(incoming.clone()),
            };
            let file = path.clone();
            door.attempts.doing(&feed.name, Step::Reading, 0, None);
            let outcome = apply(door, move || import::read(&[file], &options).map_err(|e| chain(&e))).await;
            if let Ok(Outcome::Current | Outcome::Changed { .. }) = outcome {
                next.validators = validators;
                let state = door.intel.snapshot();
                let state = state.feeds().iter().find(|state| state.name() == feed.name);
                next.changed_until = feed.changes.as_ref().and(state.and_then(|state| state.as_of()));
            }
            outcome
        }
        Err(why) => Err(why),
    };
    // What was read is in the segments; what was not is fetched again.
    let _ = tokio::fs::remove_file(&path).await;
    outcome
}

/// The folder for what arrives and for what is set aside while it is read, made if it is not there.
pub(crate) fn scratch(door: &Door) -> Result<PathBuf, String> {
    let folder = door.data.join("intel").join("incoming");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}

/// Whether a delivery of so many bytes can be read in so much memory. A door that is killed for its memory, starts again
/// and fetches again would serve nobody.
fn fits(size: u64, available: Option<u64>) -> bool {
    available.is_none_or(|available| memory_for(size) < available)
}

/// What reading a delivery of so many bytes may take.
const fn memory_for(size: u64) -> u64 {
    size.saturating_mul(MEMORY_FOR_A_BYTE).saturating_add(MEMORY_FOR_ANY)
}

/// Streams a feed into a file and says how large it is; `None` where what is loaded is current.
async fn download(
    door: &Arc<Door>,
    feed: &FeedSource,
    validators: &Validators,
    path: &Path,
) -> Result<Option<(Validators, u64)>, String> {
    let opened =
        door.client.changed_artifact(&feed.host, &feed.whole, validators).await.map_err(|e| chain(&e))?;
    let Some((mut body, validators)) = opened else { return Ok(None) };
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut file = tokio::fs::File::create(path).await.map_err(failed)?;
    let mut size = 0;
    let mut checking = body.promised.clone().check();
    while let Some(bytes) = body.next().await.map_err(|e| chain(&e))? {
        size += bytes.len() as u64;
        if size > MAX_FEED_BYTES {
            return Err(format!("{} is larger than {MAX_FEED_BYTES} bytes", feed.whole));
        }
        checking.update(&bytes);
        file.write_all(&bytes).await.map_err(failed)?;
        door.attempts.doing(&feed.name, Step::Fetching, size, body.length);
    }
    file.flush().await.map_err(failed)?;
    if let Some(length) = body.length.filter(|length| *length != size) {
        return Err(format!("{size} of {length} bytes arrived"));
    }
    match checking.differs() {
        Some(digest) => Err(format!("what arrived is not what {} says: its {digest} differs", feed.whole)),
        None => Ok(Some((validators, size))),
    }
}

/// A small document; `None` where it is not there.
async fn document(
    door: &Arc<Door>,
    feed: &FeedSource,
    url: &Url,
    max_bytes: u64,
) -> Result<Option<bytes::Bytes>, String> {
    let mut request = DocumentRequest::get(url.clone(), "*/*", max_bytes);
    request.headers = HeaderMap::new();
    match door.client.document(&feed.host, &request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, .. }) => Ok(Some(document.body)),
        Ok(Fetched::NotModified) | Err(UpstreamError::Absent { .. }) => Ok(None),
        Err(error) => Err(chain(&error)),
    }
}

/// Reads a delivery, compares it with what is in force, puts it in force.
async fn apply(
    door: &Arc<Door>,
    read: impl FnOnce() -> Result<Vec<Delivery>, String> + Send + 'static,
) -> Result<Outcome, String> {
    let door2 = Arc::clone(door);
    door.heavy(move || {
        let deliveries = read()?;
        if deliveries.is_empty() {
            return Err("it holds nothing".into());
        }
        let applied = put_in_force(&door2, deliveries, Vec::new(), None)?;
        Ok(outcome_of(&applied.reports))
    })
    .await
}

/// Puts deliveries in force; `actor` is who loaded them, where somebody did. What follows for what was admitted before is
/// left for [`effects::settle`](super::effects::settle). Blocks.
///
/// # Errors
/// What failed, as text; what was in force stays in force.
pub fn put_in_force(
    door: &Arc<Door>,
    deliveries: Vec<Delivery>,
    accept: Vec<import::AlarmKind>,
    actor: Option<Pseudonym>,
) -> Result<Applied, String> {
    let _one_at_a_time = door.effects.applying();
    let options = PlanOptions { now: door.clock.now(), accept };
    let plan = door.intel.snapshot().plan(deliveries, &options).map_err(|e| chain(&e))?;
    let applied = door.intel.apply(plan).map_err(|e| chain(&e))?;
    super::effects::swap(door, &applied, actor);
    Ok(applied)
}

fn outcome_of(reports: &[FeedReport]) -> Outcome {
    let refused: Vec<String> = reports
        .iter()
        .filter(|report| report.refused)
        .flat_map(|report| report.alarms.iter().map(ToString::to_string))
        .collect();
    if !refused.is_empty() {
        return Outcome::Refused { why: refused.join("; ") };
    }
    match reports.iter().map(changes).sum() {
        0 => Outcome::Current,
        count => Outcome::Changed { count },
    }
}

/// How much a delivery changed.
pub fn changes(report: &FeedReport) -> usize {
    [&report.added, &report.changed, &report.withdrawn, &report.restored, &report.removed]
        .into_iter()
        .map(Vec::len)
        .sum()
}

/// The time in a `Last-Modified` header (RFC 9110 §5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_unix_millis(parsed.timestamp().as_millisecond()))
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_must_fit_into_memory() {
        assert!(fits(200 << 20, Some(2 << 30)) && fits(200 << 20, None) && fits(0, Some(100 << 20)));
        assert!(!fits(200 << 20, Some(1 << 30)) && !fits(u64::MAX, Some(u64::MAX)));
    }

    #[test]
    fn dates_of_headers_are_read() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap().to_string(), "1994-11-06T08:49:37Z");
        assert!(http_date("yesterday").is_none());
    }
}
