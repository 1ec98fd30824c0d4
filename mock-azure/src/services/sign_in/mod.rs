//! The sign-in hosts: enough for real clients to obtain a token.

mod token;

use serde_json::json;

use crate::{
    http::{Call, Method, Reply},
    state::{At, Surface, World},
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
            Some(known_tenant(world, tenant).err().unwrap_or_else(|| token::answer(world, call)))
        }
        (Method::Post, [tenant, "oauth2", "v2.0", "devicecode"]) => {
            Some(known_tenant(world, tenant).err().unwrap_or_else(|| token::device_code(call)))
        }
        (Method::Get, ["common", "userrealm", _]) => Some(realm(call)),
        _ => None,
    }
}

fn known_tenant(world: &World, tenant: &str) -> Result<(), Reply> {
    if tenant.eq_ignore_ascii_case(&world.tenant) || ANY_TENANT.contains(&tenant) {
        return Ok(());
    }
    // Documented: AADSTS90002 for a tenant that does not exist.
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

/// The type of a sign-in name's account. None here is federated.
fn realm(call: &Call) -> Reply {
    let name = call.spelled(2);
    Reply::ok(json!({
        "ver": "1.0",
        "account_type": "Managed",
        "domain_name": name.split_once('@').map_or(name, |(_, domain)| domain),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }))
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
