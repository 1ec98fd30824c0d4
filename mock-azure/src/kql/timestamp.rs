//! How queries write instants.

use time::{OffsetDateTime, UtcOffset, format_description::FormatItem, macros::format_description};

const SEVEN_DIGITS: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");

/// `2026-03-01T12:42:42.1921106Z`
pub(super) fn precise(instant: OffsetDateTime) -> String {
    instant.to_offset(UtcOffset::UTC).format(SEVEN_DIGITS).unwrap_or_default()
}
