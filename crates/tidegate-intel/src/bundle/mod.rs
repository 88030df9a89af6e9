//! What one door knows, as a file for another that no feed reaches.
//!
//! A bundle is a zip archive: one file a feed, the records as their publishers delivered them, and `manifest.json`. It
//! carries no compiled form: the receiving door compiles for itself, so that a bundle can do nothing that a feed cannot. The
//! same state gives the same bytes.
//!
//! ```text
//! feeds/NAME        JSON lines (advisories, VEX, KEV, SSVC) or CSV (EPSS), packed with zstd
//! manifest.json     format, generation, and for each feed: kind, time, file, SHA-256, records
//! manifest.sig      a signature over manifest.json, which names everything else by digest ([`signature`])
//! ```
//!
//! Whoever opens a bundle looks at its signature first and asks for its deliveries then.

pub mod signature;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256 as Hasher};
use tidegate_model::{Sha256, Timestamp};
use zip::write::SimpleFileOptions;

use self::signature::{PublicKey, SignatureError, SigningKey};
use crate::feeds::FeedKind;
use crate::import::container::{Bounded, ContainerError, Packed, limit};
use crate::import::zip::{Directory, Member};
use crate::import::{Delivery, DeliveryError, Extent, ReadOptions, read_stream};
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
    /// When the exporting door last found it to be all that its publisher says.
    #[serde(default)]
    pub checked_at: Option<Timestamp>,
    /// The file in the archive.
    pub file: String,
    /// Digest of the file as it stands in the archive.
    pub sha256: Sha256,
    /// How many records it has.
    pub records: u64,
}

/// A bundle that was opened: its list of contents is read, nothing else yet.
#[derive(Debug)]
pub struct Bundle<'a> {
    /// The list of contents.
    pub manifest: BundleManifest,
    /// Its bytes, over which a signature is made.
    manifest_bytes: Vec<u8>,
    signature: Option<Vec<u8>>,
    packed: Packed<'a>,
    members: HashMap<String, Member>,
}

/// Why a bundle cannot be used. Nothing of it is used then.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The archive cannot be read.
    #[error("the bundle cannot be read")]
    Archive(#[from] ContainerError),
    /// The archive holds no bundle.
    #[error("it is no bundle: it has no `{MANIFEST}`")]
    NoBundle,
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
    Io(#[from] io::Error),
}

/// Passes bytes on and keeps their digest.
struct Hashing<T> {
    inner: T,
    hasher: Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.hasher.update(&out[..read]);
        Ok(read)
    }
}

/// Writes a bundle of everything that a snapshot knows, signed where there is a key for it. `checked` says of feeds when
/// they were last found to be all that their publishers say.
///
/// # Errors
/// [`ExportError`] where a record's text is damaged or `out` fails.
pub fn export(
    snapshot: &Snapshot,
    checked: &BTreeMap<String, Timestamp>,
    key: Option<&SigningKey>,
    out: impl Write + Seek,
) -> Result<BundleManifest, ExportError> {
    let mut archive = zip::ZipWriter::new(out);
    // What is in it is packed already, and its times are stated in the list.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644)
        .large_file(true);
    let mut feeds = Vec::new();
    for (number, feed) in snapshot.feeds().iter().enumerate() {
        // Names of feeds come from people; the file's does not.
        let file = format!("feeds/{number:03}.zst");
        archive.start_file(&file, options)?;
        let hashing = Hashing { inner: &mut archive, hasher: Hasher::new() };
        let mut packer = zstd::Encoder::new(hashing, LEVEL)?;
        let records = lines(feed, &mut packer)?;
        let digest = packer.finish()?.hasher.finalize();
        feeds.push(BundledFeed {
            name: feed.name().to_owned(),
            kind: feed.kind(),
            as_of: feed.as_of(),
            checked_at: checked.get(feed.name()).copied(),
            file,
            sha256: Sha256::new(digest.into()),
            records,
        });
    }
    let manifest = BundleManifest { format: FORMAT, generation: snapshot.generation(), feeds };
    let bytes = serde_json::to_vec_pretty(&manifest).expect("a list of contents is plain JSON");
    let signature = key.map(|key| (SIGNATURE, key.sign(&bytes)));
    for (name, bytes) in std::iter::once((MANIFEST, bytes)).chain(signature) {
        archive.start_file(name, options)?;
        archive.write_all(&bytes)?;
    }
    archive.finish()?.flush()?;
    Ok(manifest)
}

/// Writes the records of a feed, one a line, sorted; or the rows of a feed of signals in its publisher's form. Says how
/// many there are.
fn lines(feed: &FeedState, out: &mut dyn Write) -> Result<u64, ExportError> {
    let mut count = 0;
    if let FeedContent::Signals { table, .. } = &feed.content
        && feed.kind() == FeedKind::Epss
    {
        let model = table.model().unwrap_or_default();
        let date = feed.as_of().map(|at| at.to_string()).unwrap_or_default();
        write!(out, "#model_version:{model},score_date:{date}\ncve,epss,percentile\n")?;
    }
    let mut line = |json: &[u8]| {
        count += 1;
        out.write_all(json)?;
        out.write_all(b"\n")
    };
    match &feed.content {
        FeedContent::Advisories(_) => {
            feed.for_each_top(|_, json| line(json).map_err(ExportError::from))?;
        }
        FeedContent::Vex { table, .. } => {
            for statement in table.statements() {
                line(&serde_json::to_vec(statement).expect("a statement is plain JSON"))?;
            }
        }
        FeedContent::Signals { table, .. } => {
            for (cve, _) in table.rows() {
                if let Some(signal) = table.get(cve) {
                    line(row(&cve.to_string(), &signal).as_bytes())?;
                }
            }
        }
    }
    Ok(count)
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

/// Opens a bundle in memory.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(bytes: &[u8]) -> Result<Bundle<'_>, BundleError> {
    open_packed(Packed::Bytes(bytes))
}

/// Opens a bundle and reads its list of contents.
///
/// # Errors
/// [`BundleError`] says what is wrong; [`BundleError::NoBundle`] where it may be a delivery of another form.
pub fn open(path: &Path) -> Result<Bundle<'_>, BundleError> {
    open_packed(Packed::File(path))
}

fn open_packed(packed: Packed<'_>) -> Result<Bundle<'_>, BundleError> {
    let reader = || packed.open().map_err(ContainerError::from);
    let mut magic = Vec::new();
    reader()?.take(4).read_to_end(&mut magic).map_err(ContainerError::from)?;
    if !matches!(magic.as_slice(), b"PK\x03\x04" | b"PK\x05\x06") {
        return Err(BundleError::NoBundle);
    }
    let mut directory = Directory::open(reader()?)?;
    let mut members = HashMap::new();
    // Other archives may have a million files; one that begins like no bundle is none.
    while members.len() <= MAX_FEEDS + 2
        && let Some(member) = directory.next()?
    {
        if let Some(twice) = members.insert(member.name.clone(), member) {
            return Err(wrong(format!("the archive holds `{}` twice", twice.name.escape_debug())));
        }
    }
    if !members.contains_key(MANIFEST) {
        return Err(BundleError::NoBundle);
    }
    let small = |name: &str| -> Result<Option<Vec<u8>>, BundleError> {
        let Some(member) = members.get(name) else { return Ok(None) };
        let mut out = Vec::new();
        let stream = member.open(reader()?)?;
        stream.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut out).map_err(ContainerError::from)?;
        if out.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(wrong(format!("`{name}` is larger than {MAX_MANIFEST_BYTES} bytes")));
        }
        Ok(Some(out))
    };
    let manifest_bytes = small(MANIFEST)?.ok_or(BundleError::NoBundle)?;
    let signature = small(SIGNATURE)?;
    let manifest: BundleManifest =
        serde_json::from_slice(&manifest_bytes).map_err(|e| wrong(e.to_string()))?;
    if manifest.format != FORMAT {
        return Err(wrong(format!("it has format {}, this program reads {FORMAT}", manifest.format)));
    }
    if manifest.feeds.len() > MAX_FEEDS {
        return Err(wrong(format!("it lists more than {MAX_FEEDS} feeds")));
    }
    let named = manifest.feeds.len() + 1 + usize::from(signature.is_some());
    if members.len() != named || !manifest.feeds.iter().all(|feed| members.contains_key(&feed.file)) {
        return Err(wrong("the archive does not hold the files that it names, each once".to_owned()));
    }
    Ok(Bundle { manifest, manifest_bytes, signature, packed, members })
}

const fn wrong(why: String) -> BundleError {
    BundleError::Manifest(why)
}

impl Bundle<'_> {
    /// The key among `trusted` that signed it.
    ///
    /// # Errors
    /// [`SignatureError`] says why it is not to be believed; only its first two forms can be a matter of opinion.
    pub fn signer<'k>(&self, trusted: &'k [PublicKey]) -> Result<&'k PublicKey, SignatureError> {
        let signature = self.signature.as_deref().ok_or(SignatureError::Unsigned)?;
        signature::verify(signature, &self.manifest_bytes, trusted)
    }

    /// Reads the feeds, each whole, and checks each against the list. Records are set aside in `scratch`.
    ///
    /// # Errors
    /// [`BundleError`] says what is wrong; nothing of the bundle is used then.
    pub fn deliveries(&self, scratch: Option<&Path>) -> Result<Vec<Delivery>, BundleError> {
        let mut deliveries = Vec::new();
        for feed in &self.manifest.feeds {
            deliveries.extend(self.delivery(feed, scratch.map(Path::to_owned))?);
        }
        Ok(deliveries)
    }

    fn delivery(&self, feed: &BundledFeed, scratch: Option<PathBuf>) -> Result<Vec<Delivery>, BundleError> {
        let member = &self.members[&feed.file];
        let mut left = limit(member.len);
        let limit = left;
        let stream = member.open(self.packed.open().map_err(ContainerError::from)?)?;
        let mut stream = Hashing { inner: stream, hasher: Hasher::new() };
        let delivery = |source| BundleError::Delivery { name: feed.file.clone(), source };
        let read = {
            let unpacked = zstd::Decoder::new(&mut stream).map_err(ContainerError::from)?;
            let mut bounded = Bounded { inner: unpacked, left: &mut left, limit };
            match feed.kind {
                FeedKind::Openvex | FeedKind::Csaf => statements(feed, &mut bounded),
                _ => {
                    let options = ReadOptions {
                        feed: Some(feed.name.clone()),
                        kind: Some(feed.kind),
                        extent: Extent::Whole,
                        as_of: feed.as_of,
                        scratch,
                    };
                    read_stream(&feed.file, &mut bounded, feed.sha256, &options).map_err(delivery)
                }
            }
        };
        // Whatever was read, the file must be the one that is named; and if it is not, that is what is wrong with it.
        let rest = io::copy(&mut stream, &mut io::sink());
        if rest.is_err() || Sha256::new(stream.hasher.finalize().into()) != feed.sha256 {
            return Err(BundleError::Digest(feed.file.clone()));
        }
        let read = read?;
        let found: u64 = read.iter().map(Delivery::len).sum();
        if found != feed.records {
            return Err(wrong(format!(
                "`{}` should have {} records and has {found}",
                feed.file, feed.records
            )));
        }
        Ok(read)
    }
}

/// Statements travel in our own form, since both standards read into it.
fn statements(feed: &BundledFeed, stream: &mut dyn Read) -> Result<Vec<Delivery>, BundleError> {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).map_err(ContainerError::from)?;
    let statements: Result<Vec<_>, _> = serde_json::Deserializer::from_slice(&text).into_iter().collect();
    let statements = statements.map_err(|e| wrong(format!("`{}`: {e}", feed.file)))?;
    Ok(vec![Delivery::of_statements(feed.name.clone(), feed.kind, feed.as_of, feed.sha256, statements)])
}
