//! Instants: RFC 3339 with any number of fractional digits and, as some services write them, without a time zone or in
//! the form of RFC 1123.

use azure_core::time::OffsetDateTime;
use serde::{Deserializer, Serializer, de::Error as _, ser::Error as _};
use time::{
    Date, PrimitiveDateTime, Time,
    format_description::well_known::{Rfc2822, Rfc3339},
};

use crate::wire::text;

const WITHOUT_ZONE: &[time::format_description::FormatItem<'_>] = time::macros::format_description!(
    "[year]-[month]-[day][optional [T]][optional [ ]][hour]:[minute]:[second][optional [.[subsecond]]]"
);

/// Parses an instant; `None` if it is invalid. Without a time zone, it is in UTC. Years before 0 are rejected, since
/// they cannot be written back.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    in_utc(text.as_bytes()).or_else(|| in_any_form(text.trim())).filter(|instant| instant.year() >= 0)
}

fn in_any_form(text: &str) -> Option<OffsetDateTime> {
    let with_zone = OffsetDateTime::parse(text, &Rfc3339).ok();
    with_zone
        .or_else(|| Some(PrimitiveDateTime::parse(text, WITHOUT_ZONE).ok()?.assume_utc()))
        .or_else(|| OffsetDateTime::parse(text, &Rfc2822).ok())
}

/// Parses the usual form, `2026-03-01T12:00:00.1234567Z`, in a fifth of the time that a format description takes.
fn in_utc(text: &[u8]) -> Option<OffsetDateTime> {
    let number = |digits: &[u8]| {
        let digit = |sum: u32, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'));
        digits.iter().try_fold(0, digit)
    };
    let (whole, rest) = text.split_first_chunk::<19>()?;
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _] = whole else { return None };
    let two = |at: usize| {
        let (tens, ones) = (whole[at].wrapping_sub(b'0'), whole[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| tens * 10 + ones)
    };
    let fraction = rest.strip_suffix(b"Z")?;
    let nanos = match fraction.split_first() {
        None => 0,
        Some((b'.', digits @ [_, ..])) if digits.len() <= 9 => {
            (digits.len()..9).fold(number(digits)?, |sum, _| sum * 10)
        }
        Some(_) => return None,
    };
    let year = i32::from(two(0)?) * 100 + i32::from(two(2)?);
    let date = Date::from_calendar_date(year, two(5)?.try_into().ok()?, two(8)?).ok()?;
    let time = Time::from_hms_nano(two(11)?, two(14)?, two(17)?, nanos).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

/// Formats an instant in UTC, or in its own time zone if only that gives a year of four digits, as in
/// `9999-12-31T23:59:59-01:00`. Empty if neither does.
pub fn format(instant: OffsetDateTime) -> String {
    written(instant).unwrap_or_default()
}

fn written(instant: OffsetDateTime) -> Option<String> {
    let in_utc = instant.checked_to_offset(time::UtcOffset::UTC);
    in_utc.and_then(|utc| utc.format(&Rfc3339).ok()).or_else(|| instant.format(&Rfc3339).ok())
}

/// Reads an instant.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    parse(&text::scalar(deserializer)?)
        .ok_or_else(|| D::Error::custom("expected a time such as 2026-03-01T12:00:00Z"))
}

/// Writes an instant in the form of [`format()`].
pub fn serialize<S: Serializer>(instant: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let text =
        written(*instant).ok_or_else(|| S::Error::custom("a time before the year 0 cannot be written"))?;
    serializer.serialize_str(&text)
}

/// For an optional field.
pub mod option {
    use super::{Deserializer, OffsetDateTime, Serializer, parse, text};

    /// Reads an instant; null, empty and invalid texts are `None`.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        Ok(parse(&text::scalar(deserializer)?))
    }

    /// Writes an instant in the form of [`format`](super::format()), or null.
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
            "Sun, 01 Mar 2026 12:00:00 GMT", // recorded from assessments at 2021-06-01
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Some("2026-03-01T12:00:00Z"), "{text}");
        }
        assert_eq!(parse("the first of March"), None);
    }

    #[test]
    fn the_usual_form_means_what_the_format_description_makes_of_it() {
        let texts = [
            "2026-03-01T12:00:00Z",
            "2026-03-01T12:00:00.0Z",
            "2026-03-01T12:00:00.1234567Z",
            "2026-03-01T12:00:00.123456789Z",
            "0000-02-29T23:59:59.000000001Z",
            "2025-02-29T00:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-03-01T12:00:00.Z",
            "2026-03-01T12:00:00.12x4Z",
            "2026-03-01T12:0a:00Z",
            "/026-03-01T12:00:00Z",
            "2026-03-01T12:00:/9Z",
            "2026-03-01T12:00:00+00:00",
            "",
        ];
        for text in texts {
            if let Some(read) = in_utc(text.as_bytes()) {
                assert_eq!(Some(read), OffsetDateTime::parse(text, &Rfc3339).ok(), "{text}");
            } else {
                assert!(OffsetDateTime::parse(text, &Rfc3339).is_err() || text.ends_with("+00:00"), "{text}");
            }
        }
        assert!(texts[..5].iter().all(|text| in_utc(text.as_bytes()).is_some()));
    }

    #[test]
    fn an_instant_at_the_edge_of_time_is_written_as_it_was_read() {
        for text in
            ["9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.9999999-23:59", "0000-01-01T00:00:00+01:00"]
        {
            let instant = parse(text).unwrap();
            assert_eq!(format(instant), text);
            assert_eq!(parse(&format(instant)), Some(instant));
        }
        assert_eq!(parse("9999-12-31T23:59:59+01:00").map(format).as_deref(), Some("9999-12-31T22:59:59Z"));
        assert_eq!(parse("-0001-01-01 00:00:00"), None);
    }
}
