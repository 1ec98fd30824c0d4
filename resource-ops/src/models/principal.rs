use arm_core::{open_enum, wire::SentText};
use serde::Deserialize;

use crate::PrincipalId;

open_enum! {
    /// The type of a principal that has a role.
    pub enum PrincipalType {
        /// A user.
        User = "User",
        /// A group.
        Group = "Group",
        /// An application or managed identity.
        ServicePrincipal = "ServicePrincipal",
        /// A group of another tenant.
        ForeignGroup = "ForeignGroup",
        /// A device.
        Device = "Device",
    }
}

/// A user or service principal, as returned by Microsoft Graph.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
#[non_exhaustive]
pub struct DirectoryPrincipal {
    /// The object id.
    pub id: PrincipalId,
    /// The display name.
    pub display_name: Option<String>,
    /// The sign-in name. Users only.
    pub user_principal_name: Option<String>,
    /// The client id of the application. Service principals only.
    pub app_id: Option<String>,
    #[serde(skip)]
    sent: SentText,
}

arm_core::kept!(derived DirectoryPrincipal);
