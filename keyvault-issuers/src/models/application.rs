use arm_core::{Secret, wire};
use serde::Deserialize;
use time::OffsetDateTime;

/// An application in Microsoft Entra ID: the properties that a rotation needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Application {
    /// The object id. For sign-in, the client id is used: [`app_id`](Self::app_id).
    pub id: String,
    /// The client id.
    pub app_id: String,
    /// The display name.
    pub display_name: Option<String>,
    /// When it was created. Some restrictions apply only to applications created from a certain date on.
    #[serde(default, with = "wire::instant::option")]
    pub created_date_time: Option<OffsetDateTime>,
    /// The passwords, without their values.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub password_credentials: Vec<PasswordCredential>,
}

/// A password of an application.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PasswordCredential {
    /// The id, with which it can be removed.
    pub key_id: String,
    /// The name that was given when it was added.
    pub display_name: Option<String>,
    /// The first three characters of the value, if the service returns them.
    pub hint: Option<String>,
    /// When it expires.
    #[serde(default, with = "wire::instant::option")]
    pub end_date_time: Option<OffsetDateTime>,
    /// The value; `None` except in the response to [`add_password`](crate::ApplicationsClient::add_password).
    #[serde(default, with = "wire::secret::option")]
    pub secret_text: Option<Secret>,
}

/// A policy that restricts the credentials of applications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AppManagementPolicy {
    /// The id. All zeros for the tenant's default policy.
    pub id: String,
    /// The display name.
    pub display_name: Option<String>,
    /// Whether the policy is in force.
    pub is_enabled: Option<bool>,
    /// The restrictions, if the policy is assigned to an application.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub restrictions: AppRestrictions,
    /// The restrictions, if this is the tenant's default policy.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub application_restrictions: AppRestrictions,
}

/// Restrictions on credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AppRestrictions {
    /// Restrictions on passwords.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub password_credentials: Vec<PasswordRestriction>,
}

/// A restriction on passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PasswordRestriction {
    /// The type, such as `passwordAddition` or `passwordLifetime`.
    pub restriction_type: String,
    /// `enabled` or `disabled`; if absent, the restriction is in force.
    pub state: Option<String>,
    /// The longest lifetime, such as `P90D`.
    pub max_lifetime: Option<String>,
    /// Only applications created on or after this date are restricted. `None`: all of them.
    #[serde(with = "wire::instant::option")]
    pub restrict_for_apps_created_after_date_time: Option<OffsetDateTime>,
}

impl AppManagementPolicy {
    /// Returns the restrictions of this type that apply to an application.
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_policy_restricts_applications_of_its_date_and_later_unless_it_or_the_restriction_is_off() {
        let restricts = |enabled: Value, state: &str, since: Value, created: Value| {
            let found = json!({
                "restrictionType": "passwordAddition", "state": state, "restrictForAppsCreatedAfterDateTime": since,
            });
            let policy: AppManagementPolicy = serde_json::from_value(json!({
                "id": "p", "isEnabled": enabled, "restrictions": { "passwordCredentials": [found] },
            }))
            .unwrap();
            let application: Application = serde_json::from_value(json!({
                "id": "a", "appId": "c", "createdDateTime": created,
            }))
            .unwrap();
            assert_eq!(policy.restricts("passwordLifetime", &application).count(), 0);
            policy.restricts("PASSWORDADDITION", &application).count() == 1
        };
        let (day, before, none) = (json!("2026-03-01T00:00:00Z"), json!("2026-02-28T00:00:00Z"), Value::Null);
        let on = || json!(true);
        assert!(restricts(on(), "enabled", day.clone(), day.clone()), "on the day itself");
        assert!(restricts(on(), "enabled", before.clone(), day.clone()));
        assert!(!restricts(on(), "enabled", day.clone(), before), "an older application");
        assert!(restricts(on(), "enabled", none.clone(), day.clone()));
        assert!(restricts(on(), "enabled", day.clone(), none.clone()), "whose age is not known");
        assert!(restricts(none, "enabled", day.clone(), day.clone()));
        assert!(!restricts(json!(false), "enabled", day.clone(), day.clone()));
        assert!(!restricts(on(), "Disabled", day.clone(), day));
    }
}
