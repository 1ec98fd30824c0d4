//! The options of `lab report`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use defender_alerts::Severity;

use crate::cli::Options;

/// Where the report is written, and when it fails.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = "Examples:
  lab report                                                writes lab-report.html; offline, the lab runs first
  lab --live --subscription ID report --file day.html --file day.ocsf.json
                                                            one read, two files
  lab --live --subscription ID report --file ci.sarif --fail-on high
                                                            a gate: exits 1 if something that bad is open
  lab --live report --management-group NAME --file soc.html
                                                            all its subscriptions; of the whole tenant: its id as NAME
  lab --live report --subscription ID --subscription ID     those two, in one report")]
pub struct ReportOptions {
    /// The file to write; can be repeated. The extension determines the format: .html, .json (the page's data),
    /// .ocsf.json, .sarif, .csv.
    #[arg(long, value_name = "FILE", default_value = "lab-report.html")]
    pub file: Vec<PathBuf>,
    /// Report on all subscriptions of the management group with this name; can be repeated. The group named with the
    /// tenant's id contains all subscriptions.
    #[arg(long, value_name = "NAME")]
    pub management_group: Vec<String>,
    /// Exit with 1 if a finding of at least this severity, or of unknown severity, is open. Samples do not count. A
    /// source that could not be read fails too.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<Level>,
}

impl ReportOptions {
    /// Returns whether the report is about several subscriptions or a management group.
    pub fn is_across(&self, options: &Options) -> bool {
        !self.management_group.is_empty() || options.subscription.len() > 1
    }
}

/// The minimum severity at which a report fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Any open finding.
    Informational,
    /// Low or higher.
    Low,
    /// Medium or higher.
    Medium,
    /// High or higher.
    High,
    /// Only critical.
    Critical,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Informational => Self::Informational,
            Level::Low => Self::Low,
            Level::Medium => Self::Medium,
            Level::High => Self::High,
            Level::Critical => Self::Critical,
        }
    }
}

/// The format of a report file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The page.
    Html,
    /// The page's data.
    Json,
    /// Events of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// For code scanning and its viewers.
    Sarif,
    /// For spreadsheets.
    Csv,
}

impl Form {
    /// Determines the format by the extension. The page, for an unknown extension.
    pub(crate) fn of(file: &Path) -> Self {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let ends = |end: &str| name.ends_with(end);
        match () {
            () if ends(".ocsf.json") => Self::Ocsf,
            () if ends(".sarif") || ends(".sarif.json") => Self::Sarif,
            () if ends(".json") => Self::Json,
            () if ends(".csv") => Self::Csv,
            () => Self::Html,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_determines_the_format() {
        for (name, form) in [
            ("a.html", Form::Html),
            ("A.JSON", Form::Json),
            ("a.ocsf.json", Form::Ocsf),
            ("a.sarif", Form::Sarif),
            ("folder.csv/a", Form::Html),
            ("a.csv", Form::Csv),
        ] {
            assert_eq!(Form::of(Path::new(name)), form, "{name}");
        }
    }
}
