use arm_core::{open_enum, wire::UnknownFields};
use serde::{Deserialize, Serialize};
use typed_builder::TypedBuilder;

/// The permissions of one principal in a vault that uses access policies.
///
/// A vault that uses roles (`enableRbacAuthorization`) keeps its policies but ignores them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TypedBuilder)]
#[serde(rename_all = "camelCase")]
#[builder(field_defaults(setter(into)))]
#[non_exhaustive]
pub struct AccessPolicy {
    /// The id of the tenant, which must be the vault's.
    pub tenant_id: String,
    /// The object id of a user, group or application.
    pub object_id: String,
    /// The application through which the principal must act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[builder(default, setter(strip_option))]
    pub application_id: Option<String>,
    /// The permissions.
    #[serde(default)]
    pub permissions: Permissions,
    #[serde(flatten)]
    #[builder(default, setter(skip))]
    unknown: UnknownFields,
}

/// Permissions, by kind of object. Values that this crate does not model are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Permissions {
    /// Permissions on secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretPermission>>,
    /// Permissions on keys, certificates and storage accounts, as the service sent them.
    #[serde(flatten)]
    others: UnknownFields,
}

impl Permissions {
    /// Allows only these operations on secrets.
    pub fn on_secrets(permissions: impl IntoIterator<Item = SecretPermission>) -> Self {
        Self { secrets: Some(permissions.into_iter().collect()), others: UnknownFields::default() }
    }
}

open_enum! {
    /// An operation on secrets that an access policy can allow.
    pub enum SecretPermission {
        /// Everything.
        All = "all",
        /// Read values.
        Get = "get",
        /// List names and versions.
        List = "list",
        /// Set and update.
        Set = "set",
        /// Delete.
        Delete = "delete",
        /// Back up.
        Backup = "backup",
        /// Restore.
        Restore = "restore",
        /// Recover deleted secrets.
        Recover = "recover",
        /// Delete permanently.
        Purge = "purge",
    }
}

open_enum! {
    /// How an update changes a vault's policies.
    pub enum AccessPolicyUpdateKind {
        /// Adds the permissions to those that the principals already have.
        Add = "add",
        /// Replaces the permissions of the principals.
        Replace = "replace",
        /// Removes the permissions.
        Remove = "remove",
    }
}
