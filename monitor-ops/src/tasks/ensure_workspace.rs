//! A workspace for logs.

use arm_core::{Change, Mode, Task, Wish, refuse};
use azure_core::Result;

use crate::{Resource, Workspace, WorkspaceId, WorkspaceProperties, WorkspaceSpec, WorkspacesClient};

impl WorkspacesClient {
    /// Makes sure that a workspace is there and ready. One that is there is left as it is, whatever the
    /// spec says.
    ///
    /// **If it stops halfway**, the service goes on creating it; running it again waits for that. Run again
    /// when it is there, it writes nothing.
    ///
    /// **Permissions**: `Microsoft.OperationalInsights/workspaces/read` and `write`.
    pub fn ensure(&self, id: &WorkspaceId, spec: &WorkspaceSpec) -> Task<Change<Workspace>> {
        let (client, id, spec) = (self.clone(), id.clone(), spec.clone());
        Task::new(move |mode| async move {
            match client.get_opt(&id).await? {
                Some(found) if found.properties.is_ready() => Ok(Change::Unchanged(found)),
                _ if mode == Mode::DryRun => Ok(Change::Created(preview(&id, &spec)?)),
                _ => {
                    client.create_or_update(&id, &spec).await?.into_model()?;
                    let made = client.get(&id).await?;
                    if !made.properties.is_ready() {
                        return refuse(format!(
                            "the workspace {id} is not ready: {:?}",
                            made.properties.provisioning_state
                        ));
                    }
                    Wish::new().verify(format_args!("the workspace {id}"), &spec, &made)?;
                    Ok(Change::Created(made))
                }
            }
        })
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
