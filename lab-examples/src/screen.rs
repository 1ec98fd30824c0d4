//! What a person sees, and what a machine reads: every step is recorded once and shown twice.

use std::{
    future::Future,
    io::{IsTerminal as _, Write as _},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arm_core::printable;
use comfy_table::{ContentArrangement, Table, TableComponent, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::cli::Output;

/// The recorded lab. Its JSON form is documented in the guide and stable.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Record {
    /// The version of this form.
    pub version: u32,
    /// The parts, in the order in which they ran.
    pub parts: Vec<Part>,
}

/// One task or scenario.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Part {
    /// `task1`, `break-fix-1`, ..
    pub name: String,
    /// What it is about.
    pub title: String,
    /// Whether all of it holds.
    pub ok: bool,
    /// What became of it.
    pub state: PartState,
    /// What was done.
    pub steps: Vec<Step>,
    /// What was shown.
    pub tables: Vec<Rows>,
    /// Where the lab sheet and the service disagree.
    pub differences: Vec<Difference>,
    /// Why it stopped.
    pub error: Option<String>,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PartState {
    /// It ran to its end, and all of it holds.
    #[default]
    Done,
    /// It stopped, or a step of it failed.
    Failed,
    /// What it depends on failed.
    NotTried,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// What it was about.
    pub what: String,
    /// `created`, `unchanged`, `verified`, `failed`, ..
    pub outcome: String,
    /// More about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// One table.
#[derive(Debug, Clone, Serialize)]
pub struct Rows {
    /// What it shows.
    pub name: String,
    /// The headings.
    pub columns: Vec<String>,
    /// The rows, one text a column.
    pub rows: Vec<Vec<String>>,
}

/// A place where the lab sheet and the service disagree.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// What the sheet says.
    pub sheet: String,
    /// What the service does.
    pub service: String,
    /// What the lab does.
    pub so: String,
}

/// Shows and records.
#[derive(Debug)]
pub struct Screen {
    text: bool,
    colour: bool,
    progress: bool,
    muted: AtomicBool,
    broken: AtomicBool,
    record: Mutex<Record>,
}

impl Screen {
    /// A screen for this form of output. Colour only on a terminal, and off with `NO_COLOR`.
    pub fn new(output: Output) -> Self {
        let text = output == Output::Text;
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            text,
            colour: text && std::io::stdout().is_terminal() && !no_colour,
            progress: text && std::io::stderr().is_terminal(),
            muted: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            record: Mutex::new(Record { version: 1, parts: Vec::new() }),
        }
    }

    /// A screen that shows nothing and records all.
    pub fn silent() -> Self {
        Self {
            text: false,
            colour: false,
            progress: false,
            muted: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            record: Mutex::new(Record { version: 1, parts: Vec::new() }),
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Neither shows nor records anything until it is told otherwise.
    pub fn mute(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
    }

    fn is_muted(&self) -> bool {
        self.muted.load(Ordering::Relaxed)
    }

    fn part(&self, change: impl FnOnce(&mut Part)) {
        if self.is_muted() {
            return;
        }
        if let Some(part) = self.record().parts.last_mut() {
            change(part);
        }
    }

    /// What was recorded.
    pub fn recorded(&self) -> Record {
        self.record().clone()
    }

    /// Whether something could not be written to standard output, as on a full disk. A closed pipe is no failure:
    /// whoever closed it has seen enough, and the work goes on.
    pub fn is_broken(&self) -> bool {
        self.wrote(std::io::stdout().flush());
        self.broken.load(Ordering::Relaxed)
    }

    fn wrote(&self, outcome: std::io::Result<()>) {
        if outcome.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe) {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    /// Writes the record for a machine, once.
    pub fn write_json(&self) {
        let text = serde_json::to_string_pretty(&self.recorded()).unwrap_or_default();
        self.wrote(writeln!(std::io::stdout(), "{}", json_text(&text)));
    }

    /// How many steps said that something would be written.
    pub fn changes_pending(&self) -> usize {
        let record = self.record();
        record.parts.iter().flat_map(|part| &part.steps).filter(|step| step.outcome == "would change").count()
    }

    /// A line for people, as it is.
    fn line(&self, text: &str) {
        if self.text && !self.is_muted() {
            self.wrote(writeln!(std::io::stdout(), "{text}"));
        }
    }

    /// A line that belongs to no part and is not recorded.
    pub fn say(&self, text: &str) {
        self.line(&printable(text));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Begins a part.
    pub fn begin(&self, name: &str, title: &str) {
        if self.is_muted() {
            return;
        }
        let part = Part { name: name.to_owned(), title: title.to_owned(), ok: true, ..Part::default() };
        self.record().parts.push(part);
        self.line("");
        self.line(&self.paint("1", &printable(title)));
    }

    /// A part that is not tried, and why.
    pub fn not_tried(&self, name: &str, title: &str, why: &str) {
        self.begin(name, title);
        self.step("not tried", "skipped", why);
        self.part(|part| {
            part.ok = false;
            part.state = PartState::NotTried;
            part.error = Some(format!("not tried: {why}"));
        });
    }

    /// Ends the part with an error.
    pub fn fail(&self, message: &str) {
        self.part(|part| {
            part.ok = false;
            part.state = PartState::Failed;
            part.error = Some(message.to_owned());
        });
    }

    /// One step, with its outcome and more about it.
    pub fn step(&self, what: impl Into<String>, outcome: &str, detail: impl Into<String>) {
        let step = Step { what: what.into(), outcome: outcome.to_owned(), detail: detail.into() };
        let (mark, code) = match outcome {
            "failed" | "missing" | "wrong" => ("✗", "31"),
            "unchanged" | "skipped" | "no" => ("·", "2"),
            "would change" | "waiting" | "yes" | "right by the sheet only" => ("○", "33"),
            _ => ("✓", "32"),
        };
        let detail =
            if step.detail.is_empty() { String::new() } else { format!(": {}", printable(&step.detail)) };
        self.line(&format!(
            "  {} {} {}{detail}",
            self.paint(code, mark),
            printable(&step.what),
            self.paint(code, outcome)
        ));
        self.part(|part| {
            if outcome == "failed" {
                part.ok = false;
                part.state = PartState::Failed;
            }
            part.steps.push(step);
        });
    }

    /// A place where the lab sheet and the service disagree.
    pub fn difference(&self, sheet: &str, service: &str, so: &str) {
        self.line(
            &self.paint("2", &format!("  ! the sheet says {sheet}; the service {service}; so we {so}")),
        );
        let (sheet, service, so) = (sheet.to_owned(), service.to_owned(), so.to_owned());
        self.part(|part| part.differences.push(Difference { sheet, service, so }));
    }

    /// A remark.
    pub fn note(&self, text: &str) {
        self.line(&format!("    {}", printable(text)));
        let step = Step { what: text.to_owned(), outcome: "note".to_owned(), detail: String::new() };
        self.part(|part| part.steps.push(step));
    }

    /// A table.
    pub fn table<const N: usize>(
        &self,
        name: &str,
        columns: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
        if self.text {
            let mut table = Table::new();
            table
                .load_preset(presets::UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(ContentArrangement::Dynamic);
            table
                .remove_style(TableComponent::HorizontalLines)
                .remove_style(TableComponent::MiddleIntersections);
            table
                .remove_style(TableComponent::TopBorder)
                .remove_style(TableComponent::TopBorderIntersections);
            table
                .remove_style(TableComponent::BottomBorder)
                .remove_style(TableComponent::BottomBorderIntersections);
            if table.width().is_none() {
                table.set_width(110);
            }
            let shown = rows.iter().map(|row| row.iter().map(|cell| printable(cell)));
            table.set_header(columns).add_rows(shown);
            self.line(&format!("  {}", self.paint("1", &printable(name))));
            for line in table.to_string().lines() {
                self.line(&format!("  {}", line.trim_end()));
            }
        }
        let columns = columns.map(str::to_owned).to_vec();
        self.part(|part| part.tables.push(Rows { name: name.to_owned(), columns, rows }));
    }

    /// A table of long texts, such as full ids: shown as lines, so that none is cut. `None` if it is empty.
    pub fn list(&self, name: &str, columns: [&str; 2], rows: Vec<[String; 2]>) {
        if rows.is_empty() {
            return;
        }
        self.line(&format!("  {}", self.paint("1", &printable(name))));
        for [what, more] in &rows {
            self.line(&format!("    {}", printable(what)));
            self.line(&format!("      {}", self.paint("2", &printable(more))));
        }
        let columns = columns.map(str::to_owned).to_vec();
        let rows = rows.into_iter().map(Vec::from).collect();
        self.part(|part| part.tables.push(Rows { name: name.to_owned(), columns, rows }));
    }

    /// Shows that something is under way until it is done.
    pub async fn wait<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        if !self.progress || self.is_muted() {
            return work.await;
        }
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        spinner.set_style(ProgressStyle::default_spinner());
        spinner.set_message(format!("{what} .."));
        spinner.enable_steady_tick(Duration::from_millis(100));
        let done = work.await;
        spinner.finish_and_clear();
        done
    }

    /// A bar for work of a known size; hidden where there is no terminal.
    pub fn bar(&self, what: &str, size: u64) -> ProgressBar {
        let target = if self.progress && !self.is_muted() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(size), target);
        bar.set_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("  {msg} {bar:30} {pos}/{len}") {
            bar.set_style(style);
        }
        bar
    }
}

/// JSON text whose control and bidirectional characters, which can only stand in its texts, are escaped: the same
/// values, harmless on a terminal.
pub(crate) fn json_text(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        let mut buffer = [0; 4];
        if c == '\n' || matches!(printable(c.encode_utf8(&mut buffer)), std::borrow::Cow::Borrowed(_)) {
            shown.push(c);
        } else {
            let mut units = [0; 2];
            shown.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_the_same_values_and_nothing_that_steers_a_terminal() {
        let evil = "a\u{1b}[2J\u{9b}\u{202e}b\u{e0041}\"\\ü日本";
        let text = json_text(&serde_json::to_string_pretty(&[evil]).unwrap());
        assert!(matches!(arm_core::printable_lines(&text), std::borrow::Cow::Borrowed(_)), "{text}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&text).unwrap()[0], evil);
    }
}
