//! `lab report`: one page about how the subscription stands, as a file to read, to print and to keep.

mod gather;
mod graph;
mod open;
pub mod page;
mod render;
mod timeline;

use std::path::Path;

use azure_core::{Error, Result, error::ErrorKind};

pub use open::{OpenItem, Standing, items};
pub use render::html;

use crate::{
    Lab, advice,
    cli::Options,
    files,
    report::page::ReportPage,
    screen::{Record, Screen},
    tasks::{PARTS, Part},
};

/// Writes the page. Offline, where every run begins with a new double, the lab runs first, unseen, without its
/// cleanup; live, it only reads. Whether the page was written and all parts of the run hold.
pub async fn run(lab: &Lab, file: &Path) -> bool {
    lab.screen.begin("report", "Report");
    match write_page(lab, file).await {
        Ok(held) => held,
        Err(error) => {
            let line = advice::explain(&error);
            lab.screen.step("the report", "failed", line.clone());
            lab.screen.fail(&line);
            false
        }
    }
}

async fn write_page(lab: &Lab, file: &Path) -> Result<bool> {
    let page = read(lab).await?;
    let run = page.run.as_ref();
    if let Some(run) = run {
        let held = run.parts.iter().filter(|part| part.ok).count();
        let outcome = if held == run.parts.len() { "done" } else { "failed" };
        lab.screen.step("the lab, unseen", outcome, format!("{held} of {} parts hold", run.parts.len()));
    }
    let found = items(&page);
    for (standing, words) in [(Standing::Open, "still open"), (Standing::NotKnown, "not known")] {
        let count = found.iter().filter(|item| item.standing == standing).count();
        lab.screen.step(words, "found", count.to_string());
    }
    let text = if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        serde_json::to_string_pretty(&page).map_err(|error| cannot(file, &error))?
    } else {
        html(&page).map_err(|error| cannot(file, &error))?
    };
    files::replace(file, text.as_bytes()).map_err(|error| cannot(file, &error))?;
    lab.screen.step(file.display().to_string(), "written", format!("{} KiB", text.len().div_ceil(1024)));
    Ok(run.is_none_or(|run| run.parts.iter().all(|part| part.ok)))
}

/// What the page shows. Offline the lab runs first, unseen.
pub async fn read(lab: &Lab) -> Result<ReportPage> {
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

/// All parts but the cleanup, which would leave nothing to report on.
async fn run_lab(lab: &Lab) -> Record {
    let parts: Vec<&Part> = PARTS.iter().filter(|part| part.name != "cleanup").collect();
    lab.run(&parts).await;
    lab.screen.recorded()
}

fn cannot(file: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::with_message(ErrorKind::Io, format!("cannot write the report '{}': {error}", file.display()))
}
