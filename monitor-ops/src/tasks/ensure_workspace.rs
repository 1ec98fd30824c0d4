//! A workspace for logs.

use std::time::Duration;

use arm_core::{Change, Mode, Task, Wish, refuse};
use azure_core::Result;

use crate::{
    ProvisioningState, Resource, Workspace, WorkspaceId, WorkspaceProperties, WorkspaceSpec, WorkspacesClient,
};

/// The pause between two looks at a workspace that is not ready.
const PAUSE: Duration = Duration::from_secs(5);

/// So long a workspace is waited for.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

impl WorkspacesClient {
    /// Makes sure that a workspace is there and ready. One that is there is left as it is, whatever the
    /// spec says.
    ///
    /// One that is there and not ready, because it is being created, updated, linked to an account or deleted, is
    /// waited for, up to 15 minutes, and never written over. One whose creation or update failed is refused: only its
    /// owner knows what it should be.
    ///
    /// **If it stops halfway**, the service goes on creating it; running it again waits for that. Run again
    /// when it is there, it writes nothing.
    ///
    /// **Permissions**: `Microsoft.OperationalInsights/workspaces/read` and `write`.
    pub fn ensure(&self, id: &WorkspaceId, spec: &WorkspaceSpec) -> Task<Change<Workspace>> {
        let (client, id, spec) = (self.clone(), id.clone(), spec.clone());
        Task::new(move |mode| async move {
            match client.settled(&id, mode).await? {
                Some(found) => Ok(Change::Unchanged(found)),
                None if mode.is_dry_run() => Ok(Change::Created(preview(&id, &spec)?)),
                None => {
                    client.create_or_update(&id, &spec).await?;
                    // The answer to the write may be older than the workspace.
                    match client.settled(&id, mode).await? {
                        Some(made) => {
                            Wish::new().verify(format_args!("the workspace {id}"), &spec, &made)?;
                            Ok(Change::Created(made))
                        }
                        None => refuse(format!("the workspace {id} was created, and is gone again")),
                    }
                }
            }
        })
    }

    /// The workspace once it is ready; nothing when there is none. A dry run does not wait.
    async fn settled(&self, id: &WorkspaceId, mode: Mode) -> Result<Option<Workspace>> {
        let mut waited = Duration::ZERO;
        loop {
            let Some(found) = self.get_opt(id).await? else { return Ok(None) };
            if found.unread().any(|place| place.eq_ignore_ascii_case("/properties/provisioningState")) {
                return refuse(format!(
                    "whether the workspace {id} is ready cannot be read; nothing was changed"
                ));
            }
            let Some(state) = &found.properties.provisioning_state else { return Ok(Some(found)) };
            match state {
                ProvisioningState::Succeeded => return Ok(Some(found)),
                ProvisioningState::Failed | ProvisioningState::Canceled => {
                    return refuse(format!(
                        "the workspace {id} is {state}: look at it, then write it whole with create_or_update"
                    ));
                }
                ProvisioningState::Deleting if mode.is_dry_run() => {
                    return refuse(format!("the workspace {id} is being deleted: try again when it is gone"));
                }
                _ if mode.is_dry_run() => return Ok(Some(found)),
                state if waited >= PATIENCE => {
                    return refuse(format!(
                        "the workspace {id} is still {state} after {waited:?}; nothing was changed"
                    ));
                }
                _ => {}
            }
            azure_core::sleep(PAUSE.try_into().unwrap_or_default()).await;
            waited += PAUSE;
        }
    }
}

/// The workspace that would be created.
fn preview(id: &WorkspaceId, spec: &WorkspaceSpec) -> Result<Workspace> {
    let body = serde_json::to_value(spec).and_then(serde_json::from_value::<Resource<WorkspaceProperties>>);
    let mut workspace =
        body.map_err(|error| azure_core::Error::new(azure_core::error::ErrorKind::DataConversion, error))?;
    workspace.id = id.to_string();
    workspace.name = id.name().to_owned();
    Ok(workspace)
}
