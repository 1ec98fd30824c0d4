use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::wire;

/// Who created and changed a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SystemMetadata {
    /// The identity that created the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The kind of that identity, such as `User` or `Application`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_type: Option<String>,
    /// When the resource was created.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::instant::option")]
    pub created_at: Option<OffsetDateTime>,
    /// The identity that last changed the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified_by: Option<String>,
    /// The kind of that identity, such as `User` or `Application`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified_by_type: Option<String>,
    /// When the resource was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::instant::option")]
    pub last_modified_at: Option<OffsetDateTime>,
}
