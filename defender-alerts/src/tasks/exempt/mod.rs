//! Closes a finding with an exemption, for a reason.

mod policy;
mod report;
mod standard;

use arm_core::{ArmClient, Mode, ResourceId, Wish, refuse};
use azure_core::{Result, time::OffsetDateTime};
use resource_ops::ExemptionCategory;
use typed_builder::TypedBuilder;
use uuid::Uuid;

pub use report::{Exempted, Exemption};

use crate::{Assessment, AssessmentCode, AssessmentId, AssessmentsClient, Expand};

/// Names of exemptions are derived from this and the finding, so that a repeated run finds its own.
const NAMES: Uuid = Uuid::from_u128(0x0f6d_7a52_31c4_4c9e_8b1a_5d2e_93a7_46b8);

/// The service writes `metadata`, which says who changed the exemption, and when.
const WISH: Wish = Wish::new().exact(&["displayName", "description"]).ignoring(&["metadata"]);

/// The reason for an exemption. Everybody who may read the exemption can read the reason, so do not include secrets.
///
/// ```
/// use azure_core::time::OffsetDateTime;
/// use defender_alerts::ExemptionReason;
/// use resource_ops::ExemptionCategory;
///
/// let reason = ExemptionReason::builder()
///     .category(ExemptionCategory::Waiver)
///     .reason("a key of a test, which opens nothing")
///     .until(OffsetDateTime::UNIX_EPOCH)
///     .owner("dev@contoso.example")
///     .ticket("SEC-7")
///     .build();
/// # assert_eq!(reason.text(), "a key of a test, which opens nothing (owner: dev@contoso.example; ticket: SEC-7)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, TypedBuilder)]
#[non_exhaustive]
pub struct ExemptionReason {
    /// The category. `Mitigated` means that the recommendation is met in another way: the finding counts as healthy in
    /// the secure score. `Waiver` means that the risk is accepted: the finding no longer counts in the score. There is
    /// no category for false positives.
    pub category: ExemptionCategory,
    /// The reason, as free text.
    #[builder(setter(into))]
    pub reason: String,
    /// When the exemption expires; fractions of a second are dropped. After that, the finding is assessed again.
    pub until: OffsetDateTime,
    /// The person responsible for the exemption.
    #[builder(default, setter(into, strip_option))]
    pub owner: Option<String>,
    /// A reference to the decision, such as a ticket number.
    #[builder(default, setter(into, strip_option))]
    pub ticket: Option<String>,
}

impl ExemptionReason {
    /// Returns the description of the exemption: the reason, with the owner and ticket.
    pub fn text(&self) -> String {
        let owner = self.owner.iter().map(|owner| format!("owner: {owner}"));
        let more: Vec<String> =
            owner.chain(self.ticket.iter().map(|ticket| format!("ticket: {ticket}"))).collect();
        let reason = self.reason.trim();
        if more.is_empty() { reason.to_owned() } else { format!("{reason} ({})", more.join("; ")) }
    }

    fn check(&self) -> Result<()> {
        if self.reason.trim().is_empty() {
            return refuse(
                "an exemption needs a reason: say why the finding is not a risk, or why it is accepted",
            );
        }
        if self.until <= OffsetDateTime::now_utc() {
            return refuse("the exemption would already have expired: give a future date");
        }
        if matches!(self.category, ExemptionCategory::Unknown(_)) {
            return refuse(format!(
                "'{}' is not a category of exemptions: Waiver or Mitigated",
                self.category
            ));
        }
        Ok(())
    }
}

/// Exempts a finding, which is one recommendation on one resource. Until the exemption expires, Defender does not count
/// the finding as open. An exemption does not fix the finding. It contains the reason.
///
/// For a finding without a policy, such as an exposed secret, the task creates a standard assignment with the effect
/// `Exempt` at the resource. For a finding of a policy, it creates a policy exemption for each assignment of the
/// policy that you name with [`policy`](Self::policy) or [`initiative`](Self::initiative). The finding's metadata
/// shows whether it has a policy. For a grouped recommendation, **all findings on the resource are exempted**, since
/// exempting only some is documented only for vulnerabilities.
///
/// An exemption in force that somebody else has created is left unchanged, even if its reason, category or date
/// differs: compare [`Exempted::exemptions`]. An exemption created by this task is updated if one of these differs,
/// unless another exemption already covers the finding.
///
/// Defender can take up to 24 hours to show the exemption: see [`Exempted::is_seen`]. According to its documentation,
/// not every view of the portal shows exemptions that were created outside it.
///
/// **If it stops halfway**, some exemptions may be missing; running the task again finishes it. After that, another run
/// writes nothing. To undo an exemption, delete it with its client.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, finding: &defender_alerts::AssessmentId, until: azure_core::time::OffsetDateTime)
/// #     -> azure_core::Result<()> {
/// use defender_alerts::{AssessmentsClient, ExemptionReason};
/// use resource_ops::ExemptionCategory;
///
/// let reason = ExemptionReason::builder()
///     .category(ExemptionCategory::Waiver)
///     .reason("a key of a test, which opens nothing")
///     .until(until)
///     .build();
/// let task = AssessmentsClient::new(arm).exempt(finding, reason);
/// println!("{}", task.clone().dry_run().await?);
/// println!("{}", task.await?);
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// Security Admin, Owner, or Contributor of the subscription. For a policy: `Microsoft.Security/assessments/read`,
/// `Microsoft.Authorization/policyExemptions/read` and `/write`, and `Microsoft.Authorization/policyAssignments/read`
/// and `/exempt/action`.
///
/// # Errors
///
/// The finding is healthy or does not exist, or has no metadata; the reason is empty, the date has passed, or the
/// category is unknown; the finding has a policy, but no assignment was named, or the reverse; an assignment named with
/// `policy` is not of that policy; one named with `initiative` is not of an initiative, or its reference is empty; or
/// the exemption with the name that this task uses concerns something else.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct Exempt {
    arm: ArmClient,
    finding: AssessmentId,
    reason: ExemptionReason,
    judges: Vec<Judge>,
}

/// A policy assignment that assesses the finding.
#[derive(Debug, Clone)]
struct Judge {
    assignment: ResourceId,
    /// The policy's reference id in the initiative; `None` if the policy itself is assigned.
    reference: Option<String>,
}

impl AssessmentsClient {
    /// Exempts a finding for a reason. See [`Exempt`].
    pub fn exempt(&self, finding: &AssessmentId, reason: ExemptionReason) -> Exempt {
        Exempt { arm: self.arm.clone(), finding: finding.clone(), reason, judges: Vec::new() }
    }
}

impl Exempt {
    /// Returns the id of the finding.
    pub fn finding(&self) -> &AssessmentId {
        &self.finding
    }

    /// Names the assignment of the finding's policy, if the policy is assigned directly. The task fails if the
    /// assignment is of another policy.
    pub fn policy(mut self, assignment: ResourceId) -> Self {
        self.judges.push(Judge { assignment, reference: None });
        self
    }

    /// Names the assignment of an initiative that contains the finding's policy, such as the one that Defender assigns
    /// by default. `reference` is the `policyDefinitionReferenceId` of the policy in the initiative: **another
    /// reference exempts the resource from a different policy**.
    pub fn initiative(mut self, assignment: ResourceId, reference: impl Into<String>) -> Self {
        self.judges.push(Judge { assignment, reference: Some(reference.into()) });
        self
    }

    async fn run(self, mode: Mode) -> Result<Exempted> {
        self.reason.check()?;
        let assessments = AssessmentsClient::new(&self.arm);
        let finding = assessments.get(&self.finding, Expand::Metadata).await?;
        if finding.status.code == AssessmentCode::Healthy {
            return refuse(format!("{} is healthy: there is nothing to exempt", self.finding));
        }
        let Some(metadata) = &finding.metadata else {
            return refuse(format!(
                "the service does not say whether {} comes from a policy, so \
                 the kind of exemption cannot be determined",
                self.finding
            ));
        };
        let mut exemptions = Vec::new();
        match metadata.policy_definition_id.as_deref().filter(|id| !id.is_empty()) {
            None if !self.judges.is_empty() => {
                return refuse(format!(
                    "{} does not come from a policy: do not name an assignment",
                    self.finding
                ));
            }
            None => exemptions.push(self.standard(&finding, mode).await?),
            Some(policy) if self.judges.is_empty() => {
                return refuse(format!(
                    "{} comes from the policy {policy}: name each assignment of that policy, with `policy` or \
                     `initiative`",
                    self.finding
                ));
            }
            Some(policy) => {
                for judge in &self.judges {
                    self.check_judge(judge, policy).await?;
                }
                for judge in &self.judges {
                    exemptions.push(self.by_policy(&finding, judge, mode).await?);
                }
            }
        }
        let status = match mode.is_dry_run() {
            true => Some(finding.status),
            false => assessments.get_opt(&self.finding, Expand::Nothing).await?.map(|found| found.status),
        };
        Ok(Exempted { exemptions, status, dry_run: mode.is_dry_run() })
    }

    /// Returns when the exemption expires. The services store whole seconds.
    fn until(&self) -> OffsetDateTime {
        self.reason.until.replace_nanosecond(0).unwrap_or(self.reason.until)
    }

    /// Returns the name of the exemption that this task creates.
    fn name(&self, by: &str) -> Uuid {
        Uuid::new_v5(&NAMES, format!("{}|{by}", self.finding).to_ascii_lowercase().as_bytes())
    }
}

arm_core::task!(Exempt => Exempted);

/// Returns the display name of an exemption, which is limited in length.
fn title(finding: &Assessment) -> String {
    finding.display_name.chars().take(128).collect()
}

/// Returns the scope in the id of an exemption.
fn scope_of<'a>(id: &'a str, kind: &str) -> Option<&'a str> {
    let at = id.to_ascii_lowercase().rfind(&format!("/providers/{kind}/").to_ascii_lowercase())?;
    id.get(..at)
}
