//! A table of signals: CVEs in order, and 16 bytes of each.

use bytes::Bytes;
use tidegate_model::{Sha256, Timestamp};

use super::{CveId, EpssSignal, Exploitation, KevSignal, Signal, SsvcSignal, TechnicalImpact};
use crate::feeds::FeedKind;
use crate::segment::container::{
    Container, Rows, SectionId, SegmentError, SegmentKind, Writer, u32_at, u64_at,
};

const META: SectionId = SectionId::checked(1, "description");
const ROWS: SectionId = SectionId::checked(2, "rows");
const ROW_BYTES: usize = 24;
const MILLIS_PER_DAY: i64 = 86_400_000;

/// The value of a row, as it lies in the table.
pub type Cell = [u8; 16];

/// What a table says of itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct TableMeta {
    pub feed: String,
    pub kind: FeedKind,
    pub as_of: Option<Timestamp>,
    pub source: Sha256,
    /// EPSS: the model that scores were made with. Thresholds are tied to it.
    pub model: Option<String>,
}

/// An open table.
#[derive(Debug)]
pub struct SignalTable {
    meta: TableMeta,
    rows: Rows<ROW_BYTES>,
}

/// Writes a table of rows sorted by CVE, each once.
pub(crate) fn write(meta: &TableMeta, rows: &[(CveId, Cell)]) -> Writer {
    let mut bytes = Vec::with_capacity(rows.len() * ROW_BYTES);
    for (cve, cell) in rows {
        bytes.extend_from_slice(&cve.packed().to_le_bytes());
        bytes.extend_from_slice(cell);
    }
    let mut writer = Writer::new(SegmentKind::Signals);
    writer.section(META, serde_json::to_vec(meta).expect("a description is plain JSON"));
    writer.section(ROWS, bytes);
    writer
}

impl SignalTable {
    /// Opens a table and checks it.
    ///
    /// # Errors
    /// [`SegmentError`] says what is wrong with it.
    pub fn open(bytes: &Bytes) -> Result<Self, SegmentError> {
        let file = Container::open(bytes, SegmentKind::Signals)?;
        let meta: TableMeta = serde_json::from_slice(&file.section(META)?)
            .map_err(|_| SegmentError::inconsistent(META.name, "it cannot be read"))?;
        if !matches!(meta.kind, FeedKind::Kev | FeedKind::Epss | FeedKind::Ssvc) {
            return Err(SegmentError::inconsistent(META.name, "it is not of a feed of signals"));
        }
        let table = Self { meta, rows: Rows::open(file.section(ROWS)?, ROWS.name)? };
        let mut previous = None;
        for index in 0..table.rows.len() {
            let (cve, cell) = table.row(index);
            if previous.is_some_and(|previous| previous >= cve) {
                return Err(SegmentError::inconsistent(ROWS.name, "rows are not sorted"));
            }
            if decode(table.meta.kind, &cell).is_none() {
                return Err(SegmentError::inconsistent(ROWS.name, "a value is out of range"));
            }
            previous = Some(cve);
        }
        Ok(table)
    }

    pub(crate) const fn meta(&self) -> &TableMeta {
        &self.meta
    }

    /// How many CVEs it speaks of.
    pub fn len(&self) -> u32 {
        self.rows.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The model that scores were made with, where the feed has one.
    pub fn model(&self) -> Option<&str> {
        self.meta.model.as_deref()
    }

    fn row(&self, index: u32) -> (CveId, Cell) {
        let row = self.rows.row(index);
        (CveId::from_packed(u64_at(row, 0)), row[8..].try_into().expect("sixteen bytes"))
    }

    /// Every row, in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (CveId, Cell)> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// What it says of a CVE.
    pub fn get(&self, cve: CveId) -> Option<Signal> {
        let mut range = 0..self.len();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            let (found, cell) = self.row(middle);
            match found.cmp(&cve) {
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Greater => range.end = middle,
                std::cmp::Ordering::Equal => return decode(self.meta.kind, &cell),
            }
        }
        None
    }
}

fn day(time: Option<Timestamp>) -> u32 {
    // Day 0 is no day: no catalogue was kept in 1970.
    time.and_then(|t| u32::try_from(t.unix_millis().div_euclid(MILLIS_PER_DAY)).ok()).unwrap_or_default()
}

fn from_day(day: u32) -> Option<Timestamp> {
    (day != 0).then(|| Timestamp::from_unix_millis(i64::from(day) * MILLIS_PER_DAY))
}

/// A value as it lies in a table.
pub(crate) fn encode(signal: &Signal) -> Cell {
    let mut cell = [0; 16];
    match signal {
        Signal::Kev(kev) => {
            cell[..4].copy_from_slice(&day(Some(kev.added)).to_le_bytes());
            cell[4..8].copy_from_slice(&day(kev.due).to_le_bytes());
            cell[8] = u8::from(kev.ransomware);
        }
        Signal::Epss(epss) => {
            cell[..8].copy_from_slice(&epss.score.to_bits().to_le_bytes());
            cell[8..].copy_from_slice(&epss.percentile.to_bits().to_le_bytes());
        }
        Signal::Ssvc(ssvc) => {
            let at = ssvc.at.map_or(i64::MIN, Timestamp::unix_millis);
            cell[..8].copy_from_slice(&at.to_le_bytes());
            cell[8] = ssvc.exploitation.map_or(0, |e| e as u8 + 1);
            cell[9] = ssvc.automatable.map_or(0, |a| u8::from(a) + 1);
            cell[10] = ssvc.technical_impact.map_or(0, |t| t as u8 + 1);
        }
    }
    cell
}

/// A value out of a table; `None` where it is none of the kind.
pub(crate) fn decode(kind: FeedKind, cell: &Cell) -> Option<Signal> {
    let share = |at: usize| Some(f64::from_bits(u64_at(cell, at))).filter(|s| (0.0..=1.0).contains(s));
    Some(match kind {
        FeedKind::Kev => Signal::Kev(KevSignal {
            added: from_day(u32_at(cell, 0))?,
            due: from_day(u32_at(cell, 4)),
            ransomware: cell[8] == 1,
        }),
        FeedKind::Epss => Signal::Epss(EpssSignal { score: share(0)?, percentile: share(8)? }),
        FeedKind::Ssvc => {
            let exploitation =
                [None, Some(Exploitation::None), Some(Exploitation::Poc), Some(Exploitation::Active)];
            let impact = [None, Some(TechnicalImpact::Partial), Some(TechnicalImpact::Total)];
            Signal::Ssvc(SsvcSignal {
                exploitation: *exploitation.get(usize::from(cell[8]))?,
                automatable: *[None, Some(false), Some(true)].get(usize::from(cell[9]))?,
                technical_impact: *impact.get(usize::from(cell[10]))?,
                at: crate::matching::instant(u64_at(cell, 0).cast_signed()),
            })
        }
        _ => return None,
    })
}
