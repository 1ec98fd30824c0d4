//! How the services write instants.

use time::{OffsetDateTime, format_description::FormatItem, macros::format_description};

const SEVEN_DIGITS: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
const SECONDS: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// `2026-03-01T12:42:42.1921106Z`
pub(crate) fn precise(instant: OffsetDateTime) -> String {
    instant.to_offset(time::UtcOffset::UTC).format(SEVEN_DIGITS).unwrap_or_default()
}

/// `2026-03-01T12:42:42Z`
pub(crate) fn seconds(instant: OffsetDateTime) -> String {
    instant.to_offset(time::UtcOffset::UTC).format(SECONDS).unwrap_or_default()
}
