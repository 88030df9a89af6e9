//! Bundles: what this door knows, signed, for another that no feed reaches; and taking such files in.
//!
//! The key is made at first use and stays in the data directory, readable by nobody else. Whoever takes bundles in names
//! the keys that it trusts in `[intel] trusted_bundle_keys`. A bundle that was altered is never used; one that nobody
//! known signed only where the person who loads it says so, and then with an alarm.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_intel::bundle::signature::{PublicKey, SignatureError, SigningKey};
use tidegate_intel::bundle::{self, Bundle, BundleError, BundleManifest};
use tidegate_intel::import::{self, AlarmKind, Applied, Delivery, Extent, ReadOptions};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_model::Timestamp;
use tidegate_store::catalogue::NewAlarm;

use super::sync::{chain, put_in_force, scratch};
use crate::clients::locks::write_whole;
use crate::door::Door;

/// The kind of the alarms raised here.
pub const ALARM: &str = "bundle";
/// What a person says who uses a bundle that nobody known signed.
pub const UNSIGNED: &str = "unsigned";

/// The door's key, made where there is none yet.
///
/// # Errors
/// The file, and why it cannot be read or written.
pub fn key(door: &Door) -> Result<SigningKey, String> {
    let path = door.data.join("intel").join("bundle.key");
    let failed = |e: &dyn std::fmt::Display| format!("the key in `{}` cannot be used: {e}", path.display());
    let pkcs8 = match fs::read(&path) {
        Ok(pkcs8) => pkcs8,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let new = SigningKey::generate().map_err(|e| failed(&e))?;
            write_whole(&path, &new, Some(0o600)).map_err(|e| failed(&e))?;
            tracing::info!("a key for bundles was made in `{}`", path.display());
            new
        }
        Err(e) => return Err(failed(&e)),
    };
    SigningKey::parse(&pkcs8).map_err(|e| failed(&e))
}

/// Writes everything that is in force to a file: all of it under its name, or nothing. Blocks.
///
/// # Errors
/// What failed, as text.
pub fn export(door: &Door, path: &Path) -> Result<(BundleManifest, PublicKey), String> {
    let key = key(door)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |e: &dyn std::fmt::Display| format!("`{}` cannot be written: {e}", path.display());
    let mut file =
        tempfile::Builder::new().prefix(".tidegate-").tempfile_in(folder).map_err(|e| failed(&e))?;
    let mut out = BufWriter::new(file.as_file_mut());
    let rules = door.rules();
    let checked = &rules.advisories.checked;
    let manifest = bundle::export(&rules.advisories.snapshot, checked, Some(&key), &mut out)
        .map_err(|e| failed(&chain(&e)))?;
    out.flush().map_err(|e| failed(&e))?;
    drop(out);
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    file.persist(path).map_err(|e| failed(&e.error))?;
    Ok((manifest, key.public()))
}

/// Files to load, and how.
#[derive(Debug)]
pub struct Loading {
    /// Files and folders: bundles, and deliveries of feeds.
    pub paths: Vec<PathBuf>,
    /// How deliveries are read.
    pub options: ReadOptions,
    /// Whether a bundle that nobody known signed is used.
    pub unsigned: bool,
    /// Alarms that a person overrules.
    pub accept: Vec<AlarmKind>,
}

/// Loads files and puts them in force: all of them, or nothing; `actor` is who does it. Blocks.
///
/// # Errors
/// Why nothing was changed, as text.
pub fn load(door: &Arc<Door>, loading: Loading, actor: Option<Pseudonym>) -> Result<Applied, String> {
    let Loading { paths, options, unsigned, accept } = loading;
    let (mut deliveries, mut taken, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        match take(door, &path, unsigned, &accept)? {
            Some(mut bundle) => {
                deliveries.append(&mut bundle.deliveries);
                taken.push(bundle);
            }
            None => files.push(path),
        }
    }
    deliveries.extend(import::read(&files, &options).map_err(|e| chain(&e))?);
    let applied = put_in_force(door, deliveries, accept, actor)?;
    let loaded = applied.reports.iter().filter(|report| !report.refused);
    let loaded: BTreeSet<String> = loaded.map(|report| report.feed.clone()).collect();
    taken.iter().for_each(|bundle| note(door, bundle, &loaded));
    if options.extent == Extent::Whole {
        let bundled = |feed: &str| taken.iter().any(|bundle| bundle.checked.contains_key(feed));
        for report in applied.reports.iter().filter(|r| !r.refused && !bundled(&r.feed)) {
            door.attempts.note_loaded(&report.feed, report.as_of.unwrap_or_else(|| door.clock.now()));
        }
    }
    door.note_checked(door.attempts.successes());
    Ok(applied)
}

/// What a bundle brings.
#[derive(Debug)]
struct Taken {
    /// Its feeds, each whole.
    deliveries: Vec<Delivery>,
    /// When each of them was last known to be all that its publisher says.
    checked: BTreeMap<String, Timestamp>,
    /// Who signed it, and the count of the door that made it.
    signed: Option<(PublicKey, u64)>,
}

/// Reads a file where it is a bundle; `None` where it is a delivery of another form.
fn take(
    door: &Arc<Door>,
    path: &Path,
    unsigned: bool,
    accept: &[AlarmKind],
) -> Result<Option<Taken>, String> {
    if !path.is_file() {
        return Ok(None);
    }
    let name = path.display();
    let opened = match bundle::open(path) {
        Err(BundleError::NoBundle) => return Ok(None),
        opened => opened.map_err(|e| format!("`{name}`: {}", chain(&e)))?,
    };
    let signer = signer(door, path, &opened, unsigned)?;
    let signed = signer.map(|key| (key, opened.manifest.generation));
    if let Some((key, generation)) = &signed
        && let Some(last) = generations(door).get(&key.id()).filter(|last| *last > generation)
        && !accept.contains(&AlarmKind::RolledBack)
    {
        let why = format!(
            "rolled back: it is number {generation} of the door that made it, and number {last} was loaded before"
        );
        tell(door, path, &why);
        return Err(format!("`{name}`: {why}; `--accept rolled-back` loads it all the same"));
    }
    let now = door.clock.now();
    let deliveries = opened
        .deliveries(Some(&scratch(door)?))
        .map_err(|e| refuse(door, path, &format!("`{name}`: {}", chain(&e))))?;
    let checked = opened.manifest.feeds.iter().filter_map(|feed| {
        // A clock that runs ahead elsewhere makes nothing fresher here.
        Some((feed.name.clone(), feed.checked_at.or(feed.as_of)?.min(now)))
    });
    Ok(Some(Taken { deliveries, checked: checked.collect(), signed }))
}

fn signer(
    door: &Arc<Door>,
    path: &Path,
    opened: &Bundle<'_>,
    unsigned: bool,
) -> Result<Option<PublicKey>, String> {
    match opened.signer(&door.config.intel.trusted_bundle_keys) {
        Ok(key) => Ok(Some(key.clone())),
        Err(why) if why.may_be_overruled() && unsigned => {
            tell(door, path, &format!("{why}; it was loaded because a person said so"));
            Ok(None)
        }
        Err(why) => {
            let hint = match &why {
                SignatureError::Unsigned | SignatureError::UnknownKey(_) => {
                    "; name its key in `[intel] trusted_bundle_keys`, or load it with `--accept unsigned` if you trust \
                     the way on which it came"
                }
                _ => "; get it again from the door that made it",
            };
            Err(refuse(door, path, &format!("`{}`: {why}{hint}", path.display())))
        }
    }
}

/// Raises an alarm, and gives the reason back.
fn refuse(door: &Door, path: &Path, why: &str) -> String {
    tell(door, path, why);
    why.to_owned()
}

fn tell(door: &Door, path: &Path, why: &str) {
    tracing::warn!("bundle `{}`: {why}", path.display());
    let alarm = NewAlarm {
        kind: ALARM.into(),
        subject: path.display().to_string(),
        message: why.to_owned(),
        json: "{}".into(),
        at: door.clock.now(),
    };
    door.metrics.alarms.inc();
    if let Err(error) = door.store.catalogue.raise_alarm(&alarm) {
        tracing::error!(error = %error, "an alarm could not be kept: {error}");
    }
}

/// Notes what was put in force out of a bundle: how old its feeds are, and its number, so that an older one of the same
/// door is noticed. `loaded` are the feeds that were not refused.
fn note(door: &Door, taken: &Taken, loaded: &BTreeSet<String>) {
    for (feed, at) in taken.checked.iter().filter(|(feed, _)| loaded.contains(*feed)) {
        door.attempts.note_loaded(feed, *at);
    }
    let Some((key, generation)) = &taken.signed else { return };
    let mut known = generations(door);
    known.insert(key.id(), *generation);
    let text = serde_json::to_vec_pretty(&known).expect("numbers serialise");
    if let Err(error) = write_whole(&generations_file(door), &text, None) {
        tracing::error!(error = %error, "the number of a bundle could not be written down: {error}");
    }
}

fn generations_file(door: &Door) -> PathBuf {
    door.data.join("intel").join("bundles.json")
}

/// The number of the last bundle of each key that was loaded.
fn generations(door: &Door) -> BTreeMap<String, u64> {
    let text = fs::read(generations_file(door)).ok();
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}
