//! The figures, and the document that they are written to.

use std::fmt::Write as _;

use crate::runs::Runs;

/// One benchmark.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) measure: fn() -> Section,
}

/// The figures of one benchmark.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// What was measured, and what the floor is.
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
}

/// One figure.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) floor: String,
    pub(crate) ours: String,
    /// Our figure relative to the floor: a ratio or a difference, whichever the goal uses.
    pub(crate) result: String,
    /// The quartiles of the ratio of our figure to the floor.
    pub(crate) ratio: Option<[f64; 3]>,
    value: f64,
    goal: Option<(f64, String)>,
}

impl Row {
    /// Our figure as a multiple of the floor. `unit` is written after both figures.
    pub(crate) fn ratio(what: impl Into<String>, floor: &Runs, ours: &Runs, unit: &str) -> Self {
        let ratio = ours.beside(floor, |ours, floor| ours / floor);
        let [low, value, high] = ratio;
        let result = match low == high {
            true => format!("{value:.2} ×"),
            false => format!("{value:.2} × ({low:.2} to {high:.2})"),
        };
        let floor = figure(floor.median(), unit);
        Self { floor, result, value, ratio: Some(ratio), ..Self::alone(what, ours.median(), unit) }
    }

    /// The difference between our figure and the floor.
    pub(crate) fn difference(what: impl Into<String>, floor: &Runs, ours: &Runs, unit: &str) -> Self {
        let [low, value, high] = ours.beside(floor, |ours, floor| ours - floor);
        let signed = |value: f64| format!("{}{}", if value < 0.0 { "" } else { "+" }, figure(value, unit));
        let result = format!("{} ({} to {})", signed(value), signed(low), signed(high));
        Self { result, value, ..Self::ratio(what, floor, ours, unit) }
    }

    /// A figure without a floor.
    pub(crate) fn alone(what: impl Into<String>, ours: f64, unit: &str) -> Self {
        let (floor, result) = (String::new(), String::new());
        Self {
            what: what.into(),
            floor,
            ours: figure(ours, unit),
            result,
            ratio: None,
            value: ours,
            goal: None,
        }
    }

    /// Sets the goal: the maximum of the result, in its unit.
    pub(crate) fn at_most(mut self, limit: f64, unit: &str) -> Self {
        self.goal = Some((limit, format!("≤ {limit} {unit}")));
        self
    }

    /// Whether the figure misses its goal.
    pub(crate) fn missed(&self) -> bool {
        self.goal.as_ref().is_some_and(|(limit, _)| self.value > *limit)
    }
}

fn figure(value: f64, unit: &str) -> String {
    let digits = if value.abs() < 10.0 && value.fract() != 0.0 {
        2
    } else {
        usize::from(value.abs() < 100.0 && value.fract() != 0.0)
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

pub(crate) fn tables(sections: &[(&str, Section)]) -> String {
    let mut text = String::new();
    for (bench, Section { title, about, rows }) in sections {
        let _ =
            write!(text, "\n## {title}\n\n{about}\n\n`cargo run --profile bench -p benchmarks {bench}`\n\n");
        text.push_str("| what | floor | ours | result | goal |\n|---|---|---|---|---|\n");
        for row in rows {
            let goal = row.goal.as_ref().map_or("", |(_, goal)| goal);
            let missed = if row.missed() { ", **missed**" } else { "" };
            let Row { what, floor, ours, result, .. } = row;
            let _ = writeln!(text, "| {what} | {floor} | {ours} | {result} | {goal}{missed} |");
        }
    }
    text
}

pub(crate) fn document(sections: &[(&str, Section)]) -> String {
    let machine = machine();
    format!(
        "# Benchmarks\n\n\
         Made by `cargo run --profile bench -p benchmarks`, on {machine}.\n\n\
         Most figures are shown next to a floor measured in the same run. Ours and the floor take turns, round by round: figures are\n\
         medians, and results are the median of the single rounds' results with their quartiles in brackets. Seconds and\n\
         milliseconds can be compared only within this page. What the old generated crate weighs, and the time that a GET once took\n\
         over a socket, were measured earlier and are constants. A row that begins with \"of that\" is the part of other crates: the\n\
         most that a change there could gain.\n\n\
         ![Ours relative to the floor, with quartiles](BENCHMARKS.svg)\n{}",
        tables(sections)
    )
}

/// A description of the processor, the operating system and the compiler.
fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = cpus.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = models.next().map_or("an unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = std::process::Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let rustc = rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    format!("{cores} cores of {model}, {}, {rustc}", std::env::consts::OS)
}
