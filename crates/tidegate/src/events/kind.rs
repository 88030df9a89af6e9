//! The types of events, in one list. Configuration, command line and reference page derive from it.

use std::collections::BTreeSet;

/// What every type begins with in a CloudEvent.
pub const PREFIX: &str = "dev.tidegate.";

macro_rules! kinds {
    ($($name:ident $word:literal $doc:literal,)*) => {
        /// A type of event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventKind {
            $(#[doc = $doc] $name,)*
        }

        impl EventKind {
            /// Every type, in the order of the reference page.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The type without its prefix.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// One line on when it is told.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }
        }
    };
}

kinds! {
    AdvisoryMatched "advisory.matched" "An advisory touches a version that was admitted here before.",
    AdvisoryCleared "advisory.cleared" "An advisory no longer touches a version that was admitted here before.",
    AdvisoryHeld "advisory.held" "The effect of an advisory on what is stored waits for a person.",
    AdvisoryConfirmed "advisory.confirmed" "A person let an advisory that waited take its full effect.",
    AdvisoryDismissed "advisory.dismissed" "A person decided that an advisory that waited stays a warning.",
    AdvisoryEnded "advisory.ended" "An advisory that waited no longer touches what is stored.",
    AdvisoriesChanged "advisories.changed" "Advisories came into force.",
    ArtifactQuarantined "artifact.quarantined" "A version or file was put into quarantine.",
    ArtifactBlocked "artifact.blocked" "A version or file was blocked.",
    ArtifactReleased "artifact.released" "A version or file that was held or blocked is served again.",
    ControlDegraded "control.degraded" "A control of the door is missing, damaged or too old.",
    ControlRestored "control.restored" "A control of the door is there again.",
    WaiverRequested "waiver.requested" "An exception was asked for.",
    WaiverApproved "waiver.approved" "An exception came into force.",
    WaiverRejected "waiver.rejected" "An exception was refused.",
    WaiverRevoked "waiver.revoked" "An exception was taken back.",
    ApprovalRequested "approval.requested" "Something was proposed for the list of what is approved.",
    ApprovalGiven "approval.given" "Something was approved by name.",
    ApprovalRejected "approval.rejected" "A proposal for the list of what is approved was refused.",
    ApprovalRevoked "approval.revoked" "Something was taken off the list of what is approved.",
    PolicyActivated "policy.activated" "A policy came into force.",
    AlarmRaised "alarm.raised" "Bytes are not what was promised or seen first.",
    Test "test" "Somebody tries a sink.",
}

impl EventKind {
    /// Reads a type, with or without its prefix.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.strip_prefix(PREFIX).unwrap_or(text);
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// The type as a CloudEvent names it.
    pub fn full(self) -> String {
        format!("{PREFIX}{}", self.as_str())
    }
}

/// The types that a pattern stands for: one type, `artifact.*`, or `*`. Empty where it stands for none.
pub fn matching(pattern: &str) -> BTreeSet<EventKind> {
    let pattern = pattern.strip_prefix(PREFIX).unwrap_or(pattern);
    let all = EventKind::ALL.iter().copied();
    match pattern.strip_suffix('*') {
        Some("") => all.collect(),
        Some(begin) if begin.ends_with('.') => all.filter(|kind| kind.as_str().starts_with(begin)).collect(),
        Some(_) => BTreeSet::new(),
        None => EventKind::parse(pattern).into_iter().collect(),
    }
}

/// The types that a list of patterns chooses; all where it is empty. Patterns were checked with the configuration.
pub fn chosen(patterns: &[String]) -> BTreeSet<EventKind> {
    if patterns.is_empty() {
        return EventKind::ALL.iter().copied().collect();
    }
    patterns.iter().flat_map(|pattern| matching(pattern)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_types() {
        let words = |pattern: &str| matching(pattern).iter().map(|k| k.as_str()).collect::<Vec<_>>();
        assert_eq!(words("advisory.matched"), ["advisory.matched"]);
        assert_eq!(words("dev.tidegate.alarm.raised"), ["alarm.raised"]);
        assert_eq!(words("artifact.*"), ["artifact.quarantined", "artifact.blocked", "artifact.released"]);
        assert_eq!(words("*").len(), EventKind::ALL.len());
        for none in ["", "art*", "artifact", "artifact.", "*.blocked", "nothing.*"] {
            assert_eq!(words(none), [""; 0], "{none}");
        }
        assert_eq!(chosen(&[]).len(), EventKind::ALL.len());
        assert_eq!(chosen(&["test".into(), "control.*".into()]).len(), 3);
    }

    #[test]
    fn words_are_types_and_differ() {
        let words: BTreeSet<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words.len(), EventKind::ALL.len());
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(&kind.full()), Some(*kind));
        }
    }
}
