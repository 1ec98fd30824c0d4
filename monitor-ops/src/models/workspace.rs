use std::collections::BTreeMap;

use arm_core::wire::{self, UnknownFields};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use typed_builder::TypedBuilder;

use crate::{CustomerId, Resource};

arm_core::open_enum! {
    /// The provisioning state of a workspace.
    pub enum ProvisioningState {
        /// Being created.
        Creating = "Creating",
        /// Ready.
        Succeeded = "Succeeded",
        /// Creation or update failed.
        Failed = "Failed",
        /// Creation or update was canceled.
        Canceled = "Canceled",
        /// Being deleted.
        Deleting = "Deleting",
        /// Being created: its account is being prepared.
        ProvisioningAccount = "ProvisioningAccount",
        /// Being updated.
        Updating = "Updating",
        /// Being updated: it is being linked to an automation account.
        LinkingAccount = "LinkingAccount",
    }
}

arm_core::open_enum! {
    /// A pricing tier of a workspace.
    pub enum WorkspaceSku {
        /// Pay per gigabyte, the usual tier.
        PerGb2018 = "PerGB2018",
        /// A commitment to a daily volume.
        CapacityReservation = "CapacityReservation",
        /// Part of a dedicated cluster.
        Cluster = "LACluster",
        /// Up to 500 MB a day, kept for seven days; closed to new subscriptions.
        Free = "Free",
        /// Legacy.
        Standard = "Standard",
        /// Legacy.
        Premium = "Premium",
        /// Legacy, billed per machine.
        PerNode = "PerNode",
        /// Legacy.
        Standalone = "Standalone",
    }
}

arm_core::open_enum! {
    /// Whether access from public networks is allowed.
    pub enum PublicNetworkAccess {
        /// Allowed.
        Enabled = "Enabled",
        /// Denied: only private links can be used.
        Disabled = "Disabled",
        /// Governed by a network security perimeter.
        SecuredByPerimeter = "SecuredByPerimeter",
    }
}

/// A Log Analytics workspace.
pub type Workspace = Resource<WorkspaceProperties>;

/// The properties of a [`Workspace`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkspaceProperties {
    /// The GUID for log queries. The service sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The provisioning state; `None` means ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<ProvisioningState>,
    /// The pricing tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<SkuName>,
    /// How many days logs are kept. The service's default is 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_in_days: Option<i32>,
    /// The daily limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_capping: Option<WorkspaceCapping>,
    /// Whether logs can be ingested over public networks. The service's default is `Enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network_access_for_ingestion: Option<PublicNetworkAccess>,
    /// Whether logs can be queried over public networks. The service's default is `Enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network_access_for_query: Option<PublicNetworkAccess>,
    /// When it was created.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub created_date: Option<OffsetDateTime>,
    /// When it was last changed.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub modified_date: Option<OffsetDateTime>,
    /// Features, as the service writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<serde_json::Value>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl WorkspaceProperties {
    /// Whether the workspace can be used.
    pub fn is_ready(&self) -> bool {
        matches!(self.provisioning_state, None | Some(ProvisioningState::Succeeded))
    }
}

/// A pricing tier, with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SkuName {
    /// The tier.
    pub name: WorkspaceSku,
    /// Gigabytes per day, for `CapacityReservation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_reservation_level: Option<i32>,
    /// When the tier was last changed. The service sets it.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub last_sku_update: Option<OffsetDateTime>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// The daily limit of a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkspaceCapping {
    /// Gigabytes per day; -1 for no limit. Beyond the limit, most logs are lost until the quota is reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_quota_gb: Option<f64>,
    /// The state of ingestion, such as `RespectQuota`, `OverQuota` or `ForceOff`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_ingestion_status: Option<String>,
    /// When the quota is next reset. The service sets it.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub quota_next_reset_time: Option<OffsetDateTime>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// A workspace to create.
#[derive(Debug, Clone, PartialEq, Serialize, TypedBuilder)]
#[serde(into = "Body")]
pub struct WorkspaceSpec {
    /// The region. It cannot be changed later.
    #[builder(setter(into))]
    pub location: String,
    /// The pricing tier. Default: `PerGB2018`.
    #[builder(default = WorkspaceSku::PerGb2018)]
    pub sku: WorkspaceSku,
    /// How many days logs are kept, 30 to 730. The service's default is 30.
    #[builder(default, setter(strip_option))]
    pub retention_in_days: Option<i32>,
    /// The tags.
    #[builder(default, setter(into))]
    pub tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Body {
    location: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    properties: serde_json::Value,
}

impl From<WorkspaceSpec> for Body {
    fn from(spec: WorkspaceSpec) -> Self {
        let mut properties = serde_json::json!({ "sku": { "name": spec.sku } });
        if let Some(days) = spec.retention_in_days {
            properties["retentionInDays"] = days.into();
        }
        Self { location: spec.location, tags: spec.tags, properties }
    }
}

/// The parts of a workspace to change. Absent fields are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct WorkspacePatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<BTreeMap<String, String>>,
    properties: PatchProperties,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PatchProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<SkuName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_in_days: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_capping: Option<WorkspaceCapping>,
}

impl WorkspacePatch {
    /// Creates an empty patch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces all tags.
    pub fn tags(mut self, tags: impl Into<BTreeMap<String, String>>) -> Self {
        self.tags = Some(tags.into());
        self
    }

    /// Sets the pricing tier.
    pub fn sku(mut self, sku: WorkspaceSku) -> Self {
        self.properties.sku = Some(SkuName {
            name: sku,
            capacity_reservation_level: None,
            last_sku_update: None,
            unknown: UnknownFields::default(),
        });
        self
    }

    /// Sets the retention, in days.
    pub fn retention_in_days(mut self, days: i32) -> Self {
        self.properties.retention_in_days = Some(days);
        self
    }

    /// Sets the daily limit, in gigabytes; -1 for none.
    pub fn daily_quota_gb(mut self, gigabytes: f64) -> Self {
        self.properties.workspace_capping = Some(WorkspaceCapping {
            daily_quota_gb: Some(gigabytes),
            data_ingestion_status: None,
            quota_next_reset_time: None,
            unknown: UnknownFields::default(),
        });
        self
    }
}
