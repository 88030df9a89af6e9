//! What a running door proves: its newest checkpoint, one entry, that one checkpoint continues another.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use tidegate_ledger::RecordId;
use tidegate_ledger::checkpoint::Checkpoint as Stated;
use tidegate_ledger::handover::{self, MAX_HANDOVERS};
use tidegate_ledger::note::{MAX_NOTE_BYTES, SignedNote, VerifierKey};
use tidegate_ledger::proof::{ConsistencyProof, Receipt};

use super::super::remote::{Reach, Remote};
use super::super::show::text;
use super::super::{Failure, Outcome, print};

/// Print the newest checkpoint: how many entries the ledger has and the root over them, signed. Keep it: whoever has it can tell
/// later that nothing before it was changed.
#[derive(Debug, Args)]
pub(super) struct Checkpoint {
    /// Print the key that signs, and nothing else.
    #[arg(long)]
    key: bool,
    #[command(flatten)]
    reach: Reach,
}

impl Checkpoint {
    /// Prints it.
    ///
    /// # Errors
    /// No door, or nothing published.
    pub(super) fn run(self) -> Outcome {
        let told = Remote::new(&self.reach)?.get("ledger/checkpoint", &[])?;
        if self.key {
            print(&format!("{}\n", text(&told, "key")))?;
            return Ok(ExitCode::SUCCESS);
        }
        let note = [text(&told, "cosigned"), text(&told, "checkpoint")];
        // A cosigned one proves more, where it is not behind.
        let newest = if size(note[0]) >= size(note[1]) { note[0] } else { note[1] };
        if newest.is_empty() {
            return Err(Failure(format!("the door has published nothing yet{}", degraded(&told))));
        }
        print(newest)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// How many entries a checkpoint states; 0 for none.
fn size(note: &str) -> u64 {
    note.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0)
}

fn degraded(told: &Value) -> String {
    let why = told.get("degraded").and_then(|d| d.get(0)).and_then(Value::as_str);
    why.map_or_else(String::new, |why| format!(": {why}"))
}

/// Print everything that proves one entry: the entry, its place, the hashes up to a signed checkpoint. `docs/guides/verify-entry.sh`
/// checks it without tidegate.
#[derive(Debug, Args)]
pub(super) struct Prove {
    /// The entry, as the header `X-Tidegate-Record` names it.
    #[arg(value_name = "NODE-NUMBER")]
    record: RecordId,
    #[command(flatten)]
    reach: Reach,
}

impl Prove {
    /// Prints it, after checking it.
    ///
    /// # Errors
    /// No door, no such entry, or a proof that proves nothing.
    pub(super) fn run(self) -> Outcome {
        let remote = Remote::new(&self.reach)?;
        // Publishes, so that an entry of a moment ago has a proof.
        let told = remote.get("ledger/checkpoint", &[])?;
        let keys = keys(&told)?;
        let receipt = remote.get(&format!("ledger/receipts/{}", self.record), &[])?.to_string();
        let read = Receipt::from_json(receipt.as_bytes())?;
        if !keys.iter().any(|key| read.check(key, &[]).is_ok()) {
            let error = keys.first().and_then(|key| read.check(key, &[]).err());
            return Err(Failure(format!(
                "the door's proof of {} proves nothing: {}",
                self.record,
                error.map(|e| e.to_string()).unwrap_or_default()
            )));
        }
        print(&format!("{}\n", read.to_json()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn keys(told: &Value) -> Result<Vec<VerifierKey>, Failure> {
    let earlier = told.get("earlier_keys").and_then(Value::as_array).into_iter().flatten();
    let all = [text(told, "key")].into_iter().chain(earlier.filter_map(Value::as_str));
    Ok(all.map(str::parse).collect::<Result<_, _>>()?)
}

/// What the door says its keys handed over with; one that cannot be read hands nothing over.
fn handovers(told: &Value) -> Vec<Receipt> {
    let handovers = told.get("handovers").and_then(Value::as_array).into_iter().flatten().take(MAX_HANDOVERS);
    handovers.filter_map(|one| Receipt::from_json(one.to_string().as_bytes()).ok()).collect()
}

/// Compare two checkpoints: whether the later one continues the earlier. Where no later one is given, the door's newest.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A file with the earlier checkpoint.
    #[arg(value_name = "EARLIER")]
    earlier: PathBuf,
    /// A file with the later one.
    #[arg(value_name = "LATER")]
    later: Option<PathBuf>,
    /// The key that must have signed them, as `ledger checkpoint --key` prints it, or handed over to the one that did; else the
    /// door's own word is taken.
    #[arg(long, value_name = "KEY")]
    key: Option<VerifierKey>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

impl Diff {
    /// Compares them. Status 4 where the later one does not continue the earlier.
    ///
    /// # Errors
    /// No door, or files that are no checkpoints of its ledger.
    pub(super) fn run(self) -> Outcome {
        let remote = Remote::new(&self.reach)?;
        let told = remote.get("ledger/checkpoint", &[])?;
        let keys = match &self.key {
            Some(key) => [key.clone()].into_iter().chain(handover::follow(key, &handovers(&told))).collect(),
            None => keys(&told)?,
        };
        let earlier = read(&self.earlier, &keys)?;
        let later = match &self.later {
            Some(path) => read(path, &keys)?,
            None => stated("the door's checkpoint", text(&told, "checkpoint").as_bytes(), &keys)?,
        };
        let (earlier, later) = if earlier.size <= later.size { (earlier, later) } else { (later, earlier) };
        let problem = compare(&remote, &earlier, &later);
        let added = later.size - earlier.size;
        if self.json {
            let line = json!({
                "origin": later.origin, "earlier": earlier.size, "later": later.size, "added": added,
                "continues": problem.is_none(), "why": problem,
            });
            print(&format!("{line}\n"))?;
        } else {
            let what = match &problem {
                None => format!(
                    "the later one continues the earlier: {added} entries were added, none was changed"
                ),
                Some(why) => format!(
                    "THE LATER ONE DOES NOT CONTINUE THE EARLIER: {why}\n  keep both files: together they prove that the ledger was rewritten"
                ),
            };
            print(&format!(
                "{}\nearlier  {} entries, root {}\nlater    {} entries, root {}\n{what}\n",
                later.origin, earlier.size, earlier.root, later.size, later.root
            ))?;
        }
        Ok(if problem.is_some() { ExitCode::from(4) } else { ExitCode::SUCCESS })
    }
}

/// What does not fit between two signed checkpoints; none where one continues the other.
fn compare(remote: &Remote, earlier: &Stated, later: &Stated) -> Option<String> {
    if earlier.size == later.size {
        return (earlier.root != later.root)
            .then(|| "they have one size and two roots (log_forked)".to_owned());
    }
    if earlier.size == 0 {
        return None;
    }
    let query = [("old", &*earlier.size.to_string()), ("new", &*later.size.to_string())];
    let proof = match remote.get("ledger/consistency", &query) {
        Ok(proof) => proof,
        Err(Failure(why)) => return Some(format!("the door cannot prove it: {why}")),
    };
    let proof = match ConsistencyProof::from_json(proof.to_string().as_bytes()) {
        Ok(proof) if (proof.old, proof.new) == (earlier.size, later.size) => proof,
        Ok(_) => return Some("the door's proof is between other sizes".to_owned()),
        Err(error) => return Some(error.to_string()),
    };
    proof.check(&earlier.root, &later.root).err().map(|error| format!("{error} (log_rewritten)"))
}

fn read(path: &Path, keys: &[VerifierKey]) -> Result<Stated, Failure> {
    let name = format!("`{}`", path.display());
    let length = std::fs::metadata(path).map_err(|e| Failure(format!("{name} cannot be read: {e}")))?.len();
    if length > MAX_NOTE_BYTES as u64 {
        return Err(Failure(format!("{name} has {length} bytes: no checkpoint is that long")));
    }
    let bytes = std::fs::read(path).map_err(|e| Failure(format!("{name} cannot be read: {e}")))?;
    stated(&name, &bytes, keys)
}

fn stated(name: &str, bytes: &[u8], keys: &[VerifierKey]) -> Result<Stated, Failure> {
    let refused = |why: String| {
        Failure(format!(
            "{name} is no checkpoint of this ledger: {why}\n  `tidegate ledger checkpoint` prints one"
        ))
    };
    let note = SignedNote::parse(bytes).map_err(|e| refused(e.to_string()))?;
    let origin = keys.first().map_or("", VerifierKey::name);
    Stated::open(&note, origin, keys).map_err(|e| refused(e.to_string()))
}
