use std::collections::{BTreeMap, BTreeSet};

use arm_core::{Change, Outcome};
use azure_core::Result;
use defender_alerts::{AssessmentId, GovernanceAssignment, GovernanceAssignmentsClient};
use serde::Serialize;
use time::OffsetDateTime;

use super::{Leak, LeakReport, LeaksClient};

/// What a second look says of a leak that was acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Closing {
    /// The place was looked at again, and the leak is there no more.
    Gone,
    /// It is still there. A rotated secret may stand in a repository's history for ever: see whether it is dismissed.
    StillThere,
    /// Its place was not looked at again, or not to the end: nothing is known. For a finding of Defender this is the
    /// state until its next scan.
    WaitingForScan,
}

/// Compares the leaks of a first report with a second one.
///
/// `looked_at` names the repositories and resource ids that the second report covers: a report does not tell where
/// nothing was found. A leak elsewhere waits, and so does every leak that is not seen again while the second report
/// could not be read whole.
pub fn close<'a>(
    first: &'a LeakReport,
    second: &LeakReport,
    looked_at: &BTreeSet<String>,
) -> Vec<(&'a Leak, Closing)> {
    let covered = |leak: &Leak| {
        let resource = leak.place.resource.as_ref().map(|id| id.as_str());
        let names = leak.place.repository.as_deref().into_iter().chain(resource);
        names.into_iter().any(|name| looked_at.iter().any(|it| it.eq_ignore_ascii_case(name)))
    };
    let closing = |leak: &Leak| match () {
        () if second.leaks.iter().any(|again| again.is_again(leak)) => Closing::StillThere,
        () if covered(leak) && second.is_complete() => Closing::Gone,
        () => Closing::WaitingForScan,
    };
    first.leaks.iter().map(|leak| (leak, closing(leak))).collect()
}

impl LeaksClient {
    /// Gives each finding of Defender that is not gone an owner and a date, unless it has: a governance assignment, by
    /// [`EnsureOwner`](defender_alerts::EnsureOwner). `owner` may decline with `None`. Findings of other scanners have none.
    ///
    /// An assignment closes nothing: the next scan does. **Stopped halfway**, running it again finishes it; a second run writes
    /// nothing.
    ///
    /// **Permissions**: Contributor, Security Admin or Owner; and the plan Defender CSPM.
    pub async fn assign(
        &self,
        closed: &[(&Leak, Closing)],
        due: OffsetDateTime,
        mut owner: impl FnMut(&Leak) -> Option<String>,
    ) -> Vec<Outcome<AssessmentId, Change<GovernanceAssignment>>> {
        let client = GovernanceAssignmentsClient::new(&self.arm);
        let mut findings = BTreeMap::new();
        for (leak, _) in closed.iter().filter(|(_, closing)| *closing != Closing::Gone) {
            if let Some(id) = assessment(leak)
                && let Some(owner) = owner(leak)
            {
                // Several secrets may be one finding: its owner is that of the first.
                findings.entry(id.to_string().to_lowercase()).or_insert((id, owner));
            }
        }
        let mut outcomes = Vec::new();
        for (target, owner) in findings.into_values() {
            let result: Result<_> = client.ensure(&target, owner, due).await;
            outcomes.push(Outcome { target, result });
        }
        outcomes
    }
}

/// The assessment that a finding of Defender stands in.
fn assessment(leak: &Leak) -> Option<AssessmentId> {
    let id = leak.place.link.as_deref().filter(|_| leak.scanner == "defender")?;
    let end = id.to_ascii_lowercase().find("/subassessments/").unwrap_or(id.len());
    id.get(..end)?.parse().ok()
}
