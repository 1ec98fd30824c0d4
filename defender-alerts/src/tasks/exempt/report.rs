use std::fmt;

use arm_core::Change;
use azure_core::time::OffsetDateTime;
use resource_ops::{ExemptionCategory, PolicyExemption};

use crate::{AssessmentStatus, StandardAssignment};

/// The exemption of a finding.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Exemption {
    /// A policy exemption.
    Policy(PolicyExemption),
    /// A standard assignment with the effect `Exempt`.
    Standard(StandardAssignment),
}

impl Exemption {
    /// Returns the id of the exemption.
    pub fn id(&self) -> &str {
        match self {
            Self::Policy(found) => &found.id,
            Self::Standard(found) => &found.id,
        }
    }

    /// Returns the category of the exemption; `None` if it has none.
    pub fn category(&self) -> Option<&ExemptionCategory> {
        match self {
            Self::Policy(found) => Some(&found.spec.exemption_category),
            Self::Standard(found) => found.spec.exemption_data.as_ref().map(|data| &data.category),
        }
    }

    /// Returns the reason; `None` if there is none.
    pub fn description(&self) -> Option<&str> {
        match self {
            Self::Policy(found) => found.spec.description.as_deref(),
            Self::Standard(found) => found.spec.description.as_deref(),
        }
    }

    /// Returns when the exemption expires; `None` if it never does.
    pub fn expires_on(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Policy(found) => found.spec.expires_on,
            Self::Standard(found) => found.spec.expires_on,
        }
    }
}

/// The result of exempting a finding.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Exempted {
    /// The exemptions: a single one, or one for each policy assignment that was named.
    pub exemptions: Vec<Change<Exemption>>,
    /// The status that Defender now reports for the finding; `None` if Defender no longer lists it.
    pub status: Option<AssessmentStatus>,
    /// Whether this was a dry run, which wrote nothing.
    pub dry_run: bool,
}

impl Exempted {
    /// Whether Defender already shows the exemption. This can take up to 24 hours; read the assessment again later.
    pub fn is_seen(&self) -> bool {
        self.status.as_ref().is_some_and(AssessmentStatus::is_exempt)
    }
}

impl fmt::Display for Exempted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.exemptions {
            let (would, exemption) = (if self.dry_run { "to be " } else { "" }, change.current());
            let verb = if change.is_change() { change.verb() } else { "already exists" };
            let category = exemption.category().map_or("no category", ExemptionCategory::as_str);
            let why = arm_core::printable(exemption.description().unwrap_or("no reason"));
            write!(f, "{}{verb}: {category}, {why}", if change.is_change() { would } else { "" })?;
            match exemption.expires_on() {
                Some(end) => writeln!(f, ", until {}: {}", end.date(), exemption.id())?,
                None => writeln!(f, ", no expiry: {}", exemption.id())?,
            }
        }
        f.write_str(if self.is_seen() {
            "Defender shows it"
        } else {
            "Defender does not show it yet; this may take 24 hours"
        })
    }
}
