//! One event, and its form as a CloudEvent (CloudEvents 1.0.2, JSON format, structured mode).

use serde_json::{Map, Value};
use tidegate_ledger::{NodeId, RecordId};
use tidegate_model::Timestamp;

use super::EventKind;

/// The media type of a CloudEvent in structured JSON mode.
pub const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// The version of what stands in `data`; raised when a member changes its meaning or goes.
pub const DATA_VERSION: u32 = 1;

/// What names an event for good: the entry it comes from, and which of the events of that entry it is, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventId {
    /// The entry.
    pub record: RecordId,
    /// Its place among the events of the entry.
    pub number: u32,
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.number {
            1 => self.record.fmt(f),
            n => write!(f, "{}-{n}", self.record),
        }
    }
}

impl EventId {
    /// Reads an id of `node`'s; none for those of test events and of other doors.
    pub fn parse(text: &str, node: &NodeId) -> Option<Self> {
        let rest = text.strip_prefix(node.as_str())?.strip_prefix('-')?;
        let (seq, number) = match rest.split_once('-') {
            Some((seq, number)) => (seq, number.parse().ok()?),
            None => (rest, 1),
        };
        Some(Self { record: RecordId { node: node.clone(), seq: seq.parse().ok()? }, number })
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id: the same whenever the entry is read again.
    pub id: String,
    /// Number of the entry it comes from; 0 for a test event.
    pub seq: u64,
    /// Which of the events of that entry, from 1.
    pub number: u32,
    /// The door that tells it.
    pub node: NodeId,
    /// What kind.
    pub kind: EventKind,
    /// When it happened.
    pub time: Timestamp,
    /// What it is about: a package URL, where it is about one.
    pub subject: Option<String>,
    /// The rest.
    pub data: Map<String, Value>,
}

impl Event {
    /// An event that tries a sink. It stands in no ledger.
    pub fn test(node: &NodeId, time: Timestamp, random: [u8; 8]) -> Self {
        let mut data = Map::new();
        data.insert("message".into(), "tidegate reaches this sink".into());
        Self {
            id: format!("{node}-test-{}", hex::encode(random)),
            seq: 0,
            number: 1,
            node: node.clone(),
            kind: EventKind::Test,
            time,
            subject: None,
            data,
        }
    }

    /// Where events of a door come from: the same for as long as its data directory lives.
    pub fn source(node: &NodeId) -> String {
        format!("/tidegate/{node}")
    }

    /// The name of the form that `data` has.
    pub fn schema(kind: EventKind) -> String {
        format!("tidegate:event:{}:{DATA_VERSION}", kind.as_str())
    }

    /// The CloudEvent.
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("specversion".into(), "1.0".into());
        json.insert("id".into(), self.id.clone().into());
        json.insert("source".into(), Self::source(&self.node).into());
        json.insert("type".into(), self.kind.full().into());
        json.insert("time".into(), self.time.to_string().into());
        if let Some(subject) = &self.subject {
            json.insert("subject".into(), subject.clone().into());
        }
        json.insert("datacontenttype".into(), "application/json".into());
        json.insert("dataschema".into(), Self::schema(self.kind).into());
        json.insert("data".into(), Value::Object(self.data.clone()));
        Value::Object(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back() {
        let node: NodeId = "n1".parse().unwrap();
        for (text, read) in [
            ("n1-7", Some((7, 1))),
            ("n1-7-2", Some((7, 2))),
            ("n1-test-00ff", None),
            ("n2-7", None),
            ("n1", None),
        ] {
            let id = EventId::parse(text, &node);
            assert_eq!(id.as_ref().map(|id| (id.record.seq, id.number)), read, "{text}");
            assert!(id.is_none_or(|id| id.to_string() == text));
        }
    }

    #[test]
    fn a_test_event_is_a_cloud_event() {
        let node: NodeId = "n1".parse().unwrap();
        let event = Event::test(&node, "2026-11-21T10:00:00Z".parse().unwrap(), [1; 8]);
        let json = event.to_json();
        assert_eq!(json["type"], "dev.tidegate.test");
        assert_eq!(json["id"], "n1-test-0101010101010101");
        assert!(json.get("subject").is_none(), "an attribute without a value is left out");
    }
}
