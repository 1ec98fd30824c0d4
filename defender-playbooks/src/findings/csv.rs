//! CSV, for spreadsheets.

use arm_core::{printable, wire};
use azure_core::{Error, Result, error::ErrorKind, time::OffsetDateTime};
use csv::Writer;

use super::{Finding, Findings};

const COLUMNS: [&str; 13] = [
    "kind",
    "severity",
    "status",
    "sample",
    "title",
    "rule",
    "subscription",
    "resources",
    "file",
    "first",
    "last",
    "id",
    "link",
];

impl Findings {
    /// Returns the findings as comma-separated values (RFC 4180) with a header row. Each source that could not be read
    /// is a row of the kind `notKnown`.
    ///
    /// Much of the text is untrusted: a cell that a spreadsheet would treat as a formula is prefixed with an
    /// apostrophe, and control and bidirectional characters are escaped.
    ///
    /// # Errors
    ///
    /// The rows cannot be serialized.
    pub fn to_csv(&self) -> Result<String> {
        let mut writer = Writer::from_writer(Vec::new());
        let failed = |error: csv::Error| Error::new(ErrorKind::DataConversion, error);
        writer.write_record(COLUMNS).map_err(failed)?;
        for finding in &self.findings {
            writer.write_record(row(finding).map(|cell| harmless(&cell))).map_err(failed)?;
        }
        for unknown in &self.not_known {
            let mut row = [const { String::new() }; COLUMNS.len()];
            (row[0], row[4]) = ("notKnown".to_owned(), harmless(&unknown.what));
            row[6] = unknown.subscription.as_ref().map(ToString::to_string).unwrap_or_default();
            writer.write_record(row).map_err(failed)?;
        }
        let text = writer.into_inner().map_err(|error| Error::new(ErrorKind::Io, error.into_error()))?;
        String::from_utf8(text).map_err(|error| Error::new(ErrorKind::DataConversion, error))
    }
}

fn row(finding: &Finding) -> [String; COLUMNS.len()] {
    let time = |time: Option<OffsetDateTime>| time.map(wire::instant::format).unwrap_or_default();
    [
        finding.kind.as_str().to_owned(),
        finding.severity.as_ref().map(ToString::to_string).unwrap_or_default(),
        finding.status.as_str().to_owned(),
        finding.is_sample.to_string(),
        finding.title.clone(),
        finding.rule.clone(),
        finding.subscription.as_ref().map(ToString::to_string).unwrap_or_default(),
        finding.resources.join(" "),
        finding.file.clone().unwrap_or_default(),
        time(finding.first),
        time(finding.last),
        finding.id.clone(),
        finding.link.clone().unwrap_or_default(),
    ]
}

fn harmless(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("{}{}", if is_formula { "'" } else { "" }, printable(cell))
}
