use arm_core::{ArmClient, ArmErrorExt as _, ArmPath, Pager, SubscriptionId};
use azure_core::Result;
use futures::TryStreamExt as _;
use resource_ops::{
    GraphScope, ResourceGraphClient,
    query::{GraphQuery, Table},
};

use crate::AttackPath;

/// The api-version that scripts use on the route of Resource Manager.
const REST_API_VERSION: &str = "2024-01-01";

/// Attack paths, from Resource Graph: Resource Manager has no such resource type.
#[derive(Debug, Clone)]
pub struct AttackPathsClient {
    arm: ArmClient,
    pub(crate) graph: ResourceGraphClient,
}

/// The answer of the route of Resource Manager.
#[derive(Debug)]
#[non_exhaustive]
pub enum RestAttackPaths {
    /// The route exists after all, and lists attack paths.
    Listed(Vec<AttackPath>),
    /// The service does not know the route: use [`AttackPathsClient::list`]. The service's message.
    NotKnown(String),
}

impl AttackPathsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone(), graph: ResourceGraphClient::new(arm) }
    }

    /// Streams all attack paths of a scope, from Resource Graph. [`find`](Self::find) also tells whether an empty
    /// answer means anything.
    ///
    /// [Reference](https://learn.microsoft.com/azure/defender-for-cloud/attack-path-api)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/*/read`; what the caller may not read is left out silently.
    pub fn list(&self, scope: impl Into<GraphScope>) -> Pager<AttackPath> {
        let query = GraphQuery::table(Table::SecurityResources).of_type("microsoft.security/attackpaths");
        self.graph.rows(&query, scope)
    }

    /// Asks the route of Resource Manager that scripts use, `Microsoft.Security/attackPaths`.
    ///
    /// It is in no published contract, and the service does not know it: the answer says so, where an empty list
    /// would mislead.
    ///
    /// # Errors
    ///
    /// What the service refuses: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn list_over_rest(&self, subscription: &SubscriptionId) -> Result<RestAttackPaths> {
        let path = ArmPath::from(subscription).provider("Microsoft.Security").literal("attackPaths");
        let listed = self.arm.get(path, REST_API_VERSION).pager().try_collect().await;
        match listed {
            Ok(paths) => Ok(RestAttackPaths::Listed(paths)),
            Err(error) if is_unknown_route(&error) => {
                let said = error.arm_error().map(|error| error.message).unwrap_or_default();
                Ok(RestAttackPaths::NotKnown(said))
            }
            Err(error) => Err(error),
        }
    }
}

fn is_unknown_route(error: &azure_core::Error) -> bool {
    ["InvalidResourceType", "NoRegisteredProviderFound", "ResourceTypeNotFound"]
        .iter()
        .any(|code| error.is_code(code))
}
