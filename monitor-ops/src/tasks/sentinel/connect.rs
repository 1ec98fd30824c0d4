use arm_core::{Change, Mode, SubscriptionId, Task, refuse};
use azure_core::Result;
use futures::TryStreamExt as _;

use super::stable_name;
use crate::{ConnectorKind, DataConnector, SentinelClient, WorkspaceId};

impl SentinelClient {
    /// Ensures that Sentinel ingests the Defender for Cloud alerts of a subscription, through the per-subscription
    /// connector (`AzureSecurityCenter`).
    ///
    /// Fails while the tenant-based connector exists, since both together would ingest every alert twice. With
    /// Defender XDR, the tenant-based one is recommended.
    ///
    /// **If it stops halfway**, the connector may or may not exist; its id is the same in every run, so running it
    /// again finishes it. After that, another run writes nothing.
    ///
    /// # Permissions
    ///
    /// Microsoft Sentinel Contributor, and Security Reader on the subscription.
    ///
    /// # Errors
    ///
    /// [`is_not_onboarded`](crate::is_not_onboarded): call [`onboard`](Self::onboard) first.
    #[inline]
    pub fn connect_defender(
        &self,
        workspace: &WorkspaceId,
        subscription: &SubscriptionId,
    ) -> Task<Change<DataConnector>> {
        let (client, workspace, subscription) = (self.clone(), workspace.clone(), subscription.clone());
        Task::deciding(move |mode| {
            let (client, workspace, subscription) = (client.clone(), workspace.clone(), subscription.clone());
            async move { client.connect(&workspace, &subscription, mode).await }
        })
    }

    async fn connect(
        &self,
        workspace: &WorkspaceId,
        subscription: &SubscriptionId,
        mode: Mode,
    ) -> Result<Change<DataConnector>> {
        let connectors: Vec<DataConnector> = self.list_connectors(workspace).try_collect().await?;
        if let Some(tenant) = connectors.iter().find(|connector| connector.is_tenant_based_defender()) {
            return refuse(format!(
                "the tenant-based connector '{}' of Defender for Cloud already exists: \
                 a second connector would ingest every alert twice; \
                 remove the existing one first, or keep only that one",
                tenant.name
            ));
        }
        let of_subscription = |connector: &&DataConnector| {
            connector.connector_kind() == ConnectorKind::AzureSecurityCenter
                && connector
                    .properties
                    .subscription_id
                    .as_deref()
                    .is_some_and(|id| id.eq_ignore_ascii_case(subscription.as_str()))
        };
        let before = connectors.iter().find(of_subscription).cloned();
        let (name, wanted) = match &before {
            Some(before) if before.takes_alerts() => return Ok(Change::Unchanged(before.clone())),
            Some(before) => {
                let mut wanted = before.clone();
                wanted.properties.data_types["alerts"]["state"] = "Enabled".into();
                (before.name.parse()?, wanted)
            }
            None => {
                let purpose = format!("defender-for-cloud/{subscription}");
                (stable_name(workspace, &purpose)?, DataConnector::defender_for_cloud(subscription))
            }
        };
        let after = match mode {
            Mode::DryRun => wanted.at(workspace, "Microsoft.SecurityInsights/dataConnectors", name.as_str()),
            Mode::Write => match self.create_or_update_connector(workspace, &name, &wanted).await {
                // The first response may have been lost, and the retry refused.
                Err(error) => match self.get_connector(workspace, &name).await {
                    Ok(found) if found.takes_alerts() => found,
                    _ => return Err(error),
                },
                Ok(_) => self.get_connector(workspace, &name).await?,
            },
        };
        if !after.takes_alerts() {
            return refuse(format!(
                "the service accepted the connector '{name}', but does not show its alerts as enabled"
            ));
        }
        Ok(match before {
            Some(before) => Change::Updated { before, after },
            None => Change::Created(after),
        })
    }
}
