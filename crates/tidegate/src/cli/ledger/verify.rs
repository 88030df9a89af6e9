//! Checking a whole ledger offline.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tidegate_ledger::audit::{AuditInput, AuditReport, SavedCheckpoint, audit};
use tidegate_ledger::handover::{self, HANDOVERS_PATH};
use tidegate_ledger::note::{KeyKind, MAX_NOTE_BYTES, SignedNote, VerifierKey};
use tidegate_ledger::tiles::{DiskTiles, Tiles as _};
use tidegate_provenance::signing::{FileKey, SigningKey as _};
use tidegate_sys::disk::RealDisk;

use super::super::{Failure, Outcome, default_data, print};
use crate::ledger::{key_path, tiles_folder};

/// How far the clock of a node may run back before it is told, in milliseconds: what a time service corrects at once.
const CLOCK_TOLERANCE_MS: i64 = 5_000;

/// Check the whole ledger: every entry against its chain, every tile, the root, the signed checkpoint; with checkpoints that you kept,
/// also that nothing before them was changed. Needs no door.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The key that must have signed, as `ledger checkpoint --key` printed it. Else the one in the data directory is taken, which
    /// whoever rewrites the ledger may have replaced.
    #[arg(long, value_name = "KEY")]
    key: Vec<VerifierKey>,
    /// A checkpoint that you kept: the ledger must continue it.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// The key of a witness, which must have cosigned.
    #[arg(long, value_name = "KEY")]
    witness: Vec<VerifierKey>,
    /// How many of the witnesses must have cosigned, where not all need to.
    #[arg(long, value_name = "N")]
    cosignatures: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    /// Checks it. Status 4 where something does not fit.
    ///
    /// # Errors
    /// There is no ledger, or a file that was named cannot be read.
    pub(super) fn run(self) -> Outcome {
        let data = self.data.clone().unwrap_or_else(default_data);
        let folder = data.join("ledger");
        if !folder.is_dir() {
            return Err(Failure(format!(
                "there is no ledger in `{}`\n  --data names the data directory of the door",
                data.display()
            )));
        }
        let tiles = DiskTiles::existing(Arc::new(RealDisk), &tiles_folder(&data));
        let saved = self.checkpoint.iter().map(|path| kept(path)).collect::<Result<Vec<_>, _>>()?;
        let Believed { keys, earlier, told } = self.believed(&data, &tiles)?;
        let origin = keys.first().map_or_else(String::new, |key| key.name().to_owned());
        let report = audit(&AuditInput {
            disk: Arc::new(RealDisk),
            ledgers: vec![folder],
            tiles: &tiles,
            origin: &origin,
            keys: &keys,
            earlier_keys: &earlier,
            head: None,
            saved: &saved,
            witnesses: &self.witness,
            required_cosignatures: self.cosignatures.unwrap_or(self.witness.len()),
            clock_tolerance_ms: CLOCK_TOLERANCE_MS,
        });
        if self.json {
            print(&format!("{}\n", report.to_json()))?;
        } else {
            print(&shown(&report, &origin, self.key.is_empty(), saved.len(), &told))?;
        }
        Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(4) })
    }
}

/// Which keys are believed, and for what.
struct Believed {
    /// They may have signed the newest checkpoint.
    keys: Vec<VerifierKey>,
    /// They may have signed checkpoints that were kept.
    earlier: Vec<VerifierKey>,
    /// What is to be said of them.
    told: Vec<String>,
}

impl Verify {
    /// The keys that were named, or the one in the data directory, and those that they handed over to.
    fn believed(&self, data: &Path, tiles: &DiskTiles) -> Result<Believed, Failure> {
        let mut keys = if self.key.is_empty() { own_keys(data)? } else { self.key.clone() };
        let (mut earlier, mut told) = (Vec::new(), Vec::new());
        let handovers = match handover::read(&tiles.get(HANDOVERS_PATH)?.unwrap_or_default()) {
            Ok(handovers) => handovers,
            Err(error) => {
                told.push(format!("the handovers between keys cannot be read: {error}"));
                Vec::new()
            }
        };
        for key in keys.clone() {
            for next in handover::follow(&key, &handovers) {
                if !keys.contains(&next) {
                    told.push(format!("the key {} handed over to {next}", handover::id_of(&key)));
                    keys.push(next);
                }
            }
        }
        // A key that handed over to a believed one may have signed what was kept, and not what is newest.
        for handover in handovers.iter().rev() {
            for key in &handover.keys {
                let leads = handover::check(handover, key)
                    .is_ok_and(|to| keys.contains(&to) || earlier.contains(&to));
                if leads && !keys.contains(key) && !earlier.contains(key) {
                    earlier.push(key.clone());
                }
            }
        }
        Ok(Believed { keys, earlier, told })
    }
}

fn kept(path: &Path) -> Result<SavedCheckpoint, Failure> {
    let failed = |why: String| Failure(format!("`{}` cannot be read as a checkpoint: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
    if length > MAX_NOTE_BYTES as u64 {
        return Err(failed(format!("it has {length} bytes, and no checkpoint is that long")));
    }
    Ok(SavedCheckpoint {
        name: path.display().to_string(),
        note: std::fs::read(path).map_err(|e| failed(e.to_string()))?,
    })
}

/// The key in the data directory, under the name that the published checkpoint states.
fn own_keys(data: &Path) -> Result<Vec<VerifierKey>, Failure> {
    let checkpoint = tiles_folder(data).join("checkpoint");
    let bytes = std::fs::read(&checkpoint).map_err(|e| {
        Failure(format!(
            "the published checkpoint `{}` cannot be read: {e}\n  a door publishes one within a second of its start; --key names the key of one that lies elsewhere",
            checkpoint.display()
        ))
    })?;
    let note = SignedNote::parse(&bytes)?;
    let origin = note.text().lines().next().unwrap_or_default().to_owned();
    let key = FileKey::open(&key_path(data), None)?;
    let public: [u8; 32] = (key.public_key().raw())
        .try_into()
        .map_err(|_| Failure(format!("`{}` holds no Ed25519 key", key_path(data).display())))?;
    Ok(vec![VerifierKey::new(&origin, KeyKind::Ed25519, public)?])
}

fn shown(report: &AuditReport, origin: &str, own_key: bool, saved: usize, told: &[String]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let root = report.root.map_or_else(|| "unknown".to_owned(), |root| root.to_string());
    let _ = writeln!(out, "ledger   {origin}");
    let _ = writeln!(
        out,
        "entries  {} published, {} read, {} compared with the node's own",
        report.size, report.entries, report.compared
    );
    let _ = writeln!(out, "root     {root}");
    for (key, time) in &report.cosigned {
        let at = tidegate_model::Timestamp::from_unix_seconds(i64::try_from(*time).unwrap_or(i64::MAX));
        let _ = writeln!(out, "witness  {} at {at}", key.name());
    }
    for note in report.notes.iter().chain(told) {
        let _ = writeln!(out, "note     {note}");
    }
    if own_key {
        let _ = writeln!(
            out,
            "note     the key was taken from the data directory: name one that you hold with --key"
        );
    }
    if saved == 0 {
        let _ = writeln!(
            out,
            "note     no checkpoint that somebody kept was given: what the key's holder rewrote would not show"
        );
    }
    for failure in &report.failures {
        let _ = writeln!(out, "FAILED   {failure}");
    }
    if report.failures_omitted > 0 {
        let _ = writeln!(out, "FAILED   and {} more", report.failures_omitted);
    }
    let verdict = if report.is_whole() { "whole: every check fits" } else { "NOT WHOLE" };
    let _ = writeln!(out, "{verdict}");
    out
}
