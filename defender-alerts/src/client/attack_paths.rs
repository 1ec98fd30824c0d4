use arm_core::{ArmClient, Pager};
use resource_ops::{
    GraphScope, ResourceGraphClient,
    query::{GraphQuery, Table},
};

use crate::AttackPath;

/// A client for attack paths, from Resource Graph. Resource Manager has no such resource type: the route
/// `Microsoft.Security/attackPaths` that some scripts use does not exist.
#[derive(Debug, Clone)]
pub struct AttackPathsClient {
    pub(crate) graph: ResourceGraphClient,
}

impl AttackPathsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { graph: ResourceGraphClient::new(arm) }
    }

    /// Streams all attack paths of a scope, from Resource Graph. [`find`](Self::find) also tells whether an empty
    /// result is conclusive.
    ///
    /// [Reference](https://learn.microsoft.com/azure/defender-for-cloud/attack-path-api)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/*/read`. Everything that the caller may not read is silently omitted.
    pub fn list(&self, scope: impl Into<GraphScope>) -> Pager<AttackPath> {
        let query = GraphQuery::table(Table::SecurityResources).of_type("microsoft.security/attackpaths");
        self.graph.rows(&query, scope)
    }
}
