//! Instants: RFC 3339 with any number of digits, and, as some services write them, without a zone or as RFC 1123 does.

use azure_core::time::OffsetDateTime;
use serde::{Deserializer, Serializer, de::Error as _, ser::Error as _};
use time::{
    PrimitiveDateTime,
    format_description::well_known::{Rfc2822, Rfc3339},
};

use crate::wire::text;

const WITHOUT_ZONE: &[time::format_description::FormatItem<'_>] = time::macros::format_description!(
    "[year]-[month]-[day][optional [T]][optional [ ]][hour]:[minute]:[second][optional [.[subsecond]]]"
);

/// Reads an instant. One without a zone is in UTC.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .or_else(|| Some(PrimitiveDateTime::parse(text, WITHOUT_ZONE).ok()?.assume_utc()))
        .or_else(|| OffsetDateTime::parse(text, &Rfc2822).ok())
}

/// Writes an instant in UTC.
pub fn format(instant: OffsetDateTime) -> String {
    instant.to_offset(time::UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}

/// Reads an instant.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    parse(&text::scalar(deserializer)?)
        .ok_or_else(|| D::Error::custom("expected a time such as 2026-03-01T12:00:00Z"))
}

/// Writes an instant in UTC.
pub fn serialize<S: Serializer>(instant: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let text = instant.to_offset(time::UtcOffset::UTC).format(&Rfc3339).map_err(S::Error::custom)?;
    serializer.serialize_str(&text)
}

/// The same for an optional field.
pub mod option {
    use super::{Deserializer, OffsetDateTime, Serializer, parse, text};

    /// Reads an instant; null, empty and unreadable texts are `None`.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        Ok(parse(&text::scalar(deserializer)?))
    }

    /// Writes an instant in UTC, or null.
    pub fn serialize<S: Serializer>(
        instant: &Option<OffsetDateTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match instant {
            Some(instant) => super::serialize(instant, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_the_same_in_every_form_that_services_write() {
        for text in [
            "2026-03-01T12:00:00Z",
            "2026-03-01T13:00:00.0000000+01:00",
            "2026-03-01T12:00:00",
            "2026-03-01 12:00:00.000",
            "Sun, 01 Mar 2026 12:00:00 GMT", // recorded of assessments at 2021-06-01
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Some("2026-03-01T12:00:00Z"), "{text}");
        }
        assert_eq!(parse("the first of March"), None);
    }
}
