use arm_core::{ArmErrorExt as _, Change, Mode, Task};
use azure_core::{Error, Result};

use crate::{OnboardingProperties, OnboardingState, SentinelClient, WorkspaceId};

/// Whether Sentinel is on for a workspace.
#[derive(Debug)]
#[non_exhaustive]
pub enum Onboarding {
    /// It is on.
    On(Box<OnboardingState>),
    /// It is off.
    Off,
    /// The caller has no permission to read it: it may be on or off.
    NotAllowed(Error),
}

/// Whether Sentinel refused because it is not on for the workspace. A missing permission is something else:
/// `is_role_missing()`.
pub fn is_not_onboarded(error: &Error) -> bool {
    error.arm_error().is_some_and(|refusal| {
        refusal.status == 400
            && refusal.message.to_ascii_lowercase().contains("not onboarded to microsoft sentinel")
    })
}

impl SentinelClient {
    /// Tells whether Sentinel is on, off, or not readable by the caller.
    ///
    /// # Errors
    ///
    /// What the service refuses: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn onboarding(&self, workspace: &WorkspaceId) -> Result<Onboarding> {
        match self.onboarding_state(workspace).await {
            Ok(Some(state)) => Ok(Onboarding::On(Box::new(state))),
            Ok(None) => Ok(Onboarding::Off),
            Err(error) if error.is_role_missing() => Ok(Onboarding::NotAllowed(error)),
            Err(error) => Err(error),
        }
    }

    /// Ensures that Sentinel is on for a workspace. This costs money for every gigabyte of logs.
    ///
    /// **If it stops halfway**, Sentinel is on or not; running it again finishes it. If it is on already, nothing is
    /// written.
    ///
    /// # Permissions
    ///
    /// Microsoft Sentinel Contributor on the workspace's group.
    ///
    /// # Errors
    ///
    /// `is_role_missing()`: nothing is known of the state, and nothing was written; `is_resource_not_found()`:
    /// there is no such workspace.
    pub fn onboard(&self, workspace: &WorkspaceId) -> Task<Change<OnboardingState>> {
        let (client, workspace) = (self.clone(), workspace.clone());
        Task::new(move |mode| async move {
            if let Some(state) = client.onboarding_state(&workspace).await? {
                return Ok(Change::Unchanged(state));
            }
            let wanted = OnboardingState::new(OnboardingProperties::default());
            Ok(Change::Created(match mode {
                Mode::DryRun => {
                    wanted.at(&workspace, "Microsoft.SecurityInsights/onboardingStates", "default")
                }
                Mode::Write => client.create_onboarding_state(&workspace, &wanted).await?,
            }))
        })
    }
}
