//! Ensures that a workspace exists.

use std::time::Duration;

use arm_core::{ArmErrorExt as _, Change, Mode, Wish, is_same_region, refuse};
use azure_core::Result;
use futures::TryStreamExt as _;
use serde_json::Value;

use crate::{
    ProvisioningState, Resource, Workspace, WorkspaceId, WorkspaceProperties, WorkspaceSpec, WorkspacesClient,
};

/// The pause between two reads of a workspace that is not ready yet.
const PAUSE: Duration = Duration::from_secs(5);

/// How long to wait for a workspace to become ready.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A task that ensures that a workspace exists and is ready. An existing one is left unchanged, whatever the spec says.
///
/// If it is being created, updated, linked to an account or deleted, the task waits up to 15 minutes for that to
/// finish, and never overwrites it. A dry run does not wait: it refuses a workspace that is being deleted. A workspace
/// whose creation or update failed or was canceled is refused: only its owner knows the desired state. If a workspace
/// with this id was deleted less than 14 days ago, creating it would recover the old one with its logs; this is refused
/// too, unless [`recover_deleted`](Self::recover_deleted) is set.
///
/// **If it stops halfway**, the service continues to create the workspace; running it again waits for that. Once the
/// workspace exists, another run writes nothing.
///
/// # Permissions
///
/// `Microsoft.OperationalInsights/workspaces/read` and `write`, and
/// `Microsoft.OperationalInsights/deletedWorkspaces/read`.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnsureWorkspace {
    client: WorkspacesClient,
    id: WorkspaceId,
    spec: WorkspaceSpec,
    recover: bool,
}

impl WorkspacesClient {
    /// Ensures that a workspace exists and is ready. See [`EnsureWorkspace`].
    pub fn ensure(&self, id: &WorkspaceId, spec: &WorkspaceSpec) -> EnsureWorkspace {
        EnsureWorkspace { client: self.clone(), id: id.clone(), spec: spec.clone(), recover: false }
    }
}

impl EnsureWorkspace {
    /// If the workspace was deleted and can be recovered, recovers it with its logs and applies the spec. This is
    /// possible only in its original region.
    pub fn recover_deleted(mut self) -> Self {
        self.recover = true;
        self
    }

    async fn run(self, mode: Mode) -> Result<Change<Workspace>> {
        let Self { client, id, spec, .. } = &self;
        if let Some(found) = client.settled(id, mode).await? {
            return Ok(Change::Unchanged(found));
        }
        let deleted = self.deleted().await?;
        if mode.is_dry_run() {
            return Ok(Change::Created(preview(id, deleted.as_ref(), spec)?));
        }
        client.create_or_update(id, spec).await?;
        // The response to the write may be out of date.
        match client.settled(id, mode).await? {
            Some(made) => {
                Wish::new().verify(format_args!("the workspace {id}"), spec, &made)?;
                Ok(Change::Created(made))
            }
            None => refuse(format!("the workspace {id} was created but no longer exists")),
        }
    }

    /// The deleted workspace that would be recovered, if that is allowed.
    async fn deleted(&self) -> Result<Option<Workspace>> {
        let (id, group) = (self.id.to_string(), self.id.as_resource().resource_group());
        let Some(group) = group else { return Ok(None) };
        let mut all = self.client.list_deleted_by_resource_group(&group);
        loop {
            let deleted = match all.try_next().await {
                Ok(Some(deleted)) => deleted,
                Ok(None) => return Ok(None),
                // The resource group does not exist (yet).
                Err(error) if error.is_resource_not_found() => return Ok(None),
                Err(error) => return Err(error),
            };
            if !deleted.id.eq_ignore_ascii_case(&id) {
                continue;
            }
            let was = deleted.location.as_deref().unwrap_or_default();
            if !self.recover {
                return refuse(format!(
                    "the workspace {id} was deleted and would be recovered in {was}, with its logs: call \
                     recover_deleted(), or delete it permanently"
                ));
            }
            if !is_same_region(was, &self.spec.location) {
                return refuse(format!(
                    "the workspace {id} was deleted in {was} and can be recovered only there, not in {}: change \
                     the spec, or delete it permanently",
                    self.spec.location
                ));
            }
            return Ok(Some(deleted));
        }
    }
}

arm_core::task!(EnsureWorkspace => Change<Workspace>);

impl WorkspacesClient {
    /// Waits until the workspace is ready, and returns it; `None` if there is none. A dry run does not wait.
    async fn settled(&self, id: &WorkspaceId, mode: Mode) -> Result<Option<Workspace>> {
        let mut waited = Duration::ZERO;
        loop {
            let Some(found) = self.get_opt(id).await? else { return Ok(None) };
            if found.unread().any(|place| place.eq_ignore_ascii_case("/properties/provisioningState")) {
                return refuse(format!(
                    "cannot determine whether the workspace {id} is ready; nothing was changed"
                ));
            }
            let Some(state) = &found.properties.provisioning_state else { return Ok(Some(found)) };
            match state {
                ProvisioningState::Succeeded => return Ok(Some(found)),
                ProvisioningState::Failed | ProvisioningState::Canceled => {
                    return refuse(format!(
                        "the workspace {id} is {state}: check it, then replace its properties with create_or_update"
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

/// The workspace that would result: the deleted one, if any, with the spec applied.
fn preview(id: &WorkspaceId, deleted: Option<&Workspace>, spec: &WorkspaceSpec) -> Result<Workspace> {
    let body = deleted.map_or(Ok(Value::Null), serde_json::to_value).and_then(|mut body| {
        lay_over(&mut body, serde_json::to_value(spec)?);
        serde_json::from_value::<Resource<WorkspaceProperties>>(body)
    });
    let mut workspace =
        body.map_err(|error| azure_core::Error::new(azure_core::error::ErrorKind::DataConversion, error))?;
    workspace.id = id.to_string();
    workspace.name = id.name().to_owned();
    Ok(workspace)
}

fn lay_over(body: &mut Value, wish: Value) {
    match (body, wish) {
        (Value::Object(body), Value::Object(wish)) => {
            wish.into_iter().for_each(|(name, wish)| lay_over(body.entry(name).or_insert(Value::Null), wish));
        }
        (body, wish) => *body = wish,
    }
}
