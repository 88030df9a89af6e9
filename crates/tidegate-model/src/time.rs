//! Points in time, always UTC, printed as RFC 3339 with whole seconds where the source had no more.

use std::fmt;
use std::str::FromStr;

/// An instant. Reads RFC 3339; prints RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(jiff::Timestamp);

/// Text that is not an RFC 3339 instant.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 time such as 2026-11-24T09:10:00Z")]
pub struct InvalidTimestamp {
    text: String,
}

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; values outside the representable range are clamped.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        let clamped = seconds.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        Self(jiff::Timestamp::from_second(clamped).expect("clamped to the representable range"))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; values outside the representable range are clamped.
    pub fn from_unix_millis(millis: i64) -> Self {
        let clamped =
            millis.clamp(jiff::Timestamp::MIN.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
        Self(jiff::Timestamp::from_millisecond(clamped).expect("clamped to the representable range"))
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded towards zero.
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded towards zero.
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// This instant moved by `seconds`, clamped to the representable range.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_unix_millis(self.unix_millis().saturating_add(seconds.saturating_mul(1000)))
    }

    /// Seconds from `earlier` to `self`; negative where `earlier` lies in the future of `self`.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        (self.unix_millis() - earlier.unix_millis()).div_euclid(1000)
    }

    /// `2026-11-24 09:10 UTC`, for sentences read by people.
    pub fn to_minute(self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }

    /// `2026-11`, the month whose access index holds this instant.
    pub fn month(self) -> String {
        self.0.strftime("%Y-%m").to_string()
    }

    /// The underlying library value, for formats this type does not offer.
    pub fn as_jiff(self) -> jiff::Timestamp {
        self.0
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(value: jiff::Timestamp) -> Self {
        Self(value)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTimestamp { text: text.to_owned() };
        // A bare date means its first moment, as `--now 2026-11-24` and cut-off settings are typed.
        if let Ok(date) = text.parse::<jiff::civil::Date>() {
            let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| invalid())?;
            if text.len() == 10 {
                return Ok(Self(zoned.timestamp()));
            }
        }
        text.parse::<jiff::Timestamp>().map(Self).map_err(|_| invalid())
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_instants_and_bare_dates() {
        let whole: Timestamp = "2026-11-24T09:10:00Z".parse().unwrap();
        assert_eq!(whole.to_string(), "2026-11-24T09:10:00Z");
        assert_eq!(whole.to_minute(), "2026-11-24 09:10 UTC");
        assert_eq!("2026-11-24".parse::<Timestamp>().unwrap().to_string(), "2026-11-24T00:00:00Z");
        assert_eq!("2026-11-24T09:10:00.123456Z".parse::<Timestamp>().unwrap().unix_millis() % 1000, 123);
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_future_time_has_a_negative_age() {
        let now = Timestamp::from_unix_seconds(1000);
        assert_eq!(now.seconds_since(Timestamp::from_unix_millis(1_000_500)), -1);
        assert_eq!(now.seconds_since(Timestamp::from_unix_seconds(990)), 10);
    }
}
