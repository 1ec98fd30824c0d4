use arm_core::{ApiVersion, ArmClient, ArmPath, Audience, Pager};
use azure_core::Result;
use serde_json::json;
use time::OffsetDateTime;

use crate::{AppManagementPolicy, Application, PasswordCredential};

/// Applications of Microsoft Entra and their passwords, over Microsoft Graph.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, object_id: &str) -> azure_core::Result<()> {
/// use keyvault_issuers::ApplicationsClient;
///
/// for password in ApplicationsClient::new(arm).get(object_id).await?.password_credentials {
///     println!("{:?} until {:?}", password.display_name, password.end_date_time);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ApplicationsClient {
    pub(crate) arm: ArmClient,
    graph: ArmClient,
}

fn application(object_id: &str) -> ArmPath {
    ArmPath::root().literal("v1.0/applications").segment(object_id)
}

impl ApplicationsClient {
    /// A client over this connection. It asks for tokens of Microsoft Graph.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone(), graph: arm.with_audience(Audience::Graph) }
    }

    /// Reads an application by its object id: `Applications_Get`.
    ///
    /// **Permissions**: `Application.Read.All`, or those that change it. **Errors**: `is_resource_not_found()`, also for some
    /// seconds after it was created.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/application-get)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get(&self, object_id: &str) -> Result<Application> {
        self.graph.get(application(object_id), ApiVersion::IN_PATH).json().await
    }

    /// Adds a password: `Applications_AddPassword`. Only this answer holds its value.
    ///
    /// It counts at the sign-in only after seconds to minutes.
    ///
    /// **Permissions**: `Application.ReadWrite.OwnedBy` for applications that the caller owns; else
    /// `Application.ReadWrite.All`. **Errors**: `is_code("CredentialTypeNotAllowedAsPerAppPolicy")`,
    /// `is_code("CredentialInvalidLifetimeAsPerAppPolicy")`: a policy forbids it, or so long a one.
    /// **Retries**: each request adds another, so it is not repeated when it may have been carried out: read the application
    /// then, and look for the name.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/application-addpassword)
    ///
    /// # Errors
    ///
    /// What the service refuses: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn add_password(
        &self,
        object_id: &str,
        name: &str,
        until: OffsetDateTime,
    ) -> Result<PasswordCredential> {
        let until = arm_core::wire::instant::format(until);
        let body = json!({ "passwordCredential": { "displayName": name, "endDateTime": until } });
        let path = application(object_id).literal("addPassword");
        self.graph.post(path, ApiVersion::IN_PATH).body(&body).json().await
    }

    /// Removes a password: `Applications_RemovePassword`. Tokens that were given for it live on until they expire, for about
    /// an hour.
    ///
    /// **Permissions**: as for [`add_password`](Self::add_password). **Errors**: `is_code("Request_BadRequest")`: it has none
    /// with this id, or one that was added a moment ago. **Retries**: sending it again does no harm.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/application-removepassword)
    ///
    /// # Errors
    ///
    /// What the service refuses, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn remove_password(&self, object_id: &str, key_id: &str) -> Result<()> {
        let path = application(object_id).literal("removePassword");
        let request = self.graph.post(path, ApiVersion::IN_PATH).body(&json!({ "keyId": key_id }));
        request.expect_status(&[204]).repeatable().send_empty().await
    }

    /// Reads the tenant's policy for all applications: `Policies_GetDefaultAppManagementPolicy`.
    ///
    /// **Permissions**: `Policy.Read.All`.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/tenantappmanagementpolicy-get)
    ///
    /// # Errors
    ///
    /// What the service refuses: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn default_policy(&self) -> Result<AppManagementPolicy> {
        let path = ArmPath::root().literal("v1.0/policies/defaultAppManagementPolicy");
        self.graph.get(path, ApiVersion::IN_PATH).json().await
    }

    /// Streams the policies that were assigned to an application, which win over the tenant's:
    /// `Applications_ListAppManagementPolicies`. There is one at most.
    ///
    /// **Permissions**: `Policy.Read.All` and `Application.Read.All`.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/appmanagementpolicy-list-appliesto)
    pub fn policies(&self, object_id: &str) -> Pager<AppManagementPolicy> {
        self.graph.get(application(object_id).literal("appManagementPolicies"), ApiVersion::IN_PATH).pager()
    }
}
