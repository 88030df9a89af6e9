//! Reading deliveries from files and folders.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256 as Hasher};
use tidegate_model::{Sha256, Timestamp};

use super::container::{self, ContainerError, MAX_FILES, Packed};
use super::values::{MAX_VALUE_BYTES, ValueError, Values};
use super::{Delivery, Extent, Payload};
use crate::advisory::{RecordError, compile};
use crate::feeds::openvex::Statement;
use crate::feeds::{FeedKind, Item, Unreadable};
use crate::matching::instant;
use crate::scratch::{Scratch, Sorter};
use crate::segment::record_digest;
use crate::signals::{Cell, CveId, Signal, table_cell};

/// How many rejected records are named; the rest is counted.
const MAX_REJECTIONS_NAMED: usize = 20;

/// Bytes of records that are kept in memory, of all feeds together; more are sorted and set aside on disk.
const HELD_BYTES: usize = 32 << 20;

/// The Go database's sources leave the year 1 where a time is filled in on publication. Nothing was published as an
/// advisory before 1990, in seconds of Unix time.
const BEFORE_ADVISORIES: i64 = 631_152_000;

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The feed that everything belongs to, where files do not say by their names.
    pub feed: Option<String>,
    /// What it is, where documents do not say.
    pub kind: Option<FeedKind>,
    /// Whether it is all of the feed. Daily scores always are.
    pub extent: Extent,
    /// The time upstream states, where it is known from elsewhere (a response header, a manifest).
    pub as_of: Option<Timestamp>,
    /// A folder for temporary files, on a disk with room for about the packed size of the delivery; where none is named,
    /// the system's own.
    pub scratch: Option<PathBuf>,
}

/// A record that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rejection {
    /// File, and place within it.
    pub at: String,
    /// Why.
    pub why: String,
}

/// Why nothing of a file was used.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It cannot be read.
    #[error("cannot read `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// It cannot be unpacked.
    #[error("cannot unpack `{name}`")]
    Container {
        /// Which file.
        name: String,
        /// Why.
        #[source]
        source: ContainerError,
    },
    /// It is cut off in the middle of a document.
    #[error("`{name}` is cut off in the middle of a record, after {after} whole ones")]
    Truncated {
        /// Which file.
        name: String,
        /// Whole documents before.
        after: u64,
    },
    /// It is not JSON.
    #[error("`{name}` is not JSON after {after} records: {why}")]
    NotJson {
        /// Which file.
        name: String,
        /// Whole documents before.
        after: u64,
        /// What the parser says.
        why: String,
    },
    /// A document that cannot be read refuses the delivery, where the feed is one document.
    #[error("`{name}` cannot be read: {why}")]
    Unreadable {
        /// Which file.
        name: String,
        /// What is wrong.
        why: Unreadable,
    },
    /// Nothing tells which feed it is of.
    #[error("`{name}` is of no feed that is known here: say which with its kind")]
    Unknown {
        /// Which file.
        name: String,
    },
    /// One feed, several kinds.
    #[error("feed `{feed}` would be of two kinds, {} and {}", .kinds[0].as_str(), .kinds[1].as_str())]
    TwoKinds {
        /// The feed.
        feed: String,
        /// Its kinds.
        kinds: [FeedKind; 2],
    },
    /// One document is too large.
    #[error("`{name}` has a document of more than {MAX_VALUE_BYTES} bytes, after {after} records")]
    TooLarge {
        /// Which file.
        name: String,
        /// Whole documents before.
        after: u64,
    },
    /// Temporary files cannot be written or read.
    #[error("cannot set records aside in a temporary file")]
    Scratch(#[source] io::Error),
    /// There are more files than any feed has.
    #[error("`{}` holds more than {MAX_FILES} files", .0.display())]
    TooManyFiles(PathBuf),
}

impl From<(&str, ContainerError)> for DeliveryError {
    fn from((name, source): (&str, ContainerError)) -> Self {
        Self::Container { name: name.to_owned(), source }
    }
}

/// Reads files and folders. Files of no known feed in a folder are passed over; a file that is named itself must be of
/// one.
///
/// # Errors
/// [`DeliveryError`] names the file; nothing of any of them is used then.
pub fn read(paths: &[PathBuf], options: &ReadOptions) -> Result<Vec<Delivery>, DeliveryError> {
    let mut reading = Reading::new(options);
    for path in paths {
        let metadata = fs::metadata(path).map_err(|e| DeliveryError::Io(path.clone(), e))?;
        if metadata.is_dir() {
            let mut files = Vec::new();
            list(path, &mut files)?;
            files.sort();
            for file in files {
                reading.in_folder = true;
                reading.file(&file)?;
            }
        } else {
            reading.in_folder = false;
            reading.file(path)?;
        }
    }
    reading.finish()
}

/// Reads one delivery that is in memory already, under the name it would have as a file.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(
    name: &str,
    bytes: impl AsRef<[u8]>,
    options: &ReadOptions,
) -> Result<Vec<Delivery>, DeliveryError> {
    let mut reading = Reading::new(options);
    reading.packed(name, Packed::Bytes(bytes.as_ref()))?;
    reading.finish()
}

/// Reads one delivery from a stream that is not packed or packed with zstd, whose digest is known.
pub(crate) fn read_stream(
    name: &str,
    stream: &mut dyn Read,
    digest: Sha256,
    options: &ReadOptions,
) -> Result<Vec<Delivery>, DeliveryError> {
    let mut reading = Reading::new(options);
    let mut touched = Vec::new();
    reading.document(name, name, stream, &mut touched)?;
    reading.touch(touched, digest.as_bytes());
    reading.finish()
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), DeliveryError> {
    let failed = |e| DeliveryError::Io(folder.to_owned(), e);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // Links are not followed: a folder may come from anywhere.
        let kind = entry.file_type().map_err(failed)?;
        if hidden {
            continue;
        }
        if kind.is_dir() {
            list(&path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(DeliveryError::TooManyFiles(folder.to_owned()));
        }
    }
    Ok(())
}

/// Deliveries in the making, by feed.
struct Reading<'o> {
    options: &'o ReadOptions,
    scratch: Scratch,
    in_folder: bool,
    feeds: BTreeMap<String, Part>,
}

struct Part {
    kind: FeedKind,
    hasher: Hasher,
    stated: Option<Timestamp>,
    records: Sorter,
    rows: BTreeMap<CveId, Cell>,
    model: Option<String>,
    statements: Vec<Statement>,
    rejected: Vec<Rejection>,
    rejected_count: u64,
    duplicates: u64,
}

impl Part {
    fn new(kind: FeedKind) -> Self {
        Self {
            kind,
            hasher: Hasher::new(),
            stated: None,
            records: Sorter::default(),
            rows: BTreeMap::new(),
            model: None,
            statements: Vec::new(),
            rejected: Vec::new(),
            rejected_count: 0,
            duplicates: 0,
        }
    }

    fn reject(&mut self, at: String, why: String) {
        self.rejected_count += 1;
        if self.rejected.len() < MAX_REJECTIONS_NAMED {
            self.rejected.push(Rejection { at, why });
        }
    }

    fn record(&mut self, json: &[u8]) -> Result<(), RecordError> {
        self.records.push(&compile(json)?, &record_digest(json), json);
        Ok(())
    }

    fn signal(&mut self, cve: CveId, signal: Signal) {
        let cell = table_cell(&signal);
        match self.rows.insert(cve, cell) {
            Some(before) if before > cell => {
                self.duplicates += 1;
                self.rows.insert(cve, before);
            }
            Some(_) => self.duplicates += 1,
            None => {}
        }
    }

    fn item(&mut self, item: Item) -> Result<(), RecordError> {
        match item {
            Item::Record(json) => return self.record(&json),
            Item::Kev(rows) => rows.into_iter().for_each(|(cve, kev)| self.signal(cve, Signal::Kev(kev))),
            Item::Ssvc(rows) => rows.into_iter().for_each(|(cve, ssvc)| self.signal(cve, Signal::Ssvc(ssvc))),
            Item::Epss(table) => {
                self.model = table.model;
                table.rows.into_iter().for_each(|(cve, epss)| self.signal(cve, Signal::Epss(epss)));
            }
            Item::Vex(statements) => self.statements.extend(statements),
        }
        Ok(())
    }
}

impl<'o> Reading<'o> {
    fn new(options: &'o ReadOptions) -> Self {
        let scratch = Scratch(options.scratch.clone());
        Self { options, scratch, in_folder: false, feeds: BTreeMap::new() }
    }

    fn file(&mut self, path: &Path) -> Result<(), DeliveryError> {
        let name = path.file_name().map_or_else(|| path.to_string_lossy(), |n| n.to_string_lossy());
        self.packed(&name, Packed::File(path))
    }

    fn packed(&mut self, name: &str, packed: Packed<'_>) -> Result<(), DeliveryError> {
        let digest = digest(packed).map_err(|e| DeliveryError::Io(PathBuf::from(name), e))?;
        let mut touched: Vec<String> = Vec::new();
        let kind = self.options.kind;
        let keeps = |path: &str| kind.is_none_or(|kind| kind.feed().keeps(path));
        let outcome = container::unpack(name, packed, &keeps, &mut |document, stream| {
            self.document(name, document, stream, &mut touched).map_err(Step::Delivery)
        });
        self.touch(touched, &digest);
        outcome.map_err(|step| match step {
            Step::Container(source) => (name, source).into(),
            Step::Delivery(error) => error,
        })
    }

    /// Notes the digest of a file with the feeds that it is of.
    fn touch(&mut self, mut touched: Vec<String>, digest: &[u8; 32]) {
        touched.sort_unstable();
        touched.dedup();
        for feed in touched {
            self.feeds.get_mut(&feed).expect("touched feeds exist").hasher.update(digest);
        }
    }

    /// Reads one document of a file. A file of many records is a feed by its own name; files of one record each are
    /// together the feed of their kind.
    fn document(
        &mut self,
        file: &str,
        name: &str,
        stream: &mut dyn Read,
        touched: &mut Vec<String>,
    ) -> Result<(), DeliveryError> {
        let container = |source: io::Error| DeliveryError::from((file, ContainerError::from(source)));
        let mut values = Values::new(stream).map_err(container)?;
        let failed = |error: ValueError, after: u64| match error {
            ValueError::Io(error) => container(error),
            ValueError::Truncated => DeliveryError::Truncated { name: name.to_owned(), after },
            ValueError::NotJson(why) => DeliveryError::NotJson { name: name.to_owned(), after, why },
            ValueError::TooLarge => DeliveryError::TooLarge { name: name.to_owned(), after },
        };
        if self.options.kind.or_else(|| detect_text(values.ahead())) == Some(FeedKind::Epss) {
            let feed = self.part(file, FeedKind::Epss, true)?;
            touched.push(feed.clone());
            let text = values.rest().map_err(|e| failed(e, 0))?;
            return self.whole(&feed, name, text, FeedKind::Epss);
        }
        let readable = looks_like_json(values.ahead());
        let mut feed: Option<(String, FeedKind)> = None;
        loop {
            let after = values.given();
            let piece = match values.next() {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(ValueError::NotJson(_) | ValueError::Truncated) if after == 0 && !readable => {
                    return self.unknown(name);
                }
                Err(error) => return Err(failed(error, after)),
            };
            self.value(file, name, values.bytes(piece), after + 1, piece.many, &mut feed)?;
            values.pass(piece);
            self.make_room()?;
        }
        touched.extend(feed.map(|(feed, _)| feed));
        Ok(())
    }

    /// Sets records aside where too many are in memory, the largest feed first.
    fn make_room(&mut self) -> Result<(), DeliveryError> {
        while self.feeds.values().map(|part| part.records.held()).sum::<usize>() > HELD_BYTES {
            let largest = self.feeds.values_mut().max_by_key(|part| part.records.held());
            let largest = largest.expect("something is held");
            largest.records.spill(&self.scratch).map_err(DeliveryError::Scratch)?;
        }
        Ok(())
    }

    /// A file of no known feed: in a folder it is none of ours, by itself it is a mistake.
    fn unknown(&self, name: &str) -> Result<(), DeliveryError> {
        if self.in_folder && self.options.kind.is_none() {
            tracing::debug!(file = name, "`{name}` is of no feed that is known here, passed over");
            return Ok(());
        }
        Err(DeliveryError::Unknown { name: name.to_owned() })
    }

    fn value(
        &mut self,
        file: &str,
        name: &str,
        value: &[u8],
        number: u64,
        many: bool,
        feed: &mut Option<(String, FeedKind)>,
    ) -> Result<(), DeliveryError> {
        if feed.is_none() {
            let Some(kind) = self.options.kind.or_else(|| detect(value)) else {
                return self.unknown(name);
            };
            *feed = Some((self.part(file, kind, many)?, kind));
        }
        let (feed, kind) = feed.as_ref().expect("set above");
        let whole_catalogue = *kind == FeedKind::Kev && !many;
        if whole_catalogue {
            return self.whole(feed, name, value, *kind);
        }
        let part = self.feeds.get_mut(feed).expect("made in part");
        let at = || format!("{name}: record {number}");
        if matches!(kind, FeedKind::Openvex | FeedKind::Csaf) {
            part.stated = part.stated.max(stated(*kind, value));
        }
        match kind.feed().read(value) {
            Ok(item) => {
                if let Err(why) = part.item(item) {
                    part.reject(at(), why.to_string());
                }
            }
            Err(why) => part.reject(at(), why.to_string()),
        }
        Ok(())
    }

    /// A feed that is one document stands or falls with it.
    fn whole(&mut self, feed: &str, name: &str, bytes: &[u8], kind: FeedKind) -> Result<(), DeliveryError> {
        let item = kind
            .feed()
            .read(bytes)
            .map_err(|why| DeliveryError::Unreadable { name: name.to_owned(), why })?;
        let part = self.feeds.get_mut(feed).expect("made in part");
        part.stated = part.stated.max(stated(kind, bytes));
        part.item(item)
            .map_err(|e| DeliveryError::Unreadable { name: name.to_owned(), why: Unreadable::because(e) })
    }

    /// The feed that a document belongs to, made if it is new.
    fn part(&mut self, file: &str, kind: FeedKind, many: bool) -> Result<String, DeliveryError> {
        let name = match &self.options.feed {
            Some(feed) => feed.clone(),
            None if many => file.split('.').next().unwrap_or(file).to_owned(),
            None => kind.as_str().to_owned(),
        };
        let part = self.feeds.entry(name.clone()).or_insert_with(|| Part::new(kind));
        if part.kind != kind {
            if !part.kind.is_advisories() || !kind.is_advisories() {
                return Err(DeliveryError::TwoKinds { feed: name, kinds: [part.kind, kind] });
            }
            // Databases of several homes under one name are OSV in general.
            part.kind = FeedKind::Osv;
        }
        Ok(name)
    }

    fn finish(self) -> Result<Vec<Delivery>, DeliveryError> {
        let (options, scratch) = (self.options, self.scratch);
        let deliveries = self.feeds.into_iter().map(|(feed, part)| {
            let records = part.records.finish();
            let newest =
                records.newest().and_then(instant).filter(|at| at.unix_seconds() > BEFORE_ADVISORIES);
            let as_of = options.as_of.or(part.stated).or(newest);
            let payload = match part.kind {
                FeedKind::Kev | FeedKind::Epss | FeedKind::Ssvc => {
                    Payload::Signals { rows: part.rows, model: part.model }
                }
                FeedKind::Openvex | FeedKind::Csaf => Payload::Vex(part.statements),
                _ => Payload::Advisories(records),
            };
            Delivery {
                feed,
                kind: part.kind,
                extent: if part.kind == FeedKind::Epss { Extent::Whole } else { options.extent },
                as_of,
                source: Sha256::new(part.hasher.finalize().into()),
                payload,
                rejected: part.rejected,
                rejected_count: part.rejected_count,
                duplicates: part.duplicates,
                scratch: scratch.clone(),
            }
        });
        Ok(deliveries.collect())
    }
}

enum Step {
    Container(ContainerError),
    Delivery(DeliveryError),
}

impl From<ContainerError> for Step {
    fn from(error: ContainerError) -> Self {
        Self::Container(error)
    }
}

/// The SHA-256 of a file as it is.
fn digest(packed: Packed<'_>) -> io::Result<[u8; 32]> {
    let mut hasher = Hasher::new();
    let mut stream = packed.open()?;
    let mut piece = vec![0; 128 << 10];
    loop {
        match stream.read(&mut piece)? {
            0 => return Ok(hasher.finalize().into()),
            read => hasher.update(&piece[..read]),
        }
    }
}

fn stated(kind: FeedKind, bytes: &[u8]) -> Option<Timestamp> {
    kind.feed().stated_time(bytes)?.parse().ok()
}

fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

fn detect_text(bytes: &[u8]) -> Option<FeedKind> {
    let start = bytes.get(..64).unwrap_or(bytes);
    let scores = start.starts_with(b"#model_version") || start.to_ascii_lowercase().starts_with(b"cve,epss,");
    scores.then_some(FeedKind::Epss)
}

/// The kind of a document by its members.
fn detect(value: &[u8]) -> Option<FeedKind> {
    let members: HashMap<String, &RawValue> = serde_json::from_slice(value).ok()?;
    let has = |name: &str| members.contains_key(name);
    let text = |name: &str| members.get(name).and_then(|v| serde_json::from_str::<String>(v.get()).ok());
    if has("cveID") && has("dateAdded") || has("catalogVersion") && has("vulnerabilities") {
        return Some(FeedKind::Kev);
    }
    if has("cve") && (has("exploitation") || has("ssvc_time")) || has("cveMetadata") && has("containers") {
        return Some(FeedKind::Ssvc);
    }
    if text("@context").is_some_and(|c| c.contains("openvex")) {
        return Some(FeedKind::Openvex);
    }
    if has("document") && (has("vulnerabilities") || has("product_tree")) {
        return Some(FeedKind::Csaf);
    }
    let id = text("id").filter(|_| has("modified") || has("affected") || has("schema_version"))?;
    let home = |kind: &FeedKind| kind.feed().homes().iter().any(|prefix| id.starts_with(prefix));
    Some(FeedKind::ALL.into_iter().find(home).unwrap_or(FeedKind::Osv))
}
