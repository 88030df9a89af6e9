//! The OSV schema, read leniently: what matching needs, borrowed from the text, everything else passed over.
//!
//! Ecosystems and event kinds are text, not closed lists, because feeds use names before the schema lists them. Fields
//! whose shape differs between publishers (`database_specific`, `severity`) are kept as they stand and looked into where
//! they are needed, so that an odd one cannot lose a record. See <https://ossf.github.io/osv-schema/>.

pub mod range;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Text borrowed from the record wherever it holds no escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<'a>(pub Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// `null` read as the empty value: several publishers write it for empty lists.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// One OSV record.
#[derive(Clone, Debug, Deserialize)]
pub struct Record<'a> {
    /// The id, unique among all databases by its prefix.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// RFC 3339 time of the last change.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub modified: Text<'a>,
    /// RFC 3339 time of the retraction, where there is one.
    #[serde(borrow, default)]
    pub withdrawn: Option<Text<'a>>,
    /// Other ids of the same vulnerability.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub aliases: Vec<Text<'a>>,
    /// Ids that this record was derived from.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub upstream: Vec<Text<'a>>,
    /// Ratings, in whatever shape.
    #[serde(borrow, default)]
    pub severity: Option<&'a RawValue>,
    /// What is affected.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub affected: Vec<Affected<'a>>,
    /// The publisher's own fields.
    #[serde(borrow, default)]
    pub database_specific: Option<&'a RawValue>,
}

/// One package of a record.
#[derive(Clone, Debug, Deserialize)]
pub struct Affected<'a> {
    /// Which package; absent where only commits are named.
    #[serde(borrow, default)]
    pub package: Option<Package<'a>>,
    /// Ratings for this package, in whatever shape.
    #[serde(borrow, default)]
    pub severity: Option<&'a RawValue>,
    /// Ranges of versions.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub ranges: Vec<Range<'a>>,
    /// Versions by name.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub versions: Vec<Text<'a>>,
    /// The publisher's own fields.
    #[serde(borrow, default)]
    pub database_specific: Option<&'a RawValue>,
}

/// A package of an ecosystem.
#[derive(Clone, Debug, Deserialize)]
pub struct Package<'a> {
    /// The ecosystem, perhaps with a suffix after a colon.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub ecosystem: Text<'a>,
    /// Name within the ecosystem.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub name: Text<'a>,
}

/// A timeline of events.
#[derive(Clone, Debug, Deserialize)]
pub struct Range<'a> {
    /// `SEMVER`, `ECOSYSTEM` or `GIT`.
    #[serde(borrow, default, rename = "type", deserialize_with = "nullable")]
    pub kind: Text<'a>,
    /// What happened, in any order.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub events: Vec<Events<'a>>,
}

/// The entries of one event object; the schema allows one, older records hold several.
#[derive(Clone, Debug, Default)]
pub struct Events<'a>(pub Vec<(EventKind, Text<'a>)>);

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Affected from this version on; `0` stands before every version.
    Introduced,
    /// Not affected any more from this version on.
    Fixed,
    /// Not affected any more after this version.
    LastAffected,
    /// Nothing from this version on is spoken of.
    Limit,
    /// A word that the schema did not have when this was written.
    Unknown,
}

impl<'de: 'a, 'a> Deserialize<'de> for Events<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Events<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(1);
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    let kind = match &*key {
                        "introduced" => EventKind::Introduced,
                        "fixed" => EventKind::Fixed,
                        "last_affected" => EventKind::LastAffected,
                        "limit" => EventKind::Limit,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            entries.push((EventKind::Unknown, Text::default()));
                            continue;
                        }
                    };
                    entries.push((kind, map.next_value::<Text<'de>>()?));
                }
                Ok(Events(entries))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// A rating of a record.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Rating<'a> {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4`, or a distribution's own word.
    #[serde(borrow, default, rename = "type", deserialize_with = "nullable")]
    pub kind: Text<'a>,
    /// The vector or word.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub score: Text<'a>,
}

/// The publisher's own fields that more than one publisher has.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct DatabaseSpecific<'a> {
    /// A severity word (GHSA and feeds in its manner).
    #[serde(borrow, default)]
    pub severity: Option<&'a RawValue>,
    /// Weakness classes.
    #[serde(borrow, default)]
    pub cwe_ids: Option<&'a RawValue>,
    /// Whether GitHub's people looked at it.
    #[serde(borrow, default)]
    pub github_reviewed: Option<&'a RawValue>,
    /// Go's word for the same.
    #[serde(borrow, default)]
    pub review_status: Option<&'a RawValue>,
    /// RustSec: why a record that is no vulnerability exists.
    #[serde(borrow, default)]
    pub informational: Option<&'a RawValue>,
    /// RustSec: the rating of one package.
    #[serde(borrow, default)]
    pub cvss: Option<&'a RawValue>,
    /// Malicious packages: who reported, as words.
    #[serde(borrow, default)]
    pub sources: Option<&'a RawValue>,
    /// Malicious packages: who reported, in the upstream form.
    #[serde(borrow, default, rename = "malicious-packages-origins")]
    pub origins: Option<&'a RawValue>,
}

/// Reads a raw value leniently: a shape that does not fit reads as nothing.
pub fn lenient<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}
