//! What one door knows, as a file for another that no feed reaches.
//!
//! A bundle is a zip archive: `manifest.json`, then one file a feed, the records as their publishers delivered them. It
//! carries no compiled form: the receiving door compiles for itself, so that a bundle can do nothing that a feed cannot. The
//! same state gives the same bytes.
//!
//! ```text
//! manifest.json     format, generation, and for each feed: kind, time, file, SHA-256, records
//! manifest.sig      reserved: a signature over the bytes of manifest.json, which names everything else by digest
//! feeds/NAME        JSON lines (advisories, VEX, KEV, SSVC) or CSV (EPSS), packed with zstd
//! ```

use std::io::{Cursor, Read as _, Write as _};

use sha2::{Digest as _, Sha256 as Hasher};
use tidegate_model::{Sha256, Timestamp};
use zip::write::SimpleFileOptions;

use crate::feeds::FeedKind;
use crate::import::container::{MAX_UNPACKED_BYTES, RATIO_FREE_BYTES};
use crate::import::{Delivery, DeliveryError, Extent, ReadOptions, read_bytes};
use crate::segment::SegmentError;
use crate::signals::Signal;
use crate::snapshot::{FeedContent, FeedState, Snapshot};

/// The version of the format.
const FORMAT: u32 = 1;

/// The name of the list of contents.
pub const MANIFEST: &str = "manifest.json";

/// The name of its signature, where there is one.
pub const SIGNATURE: &str = "manifest.sig";

/// The largest list of contents that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;

/// The most feeds in a bundle.
const MAX_FEEDS: usize = 1_000;

/// Higher levels cost minutes and save little.
const LEVEL: i32 = 6;

/// The list of contents.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BundleManifest {
    format: u32,
    /// The generation of the snapshot that was exported, by the count of the door that exported it.
    pub generation: u64,
    /// The feeds, by name.
    pub feeds: Vec<BundledFeed>,
}

/// One feed of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BundledFeed {
    /// Its name.
    pub name: String,
    /// What kind of feed.
    pub kind: FeedKind,
    /// The time that upstream states.
    pub as_of: Option<Timestamp>,
    /// The file in the archive.
    pub file: String,
    /// Digest of the file as it stands in the archive.
    pub sha256: Sha256,
    /// How many records it has.
    pub records: u64,
}

/// A bundle that was opened: its contents checked against the list, nothing imported yet.
#[derive(Debug)]
pub struct Bundle {
    /// The list of contents.
    pub manifest: BundleManifest,
    /// The bytes of the list, over which a signature is made.
    pub manifest_bytes: Vec<u8>,
    /// The signature, where there is one. Whoever opens a bundle decides whether it needs one, and verifies it.
    pub signature: Option<Vec<u8>>,
    /// The feeds, each whole.
    pub deliveries: Vec<Delivery>,
}

/// Why a bundle cannot be used. Nothing of it is used then.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The archive cannot be read.
    #[error("the bundle is damaged or cut off")]
    Archive(#[from] zip::result::ZipError),
    /// The archive has no usable list of contents.
    #[error("the bundle's `{MANIFEST}` cannot be used: {0}")]
    Manifest(String),
    /// A file is not the one that the list names.
    #[error("`{0}` in the bundle is not the file that `{MANIFEST}` names: its digest differs")]
    Digest(String),
    /// A file cannot be read as its feed.
    #[error("`{name}` in the bundle cannot be read")]
    Delivery {
        /// Which file.
        name: String,
        /// Why.
        #[source]
        source: DeliveryError,
    },
}

/// What cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The text of a record is damaged.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The archive cannot be written.
    #[error("the bundle cannot be written")]
    Archive(#[from] zip::result::ZipError),
    /// The same.
    #[error("the bundle cannot be written")]
    Io(#[from] std::io::Error),
}

/// Makes a signature over bytes.
pub type Signer<'a> = dyn Fn(&[u8]) -> Vec<u8> + 'a;

/// Writes a bundle of everything that a snapshot knows.
///
/// `sign` makes a signature over the bytes of the list of contents, where the door has a key for it.
///
/// # Errors
/// [`ExportError`] where a record's text is damaged.
pub fn export(snapshot: &Snapshot, sign: Option<&Signer<'_>>) -> Result<Vec<u8>, ExportError> {
    let mut feeds = Vec::new();
    let mut files = Vec::new();
    for (number, feed) in snapshot.feeds().iter().enumerate() {
        let packed = zstd::encode_all(lines(feed)?.as_slice(), LEVEL)?;
        // Names of feeds come from people; the file's does not.
        let file = format!("feeds/{number:03}.zst");
        feeds.push(BundledFeed {
            name: feed.name().to_owned(),
            kind: feed.kind(),
            as_of: feed.as_of(),
            file: file.clone(),
            sha256: Sha256::new(Hasher::digest(&packed).into()),
            records: feed.stored(),
        });
        files.push((file, packed));
    }
    let manifest = BundleManifest { format: FORMAT, generation: snapshot.generation(), feeds };
    let manifest = serde_json::to_vec_pretty(&manifest).expect("a list of contents is plain JSON");
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // What is in it is packed already, and its times are stated in the list.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644)
        .large_file(true);
    let signature = sign.map(|sign| (SIGNATURE.to_owned(), sign(&manifest)));
    for (name, bytes) in std::iter::once((MANIFEST.to_owned(), manifest)).chain(signature).chain(files) {
        archive.start_file(name, options)?;
        archive.write_all(&bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

impl FeedState {
    /// How many records or rows it holds, those included that a newer copy in another feed speaks for.
    fn stored(&self) -> u64 {
        self.tops().count() as u64 + if self.kind().is_advisories() { 0 } else { self.len() }
    }
}

/// The records of a feed, one a line, sorted; or the rows of a feed of signals in its publisher's form.
fn lines(feed: &FeedState) -> Result<Vec<u8>, SegmentError> {
    let mut out = Vec::new();
    let mut line = |json: &[u8]| {
        out.extend_from_slice(json);
        out.push(b'\n');
    };
    match &feed.content {
        FeedContent::Advisories(_) => {
            let mut tops: Vec<_> = feed.tops().collect();
            tops.sort_by_key(|(id, ..)| *id);
            for (_, layer, record) in tops {
                line(&layer.segment().json(record)?);
            }
        }
        FeedContent::Vex { table, .. } => {
            for statement in table.statements() {
                line(&serde_json::to_vec(statement).expect("a statement is plain JSON"));
            }
        }
        FeedContent::Signals { table, .. } => {
            if feed.kind() == FeedKind::Epss {
                let model = table.model().unwrap_or_default();
                let date = feed.as_of().map(|at| at.to_string()).unwrap_or_default();
                line(format!("#model_version:{model},score_date:{date}").as_bytes());
                line(b"cve,epss,percentile");
            }
            for (cve, _) in table.rows() {
                if let Some(signal) = table.get(cve) {
                    line(row(&cve.to_string(), &signal).as_bytes());
                }
            }
        }
    }
    Ok(out)
}

fn row(cve: &str, signal: &Signal) -> String {
    let date = |time: Timestamp| time.to_string();
    match signal {
        Signal::Epss(epss) => format!("{cve},{},{}", epss.score, epss.percentile),
        Signal::Kev(kev) => serde_json::json!({
            "cveID": cve,
            "dateAdded": date(kev.added),
            "dueDate": kev.due.map(date),
            "knownRansomwareCampaignUse": if kev.ransomware { "Known" } else { "Unknown" },
        })
        .to_string(),
        Signal::Ssvc(ssvc) => serde_json::json!({
            "cve": cve,
            "exploitation": ssvc.exploitation,
            "automatable": ssvc.automatable.map(|yes| if yes { "yes" } else { "no" }),
            "technical_impact": ssvc.technical_impact,
            "ssvc_time": ssvc.at.map(date),
        })
        .to_string(),
    }
}

/// Opens a bundle and checks every file against the list. Import its deliveries like any others.
///
/// # Errors
/// [`BundleError`] says what is wrong; nothing of the bundle is used then.
pub fn open(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let manifest_bytes = file(&mut archive, MANIFEST, MAX_MANIFEST_BYTES)?;
    let manifest: BundleManifest =
        serde_json::from_slice(&manifest_bytes).map_err(|e| BundleError::Manifest(e.to_string()))?;
    if manifest.format != FORMAT {
        return Err(BundleError::Manifest(format!(
            "it has format {}, this program reads {FORMAT}",
            manifest.format
        )));
    }
    if manifest.feeds.len() > MAX_FEEDS {
        return Err(BundleError::Manifest(format!("it lists more than {MAX_FEEDS} feeds")));
    }
    let signature = match file(&mut archive, SIGNATURE, MAX_MANIFEST_BYTES) {
        Ok(signature) => Some(signature),
        Err(BundleError::Archive(zip::result::ZipError::FileNotFound)) => None,
        Err(error) => return Err(error),
    };
    let mut deliveries = Vec::new();
    for feed in &manifest.feeds {
        let packed = file(&mut archive, &feed.file, MAX_UNPACKED_BYTES.min(bytes.len() as u64))?;
        if Sha256::new(Hasher::digest(&packed).into()) != feed.sha256 {
            return Err(BundleError::Digest(feed.file.clone()));
        }
        let options = ReadOptions {
            feed: Some(feed.name.clone()),
            kind: Some(feed.kind),
            extent: Extent::Whole,
            as_of: feed.as_of,
        };
        let delivery = |source| BundleError::Delivery { name: feed.file.clone(), source };
        let read = match feed.kind {
            FeedKind::Openvex | FeedKind::Csaf => statements(feed, &packed).map(|d| vec![d]),
            _ => read_bytes(&feed.file, packed, &options).map_err(delivery),
        }?;
        let found: usize = read.iter().map(Delivery::len).sum();
        if found as u64 != feed.records {
            return Err(BundleError::Manifest(format!(
                "`{}` should have {} records and has {found}",
                feed.file, feed.records
            )));
        }
        deliveries.extend(read);
    }
    Ok(Bundle { manifest, manifest_bytes, signature, deliveries })
}

/// Statements travel in our own form, since both standards read into it.
fn statements(feed: &BundledFeed, packed: &[u8]) -> Result<Delivery, BundleError> {
    let wrong = |why: String| BundleError::Manifest(format!("`{}`: {why}", feed.file));
    let limit =
        ((packed.len() as u64).saturating_mul(crate::import::container::MAX_RATIO)).max(RATIO_FREE_BYTES);
    let mut text = Vec::new();
    let decoder = zstd::Decoder::new(packed).map_err(|e| wrong(e.to_string()))?;
    decoder.take(limit + 1).read_to_end(&mut text).map_err(|e| wrong(e.to_string()))?;
    if text.len() as u64 > limit {
        return Err(wrong(format!("it unpacks to more than {limit} bytes")));
    }
    let statements: Result<Vec<_>, _> = serde_json::Deserializer::from_slice(&text).into_iter().collect();
    let statements = statements.map_err(|e| wrong(e.to_string()))?;
    Ok(Delivery::of_statements(feed.name.clone(), feed.kind, feed.as_of, feed.sha256, statements))
}

fn file(
    archive: &mut zip::ZipArchive<Cursor<&[u8]>>,
    name: &str,
    limit: u64,
) -> Result<Vec<u8>, BundleError> {
    let file = archive.by_name(name)?;
    let mut out = Vec::new();
    file.take(limit + 1).read_to_end(&mut out).map_err(zip::result::ZipError::from)?;
    if out.len() as u64 > limit {
        return Err(BundleError::Manifest(format!("`{name}` is larger than {limit} bytes")));
    }
    Ok(out)
}
