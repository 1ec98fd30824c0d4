use arm_core::{Secret, wire};
use serde::Deserialize;
use time::OffsetDateTime;

/// An application of Microsoft Entra, as far as a rotation needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Application {
    /// The object id, which is not the one that it signs in with.
    pub id: String,
    /// The client id, with which it signs in.
    pub app_id: String,
    /// Its name.
    pub display_name: Option<String>,
    /// When it was created; some policies only count for newer ones.
    #[serde(default, with = "wire::instant::option")]
    pub created_date_time: Option<OffsetDateTime>,
    /// Its passwords, without their values.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub password_credentials: Vec<PasswordCredential>,
}

/// A password of an application.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PasswordCredential {
    /// Names it when it is removed.
    pub key_id: String,
    /// What it was called when it was added.
    pub display_name: Option<String>,
    /// The first three characters of the value, where the service tells them.
    pub hint: Option<String>,
    /// Until when it can be used.
    #[serde(default, with = "wire::instant::option")]
    pub end_date_time: Option<OffsetDateTime>,
    /// The value: only in the answer to its addition.
    #[serde(default, with = "wire::secret::option")]
    pub secret_text: Option<Secret>,
}

/// What a policy for applications restricts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AppManagementPolicy {
    /// Its id; of the tenant's policy, all zeros.
    pub id: String,
    /// Its name.
    pub display_name: Option<String>,
    /// Whether it is in force.
    pub is_enabled: Option<bool>,
    /// What it restricts, of a policy that was assigned to an application.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub restrictions: AppRestrictions,
    /// What it restricts, of the tenant's policy for all applications.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub application_restrictions: AppRestrictions,
}

/// Restrictions of credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AppRestrictions {
    /// Those of passwords.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub password_credentials: Vec<PasswordRestriction>,
}

/// A restriction of passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PasswordRestriction {
    /// `passwordAddition`, `passwordLifetime`, ..
    pub restriction_type: String,
    /// `enabled` or `disabled`; in force if it is not said.
    pub state: Option<String>,
    /// The longest lifetime, such as `P90D`.
    pub max_lifetime: Option<String>,
    /// It only counts for applications that were created later.
    #[serde(with = "wire::instant::option")]
    pub restrict_for_apps_created_after_date_time: Option<OffsetDateTime>,
}

impl AppManagementPolicy {
    /// The restrictions of this type that count for an application.
    pub(crate) fn restricts<'a>(
        &'a self,
        kind: &'a str,
        application: &'a Application,
    ) -> impl Iterator<Item = &'a PasswordRestriction> {
        let all = [&self.restrictions, &self.application_restrictions].into_iter();
        all.flat_map(|restrictions| &restrictions.password_credentials).filter(move |found| {
            let since = found.restrict_for_apps_created_after_date_time;
            let newer = since.is_none_or(|since| application.created_date_time.is_none_or(|it| it >= since));
            let on = found.state.as_deref().is_none_or(|state| !state.eq_ignore_ascii_case("disabled"));
            self.is_enabled != Some(false) && found.restriction_type.eq_ignore_ascii_case(kind) && on && newer
        })
    }
}
