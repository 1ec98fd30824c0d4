//! The sign-in hosts: enough for real clients to get a token.

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    call::{Call, Method},
    identity::{self, PrincipalKind},
    reply::Reply,
    services::{At, Surface, directory},
    world::World,
};

pub(crate) const SURFACE: Surface = Surface { at: At::Login, answer, ..Surface::EMPTY };

const ANY_TENANT: &[&str] = &["common", "organizations", "consumers"];

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    match (call.method, call.path().as_slice()) {
        (Method::Get, ["common", "discovery", "instance"]) => Some(instance(call)),
        (Method::Get, [tenant, ".well-known", "openid-configuration"]) => {
            Some(known_tenant(world, tenant).err().unwrap_or_else(|| configuration(world, call, tenant, "")))
        }
        (Method::Get, [tenant, "v2.0", ".well-known", "openid-configuration"]) => Some(
            known_tenant(world, tenant).err().unwrap_or_else(|| configuration(world, call, tenant, "/v2.0")),
        ),
        (Method::Post, [tenant, "oauth2", "v2.0", "token"] | [tenant, "oauth2", "token"]) => {
            Some(known_tenant(world, tenant).err().unwrap_or_else(|| token(world, call)))
        }
        _ => None,
    }
}

fn known_tenant(world: &World, tenant: &str) -> Result<(), Reply> {
    if tenant.eq_ignore_ascii_case(&world.tenant) || ANY_TENANT.contains(&tenant) {
        return Ok(());
    }
    Err(refusal(
        "invalid_request",
        90002,
        &format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."),
    ))
}

fn refusal(error: &str, code: u32, text: &str) -> Reply {
    Reply::json(
        400,
        json!({
            "error": error,
            "error_description": format!("AADSTS{code}: {text}"),
            "error_codes": [code],
            "correlation_id": "00000000-0000-0000-0000-000000000000",
        }),
    )
}

fn unknown_application(world: &World, client_id: &str) -> Reply {
    let text = format!(
        "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You may have sent your authentication request to the wrong tenant.",
        world.tenant
    );
    refusal("unauthorized_client", 700_016, &text)
}

fn instance(call: &Call) -> Reply {
    let host = call.host.cloud.login;
    Reply::ok(json!({
        "tenant_discovery_endpoint":
            format!("https://{}/common/v2.0/.well-known/openid-configuration", call.authority),
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": "login.windows.net",
            "aliases": [host, "login.windows.net", "login.microsoft.com", "sts.windows.net"],
        }],
    }))
}

fn configuration(world: &World, call: &Call, tenant: &str, version: &str) -> Reply {
    let base = format!("https://{}/{tenant}", call.authority);
    Reply::ok(json!({
        "issuer": format!("https://{}/{}/v2.0", call.authority, world.tenant),
        "authorization_endpoint": format!("{base}/oauth2{version}/authorize"),
        "token_endpoint": format!("{base}/oauth2{version}/token"),
        "device_authorization_endpoint": format!("{base}/oauth2{version}/devicecode"),
        "end_session_endpoint": format!("{base}/oauth2{version}/logout"),
        "jwks_uri": format!("{base}/discovery{version}/keys"),
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
    }))
}

fn token(world: &World, call: &Call) -> Reply {
    let form: Vec<(String, String)> = form_urlencoded::parse(call.text().as_bytes()).into_owned().collect();
    let field = |name: &str| {
        form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    if field("client_id").is_empty() {
        let text = "The request body must contain the following parameter: 'client_id'.";
        return refusal("invalid_request", 900_144, text);
    }
    let asked = if field("scope").is_empty() { field("resource") } else { field("scope") };
    let principal = if field("grant_type") == "client_credentials" {
        if field("client_secret").is_empty() && field("client_assertion").is_empty() {
            let text = "'client_assertion', 'client_secret' or 'request' is required for the \
                        'client_credentials' grant type.";
            return refusal("invalid_client", 7_000_216, text).with_status(401);
        }
        match directory::application(world, field("client_id")) {
            Some(known) => known,
            None => return unknown_application(world, field("client_id")),
        }
    } else {
        &world.signed_in
    };
    let audience = identity::audience_of(asked);
    let token = identity::mint(&world.tenant, principal, &audience, world.next_token(), world.now());
    let lifetime = identity::TOKEN_LIFETIME.whole_seconds();
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    });
    if !field("resource").is_empty() {
        body["resource"] = json!(field("resource"));
        body["expires_in"] = json!(lifetime.to_string());
        body["expires_on"] = json!((world.now().unix_timestamp() + lifetime).to_string());
    }
    if matches!(principal.kind, PrincipalKind::User { .. }) {
        body["scope"] = Value::from(asked);
        body["refresh_token"] = json!("refresh");
        body["id_token"] = body["access_token"].clone();
    }
    Reply::ok(body).header("cache-control", "no-store, no-cache")
}
