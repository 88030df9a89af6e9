//! Reading deliveries from files and folders.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256 as Hasher};
use tidegate_model::{Sha256, Timestamp};

use super::container::{self, Bounds, ContainerError, Document, MAX_FILES};
use super::{Delivery, Extent, Payload};
use crate::advisory::{RecordError, compile};
use crate::feeds::openvex::Statement;
use crate::feeds::{FeedKind, Item, Unreadable};
use crate::matching::instant;
use crate::segment::{Entry, record_digest};
use crate::signals::{Cell, CveId, Signal, table_cell};

/// How many rejected records are named; the rest is counted.
const MAX_REJECTIONS_NAMED: usize = 20;

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
pub fn read_bytes(name: &str, bytes: Vec<u8>, options: &ReadOptions) -> Result<Vec<Delivery>, DeliveryError> {
    let mut reading = Reading::new(options);
    reading.bytes(name, bytes)?;
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
    in_folder: bool,
    feeds: BTreeMap<String, Part>,
}

struct Part {
    kind: FeedKind,
    hasher: Hasher,
    stated: Option<Timestamp>,
    entries: HashMap<String, Entry>,
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
            entries: HashMap::new(),
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

    fn record(&mut self, json: Vec<u8>) -> Result<(), RecordError> {
        let entry =
            Entry { advisory: compile(&json)?, digest: record_digest(&json), json, known_since: i64::MIN };
        let Some(known) = self.entries.get_mut(&entry.advisory.id) else {
            self.entries.insert(entry.advisory.id.clone(), entry);
            return Ok(());
        };
        self.duplicates += 1;
        // The newer one; of two of one time, always the same one, in whatever order they come.
        if (entry.advisory.modified, entry.digest) > (known.advisory.modified, known.digest) {
            *known = entry;
        }
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
            Item::Record(json) => return self.record(json),
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
    const fn new(options: &'o ReadOptions) -> Self {
        Self { options, in_folder: false, feeds: BTreeMap::new() }
    }

    fn file(&mut self, path: &Path) -> Result<(), DeliveryError> {
        let bytes = fs::read(path).map_err(|e| DeliveryError::Io(path.to_owned(), e))?;
        let name = path.file_name().map_or_else(|| path.to_string_lossy(), |n| n.to_string_lossy());
        self.bytes(&name, bytes)
    }

    fn bytes(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), DeliveryError> {
        let digest = Hasher::digest(&bytes);
        let mut touched: Vec<String> = Vec::new();
        let outcome = container::unpack(name, bytes, Bounds::default(), &mut |document| {
            self.document(name, document, &mut touched).map_err(Step::Delivery)
        });
        touched.sort_unstable();
        touched.dedup();
        for feed in touched {
            self.feeds.get_mut(&feed).expect("touched feeds exist").hasher.update(digest);
        }
        outcome.map_err(|step| match step {
            Step::Container(source) => (name, source).into(),
            Step::Delivery(error) => error,
        })
    }

    /// Reads one document of a file. A file of many records is a feed by its own name; files of one record each are
    /// together the feed of their kind.
    fn document(
        &mut self,
        file: &str,
        document: Document,
        touched: &mut Vec<String>,
    ) -> Result<(), DeliveryError> {
        let bytes = document.bytes.as_slice();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if self.options.kind.or_else(|| detect_text(bytes)) == Some(FeedKind::Epss) {
            let feed = self.part(file, FeedKind::Epss, true)?;
            touched.push(feed.clone());
            return self.whole(&feed, &document.name, bytes, FeedKind::Epss);
        }
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
        let mut after = 0;
        let mut feed: Option<(String, FeedKind)> = None;
        while let Some(value) = values.next() {
            let value = match value {
                Ok(value) => value.get().as_bytes(),
                Err(_) if after == 0 && !looks_like_json(bytes) => {
                    return self.unknown(&document.name);
                }
                Err(e) if e.is_eof() => {
                    return Err(DeliveryError::Truncated { name: document.name, after });
                }
                Err(e) => {
                    return Err(DeliveryError::NotJson { name: document.name, after, why: e.to_string() });
                }
            };
            after += 1;
            if value.first() == Some(&b'[') {
                let items: Vec<&RawValue> = serde_json::from_slice(value).map_err(|e| {
                    DeliveryError::NotJson { name: document.name.clone(), after, why: e.to_string() }
                })?;
                for item in items {
                    self.value(file, &document.name, item.get().as_bytes(), after, true, &mut feed)?;
                }
            } else {
                let many = values.byte_offset() < bytes.trim_ascii_end().len() || after > 1;
                self.value(file, &document.name, value, after, many, &mut feed)?;
            }
        }
        match feed {
            Some((feed, _)) => touched.push(feed),
            None if after == 0 && !bytes.trim_ascii().is_empty() => return self.unknown(&document.name),
            None => {}
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
        let options = self.options;
        let deliveries = self.feeds.into_iter().map(|(feed, part)| {
            let newest = part.entries.values().map(|entry| entry.advisory.modified).max();
            let as_of = options.as_of.or(part.stated).or_else(|| newest.and_then(instant));
            let payload = match part.kind {
                FeedKind::Kev | FeedKind::Epss | FeedKind::Ssvc => {
                    Payload::Signals { rows: part.rows, model: part.model }
                }
                FeedKind::Openvex | FeedKind::Csaf => Payload::Vex(part.statements),
                _ => {
                    let mut entries: Vec<Entry> = part.entries.into_values().collect();
                    entries.sort_by(|a, b| a.advisory.id.cmp(&b.advisory.id));
                    Payload::Advisories(entries)
                }
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
