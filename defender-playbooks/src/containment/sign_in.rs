//! Ends a principal's sign-in and sessions.

use arm_core::{ArmErrorExt as _, Mode, refuse};
use azure_core::Result;
use resource_ops::{PrincipalId, PrincipalType, SignIn, SignInsClient};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::report::Step;

/// A principal whose sign-in or sessions a containment ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EndedSignIn {
    /// The principal.
    pub principal: PrincipalId,
    /// Whether it is a user or an application.
    pub principal_type: PrincipalType,
    /// The display name.
    pub name: Option<String>,
    /// Whether to disable sign-in; `false` if that was not requested, or if it was already disabled, so that there is
    /// nothing to undo.
    pub disable: bool,
    /// Whether to revoke the sessions of a user, **which cannot be undone**.
    pub revoke_sessions: bool,
    #[serde(default, with = "arm_core::wire::instant::option")]
    sessions_valid_from: Option<OffsetDateTime>,
}

impl EndedSignIn {
    pub(super) async fn plan(
        client: &SignInsClient,
        principal: PrincipalId,
        disable: bool,
        revoke_sessions: bool,
    ) -> Result<Self> {
        let (found, principal_type) = match client.user(principal).await {
            Ok(user) => (user, PrincipalType::User),
            Err(error) if error.is_resource_not_found() => {
                (client.application(principal).await?, PrincipalType::ServicePrincipal)
            }
            Err(error) => return Err(error),
        };
        if found.service_principal_type.as_deref() == Some("ManagedIdentity") {
            return refuse(format!(
                "{principal} is a managed identity, whose sign-in cannot be disabled in Graph: remove its roles, \
                 or detach it"
            ));
        }
        if revoke_sessions && principal_type != PrincipalType::User {
            return refuse(format!("{principal} is an application, which has no sessions to revoke"));
        }
        if disable && found.account_enabled.is_none() {
            return refuse(format!(
                "Graph does not say whether {principal} may sign in, so this could not be undone"
            ));
        }
        Ok(Self {
            principal,
            principal_type,
            name: found.display_name,
            disable: disable && found.account_enabled == Some(true),
            revoke_sessions,
            sessions_valid_from: found.sessions_valid_from,
        })
    }

    /// What cannot be undone.
    pub(super) fn irreversible(&self) -> Option<String> {
        let who = self.name.clone().unwrap_or_else(|| self.principal.to_string());
        self.revoke_sessions.then(|| format!("revoke the sessions of {who}: they have to sign in again"))
    }

    pub(super) async fn disable(&self, client: &SignInsClient, mode: Mode) -> Result<Step> {
        self.set(client, false, mode).await
    }

    pub(super) async fn undo(&self, client: &SignInsClient, mode: Mode) -> Result<Step> {
        self.set(client, true, mode).await
    }

    async fn set(&self, client: &SignInsClient, enabled: bool, mode: Mode) -> Result<Step> {
        if self.now(client).await?.account_enabled == Some(enabled) {
            return Ok(Step::Unchanged);
        }
        if mode.is_dry_run() {
            return Ok(Step::Done);
        }
        match self.principal_type {
            PrincipalType::User => client.set_user_enabled(self.principal, enabled).await?,
            _ => client.set_application_enabled(self.principal, enabled).await?,
        }
        match self.now(client).await?.account_enabled == Some(enabled) {
            true => Ok(Step::Done),
            false => refuse("Graph does not show it yet: check again in a minute"),
        }
    }

    /// Revokes the sessions only once: later ones belong to somebody who has signed in again.
    pub(super) async fn revoke(&self, client: &SignInsClient, mode: Mode) -> Result<Step> {
        if client.user(self.principal).await?.sessions_valid_from != self.sessions_valid_from {
            return Ok(Step::Unchanged);
        }
        if !mode.is_dry_run() {
            client.revoke_sessions(self.principal).await?;
        }
        Ok(Step::Done)
    }

    async fn now(&self, client: &SignInsClient) -> Result<SignIn> {
        match self.principal_type {
            PrincipalType::User => client.user(self.principal).await,
            _ => client.application(self.principal).await,
        }
    }
}
