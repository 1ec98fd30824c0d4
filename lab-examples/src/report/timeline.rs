//! Where each alert lies on the line of time.

use azure_core::time::OffsetDateTime;

use crate::report::page::{AlertRow, Alerts};

/// The width of the line, in units of the drawing.
pub(crate) const WIDTH: f64 = 1000.0;
/// The least width of a bar: a moment must be seen.
const LEAST: f64 = 12.0;

/// The line, and a bar for each alert that has a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timeline {
    /// Where it begins.
    pub from: OffsetDateTime,
    /// Where it ends.
    pub to: OffsetDateTime,
    /// The bars, in the order of the alerts.
    pub bars: Vec<Bar>,
}

impl Timeline {
    /// How long it is, in words: of the two largest units.
    pub(crate) fn span(&self) -> String {
        let seconds = (self.to - self.from).whole_seconds().unsigned_abs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds} s"),
            (0, 0, minutes) => format!("{minutes} min"),
            (0, hours, minutes) => format!("{hours} h {minutes} min"),
            (days, hours, _) => format!("{days} d {hours} h"),
        }
    }
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// The alert, by its place.
    pub alert: usize,
    /// Where it begins.
    pub x: f64,
    /// How long it is.
    pub width: f64,
}

/// The line of some alerts; `None` if none has a time.
pub(crate) fn of(alerts: &Alerts) -> Option<Timeline> {
    // A sample is about nothing that happened: it does not stretch the line.
    let any_real = alerts.newest.iter().any(|alert| !alert.sample && span(alert).is_some());
    let shown = |alert: &&AlertRow| !(any_real && alert.sample);
    let times = || alerts.newest.iter().filter(shown).filter_map(span);
    let from = times().map(|(first, _)| first).min()?;
    let to = times().map(|(_, last)| last).max()?;
    let whole = (to - from).as_seconds_f64();
    let place =
        |time: OffsetDateTime| if whole > 0.0 { (time - from).as_seconds_f64() / whole * WIDTH } else { 0.0 };
    let bar = |(alert, row): (usize, &AlertRow)| {
        let row = Some(row).filter(shown)?;
        let (first, last) = span(row)?;
        let width = (place(last) - place(first)).max(LEAST);
        Some(Bar { alert, x: place(first).min(WIDTH - width), width })
    };
    Some(Timeline { from, to, bars: alerts.newest.iter().enumerate().filter_map(bar).collect() })
}

/// From when to when; the wrong way round is turned.
fn span(alert: &AlertRow) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let first = alert.first.or(alert.last)?;
    let last = alert.last.unwrap_or(first);
    Some((first.min(last), first.max(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(1_760_000_000 + seconds).ok()
    }

    fn alerts(spans: &[(Option<OffsetDateTime>, Option<OffsetDateTime>)]) -> Alerts {
        let newest =
            spans.iter().map(|&(first, last)| AlertRow { first, last, ..AlertRow::default() }).collect();
        Alerts { newest, ..Alerts::default() }
    }

    #[test]
    fn bars_lie_where_their_time_is() {
        let line = of(&alerts(&[(at(500), at(1000)), (None, None), (at(0), at(250))])).unwrap();
        let told: Vec<_> = line.bars.iter().map(|bar| (bar.alert, bar.x, bar.width)).collect();
        assert_eq!(told, [(0, 500.0, 500.0), (2, 0.0, 250.0)]);
    }

    #[test]
    fn a_sample_does_not_stretch_the_line() {
        let mut found = alerts(&[(at(0), at(180)), (at(2_000_000), None)]);
        found.newest[1].sample = true;
        let line = of(&found).unwrap();
        assert_eq!((line.span(), line.bars.len()), ("3 min".to_owned(), 1));
        found.newest.remove(0);
        assert_eq!(of(&found).unwrap().bars.len(), 1, "samples alone are shown");
    }

    #[test]
    fn its_length_is_told_from_seconds_to_months() {
        for (seconds, words) in
            [(9, "9 s"), (180, "3 min"), (7500, "2 h 5 min"), (30 * 86_400 + 3600, "30 d 1 h")]
        {
            assert_eq!(of(&alerts(&[(at(0), at(seconds))])).unwrap().span(), words);
        }
    }

    #[test]
    fn a_moment_is_seen_and_no_bar_leaves_the_line() {
        for spans in [vec![(at(7), None)], vec![(at(0), at(0)), (at(900), at(900))], vec![(at(90), at(10))]] {
            for bar in of(&alerts(&spans)).unwrap().bars {
                assert!(bar.width >= LEAST && bar.x >= 0.0 && bar.x + bar.width <= WIDTH, "{bar:?}");
            }
        }
        assert_eq!(of(&alerts(&[(None, None)])), None);
    }
}
