//! ISO 8601 durations.

use time::Duration;

/// Parses `P1DT2H3M4S` and its parts. Refuses months and years, which have no fixed length.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (days, clock) = match rest.split_once('T') {
        Some((days, clock)) if !clock.is_empty() => (days, clock),
        Some(_) => return None,
        None => (rest, ""),
    };
    if days.is_empty() && clock.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    for (part, units) in [
        (days, &[('W', 604_800.0), ('D', 86_400.0)][..]),
        (clock, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)]),
    ] {
        let mut units = units.iter();
        let mut digits = String::new();
        for c in part.chars() {
            if c.is_ascii_digit() || c == '.' {
                digits.push(c);
                continue;
            }
            let (_, seconds) = units.find(|(unit, _)| *unit == c)?;
            let part = Duration::checked_seconds_f64(digits.parse::<f64>().ok()? * seconds)?;
            total = total.checked_add(part)?;
            digits.clear();
        }
        if !digits.is_empty() {
            return None;
        }
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_nonsense_is_refused() {
        assert_eq!(parse("PT5M"), Some(Duration::minutes(5)));
        assert_eq!(parse("P1DT1H30S"), Some(Duration::seconds(90_030)));
        for bad in [
            "",
            "P",
            "PT",
            "5m",
            "P5M",
            "PT5",
            "PT5M3H",
            "P1Y",
            "PT5X",
            "P99999999999999999999D",
            "P100000000000000DT9200000000000000000S",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
