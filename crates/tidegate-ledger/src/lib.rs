//! The ledger: who took what, when, and under which decision, in entries that stay.
//!
//! One [`Recorder`] per node writes every [`Entry`] as one line of JSON in one fixed order, gives it the next number and
//! chains it to the one before, so that a missing, changed or reordered entry shows. [`Reader`] reads them back in order,
//! also while the recorder writes; [`verify()`] checks a whole ledger without a server. [`pseudonym`] holds what keeps
//! names out of it.
//!
//! Over the entries grows a [`tree`]: a [`tree::Publisher`] makes tiles and bundles of them ([`tiles`]), signs checkpoints
//! ([`checkpoint`], [`note`]) and moves the head ([`heads`]); a [`tree::TreeView`] answers with proofs and receipts
//! ([`proof`]). A key that is replaced hands over to the next ([`handover`]). [`audit`] checks everything offline and names what is wrong; [`witness`] is the other side, which
//! remembers what a log has shown and cosigns only what continues it.
//!
//! What this crate refuses to do: it holds no names and no keys of people (a private table elsewhere does), it reads no
//! clock for what it records (the draft brings its time), it never drops an entry to go on, and it signs no head that is
//! smaller than, or other than a continuation of, the one before.

pub mod audit;
pub mod checkpoint;
pub mod entry;
pub mod frame;
pub mod handover;
pub mod heads;
mod node;
pub mod note;
pub mod proof;
pub mod pseudonym;
mod reader;
mod recorder;
mod recover;
mod tally;
pub mod tiles;
pub mod tree;
pub mod witness;

pub use entry::{Body, Entry, EntryDraft};
pub use node::{InvalidNodeId, InvalidRecordId, NodeId, RecordId};
pub use reader::{EntryFrame, ReadError, Reader};
pub use recorder::{Appended, Durability, Health, Limits, Mode, RecordError, Recorder};
pub use recover::{Damage, OpenError, RecoveryReport, Summary, verify};
