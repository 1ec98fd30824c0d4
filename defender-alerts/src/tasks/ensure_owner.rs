//! Assigns an owner and a due date to a finding.

use arm_core::{Change, Mode, Wish};
use azure_core::{Result, time::OffsetDateTime};
use futures::TryStreamExt as _;
use uuid::Uuid;

use crate::{AssessmentId, GovernanceAssignment, GovernanceAssignmentSpec, GovernanceAssignmentsClient};

/// Assigns an owner and a due date to a recommendation on a resource, unless it already has an assignment. An existing
/// assignment is left unchanged, even if its owner or due date differs: compare them in the [`Change`]. A new
/// assignment has no grace period.
///
/// **If it stops halfway**, the owner may or may not be assigned; running the task again finishes it. After that,
/// another run writes nothing. The owner may get a weekly email. The next scan shows whether the finding is fixed.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, finding: &defender_alerts::AssessmentId, due: azure_core::time::OffsetDateTime)
/// #     -> azure_core::Result<()> {
/// use defender_alerts::GovernanceAssignmentsClient;
///
/// let change = GovernanceAssignmentsClient::new(arm).ensure(finding, "owner@contoso.example", due).await?;
/// println!("{}: {:?}", change.verb(), change.current().spec.owner);
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// Contributor, Security Admin or Owner. Defender CSPM must be on.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnsureOwner {
    client: GovernanceAssignmentsClient,
    assessment: AssessmentId,
    spec: GovernanceAssignmentSpec,
}

/// Names of assignments are derived from this and the assessment, so that a repeated run finds its own.
const NAMES: Uuid = Uuid::from_u128(0x6f1c_52b4_2f5e_4d0b_9a55_8d1f_6f3c_7e21);

impl GovernanceAssignmentsClient {
    /// Assigns an owner and a due date to a recommendation on a resource. See [`EnsureOwner`].
    pub fn ensure(
        &self,
        assessment: &AssessmentId,
        owner: impl Into<String>,
        due: OffsetDateTime,
    ) -> EnsureOwner {
        let spec = GovernanceAssignmentSpec::builder()
            .owner(owner)
            .remediation_due_date(due)
            .is_grace_period(false)
            .build();
        EnsureOwner { client: self.clone(), assessment: assessment.clone(), spec }
    }
}

impl EnsureOwner {
    async fn run(self, mode: Mode) -> Result<Change<GovernanceAssignment>> {
        let Self { client, assessment, spec } = self;
        if let Some(found) = client.list(&assessment).try_next().await? {
            return Ok(Change::Unchanged(found));
        }
        let name = Uuid::new_v5(&NAMES, assessment.to_string().to_ascii_lowercase().as_bytes());
        if mode.is_dry_run() {
            return Ok(Change::Created(GovernanceAssignment::planned(&assessment, name, spec)));
        }
        client.create_or_update(&assessment, name, &spec).await?;
        let made = client.get(&assessment, name).await?;
        Wish::new().verify(format_args!("the assignment of {assessment}"), &spec, &made.spec)?;
        Ok(Change::Created(made))
    }
}

arm_core::task!(EnsureOwner => Change<GovernanceAssignment>);
