use arm_core::{ApiVersion, ArmClient, ArmPath, Audience};
use azure_core::Result;
use serde_json::json;

use crate::{PrincipalId, SignIn};

/// A client that enables and disables sign-in for users and applications and revokes the sessions of users, through
/// Microsoft Graph.
///
/// Disabling sign-in does not revoke tokens that were already issued. These are usually valid for 60 to 90 minutes,
/// those of a managed identity for up to 24 hours, so remove the access at the resource too.
#[derive(Debug, Clone)]
pub struct SignInsClient {
    graph: ArmClient,
}

impl SignInsClient {
    /// Creates a client that uses this connection. It requests tokens for Microsoft Graph.
    pub fn new(arm: &ArmClient) -> Self {
        Self { graph: arm.with_audience(Audience::Graph) }
    }

    /// Reads whether a user may sign in, and since when sessions are valid: `Users_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/user-get)
    ///
    /// # Permissions
    ///
    /// `User.Read.All`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: the user does not exist.
    pub async fn user(&self, id: PrincipalId) -> Result<SignIn> {
        let asked = "id,displayName,userPrincipalName,accountEnabled,signInSessionsValidFromDateTime";
        self.graph.get(user(id), ApiVersion::IN_PATH).query("$select", asked).json().await
    }

    /// Reads whether an application may sign in to this tenant, by the object id of its service principal:
    /// `ServicePrincipals_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/serviceprincipal-get)
    ///
    /// # Permissions
    ///
    /// `Application.Read.All`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: the service principal does not exist.
    pub async fn application(&self, id: PrincipalId) -> Result<SignIn> {
        let asked = "id,displayName,accountEnabled,servicePrincipalType,appOwnerOrganizationId";
        self.graph.get(application(id), ApiVersion::IN_PATH).query("$select", asked).json().await
    }

    /// Enables or disables sign-in for a user: `Users_Update`.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/user-update)
    ///
    /// # Permissions
    ///
    /// `User.EnableDisableAccount.All` and `User.Read.All`. For a user with an administrator role, also a higher role
    /// such as Privileged Authentication Administrator.
    ///
    /// # Errors
    ///
    /// `is_role_missing()`; `is_resource_not_found()`.
    ///
    /// # Retries
    ///
    /// Not retried automatically if the response is lost. Safe to repeat: it writes the same state again.
    pub async fn set_user_enabled(&self, id: PrincipalId, enabled: bool) -> Result<()> {
        self.set_enabled(user(id), enabled).await
    }

    /// Enables or disables sign-in to this tenant for an application: `ServicePrincipals_Update`. Disabling it affects
    /// everyone who uses the application.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/serviceprincipal-update)
    ///
    /// # Permissions
    ///
    /// `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that the caller owns.
    ///
    /// # Errors
    ///
    /// `is_role_missing()`; `is_resource_not_found()`.
    ///
    /// # Retries
    ///
    /// Not retried automatically if the response is lost. Safe to repeat: it writes the same state again.
    pub async fn set_application_enabled(&self, id: PrincipalId, enabled: bool) -> Result<()> {
        self.set_enabled(application(id), enabled).await
    }

    /// Revokes the sessions and refresh tokens of a user within minutes: `Users_RevokeSignInSessions`. **This cannot be
    /// undone.** A guest's sessions in the home tenant are not affected.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/user-revokesigninsessions)
    ///
    /// # Permissions
    ///
    /// `User.RevokeSessions.All`.
    ///
    /// # Errors
    ///
    /// `is_role_missing()`; `is_resource_not_found()`.
    ///
    /// # Retries
    ///
    /// Retried automatically. A repeated call also revokes sessions started since the previous call.
    pub async fn revoke_sessions(&self, id: PrincipalId) -> Result<()> {
        let path = user(id).literal("revokeSignInSessions");
        self.graph.post(path, ApiVersion::IN_PATH).expect_status(&[200, 204]).repeatable().send_empty().await
    }

    async fn set_enabled(&self, path: ArmPath, enabled: bool) -> Result<()> {
        let request = self.graph.patch(path, ApiVersion::IN_PATH).body(&json!({ "accountEnabled": enabled }));
        request.expect_status(&[204]).send_empty().await
    }
}

fn user(id: PrincipalId) -> ArmPath {
    ArmPath::root().literal("v1.0/users").segment(id.to_string())
}

fn application(id: PrincipalId) -> ArmPath {
    ArmPath::root().literal("v1.0/servicePrincipals").segment(id.to_string())
}
