use arm_core::{ArmErrorExt as _, Change, Mode, Task, refuse};
use azure_core::{Error, Result};

use crate::{OnboardingProperties, OnboardingState, SentinelClient, WorkspaceId, WorkspacesClient};

/// Whether Sentinel is on for a workspace.
#[derive(Debug)]
#[non_exhaustive]
pub enum Onboarding {
    /// It is on.
    On(Box<OnboardingState>),
    /// It is off, or there is no such workspace.
    Off,
    /// Unknown: the caller is not allowed to read the state.
    NotAllowed(Error),
}

/// Whether Sentinel refused a request because it is off for the workspace. A missing permission is a different error:
/// `is_role_missing()`.
pub fn is_not_onboarded(error: &Error) -> bool {
    error.arm_error().is_some_and(|refusal| {
        refusal.status == 400
            && refusal.message.to_ascii_lowercase().contains("not onboarded to microsoft sentinel")
    })
}

impl SentinelClient {
    /// Returns whether Sentinel is on or off, or that the caller may not read its state.
    ///
    /// # Errors
    ///
    /// Any other refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn onboarding(&self, workspace: &WorkspaceId) -> Result<Onboarding> {
        match self.onboarding_state(workspace).await {
            Ok(Some(state)) => Ok(Onboarding::On(Box::new(state))),
            Ok(None) => Ok(Onboarding::Off),
            Err(error) if error.is_role_missing() => Ok(Onboarding::NotAllowed(error)),
            Err(error) => Err(error),
        }
    }

    /// Ensures that Sentinel is on for a workspace. Sentinel is billed per gigabyte of logs.
    ///
    /// **If it stops halfway**, Sentinel may or may not be on; running it again finishes it. After that, another run
    /// writes nothing.
    ///
    /// # Permissions
    ///
    /// Microsoft Sentinel Contributor on the workspace's resource group; a dry run also reads the workspace
    /// (`Microsoft.OperationalInsights/workspaces/read`), unless Sentinel is on.
    ///
    /// # Errors
    ///
    /// `is_role_missing()`: the caller may not read the state, or not write it, and nothing was written;
    /// `is_resource_not_found()`: there is no such workspace.
    #[inline]
    pub fn onboard(&self, workspace: &WorkspaceId) -> Task<Change<OnboardingState>> {
        let (client, workspace) = (self.clone(), workspace.clone());
        Task::new(move |mode| async move {
            if let Some(state) = client.onboarding_state(&workspace).await? {
                return Ok(Change::Unchanged(state));
            }
            let wanted = OnboardingState::new(OnboardingProperties::default());
            Ok(Change::Created(match mode {
                Mode::DryRun => {
                    // The state of a missing workspace is missing too.
                    let _ = WorkspacesClient::new(client.arm()).get(&workspace).await?;
                    wanted.at(&workspace, "Microsoft.SecurityInsights/onboardingStates", "default")
                }
                Mode::Write => {
                    // Only this response says who turned it on; a read confirms that it is on.
                    let made = client.create_onboarding_state(&workspace, &wanted).await?;
                    if client.onboarding_state(&workspace).await?.is_none() {
                        return refuse(format!(
                            "the service accepted the request to turn Sentinel on in {workspace}, but does not show it as on"
                        ));
                    }
                    made
                }
            }))
        })
    }
}
