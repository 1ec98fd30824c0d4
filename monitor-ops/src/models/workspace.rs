use std::collections::BTreeMap;

use arm_core::wire::{self, UnknownFields};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use typed_builder::TypedBuilder;

use crate::{CustomerId, Resource};

arm_core::open_enum! {
    /// How far a workspace has come.
    pub enum ProvisioningState {
        /// Being created.
        Creating = "Creating",
        /// Ready.
        Succeeded = "Succeeded",
        /// Creation or update failed.
        Failed = "Failed",
        /// Creation or update was cancelled.
        Canceled = "Canceled",
        /// Being deleted.
        Deleting = "Deleting",
        /// Being created: its account is prepared.
        ProvisioningAccount = "ProvisioningAccount",
        /// Being updated.
        Updating = "Updating",
        /// Being updated: it is linked to an automation account.
        LinkingAccount = "LinkingAccount",
    }
}

arm_core::open_enum! {
    /// A pricing tier of a workspace.
    pub enum WorkspaceSku {
        /// Pay for each gigabyte: the usual one.
        PerGb2018 = "PerGB2018",
        /// A daily commitment.
        CapacityReservation = "CapacityReservation",
        /// Part of a dedicated cluster.
        Cluster = "LACluster",
        /// Seven days, 500 MB a day; closed to new subscriptions.
        Free = "Free",
        /// Old.
        Standard = "Standard",
        /// Old.
        Premium = "Premium",
        /// Old: for each machine.
        PerNode = "PerNode",
        /// Old.
        Standalone = "Standalone",
    }
}

arm_core::open_enum! {
    /// Whether something is allowed from public networks.
    pub enum PublicNetworkAccess {
        /// Allowed.
        Enabled = "Enabled",
        /// Only through private links.
        Disabled = "Disabled",
        /// As a network security perimeter says.
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
    /// The GUID that log queries name. The service sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// How far it has come; absent means ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<ProvisioningState>,
    /// The pricing tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<SkuName>,
    /// For how many days logs are kept; the service's choice is 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_in_days: Option<i32>,
    /// The daily limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_capping: Option<WorkspaceCapping>,
    /// Whether logs come in from public networks; the service's choice is yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network_access_for_ingestion: Option<PublicNetworkAccess>,
    /// Whether queries come from public networks; the service's choice is yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network_access_for_query: Option<PublicNetworkAccess>,
    /// When it was created.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub created_date: Option<OffsetDateTime>,
    /// When it was last changed.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub modified_date: Option<OffsetDateTime>,
    /// What else is on or off, as the service writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<serde_json::Value>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl WorkspaceProperties {
    /// Whether it can be used.
    pub fn is_ready(&self) -> bool {
        matches!(self.provisioning_state, None | Some(ProvisioningState::Succeeded))
    }
}

/// A pricing tier, as the service wraps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SkuName {
    /// The tier.
    pub name: WorkspaceSku,
    /// Gigabytes a day, for `CapacityReservation`.
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
    /// Gigabytes a day; -1 is none. Over it, logs are lost until the next day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_quota_gb: Option<f64>,
    /// Whether logs are taken in now: `RespectQuota`, `OverQuota`, `ForceOff`, ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_ingestion_status: Option<String>,
    /// When the day of the limit begins anew. The service sets it.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub quota_next_reset_time: Option<OffsetDateTime>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// A workspace, as it should be.
#[derive(Debug, Clone, PartialEq, Serialize, TypedBuilder)]
#[serde(into = "Body")]
pub struct WorkspaceSpec {
    /// The region. It cannot be changed later.
    #[builder(setter(into))]
    pub location: String,
    /// The pricing tier; `PerGB2018` unless given.
    #[builder(default = WorkspaceSku::PerGb2018)]
    pub sku: WorkspaceSku,
    /// For how many days logs are kept, 30 to 730; the service's choice is 30.
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

/// What to change of a workspace. Fields that are absent stay.
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
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// These tags in place of all others.
    pub fn tags(mut self, tags: impl Into<BTreeMap<String, String>>) -> Self {
        self.tags = Some(tags.into());
        self
    }

    /// Another pricing tier.
    pub fn sku(mut self, sku: WorkspaceSku) -> Self {
        self.properties.sku = Some(SkuName {
            name: sku,
            capacity_reservation_level: None,
            last_sku_update: None,
            unknown: UnknownFields::default(),
        });
        self
    }

    /// Another retention, in days.
    pub fn retention_in_days(mut self, days: i32) -> Self {
        self.properties.retention_in_days = Some(days);
        self
    }

    /// Another daily limit, in gigabytes; -1 is none.
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
