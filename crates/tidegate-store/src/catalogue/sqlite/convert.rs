//! Between columns and the vocabulary.

use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use tidegate_model::{ArtifactKind, Digest, PrincipalKind, Sha256, Timestamp};

use super::super::{CatalogueCause, TokenHash};

/// A time as milliseconds since 1970.
pub(super) struct Millis(pub(super) Timestamp);

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.unix_millis().into())
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|ms| Self(Timestamp::from_unix_millis(ms)))
    }
}

/// 32 bytes.
pub(super) struct Bytes32(pub(super) [u8; 32]);

impl Bytes32 {
    pub(super) const fn sha256(self) -> Sha256 {
        Sha256::new(self.0)
    }
}

impl From<&Sha256> for Bytes32 {
    fn from(value: &Sha256) -> Self {
        Self(*value.as_bytes())
    }
}

impl From<&TokenHash> for Bytes32 {
    fn from(value: &TokenHash) -> Self {
        Self(*value.as_bytes())
    }
}

impl ToSql for Bytes32 {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Bytes32 {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::try_from(value.as_blob()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A value stored as the text it is parsed from.
pub(super) struct Text<T>(pub(super) T);

impl<T: FromStr<Err: std::error::Error + Send + Sync + 'static>> FromSql for Text<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// A value stored as JSON, or as one of the closed set of words that its serialisation has.
pub(super) struct Word<T>(pub(super) T);

impl<T: serde::de::DeserializeOwned> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = serde_json::Value::String(value.as_str()?.to_owned());
        serde_json::from_value(word).map(Self).map_err(FromSqlError::other)
    }
}

/// A list of words, one a line: none of them holds a line break.
pub(super) struct Lines(pub(super) Vec<String>);

impl FromSql for Lines {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(value.as_str()?.lines().map(str::to_owned).collect()))
    }
}

/// Joins words for [`Lines`].
pub(super) fn lines(what: &'static str, words: &[String]) -> Result<String, CatalogueCause> {
    match words.iter().find(|w| w.is_empty() || w.contains(['\n', '\r'])) {
        Some(bad) => {
            Err(CatalogueCause::Refused(format!("`{}` cannot be the name of a {what}", bad.escape_debug())))
        }
        None => Ok(words.join("\n")),
    }
}

/// Digests, strongest first, separated by spaces.
pub(super) struct Digests(pub(super) Vec<Digest>);

impl Digests {
    pub(super) fn text(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

impl FromSql for Digests {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .split_ascii_whitespace()
            .map(|d| d.parse().map_err(FromSqlError::other))
            .collect::<FromSqlResult<_>>()
            .map(Self)
    }
}

/// A size or count; the engine's integers are signed.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A size or count read back.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) const fn kind_word(kind: ArtifactKind) -> &'static str {
    kind.as_str()
}

pub(super) const fn principal_kind_word(kind: PrincipalKind) -> &'static str {
    kind.as_str()
}

impl From<rusqlite::Error> for CatalogueCause {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match &error {
            rusqlite::Error::SqliteFailure(e, _) => match e.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged(error.to_string()),
                _ => Self::Engine(error.to_string()),
            },
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
                Self::Unreadable { what: "column", why: error.to_string() }
            }
            _ => Self::Engine(error.to_string()),
        }
    }
}

/// Whether a row was refused because it repeats a key.
pub(super) fn repeats_key(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error().map(|e| e.extended_code),
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY | rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
    )
}
