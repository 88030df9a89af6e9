//! Advisories and signals: what is known to be bad, and whether a version is touched by it.
//!
//! Feeds are delivered as files ([`import`]), compiled into immutable segments ([`segment`]) and put in force together as
//! one [`Snapshot`] with a generation number. [`Snapshot::matches`] answers what touches a version, by the exact rules of
//! the OSV schema; [`inverse`] says which names a change of snapshots touches, so that what was stored and served before
//! can be decided anew without looking at all of it.
//!
//! The crate reads files and memory maps. It knows no network, no clock (the time is an argument) and no decision: what
//! a finding means is policy's.

pub mod advisory;
pub mod bundle;
pub mod ecosystem;
pub mod facts;
pub mod feeds;
pub mod import;
pub mod inverse;
pub mod matching;
mod order;
pub mod osv;
mod scratch;
pub mod segment;
pub mod signals;
mod snapshot;
pub mod vex;

pub use advisory::AdvisoryKind;
pub use feeds::FeedKind;
pub use matching::{Finding, Findings, MatchReason, Package, Query};
pub use snapshot::{ApplyError, DamagedFeed, FeedState, Intel, OpenError, RecordText, SegmentRef, Snapshot};
