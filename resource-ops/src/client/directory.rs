use arm_core::{ApiVersion, ArmClient, ArmPath, Audience};
use azure_core::Result;

use crate::{DirectoryPrincipal, PrincipalId};

/// A client for principals in Microsoft Graph, and for the signed-in principal.
#[derive(Debug, Clone)]
pub struct DirectoryClient {
    pub(crate) arm: ArmClient,
    graph: ArmClient,
}

impl DirectoryClient {
    /// Creates a client that uses this connection. It requests tokens for Microsoft Graph.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone(), graph: arm.with_audience(Audience::Graph) }
    }

    /// Reads the signed-in user: Graph's `GET /me`. For an application, the service answers 400; see
    /// [`signed_in`](Self::signed_in).
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/user-get)
    ///
    /// # Permissions
    ///
    /// `User.Read`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn me(&self) -> Result<DirectoryPrincipal> {
        self.graph.get(v1().literal("me"), ApiVersion::IN_PATH).json().await
    }

    /// Reads a service principal by its object id: Graph's `GET /servicePrincipals/{id}`.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/serviceprincipal-get)
    ///
    /// # Permissions
    ///
    /// `Application.Read.All`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`, `is_role_missing()`.
    pub async fn service_principal(&self, id: PrincipalId) -> Result<DirectoryPrincipal> {
        let path = v1().literal("servicePrincipals").segment(id.to_string());
        self.graph.get(path, ApiVersion::IN_PATH).json().await
    }

    /// Reads a service principal by the client id of its application: Graph's
    /// `GET /servicePrincipals(appId='..')`.
    ///
    /// # Permissions
    ///
    /// `Application.Read.All`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn service_principal_of(&self, client_id: uuid::Uuid) -> Result<DirectoryPrincipal> {
        let path = v1().segment(format!("servicePrincipals(appId='{client_id}')"));
        self.graph.get(path, ApiVersion::IN_PATH).json().await
    }
}

fn v1() -> ArmPath {
    ArmPath::root().literal("v1.0")
}
