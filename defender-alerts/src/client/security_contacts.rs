use arm_core::{ArmClient, ArmPath, Pager, SubscriptionId, wire};
use azure_core::Result;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use serde::Deserialize;

use super::Properties;
use crate::SecurityContact;

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/security-contacts).
const API_VERSION: &str = "2023-12-01-preview";

/// A client for the security contact of a subscription, which names the people whom Defender notifies. A subscription
/// has at most one, named `default`.
#[derive(Debug, Clone)]
pub struct SecurityContactsClient {
    arm: ArmClient,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default, with = "wire::text::option")]
    etag: Option<String>,
    #[serde(default, with = "wire::text::option")]
    location: Option<String>,
    properties: SecurityContact,
}

impl From<Wire> for SecurityContact {
    fn from(Wire { etag, location, properties }: Wire) -> Self {
        let mut contact = properties;
        (contact.etag, contact.location) = (etag, location);
        contact
    }
}

impl SecurityContactsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the contacts of a subscription, of which there is at most one: `SecurityContacts_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/security-contacts/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/securityContacts/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> BoxStream<'static, Result<SecurityContact>> {
        let listed: Pager<Wire> = self.arm.get(contacts(subscription), API_VERSION).pager();
        listed.map_ok(SecurityContact::from).boxed()
    }

    /// Reads the contact; `None` if it does not exist: `SecurityContacts_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/security-contacts/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/securityContacts/read`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt). A missing contact is `None`.
    pub async fn get_opt(&self, subscription: &SubscriptionId) -> Result<Option<SecurityContact>> {
        let found: Option<Wire> = self.arm.get(default(subscription), API_VERSION).json_opt().await?;
        Ok(found.map(SecurityContact::from))
    }

    /// Creates or replaces the contact: `SecurityContacts_Create`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/security-contacts/create)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/securityContacts/write`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update(
        &self,
        subscription: &SubscriptionId,
        contact: &SecurityContact,
    ) -> Result<SecurityContact> {
        let request = self.arm.put(default(subscription), API_VERSION);
        let written: Wire = request.body(&Properties { properties: contact }).json().await?;
        Ok(written.into())
    }

    /// Deletes the contact: `SecurityContacts_Delete`. Deleting one that does not exist succeeds.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/security-contacts/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/securityContacts/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn delete(&self, subscription: &SubscriptionId) -> Result<()> {
        self.arm.delete(default(subscription), API_VERSION).send_empty().await
    }
}

fn contacts(subscription: &SubscriptionId) -> ArmPath {
    ArmPath::from(subscription).provider("Microsoft.Security").literal("securityContacts")
}

fn default(subscription: &SubscriptionId) -> ArmPath {
    contacts(subscription).literal("default")
}
