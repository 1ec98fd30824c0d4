//! Principals and their tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// How long a token is valid.
pub(crate) const TOKEN_LIFETIME: Duration = Duration::hours(1);

/// A user, application or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) object_id: String,
    pub(crate) display_name: String,
    pub(crate) kind: PrincipalKind,
}

/// The kind of a principal, with a user's sign-in name or an application's client id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    User { upn: String },
    ServicePrincipal { app_id: String },
    Group,
}

impl Principal {
    /// The `principalType` of a role assignment.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.kind {
            PrincipalKind::User { .. } => "User",
            PrincipalKind::ServicePrincipal { .. } => "ServicePrincipal",
            PrincipalKind::Group => "Group",
        }
    }
}

/// The sender of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    pub(crate) object_id: String,
    /// The sign-in name or client id, by which refusals name the caller.
    pub(crate) name: String,
    pub(crate) upn: Option<String>,
    /// The calling application, or the one through which the user signed in.
    pub(crate) app_id: Option<String>,
    /// Whether the token is from another issuer, which the server accepts; no role is then required.
    pub(crate) unchecked: bool,
}

/// The client id of Azure CLI, the application through which users sign in.
pub(crate) const CLI_APP_ID: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// The claims of a token.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    pub(crate) audience: String,
    pub(crate) tenant: String,
    pub(crate) caller: Caller,
    pub(crate) expires: i64,
    pub(crate) serial: u64,
}

/// The audience of a scope (`https://vault.azure.net/.default`) or of a v1 resource.
pub(crate) fn audience_of(scope: &str) -> String {
    let scope = scope.split_whitespace().find(|scope| scope.contains("://")).unwrap_or(scope);
    let resource = scope
        .strip_suffix("/.default")
        .or_else(|| scope.strip_suffix("/user_impersonation"))
        .unwrap_or(scope);
    resource.trim_end_matches('/').to_owned()
}

/// Creates an unsigned token.
pub(crate) fn mint(
    tenant: &str,
    principal: &Principal,
    audience: &str,
    serial: u64,
    now: OffsetDateTime,
) -> String {
    let mut claims = json!({
        "aud": audience,
        "iss": format!("https://sts.windows.net/{tenant}/"),
        "iat": now.unix_timestamp(),
        "nbf": now.unix_timestamp(),
        "exp": (now + TOKEN_LIFETIME).unix_timestamp(),
        "oid": principal.object_id,
        "sub": principal.object_id,
        "tid": tenant,
        "name": principal.display_name,
        "uti": serial.to_string(),
        "ver": "1.0",
    });
    match &principal.kind {
        PrincipalKind::User { upn } => {
            claims["idtyp"] = json!("user");
            claims["upn"] = json!(upn);
            claims["unique_name"] = json!(upn);
            claims["appid"] = json!(CLI_APP_ID);
            claims["scp"] = json!("user_impersonation");
        }
        PrincipalKind::ServicePrincipal { app_id } => {
            claims["idtyp"] = json!("app");
            claims["appid"] = json!(app_id);
        }
        PrincipalKind::Group => {}
    }
    unsigned(&claims)
}

/// Encodes an unsigned JSON web token.
pub(crate) fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(claims))
}

/// Reads a token created by [`mint`], or any JSON web token with the same claims.
pub(crate) fn read(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    Some(Claims {
        audience: text("aud")?,
        tenant: text("tid")?,
        caller: Caller {
            object_id: text("oid")?,
            name: text("upn").or_else(|| text("appid"))?,
            upn: text("upn"),
            app_id: text("appid"),
            unchecked: false,
        },
        expires: claims["exp"].as_i64()?,
        serial: text("uti").and_then(|serial| serial.parse().ok()).unwrap_or(u64::MAX),
    })
}
