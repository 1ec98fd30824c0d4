//! The output for people and for programs: every step is recorded once, and shown in both forms.

mod cell;
mod layout;
mod progress;
mod record;

use std::{
    fmt,
    io::{IsTerminal as _, Write as _},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arm_core::printable;
use azure_core::time::OffsetDateTime;
use defender_playbooks::plan::{PlanAction, PlannedChange};

pub use cell::{Cell, Column, Kind, Value};
pub(crate) use record::json_text;
pub use record::{Changed, Difference, Event, Part, PartState, Record, Rows, Step, VERSION, schema};

use crate::cli::Output;

/// Prints a line to standard error, wrapped if that is a terminal. Ignores a closed standard error.
pub fn tell(text: &str) {
    let text = arm_core::printable_lines(text);
    let text = match layout::width_of_errors() {
        Some(width) => layout::fill_all(&text, width, str::to_owned),
        None => text.into_owned(),
    };
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Shows and records the steps of a run.
#[derive(Debug)]
pub struct Screen {
    text: bool,
    lines: bool,
    colour: bool,
    progress: bool,
    /// Whether to use neither colour nor anything beyond ASCII, as with `TERM=dumb`.
    plain: bool,
    width: usize,
    width_of_questions: usize,
    muted: AtomicBool,
    broken: AtomicBool,
    record: Mutex<Record>,
}

impl Screen {
    /// Creates a screen for this output format, as wide as `COLUMNS` or the terminal. Uses colour only on a terminal,
    /// and not with `NO_COLOR` or `TERM=dumb`; the latter also restricts it to ASCII.
    pub fn new(output: Output) -> Self {
        let text = output == Output::Text;
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let plain = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            text,
            lines: output == Output::Ndjson,
            colour: text && std::io::stdout().is_terminal() && !no_colour && !plain,
            progress: text && std::io::stderr().is_terminal() && !plain,
            plain,
            width: layout::width(),
            width_of_questions: layout::width_of_errors().unwrap_or(layout::width()),
            ..Self::silent()
        }
    }

    /// Creates a screen that shows nothing and records everything.
    pub fn silent() -> Self {
        let record =
            Record { version: VERSION, started: Some(OffsetDateTime::now_utc()), ..Record::default() };
        Self {
            text: false,
            lines: false,
            colour: false,
            progress: false,
            plain: false,
            width: layout::WIDTH,
            width_of_questions: layout::WIDTH,
            muted: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            record: Mutex::new(record),
        }
    }

    /// Records the subscription and tenant, and whether they are real.
    pub fn place(&self, subscription: &str, tenant: &str, live: bool) {
        let mut record = self.record();
        (record.subscription, record.tenant) = (Some(subscription.to_owned()), Some(tenant.to_owned()));
        record.live = live;
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Suspends showing and recording, or resumes both.
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

    /// Writes a line of `ndjson`.
    fn event(&self, event: &Event<'_>) {
        if self.lines && !self.is_muted() {
            let text = serde_json::to_string(event).unwrap_or_default();
            self.wrote(writeln!(std::io::stdout(), "{}", json_text(&text)));
        }
    }

    fn name(&self) -> String {
        self.record().parts.last().map(|part| part.name.clone()).unwrap_or_default()
    }

    /// Returns the record so far.
    pub fn recorded(&self) -> Record {
        let mut record = self.record().clone();
        record.changes_pending = self.changes_pending();
        record
    }

    /// Returns whether something could not be written to standard output, for example because the disk is full. A
    /// closed pipe is not a failure: the work continues.
    pub fn is_broken(&self) -> bool {
        self.wrote(std::io::stdout().flush());
        self.broken.load(Ordering::Relaxed)
    }

    fn wrote(&self, outcome: std::io::Result<()>) {
        if outcome.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe) {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    /// Writes the JSON record, once. With `ndjson`, writes the last line.
    pub fn write_json(&self) {
        let mut record = self.recorded();
        record.finished = Some(OffsetDateTime::now_utc());
        if self.lines {
            let errors = record.parts.iter().filter_map(|part| Some((&*part.name, part.error.as_deref()?)));
            self.event(&Event::End {
                version: VERSION,
                subscription: record.subscription.as_deref(),
                live: record.live,
                ok: record.parts.iter().all(|part| part.ok),
                errors: errors.collect(),
            });
            return;
        }
        let text = serde_json::to_string_pretty(&record).unwrap_or_default();
        self.wrote(writeln!(std::io::stdout(), "{}", json_text(&text)));
    }

    /// Returns the number of steps that would write something.
    pub fn changes_pending(&self) -> usize {
        let record = self.record();
        record.parts.iter().flat_map(|part| &part.steps).filter(|step| step.outcome == "would change").count()
    }

    /// Writes a line for people, unchanged.
    fn line(&self, text: &str) {
        if self.text && !self.is_muted() {
            self.wrote(writeln!(std::io::stdout(), "{text}"));
        }
    }

    /// Shows a line that belongs to no part and is not recorded.
    pub fn say(&self, text: &str) {
        self.hang("", "", &printable(text));
    }

    /// Wraps a question for standard error. Unchanged if no text is shown.
    pub fn fit(&self, text: &str) -> String {
        if !self.text {
            return text.to_owned();
        }
        layout::fill_all(text, self.width_of_questions, |words| printable(words).into_owned())
    }

    /// Wraps a plan, with its marks in colour. Unchanged if no text is shown.
    pub fn plan(&self, text: &str) -> String {
        if !self.text {
            return text.to_owned();
        }
        layout::fill_all(text, self.width, |words| self.marked(&printable(words)))
    }

    /// A line of a plan, with its mark in colour.
    fn marked(&self, words: &str) -> String {
        let code = match words.split_once(' ') {
            Some(("+", _)) => "32",
            Some(("-", _)) => "31",
            Some(("~" | "?", _)) => "33",
            _ => return words.to_owned(),
        };
        let (mark, rest) = words.split_at(1);
        format!("{}{rest}", self.paint(code, mark))
    }

    /// Shows a wrapped text with a hanging indent.
    fn hang(&self, first: &str, others: &str, text: &str) {
        if self.text && !self.is_muted() {
            self.line(&layout::fill(text, first, others, self.width));
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Starts a part.
    pub fn begin(&self, name: &str, title: &str) {
        if self.is_muted() {
            return;
        }
        let part = Part { name: name.to_owned(), title: title.to_owned(), ok: true, ..Part::default() };
        self.event(&Event::Part { part: name, title });
        self.record().parts.push(part);
        self.line("");
        self.hang("", "  ", &self.paint("1", &printable(title)));
    }

    /// Records a part that is skipped, and why.
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

    /// Shows a step, with its outcome and details.
    pub fn step(&self, what: impl Into<String>, outcome: &str, detail: impl Into<String>) {
        self.counted(what, outcome, None, detail);
    }

    /// Like [`step`](Self::step), for a number of items.
    pub fn counted(
        &self,
        what: impl Into<String>,
        outcome: &str,
        count: impl Into<Option<usize>>,
        detail: impl Into<String>,
    ) {
        let (what, count, detail) = (what.into(), count.into(), detail.into());
        self.record_step(Step { what, outcome: outcome.to_owned(), detail, count, ..Step::now() });
    }

    /// Starts a step about something with this id: a resource, an alert or a secret.
    pub fn about(&self, id: impl fmt::Display) -> About<'_> {
        About { screen: self, step: Step { id: Some(id.to_string()), ..Step::now() } }
    }

    fn record_step(&self, step: Step) {
        let outcome = step.outcome.as_str();
        let (mark, ascii, code) = match outcome {
            "failed" | "missing" | "wrong" => ("✗", "x", "31"),
            "unchanged" | "skipped" | "no" => ("·", "-", "2"),
            "would change" | "waiting" | "yes" | "right by the sheet only" => ("○", "o", "33"),
            _ => ("✓", "+", "32"),
        };
        let mark = if self.plain { ascii } else { mark };
        let detail =
            if step.detail.is_empty() { String::new() } else { format!(": {}", printable(&step.detail)) };
        let body = format!("{} {}{detail}", printable(&step.what), self.paint(code, outcome));
        self.hang(&format!("  {} ", self.paint(code, mark)), "    ", &body);
        self.event(&Event::Step { part: &self.name(), step: &step });
        self.part(|part| {
            if step.outcome == "failed" {
                part.ok = false;
                part.state = PartState::Failed;
            }
            part.steps.push(step);
        });
    }

    /// Records the changes to resources. People see them in the steps.
    pub(crate) fn changed(&self, step: &str, changes: &[PlannedChange]) {
        for change in changes {
            let change = Changed {
                id: change.id.clone(),
                action: action(change.action).to_owned(),
                step: step.to_owned(),
                members: change.members.iter().map(|member| member.member.clone()).collect(),
            };
            self.event(&Event::Change { part: &self.name(), change: &change });
            self.part(|part| part.changes.push(change));
        }
    }

    /// Shows a difference between the lab sheet and the service.
    pub fn difference(&self, sheet: &str, service: &str, so: &str) {
        let text = format!("the sheet says {sheet}; the service {service}; so we {so}");
        self.hang("  ! ", "    ", &printable(&text));
        let (sheet, service, so) = (sheet.to_owned(), service.to_owned(), so.to_owned());
        let difference = Difference { sheet, service, so };
        self.event(&Event::Difference { part: &self.name(), difference: &difference });
        self.part(|part| part.differences.push(difference));
    }

    /// Shows a remark.
    pub fn note(&self, text: &str) {
        self.hang("    ", "    ", &printable(text));
        let step = Step { what: text.to_owned(), outcome: "note".to_owned(), ..Step::now() };
        self.event(&Event::Step { part: &self.name(), step: &step });
        self.part(|part| part.steps.push(step));
    }

    /// Shows a table.
    pub fn table<const N: usize, C: Into<Cell>>(
        &self,
        name: &str,
        columns: [&str; N],
        rows: impl IntoIterator<Item = [C; N]>,
    ) {
        let rows: Vec<Vec<Cell>> = rows.into_iter().map(|row| row.map(Into::into).to_vec()).collect();
        if self.text {
            self.hang("  ", "    ", &self.paint("1", &printable(name)));
            let shown =
                rows.iter().map(|row| row.iter().map(|cell| printable(&cell.shown).into_owned()).collect());
            for line in layout::table(&columns, shown.collect(), self.width.saturating_sub(2), self.plain) {
                self.line(&format!("  {line}"));
            }
        }
        self.record_table(name, &columns, rows);
    }

    fn record_table(&self, name: &str, columns: &[&str], rows: Vec<Vec<Cell>>) {
        let columns = cell::columns(columns, &rows);
        let rows = rows.into_iter().map(|row| row.into_iter().map(|cell| cell.value).collect()).collect();
        let table = Rows { name: name.to_owned(), columns, rows };
        self.event(&Event::Table { part: &self.name(), table: &table });
        self.part(|part| part.tables.push(table));
    }

    /// Shows a table of long texts, such as full ids, as lines, so that none is truncated. Shows `None` if it is empty.
    pub fn list(&self, name: &str, columns: [&str; 2], rows: Vec<[String; 2]>) {
        if rows.is_empty() {
            return;
        }
        self.hang("  ", "    ", &self.paint("1", &printable(name)));
        for [what, more] in &rows {
            self.hang("    ", "      ", &printable(what));
            self.hang("      ", "      ", &self.paint("2", &printable(more)));
        }
        self.record_table(name, &columns, rows.into_iter().map(|row| row.map(Cell::from).to_vec()).collect());
    }
}

/// A step about something with an id. [`Screen::about`] creates it.
#[derive(Debug)]
#[must_use = "nothing is shown until `step` is called"]
pub struct About<'a> {
    screen: &'a Screen,
    step: Step,
}

impl About<'_> {
    /// Adds the numbers in the detail, each with the name of what it counts.
    pub fn figures<const N: usize>(mut self, figures: [(&str, usize); N]) -> Self {
        self.step.figures.extend(figures.map(|(name, count)| (name.to_owned(), count)));
        self
    }

    /// Shows and records the step with its outcome.
    pub fn step(self, what: impl Into<String>, outcome: &str, detail: impl Into<String>) {
        let (what, detail) = (what.into(), detail.into());
        self.screen.record_step(Step { what, outcome: outcome.to_owned(), detail, ..self.step });
    }
}

/// The name of an action in a plan's JSON.
fn action(action: PlanAction) -> &'static str {
    match action {
        PlanAction::NoChange => "noChange",
        action => action.as_str(),
    }
}

/// `1 alert`, `2 alerts`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_colour_and_a_question_which_is_escaped_when_it_is_asked_has_none() {
        let screen =
            Screen { text: true, colour: true, width: 40, width_of_questions: 40, ..Screen::silent() };
        let text = "step\n  + create /one\n      needs a role and another one; billed by the hour";
        let question = screen.fit(text);
        assert_eq!(arm_core::printable_lines(&question), question);
        assert_eq!(question.lines().nth(3), Some("        billed by the hour"));
        assert!(screen.plan(text).contains("\u{1b}[32m+\u{1b}[0m create"));
    }
}
