//! Positions alerts on a timeline.

use azure_core::time::OffsetDateTime;
use time::UtcOffset;

use crate::report::page::{AlertRow, Alerts};

/// The width of the timeline, in units of the drawing.
pub(crate) const WIDTH: f64 = 1000.0;
/// The minimum width of a bar, so that a short alert is visible.
const LEAST: f64 = 12.0;

/// A timeline with a bar for each alert that has a time.
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
    /// Describes its length in the two largest units.
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

impl Timeline {
    /// Whether minutes do not distinguish two of its times.
    pub(crate) fn is_short(&self) -> bool {
        (self.to - self.from).whole_minutes() < 60
    }

    /// Labeled round times, at most [`MOST_TICKS`], from which the time of a bar can be read.
    pub(crate) fn ticks(&self) -> Vec<Tick> {
        let utc = |time: OffsetDateTime| time.checked_to_offset(UtcOffset::UTC).unwrap_or(time);
        let (from, to) = (utc(self.from).unix_timestamp(), utc(self.to).unix_timestamp());
        let (length, most) = (to - from, i64::try_from(MOST_TICKS).unwrap_or(i64::MAX));
        let years = 366 * DAY * (length / (366 * DAY * most) + 1);
        let step = STEPS.into_iter().find(|step| length / step < most).unwrap_or(years);
        let first = (from.div_euclid(step) + 1) * step;
        let tick = |at: i64| {
            let time = OffsetDateTime::from_unix_timestamp(at).ok()?;
            let x = (at - from) as f64 / length as f64 * WIDTH;
            let edge = match x {
                x if x < WIDTH * 0.08 => "first",
                x if x > WIDTH * 0.92 => "last",
                _ => "",
            };
            Some(Tick {
                x,
                percent: format!("{:.1}", x / WIDTH * 100.0),
                edge,
                label: label(time, step, length),
            })
        };
        (0..most).map(|at| first + at * step).take_while(|at| *at <= to).filter_map(tick).collect()
    }
}

/// The maximum number of ticks.
const MOST_TICKS: usize = 6;
const DAY: i64 = 86_400;
/// The possible distances between ticks, in seconds.
const STEPS: [i64; 22] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    3 * 3600,
    6 * 3600,
    12 * 3600,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
];

/// A labeled round time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// The position, in units of the drawing.
    pub x: f64,
    /// The position in percent of the timeline.
    pub percent: String,
    /// `first` or `last` if a centered label would extend beyond the end of the timeline.
    pub edge: &'static str,
    /// The label.
    pub label: String,
}

/// As much of a time as is needed to distinguish neighboring ticks.
fn label(time: OffsetDateTime, step: i64, length: i64) -> String {
    let (month, day) = (&time.month().to_string()[..3], time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    match step {
        _ if length > 300 * DAY => format!("{month} {day}, {}", time.year()),
        DAY.. => format!("{month} {day}"),
        60.. if length > DAY => format!("{month} {day}, {hour:02}:{minute:02}"),
        60.. => format!("{hour:02}:{minute:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    }
}

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// The index of the alert.
    pub alert: usize,
    /// Where it begins.
    pub x: f64,
    /// Its length.
    pub width: f64,
}

/// Creates the timeline of alerts. `None` if none has a time.
pub(crate) fn of(alerts: &Alerts) -> Option<Timeline> {
    // A sample does not correspond to an event, so it does not extend the timeline.
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

/// The beginning and end of an alert, swapped if they are reversed.
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
    fn its_length_is_given_from_seconds_to_months() {
        for (seconds, words) in
            [(9, "9 s"), (180, "3 min"), (7500, "2 h 5 min"), (30 * 86_400 + 3600, "30 d 1 h")]
        {
            assert_eq!(of(&alerts(&[(at(0), at(seconds))])).unwrap().span(), words);
        }
    }

    /// The labels of the ticks, which must be in order and must not overlap.
    fn ticks(seconds: i64) -> Vec<String> {
        let line = of(&alerts(&[(at(0), at(seconds))])).unwrap();
        let ticks = line.ticks();
        assert!((1..=MOST_TICKS).contains(&ticks.len()), "{seconds}: {ticks:?}");
        for tick in &ticks {
            assert!((0.0..=WIDTH).contains(&tick.x), "{tick:?}");
            assert_eq!(tick.percent, format!("{:.1}", tick.x / 10.0));
        }
        for pair in ticks.windows(2) {
            // An eighth of 30rem is about 60 pixels, enough for a label.
            assert!(pair[1].x - pair[0].x > WIDTH / 8.0, "{seconds}: {pair:?}");
            assert_ne!(pair[0].label, pair[1].label, "{seconds}");
        }
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn a_line_of_three_minutes_and_one_of_thirty_days_have_round_times_to_read_bars_off() {
        // From 2025-10-09 08:53:20.
        assert_eq!(ticks(180), ["08:54", "08:55", "08:56"]);
        assert_eq!(ticks(30 * 86_400), ["Oct 16", "Oct 23", "Oct 30", "Nov 6"]);
        assert_eq!(ticks(20), ["08:53:25", "08:53:30", "08:53:35", "08:53:40"]);
        assert_eq!(ticks(2 * 86_400), ["Oct 9, 12:00", "Oct 10, 00:00", "Oct 10, 12:00", "Oct 11, 00:00"]);
        for seconds in (1..60).map(|at| at * at * at * at).filter(|seconds| *seconds > 3) {
            ticks(seconds);
        }
        assert_eq!(of(&alerts(&[(at(0), at(0))])).unwrap().ticks(), []);
    }

    #[test]
    fn bars_of_an_alert_a_minute_are_told_apart_and_those_of_an_hour_in_thirty_days_are_seen() {
        let of_minutes = of(&alerts(&[(at(0), at(20)), (at(60), at(80)), (at(120), at(180))])).unwrap();
        for pair in of_minutes.bars.windows(2) {
            assert!(pair[0].x + pair[0].width < pair[1].x, "{pair:?}");
        }
        assert!(of_minutes.is_short());
        let days = |day: i64| (at(day * 86_400), at(day * 86_400 + 3600));
        let of_days = of(&alerts(&[days(0), days(1), days(15), days(30)])).unwrap();
        for pair in of_days.bars.windows(2) {
            assert!(pair[0].x + pair[0].width < pair[1].x && pair[0].width >= LEAST, "{pair:?}");
        }
        assert!(!of_days.is_short());
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
