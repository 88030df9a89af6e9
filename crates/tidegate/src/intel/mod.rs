//! What is known to be bad, as this door has it: which feeds it follows, how they arrive, and what they mean for a version.
//!
//! The advisories in force are part of the ruleset ([`Ruleset`](crate::pipeline::decide::Ruleset)): a feed that changed is
//! a ruleset that changed, so no decision mixes two of them and none outlives its advisories.

pub mod bundles;
pub mod effects;
pub mod facts;
pub mod feeds;
pub mod fixes;
pub mod holds;
pub mod recall;
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
    /// What is held back for what was admitted before.
    pub holds: Arc<holds::Holds>,
}

/// One way in which a control of the door is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degradation {
    /// Which control: `advisories`, or `events`.
    pub control: &'static str,
    /// What is wrong, in words that stay the same for as long as it lasts.
    pub what: String,
    /// The same with its present measure, such as an age.
    pub why: String,
}

/// The control that knows what is bad.
const CONTROL: &str = "advisories";

impl std::fmt::Display for Degradation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.control, self.why)
    }
}

impl Advisories {
    /// Whether any feed of advisories speaks of an ecosystem.
    pub fn covers(&self, ecosystem: Ecosystem) -> bool {
        self.snapshot.covers(ecosystem.as_str())
    }

    /// Whether VEX statements of an author count.
    pub fn trusts(&self, author: &str) -> bool {
        self.trusted_vex.iter().any(|trusted| trusted == author)
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

    /// What is missing, damaged or old, for status, answers and entries.
    pub fn degradations(&self, now: Timestamp) -> Vec<Degradation> {
        let feeds = self.snapshot.feeds();
        let mut found = Vec::new();
        let plain = |what: String| Degradation { control: CONTROL, why: what.clone(), what };
        if !feeds.iter().any(|feed| feed.kind().is_advisories()) {
            found.push(plain("no feed is loaded".to_owned()));
        }
        for damaged in self.snapshot.damaged() {
            found.push(plain(format!("feed {} is damaged", damaged.feed)));
        }
        if found.is_empty() && self.fresh_until().is_none() {
            found.push(plain("all are loaded by hand, so nobody knows how old they are".to_owned()));
        }
        for feed in feeds.iter().filter(|feed| self.checked.contains_key(feed.name())) {
            let age = |at: Option<Timestamp>| at.map_or(0, |at| now.seconds_since(at));
            let name = feed.name();
            if age(self.current_at(feed)) >= self.stale_after_seconds {
                let hours = age(self.current_at(feed)) / 3600;
                let why = format!("feed {name} was last current {hours} h ago");
                found.push(Degradation { control: CONTROL, what: format!("feed {name} is too old"), why });
            } else if age(feed.as_of()) >= SILENT_SECONDS {
                let days = age(feed.as_of()) / 86_400;
                let why = format!("feed {name} has nothing newer than {days} d");
                found.push(Degradation {
                    control: CONTROL,
                    what: format!("feed {name} has nothing new"),
                    why,
                });
            }
        }
        found
    }

    /// Whether a feed of signals is loaded.
    pub fn has(&self, kind: FeedKind) -> bool {
        self.snapshot.has(kind)
    }
}
