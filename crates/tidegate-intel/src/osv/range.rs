//! From the events of a range to intervals of versions.
//!
//! A range is a timeline (OSV schema, "evaluation"): events are sorted by version, and at any version the last event at
//! or before it says whether it is affected. So a range may open and close many times, and events may stand in any order
//! in the record. Here the timeline is walked once, when a record is compiled, and left as disjoint intervals.

use tidegate_model::version::VersionScheme;

use super::{EventKind, Range};
use crate::order;

/// One end of an interval: the version as written, and its place in the order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Bound {
    pub text: String,
    /// `None` where the text breaks the order's grammar, or the ecosystem's order is not known.
    pub key: Option<Vec<u8>>,
}

/// Versions from `lower` (inclusive; `None` is before every version) to `upper` (`None` is without end).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Interval {
    pub lower: Option<Bound>,
    pub upper: Option<Bound>,
    /// Whether `upper` itself is affected (`last_affected`); if not, it is a fixed version or a limit.
    pub upper_inclusive: bool,
    /// Whether `upper` is a `fixed` event, so that it can be offered as a remedy.
    pub upper_is_fix: bool,
}

/// What a range became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intervals {
    pub intervals: Vec<Interval>,
    /// The range speaks of something this code cannot order or does not know.
    pub not_understood: bool,
}

/// Where an event acts, between the versions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// Just before the version, so that the version itself is on the far side.
    Before,
    /// Just after it.
    After,
}

struct Event {
    kind: EventKind,
    bound: Bound,
}

/// Walks the timeline of a range. GIT ranges speak of commits and give nothing.
pub(crate) fn intervals(range: &Range<'_>, scheme: Option<VersionScheme>) -> Intervals {
    if range.kind.eq_ignore_ascii_case("GIT") {
        return Intervals::default();
    }
    // Equal or different is not an order: bounds get no keys, so that nothing is compared.
    let scheme = scheme.filter(|scheme| scheme.is_ordered());
    let mut events = Vec::new();
    let mut limits = Vec::new();
    let mut unlimited = false;
    for (kind, version) in range.events.iter().flat_map(|e| &e.0) {
        let bound = || Bound { text: version.to_string(), key: order::key(scheme, version) };
        match kind {
            EventKind::Unknown => return Intervals { intervals: Vec::new(), not_understood: true },
            EventKind::Limit if &**version == "*" => unlimited = true,
            EventKind::Limit => limits.push(bound()),
            _ => events.push(Event { kind: *kind, bound: bound() }),
        }
    }
    let beginning = |event: &Event| event.kind == EventKind::Introduced && event.bound.text == "0";
    // One event that opens at the beginning and never closes needs no order.
    let trivial = limits.is_empty() && events.iter().all(beginning);
    let ordered = events.iter().all(|e| beginning(e) || e.bound.key.is_some())
        && limits.iter().all(|l| l.key.is_some());
    if !trivial && !ordered {
        return unordered(&events);
    }
    events.sort_by(|a, b| place(a, beginning(a)).cmp(&place(b, beginning(b))));
    let mut walked = walk(&events, beginning);
    if !unlimited && let Some(last) = limits.into_iter().max_by(|a, b| a.key.cmp(&b.key)) {
        cut(&mut walked, &last);
    }
    Intervals { intervals: walked, not_understood: false }
}

/// Sort key of an event: the beginning of time first, then by version, then by the side on which it acts.
fn place(event: &Event, beginning: bool) -> (bool, Option<&[u8]>, Side) {
    let side = if event.kind == EventKind::LastAffected { Side::After } else { Side::Before };
    if beginning { (false, None, Side::Before) } else { (true, event.bound.key.as_deref(), side) }
}

/// Walks sorted events. Events at one place act together: an opening and a closing there cancel each other, whichever
/// the record names first, so `introduced: 1, fixed: 1` is empty and `fixed: 2, introduced: 2` has no gap.
fn walk(events: &[Event], beginning: impl Fn(&Event) -> bool) -> Vec<Interval> {
    let mut intervals = Vec::new();
    let mut open: Option<Option<Bound>> = None;
    for together in events.chunk_by(|a, b| place(a, beginning(a)) == place(b, beginning(b))) {
        let opens = together.iter().any(|e| e.kind == EventKind::Introduced);
        let closing = together.iter().find(|e| e.kind != EventKind::Introduced);
        match (&open, opens, closing) {
            (None, true, None) => {
                open = Some((!beginning(&together[0])).then(|| together[0].bound.clone()));
            }
            (Some(_), false, Some(closing)) => {
                intervals.push(Interval {
                    lower: open.take().flatten(),
                    upper: Some(closing.bound.clone()),
                    upper_inclusive: closing.kind == EventKind::LastAffected,
                    upper_is_fix: closing.kind == EventKind::Fixed,
                });
            }
            _ => {}
        }
    }
    if let Some(lower) = open {
        intervals.push(Interval { lower, upper: None, upper_inclusive: false, upper_is_fix: false });
    }
    intervals
}

/// Ends everything at a limit.
fn cut(intervals: &mut Vec<Interval>, limit: &Bound) {
    intervals.retain(|i| i.lower.as_ref().is_none_or(|lower| lower.key < limit.key));
    for interval in intervals {
        let beyond = interval.upper.as_ref().is_none_or(|upper| upper.key >= limit.key);
        if beyond {
            interval.upper = Some(limit.clone());
            interval.upper_inclusive = false;
            interval.upper_is_fix = false;
        }
    }
}

/// What is left without an order: pairs as the record writes them. Only equal text can match a bound; any other version
/// is undecided.
fn unordered(events: &[Event]) -> Intervals {
    let mut intervals = Vec::new();
    let mut lower: Option<Option<Bound>> = None;
    for event in events {
        if event.kind == EventKind::Introduced {
            lower = Some((event.bound.text != "0").then(|| event.bound.clone()));
        } else {
            intervals.push(Interval {
                lower: lower.take().flatten(),
                upper: Some(event.bound.clone()),
                upper_inclusive: event.kind == EventKind::LastAffected,
                upper_is_fix: event.kind == EventKind::Fixed,
            });
        }
    }
    if let Some(lower) = lower {
        intervals.push(Interval { lower, upper: None, upper_inclusive: false, upper_is_fix: false });
    }
    // One pair says by itself what lies outside it. Several out of order do not.
    Intervals { intervals, not_understood: events.len() > 2 }
}
