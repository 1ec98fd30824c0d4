//! ISO 8601 durations, such as `PT5M`, `P1DT2H` and `PT0S`.

use std::{fmt::Write as _, time::Duration};

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// Parses a duration of weeks, days, hours, minutes and seconds; `None` if it is invalid, is negative, or has years or
/// months, which have no fixed length.
pub fn parse(text: &str) -> Option<Duration> {
    let rest = text.trim().strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let days = sum(days, &[('W', 604_800.0), ('D', 86_400.0)])?;
    let time = sum(time, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)])?;
    Duration::try_from_secs_f64(days + time).ok()
}

/// Returns the seconds of a text such as `12H30M`, in which each unit occurs at most once, in this order.
fn sum(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut seconds = 0.0;
    for (unit, worth) in units {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        seconds += number.parse::<f64>().ok().filter(|_| digits)? * worth;
        text = rest;
    }
    text.is_empty().then_some(seconds)
}

/// Writes a duration in days, hours, minutes, and seconds with as many fractional digits as needed.
pub fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let mut text = String::from("P");
    if seconds >= 86_400 {
        let _ = write!(text, "{}D", seconds / 86_400);
    }
    let mut time = String::new();
    for (amount, unit) in [((seconds / 3_600) % 24, 'H'), ((seconds / 60) % 60, 'M')] {
        if amount > 0 {
            let _ = write!(time, "{amount}{unit}");
        }
    }
    let (whole, nanos) = (seconds % 60, duration.subsec_nanos());
    if nanos > 0 {
        let fraction = format!("{nanos:09}");
        let _ = write!(time, "{whole}.{}S", fraction.trim_end_matches('0'));
    } else if whole > 0 || duration.is_zero() {
        let _ = write!(time, "{whole}S");
    }
    if !time.is_empty() {
        let _ = write!(text, "T{time}");
    }
    text
}

/// Reads a duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom("expected an ISO 8601 duration such as PT5M"))
}

/// Writes a duration.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// For an optional field.
pub mod option {
    use super::{Deserialize, Deserializer, Duration, Serializer, parse};

    /// Reads a duration; null and invalid texts are `None`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(parse))
    }

    /// Writes a duration, or null.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_forms_that_azure_writes_are_read() {
        let seconds = |text: &str| parse(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("PT0S"), Some(0.0));
        assert_eq!(seconds("P29DT12H30M1.5S"), Some(2_550_601.5));
        assert_eq!(seconds("P1W"), Some(604_800.0));
        for bad in [
            "", "P", "PT", "5M", "P1Y", "P1M", "-PT5M", "PT-5M", "PT5", "PT5M5H", "PTinfS", "PTNaNS",
            "PT1e9S",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn written_durations_read_back(seconds in 0_u64..10_000_000, millis in 0_u32..1000) {
            let duration = Duration::new(seconds, millis * 1_000_000);
            let back = parse(&format(duration)).unwrap();
            prop_assert!(back.abs_diff(duration) < Duration::from_micros(1));
        }
    }
}
