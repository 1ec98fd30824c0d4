//! `lab report`: a page about the state of the subscription, as a file to read, print and keep.

mod gather;
mod graph;
mod open;
mod options;
pub mod overview;
pub mod page;
mod render;
mod timeline;

use std::path::Path;

use azure_core::{Error, Result, error::ErrorKind};
use defender_alerts::Severity;
use defender_playbooks::findings::Findings;
use serde::Serialize;

pub(crate) use open::items_that_hide;
pub use open::{OpenItem, Standing, items};
pub use options::{Level, ReportOptions};
pub use page::schema;
pub use render::html;

use crate::{
    Lab, advice,
    cli::Options,
    files,
    report::{options::Form, page::ReportPage},
    screen::{Record, Screen, json_text},
    tasks::{PARTS, Part},
};

/// A report: the content of the page, and the findings behind it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The content of the page.
    pub page: ReportPage,
    /// The findings, for other formats.
    pub findings: Findings,
}

/// Writes the report's files. Live, it only reads. Offline, where every run starts with a new double, it first runs the
/// lab silently, without the cleanup. Returns whether the files were written, all parts of the lab succeeded, and the
/// gate passed.
pub async fn run(lab: &Lab, options: &ReportOptions) -> bool {
    lab.screen.begin("report", "Report");
    match write_files(lab, options).await {
        Ok(held) => held,
        Err(error) => {
            let line = advice::explain(&error);
            lab.screen.step("the report", "failed", line.clone());
            lab.screen.fail(&line);
            false
        }
    }
}

async fn write_files(lab: &Lab, options: &ReportOptions) -> Result<bool> {
    let report = read(lab).await?;
    let run = report.page.run.as_ref();
    if let Some(run) = run {
        let held = run.parts.iter().filter(|part| part.ok).count();
        let outcome = if held == run.parts.len() { "done" } else { "failed" };
        lab.screen.step(
            "the lab, run silently",
            outcome,
            format!("{held} of {} parts succeeded", run.parts.len()),
        );
    }
    let found = items(&report.page);
    for (standing, words) in [(Standing::Open, "still open"), (Standing::NotKnown, "not known")] {
        let count = found.iter().filter(|item| item.standing == standing).count();
        lab.screen.counted(words, "found", count, count.to_string());
    }
    for file in &options.file {
        let text = report.text(Form::of(file)).map_err(|error| cannot(file, &error))?;
        files::replace(file, text.as_bytes()).map_err(|error| cannot(file, &error))?;
        let size = format!("{} KiB", text.len().div_ceil(1024));
        lab.screen.step(file.display().to_string(), "written", size);
    }
    let held = run.is_none_or(|run| run.parts.iter().all(|part| part.ok));
    Ok(gate(&lab.screen, options, &report.findings) && held)
}

/// Whether these findings pass the gate, if there is one.
fn gate(screen: &Screen, options: &ReportOptions, findings: &Findings) -> bool {
    let Some(least) = options.fail_on.map(Severity::from) else { return true };
    let failed = findings.fails(&least);
    if failed {
        let why =
            format!("a finding of severity {least} or higher is open, or a source could not be checked");
        screen.step("the gate", "failed", why);
    } else {
        screen.step("the gate", "passed", format!("no finding of severity {least} or higher is open"));
    }
    !failed
}

/// A document as JSON without control characters that affect a terminal.
fn json_of(document: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(document);
    text.map(|text| json_text(&text)).map_err(|error| Error::new(ErrorKind::DataConversion, error))
}

impl Report {
    fn text(&self, form: Form) -> Result<String> {
        match form {
            Form::Html => html(&self.page).map_err(|error| Error::new(ErrorKind::DataConversion, error)),
            Form::Json => json_of(&self.page),
            Form::Ocsf => json_of(&self.findings.to_ocsf()),
            Form::Sarif => json_of(&self.findings.to_sarif()),
            Form::Csv => self.findings.to_csv(),
        }
    }
}

/// Reads the content of the page. Offline, the lab runs first, silently.
pub async fn read(lab: &Lab) -> Result<Report> {
    if lab.options.live {
        return gather::gather(lab, None).await;
    }
    let options = Options { dry_run: false, ..lab.options.clone() };
    let unseen = Lab::with_screen(options, Screen::silent())
        .await
        .map_err(|problems| Error::with_message(ErrorKind::Other, problems.to_string()))?;
    let record = Box::pin(lab.screen.wait("the lab", run_lab(&unseen))).await;
    lab.screen.wait("reading", gather::gather(&unseen, Some(record))).await
}

/// Runs all parts except the cleanup, which would leave nothing to report on.
async fn run_lab(lab: &Lab) -> Record {
    let parts: Vec<&Part> = PARTS.iter().filter(|part| part.name != "cleanup").collect();
    lab.run(&parts).await;
    lab.screen.recorded()
}

fn cannot(file: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::with_message(ErrorKind::Io, format!("cannot write the report '{}': {error}", file.display()))
}
