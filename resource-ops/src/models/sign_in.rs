use arm_core::wire::SentText;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::PrincipalId;

/// Whether a user or an application may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
#[non_exhaustive]
pub struct SignIn {
    /// The object id.
    pub id: PrincipalId,
    /// The display name.
    pub display_name: Option<String>,
    /// The sign-in name. Users only.
    pub user_principal_name: Option<String>,
    /// Whether sign-in is enabled; `None` if Graph does not say.
    pub account_enabled: Option<bool>,
    /// Sessions that started before this time are no longer valid. Users only.
    #[serde(default, rename = "signInSessionsValidFromDateTime", with = "arm_core::wire::instant::option")]
    pub sessions_valid_from: Option<OffsetDateTime>,
    /// The kind of service principal, such as `Application` or `ManagedIdentity`. Applications only.
    pub service_principal_type: Option<String>,
    /// The tenant that owns the application. Applications only.
    pub app_owner_organization_id: Option<String>,
    #[serde(skip)]
    sent: SentText,
}

arm_core::kept!(derived SignIn);
