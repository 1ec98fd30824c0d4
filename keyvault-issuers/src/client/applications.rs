use arm_core::{ApiVersion, ArmClient, ArmPath, Audience, Pager};
use azure_core::Result;
use serde_json::json;
use time::OffsetDateTime;

use crate::{AppManagementPolicy, Application, PasswordCredential};

/// A client for applications in Microsoft Entra ID and their passwords, through Microsoft Graph.
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
    /// Creates a client that uses this connection. It requests tokens for Microsoft Graph.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone(), graph: arm.with_audience(Audience::Graph) }
    }

    /// Reads an application by its object id: `Applications_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/application-get)
    ///
    /// # Permissions
    ///
    /// `Application.Read.All`, or any of the permissions to write applications.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist, or was created only seconds ago.
    pub async fn get(&self, object_id: &str) -> Result<Application> {
        self.graph.get(application(object_id), ApiVersion::IN_PATH).json().await
    }

    /// Adds a password: `Applications_AddPassword`. Only this response contains its value. It can take seconds or
    /// minutes before the password works at sign-in.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/application-addpassword)
    ///
    /// # Permissions
    ///
    /// `Application.ReadWrite.OwnedBy` for applications that the caller owns; for others, `Application.ReadWrite.All`.
    ///
    /// # Errors
    ///
    /// `is_code("CredentialTypeNotAllowedAsPerAppPolicy")`: a policy forbids passwords;
    /// `is_code("CredentialInvalidLifetimeAsPerAppPolicy")`: a policy requires a shorter lifetime.
    ///
    /// # Retries
    ///
    /// Not retried if the request may have been carried out, since each request adds another password. In that case,
    /// read the application and look for the name.
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

    /// Removes a password: `Applications_RemovePassword`. Tokens issued for it remain valid until they expire, about an
    /// hour later.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/application-removepassword)
    ///
    /// # Permissions
    ///
    /// As for [`add_password`](Self::add_password).
    ///
    /// # Errors
    ///
    /// `is_code("Request_BadRequest")`: the application has no password with this id, or it was added only moments ago.
    ///
    /// # Retries
    ///
    /// Retried even if the request may have been carried out. If it was, the retry fails with
    /// `is_code("Request_BadRequest")`.
    pub async fn remove_password(&self, object_id: &str, key_id: &str) -> Result<()> {
        let path = application(object_id).literal("removePassword");
        let request = self.graph.post(path, ApiVersion::IN_PATH).body(&json!({ "keyId": key_id }));
        request.expect_status(&[204]).repeatable().send_empty().await
    }

    /// Reads the tenant's policy for all applications: `Policies_GetDefaultAppManagementPolicy`.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/tenantappmanagementpolicy-get)
    ///
    /// # Permissions
    ///
    /// `Policy.Read.All`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn default_policy(&self) -> Result<AppManagementPolicy> {
        let path = ArmPath::root().literal("v1.0/policies/defaultAppManagementPolicy");
        self.graph.get(path, ApiVersion::IN_PATH).json().await
    }

    /// Streams the policies assigned to an application: `Applications_ListAppManagementPolicies`. There is at most one,
    /// and it takes precedence over the tenant's default policy.
    ///
    /// [Reference](https://learn.microsoft.com/graph/api/appmanagementpolicy-list-appliesto)
    ///
    /// # Permissions
    ///
    /// `Policy.Read.All` and `Application.Read.All`.
    #[inline]
    pub fn policies(&self, object_id: &str) -> Pager<AppManagementPolicy> {
        self.graph.get(application(object_id).literal("appManagementPolicies"), ApiVersion::IN_PATH).pager()
    }
}
