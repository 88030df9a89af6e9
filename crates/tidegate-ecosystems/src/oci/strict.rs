//! JSON that says one thing to everybody who reads it.
//!
//! Where a member stands twice, one reader takes the first and another the last; and the clients that read manifests
//! take `URLs` for `urls`. So a member that stands twice is refused, and so is a known one in another spelling.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The members of manifests and descriptors that steer what a client fetches.
const KNOWN: [&str; 14] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "fsLayers",
    "manifests",
    "blobs",
    "subject",
    "digest",
    "size",
    "urls",
    "data",
    "platform",
];

/// Reads a document that is an object.
pub(super) fn read(body: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice::<Strict>(body) {
        Ok(Strict(Value::Object(object))) => {
            one_spelling(&object)?;
            Ok(object)
        }
        Ok(_) => Err("it is no object".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Refuses an object with a known member in another spelling.
pub(super) fn one_spelling(object: &Map<String, Value>) -> Result<(), String> {
    for key in object.keys() {
        let folded = folded(key);
        if let Some(known) = KNOWN.iter().find(|known| known.to_ascii_lowercase() == folded && **known != key)
        {
            return Err(format!("`{}` is another spelling of `{known}`", key.escape_debug()));
        }
    }
    Ok(())
}

/// As the clients' library compares names: by simple case folding, where two letters beyond ASCII are one with `s` and `k`.
fn folded(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

/// A value in which no object has a member twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Strict, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Strict(values.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("`{}` stands twice", key.escape_debug())));
            }
            object.insert(key, value);
        }
        Ok(Strict(object.into()))
    }
}
