use std::collections::BTreeMap;

use arm_core::{
    open_enum,
    wire::{self, SentText, instant},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::{PrincipalId, VirtualMachineId};

/// A virtual machine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VirtualMachine {
    /// The id.
    pub id: VirtualMachineId,
    /// The name.
    pub name: String,
    /// The region.
    pub location: String,
    /// The ETag of the machine as it was read.
    pub etag: Option<String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The managed identities of the machine; `None` if it has none.
    pub identity: Option<MachineIdentity>,
    /// The GUID that identifies the machine.
    pub vm_id: Option<String>,
    /// The size, such as `Standard_B2s`.
    pub vm_size: Option<String>,
    /// The operating system.
    pub os_type: Option<OsType>,
    /// The host name of the machine.
    pub computer_name: Option<String>,
    /// The state of the last change, such as `Succeeded` or `Updating`.
    pub provisioning_state: Option<String>,
    /// The status of the machine; `None` unless it was requested and can be read.
    pub instance_view: Option<InstanceView>,
    /// All properties as the service sent them, except the status.
    pub properties: Map<String, Value>,
    sent: SentText,
}

arm_core::kept!(VirtualMachine from Wire);

open_enum! {
    /// The operating system of a machine.
    pub enum OsType {
        /// Linux.
        Linux = "Linux",
        /// Windows.
        Windows = "Windows",
    }
}

open_enum! {
    /// The kinds of identity that a machine has.
    pub enum IdentityType {
        /// A system-assigned identity, which is deleted with the machine.
        SystemAssigned = "SystemAssigned",
        /// User-assigned identities, which are separate resources.
        UserAssigned = "UserAssigned",
        /// A system-assigned identity and user-assigned identities.
        Both = "SystemAssigned, UserAssigned",
        /// No identity.
        None = "None",
    }
}

/// The identities of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MachineIdentity {
    /// The kinds of identity.
    #[serde(rename = "type")]
    pub identity_type: IdentityType,
    /// The object id of the system-assigned identity, to use in role assignments.
    pub principal_id: Option<PrincipalId>,
    /// The tenant of the system-assigned identity.
    pub tenant_id: Option<String>,
    /// The user-assigned identities, by their resource ids.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub user_assigned_identities: BTreeMap<String, UserAssignedIdentity>,
}

impl MachineIdentity {
    /// Whether the machine has a system-assigned identity.
    pub fn is_system_assigned(&self) -> bool {
        // The service also writes `SystemAssigned,UserAssigned` without a space.
        self.identity_type.as_str().split(',').any(|kind| kind.trim().eq_ignore_ascii_case("SystemAssigned"))
    }
}

/// A user-assigned identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct UserAssignedIdentity {
    /// The object id.
    pub principal_id: Option<PrincipalId>,
    /// The client id.
    pub client_id: Option<String>,
}

/// The status of a machine.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct InstanceView {
    /// The host name of the machine.
    pub computer_name: Option<String>,
    /// The operating system's name.
    pub os_name: Option<String>,
    /// The operating system's version.
    pub os_version: Option<String>,
    /// The VM agent; `None` while the machine is off.
    pub vm_agent: Option<VmAgent>,
    /// The provisioning state and the power state.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub statuses: Vec<InstanceViewStatus>,
}

impl InstanceView {
    /// Returns the power state, such as `running`, `deallocated` or `stopped`.
    pub fn power_state(&self) -> Option<&str> {
        self.statuses.iter().find_map(|status| status.code.as_deref()?.strip_prefix("PowerState/"))
    }

    /// Whether the machine is running, without which it cannot run a command.
    pub fn is_running(&self) -> bool {
        self.power_state() == Some("running")
    }
}

/// The VM agent in a machine.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct VmAgent {
    /// The version of the agent.
    pub vm_agent_version: Option<String>,
    /// The statuses, which tell whether the agent is ready.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub statuses: Vec<InstanceViewStatus>,
}

/// A status of a machine, or the output of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct InstanceViewStatus {
    /// The status, such as `PowerState/running`.
    pub code: Option<String>,
    /// `Info`, `Warning` or `Error`.
    pub level: Option<String>,
    /// The status as text.
    pub display_status: Option<String>,
    /// A human-readable message.
    pub message: Option<String>,
    /// When the status was set.
    #[serde(with = "instant::option")]
    pub time: Option<OffsetDateTime>,
}

#[derive(Debug, Deserialize)]
pub struct Wire {
    id: VirtualMachineId,
    name: Option<String>,
    location: String,
    etag: Option<String>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    tags: BTreeMap<String, String>,
    identity: Option<MachineIdentity>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    properties: Map<String, Value>,
}

impl From<Wire> for VirtualMachine {
    fn from(mut wire: Wire) -> Self {
        let text = |path: &[&str]| {
            let first = wire.properties.get(path[0])?;
            path[1..].iter().try_fold(first, |inside, name| inside.get(name))?.as_str().map(str::to_owned)
        };
        let (vm_id, vm_size) = (text(&["vmId"]), text(&["hardwareProfile", "vmSize"]));
        let os_type = text(&["storageProfile", "osDisk", "osType"]).map(OsType::from);
        let computer_name = text(&["osProfile", "computerName"]);
        let provisioning_state = text(&["provisioningState"]);
        let instance_view =
            wire.properties.remove("instanceView").and_then(|view| serde_json::from_value(view).ok());
        Self {
            name: wire.name.unwrap_or_else(|| wire.id.name().to_owned()),
            id: wire.id,
            location: wire.location,
            etag: wire.etag,
            tags: wire.tags,
            identity: wire.identity,
            vm_id,
            vm_size,
            os_type,
            computer_name,
            provisioning_state,
            instance_view,
            properties: wire.properties,
            sent: SentText::default(),
        }
    }
}

/// The parts of a machine to change: the body of a PATCH. Absent members stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct VirtualMachineUpdate {
    /// All tags, which replace the existing ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The identities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityUpdate>,
    /// The properties to change, by their names in JSON.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

/// The identities that a machine should have. A type without `UserAssigned` removes all user-assigned identities.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityUpdate {
    /// The kinds of identity.
    #[serde(rename = "type")]
    pub identity_type: IdentityType,
    /// The user-assigned identities, by resource id: `{}` adds or keeps an identity, null removes it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub user_assigned_identities: BTreeMap<String, Value>,
}

impl IdentityUpdate {
    /// Creates an update that adds a system-assigned identity to the current identities.
    pub fn with_system_identity(now: Option<&MachineIdentity>) -> Self {
        let kept = now.map(|now| now.user_assigned_identities.keys()).into_iter().flatten();
        let user_assigned_identities: BTreeMap<String, Value> =
            kept.map(|id| (id.clone(), json!({}))).collect();
        let identity_type = match user_assigned_identities.is_empty() {
            true => IdentityType::SystemAssigned,
            false => IdentityType::Both,
        };
        Self { identity_type, user_assigned_identities }
    }
}
