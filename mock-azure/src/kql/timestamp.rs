//! The format of timestamps in queries.

use time::{OffsetDateTime, UtcOffset, format_description::FormatItem, macros::format_description};

const SEVEN_DIGITS: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");

/// `2026-03-01T12:42:42.1921106Z`
pub(super) fn precise(instant: OffsetDateTime) -> String {
    in_utc(instant, SEVEN_DIGITS)
}

/// Empty if the time cannot be represented in UTC, such as the end of the year 9999 in another zone.
fn in_utc(instant: OffsetDateTime, format: &[FormatItem<'_>]) -> String {
    let utc = instant.checked_to_offset(UtcOffset::UTC);
    utc.and_then(|utc| utc.format(format).ok()).unwrap_or_default()
}
