//! What is known to be bad, as this door has it: which feeds it follows, how they arrive, and what they mean for a version.
//!
//! The advisories in force are part of the ruleset ([`Ruleset`](crate::pipeline::decide::Ruleset)): a feed that changed is
//! a ruleset that changed, so no decision mixes two of them and none outlives its advisories.

pub mod effects;
pub mod facts;
pub mod feeds;
pub mod fixes;
pub mod sync;
pub mod told;
pub mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_intel::{FeedKind, FeedState, Snapshot};
use tidegate_model::{Ecosystem, Timestamp};

/// A publisher that is asked, answers, and has nothing newer than this is likely a mirror that stands still: 14 days.
const SILENT_SECONDS: i64 = 14 * 86_400;

/// The advisories and signals that decisions read, with what makes them count.
#[derive(Clone, Debug, Default)]
pub struct Advisories {
    /// What is known at this moment.
    pub snapshot: Arc<Snapshot>,
    /// When each feed was last known to be all that its publisher says: found current there, or of that time when it was
    /// loaded whole by hand. Records loaded one by one have no such time and no age.
    pub checked: Arc<BTreeMap<String, Timestamp>>,
    /// How long after that what a feed says counts as stale, in seconds.
    pub stale_after_seconds: i64,
    /// Authors whose VEX statements count.
    pub trusted_vex: Arc<[String]>,
}

impl Advisories {
    /// Whether any feed of advisories speaks of an ecosystem.
    pub fn covers(&self, ecosystem: Ecosystem) -> bool {
        self.snapshot.covers(ecosystem.as_str())
    }

    /// Up to when what is known of advisories is current: the feed that was checked longest ago decides. `None` where no
    /// feed has such a time.
    pub fn fresh_until(&self) -> Option<Timestamp> {
        let checked = self.snapshot.feeds().iter().filter(|f| f.kind().is_advisories());
        let oldest = checked.filter_map(|feed| self.current_at(feed)).min();
        oldest.map(|at| at.plus_seconds(self.stale_after_seconds))
    }

    fn current_at(&self, feed: &FeedState) -> Option<Timestamp> {
        self.checked.get(feed.name()).copied()
    }

    /// The time that the publishers state, of the oldest feed of advisories.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.snapshot.feeds().iter().filter(|f| f.kind().is_advisories()).filter_map(|f| f.as_of()).min()
    }

    /// What is missing, damaged or old, a line each, for status, answers and entries.
    pub fn degradations(&self, now: Timestamp) -> Vec<String> {
        let feeds = self.snapshot.feeds();
        let mut lines = Vec::new();
        if !feeds.iter().any(|feed| feed.kind().is_advisories()) {
            lines.push("advisories: no feed is loaded".to_owned());
        }
        for damaged in self.snapshot.damaged() {
            lines.push(format!("advisories: feed {} is damaged", damaged.feed));
        }
        if lines.is_empty() && self.fresh_until().is_none() {
            lines.push("advisories: all are loaded by hand, so nobody knows how old they are".to_owned());
        }
        for feed in feeds.iter().filter(|feed| self.checked.contains_key(feed.name())) {
            let age = |at: Option<Timestamp>| at.map_or(0, |at| now.seconds_since(at));
            if age(self.current_at(feed)) >= self.stale_after_seconds {
                let hours = age(self.current_at(feed)) / 3600;
                lines.push(format!("advisories: feed {} was last current {hours} h ago", feed.name()));
            } else if age(feed.as_of()) >= SILENT_SECONDS {
                let days = age(feed.as_of()) / 86_400;
                lines.push(format!("advisories: feed {} has nothing newer than {days} d", feed.name()));
            }
        }
        lines
    }

    /// Whether a feed of signals is loaded.
    pub fn has(&self, kind: FeedKind) -> bool {
        self.snapshot.has(kind)
    }
}
