//! Cosignatures: each new checkpoint is shown to the configured witnesses, and kept with what they sign.
//!
//! Nobody's request waits for it. All witnesses are asked about one checkpoint at the same time, so that one kept note has the lines
//! of as many as answered. A witness says what it remembers (409 with a size); it is proven that this log continues it. One that cannot be
//! reached is asked again, ever less often; one that refuses, or remembers more than this ledger has, is told at once: a control
//! is degraded then, in answers, in `tidegate status` and as an entry.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use tidegate_ecosystems::UpstreamBase;
use tidegate_ledger::heads::Head;
use tidegate_ledger::note::{SignedNote, VerifierKey};
use tidegate_ledger::tree::TreeView;
use tidegate_ledger::witness::AddCheckpoint;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::WitnessAt;
use crate::door::Door;
use crate::intel::Degradation;
use crate::upstream::{Client, NamePatterns, Upstream};

/// Pause between two looks for a checkpoint that is not cosigned yet.
const COSIGN_EVERY: Duration = Duration::from_secs(2);
/// How long a witness may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer of a witness that is read, in bytes: a few signature lines.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// How often a witness is asked about one checkpoint within a round: once more after it said what it remembers.
const MAX_ASKED: usize = 2;
/// A witness that cannot be reached is told of after so many tries in a row: it may just be starting anew.
const AWAY_AFTER: u32 = 3;
/// The longest pause before a witness that failed is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How much of a refusal is told, in characters.
const TOLD_CHARS: usize = 300;

/// The witnesses of one door.
pub struct Cosigners(Vec<Cosigner>);

struct Cosigner {
    key: VerifierKey,
    receiver: Upstream,
    standing: Mutex<Standing>,
}

/// What is known of a witness. Lost with the process: it says itself what it remembers.
#[derive(Default)]
struct Standing {
    /// How many entries it has cosigned, as far as is known.
    remembers: u64,
    /// Tries in a row that came to nothing.
    failed: u32,
    again_at: Option<Instant>,
    trouble: Option<Trouble>,
}

/// Why a witness did not cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    /// It was not reached, or is not well.
    Away(String),
    /// It does not want to, or must not.
    Refuses(String),
}

impl Cosigners {
    /// The configured ones. Asks nobody.
    pub fn open(witnesses: &[WitnessAt], client: &Client) -> Self {
        let cosigner = |witness: &WitnessAt| {
            let mut url = witness.url.clone();
            url.set_path(&format!("{}/add-checkpoint", url.path().trim_end_matches('/')));
            let receiver = Upstream::new(
                witness.key.name().to_owned(),
                UpstreamBase { url },
                None,
                NamePatterns::default(),
                &[],
                "witness of the ledger".into(),
            );
            client.trust_host_of(&receiver);
            Cosigner { key: witness.key.clone(), receiver, standing: Mutex::default() }
        };
        Self(witnesses.iter().map(cosigner).collect())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their keys, in the order of the configuration.
    pub fn keys(&self) -> Vec<VerifierKey> {
        self.0.iter().map(|cosigner| cosigner.key.clone()).collect()
    }

    /// Witnesses that do not cosign, and why.
    pub fn degradations(&self) -> Vec<Degradation> {
        let told = |cosigner: &Cosigner| {
            let standing = cosigner.standing();
            let why = match standing.trouble.as_ref()? {
                Trouble::Away(_) if standing.failed < AWAY_AFTER => return None,
                Trouble::Away(why) | Trouble::Refuses(why) => why.clone(),
            };
            let name = cosigner.key.name();
            Some(Degradation {
                control: super::CONTROL,
                what: format!("witness {name}"),
                why: format!("checkpoints are not cosigned by {name}: {why}"),
            })
        };
        self.0.iter().filter_map(told).collect()
    }
}

impl Cosigner {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, outcome: Result<u64, Trouble>) {
        let mut standing = self.standing();
        match outcome {
            Ok(size) => *standing = Standing { remembers: size, ..Standing::default() },
            Err(trouble) => {
                tracing::debug!(witness.name = self.key.name(), "no cosignature: {trouble:?}");
                standing.failed = standing.failed.saturating_add(1);
                let pause = COSIGN_EVERY.saturating_mul(1 << (standing.failed - 1).min(5));
                standing.again_at = Some(Instant::now() + pause.min(LONGEST_PAUSE));
                standing.trouble = Some(trouble);
            }
        }
    }
}

/// Has checkpoints cosigned until the door stops.
pub async fn follow(door: Arc<Door>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = round(&door) => {}
            _ = stop.changed() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(COSIGN_EVERY) => {}
            _ = stop.changed() => return,
        }
    }
}

/// Shows the newest checkpoint to every witness that has not cosigned it and whose pause is over.
pub async fn round(door: &Arc<Door>) {
    let Some((view, head)) = door.tree.view().and_then(|view| view.head().map(|head| (view, head))) else {
        return;
    };
    let Some(mut note) = newest(&view, &head) else { return };
    let before = door.cosigners.degradations();
    let mut asked = JoinSet::new();
    for (at, cosigner) in door.cosigners.0.iter().enumerate() {
        let waits = cosigner.standing().again_at.is_some_and(|again| Instant::now() < again);
        if waits || note.line(&cosigner.key).is_some() {
            continue;
        }
        let (door, view, head) = (Arc::clone(door), view.clone(), head.clone());
        asked.spawn(async move { (at, ask(&door, at, &view, &head).await) });
    }
    let mut added = false;
    while let Some(answered) = asked.join_next().await {
        let Ok((at, answered)) = answered else { continue };
        let cosigner = &door.cosigners.0[at];
        let outcome = answered.and_then(|lines| {
            note = with_line(&note, &lines, &cosigner.key)?;
            added = true;
            Ok(head.size)
        });
        cosigner.settle(outcome);
    }
    if added {
        let keys = door.cosigners.keys();
        let kept = door.blocking(move || view.keep_cosigned(&note, &keys)).await;
        if let Err(error) = kept {
            tracing::error!(error = %error, "a cosigned checkpoint was not kept: {error}");
        }
    }
    if before != door.cosigners.degradations() {
        let looking = Arc::clone(door);
        door.blocking(move || looking.look_for_degradations()).await;
    }
}

/// The newest checkpoint, with the lines that it has already.
fn newest(view: &TreeView, head: &Head) -> Option<SignedNote> {
    let note = SignedNote::parse(head.note.as_bytes()).ok()?;
    let cosigned = view.cosigned().and_then(|kept| SignedNote::parse(kept.as_bytes()).ok());
    Some(cosigned.filter(|cosigned| cosigned.text() == note.text()).unwrap_or(note))
}

/// The note with the witness's line, which must fit.
fn with_line(note: &SignedNote, lines: &str, key: &VerifierKey) -> Result<SignedNote, Trouble> {
    let mut with = note.clone();
    // A witness may sign with several keys; ours is the one that was configured.
    let added = lines.lines().any(|line| {
        let mut tried = note.clone();
        let fits = tried.add_line(line).is_ok() && tried.verify(key).is_ok();
        if fits {
            with = tried;
        }
        fits
    });
    if added {
        Ok(with)
    } else {
        Err(Trouble::Refuses(format!(
            "its answer has no signature by {key} that fits the checkpoint: compare the key in the configuration with the one that its operator tells"
        )))
    }
}

/// Asks one witness. Returns its signature lines.
async fn ask(door: &Arc<Door>, at: usize, view: &TreeView, head: &Head) -> Result<String, Trouble> {
    let cosigner = &door.cosigners.0[at];
    let note = SignedNote::parse(head.note.as_bytes()).map_err(|e| Trouble::Refuses(e.to_string()))?;
    let mut old = cosigner.standing().remembers;
    for _ in 0..MAX_ASKED {
        let proof = proof(door, view, old, head.size).await?;
        let request = AddCheckpoint { old, proof, note: note.clone() };
        let (status, body) = post(door, &cosigner.receiver, request.to_body()).await?;
        match status.as_u16() {
            200 => return Ok(body),
            409 => match body.trim().parse::<u64>() {
                Ok(size) if size != old => old = size,
                Ok(size) => {
                    return Err(Trouble::Refuses(format!(
                        "it has seen another tree of {size} entries under this ledger's name: the ledger was rewritten, or another door signs with its key; compare with the witness's checkpoint and with `tidegate ledger verify`"
                    )));
                }
                Err(_) => {
                    return Err(Trouble::Refuses(format!("it answers 409 without a size: {}", short(&body))));
                }
            },
            403 => {
                return Err(Trouble::Refuses(format!(
                    "it does not know the key of this ledger ({}): its operator adds {}",
                    short(&body),
                    door.tree.key()
                )));
            }
            404 => {
                return Err(Trouble::Refuses(format!(
                    "it does not know this ledger ({}): its operator adds {}",
                    short(&body),
                    door.tree.key()
                )));
            }
            422 => {
                return Err(Trouble::Refuses(format!(
                    "it says that this ledger does not continue the {old} entries that it has seen: the ledger was rewritten, or put back from a backup ({})",
                    short(&body)
                )));
            }
            429 | 500..=599 => {
                return Err(Trouble::Away(format!("HTTP {}: {}", status.as_u16(), short(&body))));
            }
            other => return Err(Trouble::Refuses(format!("HTTP {other}: {}", short(&body)))),
        }
    }
    Err(Trouble::Away(
        "it remembers another size with each answer: another door may be cosigned under this ledger's name"
            .to_owned(),
    ))
}

async fn proof(door: &Arc<Door>, view: &TreeView, old: u64, size: u64) -> Result<Vec<[u8; 32]>, Trouble> {
    if old > size {
        return Err(Trouble::Refuses(format!(
            "it has cosigned {old} entries, and this ledger has {size}: it was put back from a backup, or another door signs with its key; find the newest copy"
        )));
    }
    if old == 0 || old == size {
        return Ok(Vec::new());
    }
    let view = view.clone();
    let proof = door.blocking(move || view.prove_consistency(old, size)).await;
    proof.map(|proof| proof.hashes).map_err(|e| {
        Trouble::Away(format!("it cannot be proven that the ledger continues {old} entries: {e}"))
    })
}

async fn post(door: &Arc<Door>, receiver: &Upstream, body: String) -> Result<(StatusCode, String), Trouble> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let asking = async {
        let body = Bytes::from(body);
        let answer = door.client.relay(receiver, &Method::POST, headers, body, PATIENCE).await;
        let answer = answer.map_err(|e| e.to_string())?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|e| format!("its answer cannot be read: {e}"))?.to_bytes();
        Ok::<_, String>((status, String::from_utf8_lossy(&body).into_owned()))
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answered) => answered.map_err(Trouble::Away),
        Err(_) => Err(Trouble::Away(format!("it did not answer within {} s", PATIENCE.as_secs()))),
    }
}

/// What a witness said, printable and short.
fn short(body: &str) -> String {
    body.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(TOLD_CHARS).collect()
}
