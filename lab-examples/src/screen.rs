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
    /// What was done.
    pub steps: Vec<Step>,
    /// What was shown.
    pub tables: Vec<Rows>,
    /// Where the lab sheet and the service disagree.
    pub differences: Vec<Difference>,
    /// Why it stopped.
    pub error: Option<String>,
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

    fn line(&self, text: &str) {
        if self.text && !self.is_muted() {
            // Whoever closed the pipe has seen enough; the work goes on.
            let _ = writeln!(std::io::stdout(), "{text}");
        }
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
        self.line(&self.paint("1", title));
    }

    /// Ends the part with an error.
    pub fn fail(&self, message: &str) {
        self.part(|part| {
            part.ok = false;
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
        let detail = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
        self.line(&format!(
            "  {} {} {}{detail}",
            self.paint(code, mark),
            step.what,
            self.paint(code, outcome)
        ));
        self.part(|part| {
            part.ok &= outcome != "failed";
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
        self.line(&format!("    {text}"));
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
            table.set_header(columns).add_rows(&rows);
            self.line(&format!("  {}", self.paint("1", name)));
            for line in table.to_string().lines() {
                self.line(&format!("  {}", line.trim_end()));
            }
        }
        let columns = columns.map(str::to_owned).to_vec();
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
