use std::collections::{BTreeMap, BTreeSet};

use arm_core::{Change, Outcome, Task, refuse};
use defender_alerts::{
    AssessmentId, AssessmentsClient, Exempt, ExemptionReason, GovernanceAssignment,
    GovernanceAssignmentsClient, KnownRecommendation,
};
use serde::Serialize;
use time::OffsetDateTime;

use super::{Leak, LeakReport, LeaksClient, formats::DEFENDER};

/// The result of a second scan for a leak that was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Closing {
    /// The place was scanned again, and the leak is no longer there.
    Gone,
    /// It is still there. A rotated secret can stay in a repository's history: dismiss it in the tool that found it.
    StillThere,
    /// It is still there, and somebody has accepted it in the tool that found it, through an exemption in Defender, a
    /// resolution on GitHub other than "won't fix", an audit, or a suppression. **It is not fixed.**
    Dismissed,
    /// The place was not scanned again, or not completely, so nothing is known. A Defender finding has this state until
    /// Defender's next scan, even if Defender still lists it.
    WaitingForScan,
}

/// Compares the leaks of a first report with a second report.
///
/// `looked_at` contains the repositories and resource ids that the second report covers, because a report does not say
/// where nothing was found. A leak that is not found again counts as [`WaitingForScan`](Closing::WaitingForScan) if its
/// place is not among them, or if the second report could not be read completely. Defender lists what its last scan
/// found: include a resource only if it was scanned after the remediation.
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
    let closing = |leak: &Leak| {
        let again: Vec<&Leak> = second.leaks.iter().filter(|again| again.is_again(leak)).collect();
        match again.as_slice() {
            [] if covered(leak) && second.is_complete() => Closing::Gone,
            [] => Closing::WaitingForScan,
            again if again.iter().all(|again| again.dismissed) => Closing::Dismissed,
            _ if leak.scanner == DEFENDER && !covered(leak) => Closing::WaitingForScan,
            _ => Closing::StillThere,
        }
    };
    first.leaks.iter().map(|leak| (leak, closing(leak))).collect()
}

impl Closing {
    /// Whether nothing is left to do: the leak is gone, or somebody has accepted it.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Gone | Self::Dismissed)
    }
}

impl LeaksClient {
    /// Assigns an owner and a due date to each Defender finding that is neither gone nor dismissed, with
    /// [`EnsureOwner`](defender_alerts::EnsureOwner). A finding that already has an assignment keeps it. `owner`
    /// returns the owner, or `None` to skip a finding. Findings of other scanners are skipped.
    ///
    /// An assignment does not close a finding: the next scan does. **If it stops halfway**, running it again finishes
    /// it. After that, another run writes nothing.
    ///
    /// # Permissions
    ///
    /// Contributor, Security Admin or Owner; and the plan Defender CSPM.
    pub fn assign(
        &self,
        closed: &[(&Leak, Closing)],
        due: OffsetDateTime,
        mut owner: impl FnMut(&Leak) -> Option<String>,
    ) -> Task<Vec<Outcome<AssessmentId, Change<GovernanceAssignment>>>> {
        let client = GovernanceAssignmentsClient::new(&self.arm);
        let mut findings = BTreeMap::new();
        for (leak, _) in closed.iter().filter(|(_, closing)| !closing.is_settled()) {
            if let Some(id) = assessment(leak)
                && let Some(owner) = owner(leak)
            {
                // A finding that covers several secrets gets the owner of the first one.
                findings.entry(id.to_string().to_lowercase()).or_insert((id, owner));
            }
        }
        Task::new(move |mode| async move {
            let mut outcomes = Vec::new();
            for (target, owner) in findings.into_values() {
                let result = client.ensure(&target, owner, due).in_mode(mode).await;
                outcomes.push(Outcome { target, result });
            }
            Ok(outcomes)
        })
    }

    /// Returns exemptions for Defender findings that people accept or consider false positives, each with a reason.
    /// `reason` returns the reason, or `None` to skip a finding. Findings of other scanners are skipped: dismiss them
    /// in those tools.
    ///
    /// Writes nothing: each exemption is a task with its own dry run. A finding that covers all secrets of a resource,
    /// as in Defender's older models, is refused, because exempting it would also exempt secrets that nobody has
    /// checked.
    ///
    /// ```
    /// # async fn f(leaks: defender_playbooks::leaks::LeaksClient, first: defender_playbooks::leaks::LeakReport,
    /// #     second: defender_playbooks::leaks::LeakReport, until: time::OffsetDateTime) -> azure_core::Result<()> {
    /// use defender_alerts::ExemptionReason;
    /// use defender_playbooks::leaks;
    /// use resource_ops::ExemptionCategory;
    ///
    /// let closed = leaks::close(&first, &second, &Default::default());
    /// let of_a_test = |leak: &leaks::Leak| leak.place.file.as_deref().is_some_and(|file| file.starts_with("tests/"));
    /// let reason = ExemptionReason::builder()
    ///     .category(ExemptionCategory::Waiver)
    ///     .reason("a key of a test, which opens nothing")
    ///     .until(until)
    ///     .ticket("SEC-7")
    ///     .build();
    /// for exemption in leaks.exemptions(&closed, |leak| of_a_test(leak).then(|| reason.clone())) {
    ///     let exemption = exemption.result?;
    ///     println!("{}", exemption.clone().dry_run().await?);
    ///     println!("{}", exemption.await?);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn exemptions(
        &self,
        closed: &[(&Leak, Closing)],
        mut reason: impl FnMut(&Leak) -> Option<ExemptionReason>,
    ) -> Vec<Outcome<AssessmentId, Exempt>> {
        let client = AssessmentsClient::new(&self.arm);
        let mut outcomes = Vec::new();
        for (leak, _) in closed.iter().filter(|(_, closing)| *closing != Closing::Gone) {
            if let Some(target) = assessment(leak)
                && let Some(reason) = reason(leak)
            {
                let result = match is_alone(leak, &target) {
                    true => Ok(client.exempt(&target, reason)),
                    false => refuse(format!(
                        "{target} covers all secrets of its resource, known or unknown: exempt it separately if that is intended"
                    )),
                };
                outcomes.push(Outcome { target, result });
            }
        }
        outcomes
    }
}

/// Whether the assessment covers only this leak.
fn is_alone(leak: &Leak, assessment: &AssessmentId) -> bool {
    let id = leak.place.link.as_deref().unwrap_or_default().to_ascii_lowercase();
    let grouped = KnownRecommendation::SECRETS.iter().any(|known| known.key == *assessment.key());
    !grouped && !id.contains("/subassessments/")
}

/// The assessment that contains a Defender finding.
fn assessment(leak: &Leak) -> Option<AssessmentId> {
    let id = leak.place.link.as_deref().filter(|_| leak.scanner == DEFENDER)?;
    let end = id.to_ascii_lowercase().find("/subassessments/").unwrap_or(id.len());
    id.get(..end)?.parse().ok()
}
