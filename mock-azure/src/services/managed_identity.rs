//! Tokens for code that runs on a machine or in an app and has no secret.

use serde_json::json;

use crate::{
    http::{
        Call, Method, Reply,
        identity::{self, Principal, PrincipalKind},
    },
    services::directory,
    state::{At, Surface, World},
};

pub(crate) const SURFACE: Surface = Surface { at: At::Identity, answer, ..Surface::EMPTY };

const ON_A_MACHINE: &[&str] = &["2018-02-01", "2019-08-01", "2020-06-01", "2021-02-01"];
const IN_AN_APP: &[&str] = &["2019-08-01"];

/// The application that `signed_in_service_principal` signs in.
const DEFAULT: &str = "00000000-0000-0000-0000-0000000000c2";

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (known, header) = match (call.method, call.path().as_slice()) {
        (Method::Get, ["metadata", "identity", "oauth2", "token"]) => (ON_A_MACHINE, "metadata"),
        (Method::Get, ["msi", "token"]) => (IN_AN_APP, "x-identity-header"),
        _ => return None,
    };
    // Documented: the refusal without this header, which protects against accidental requests.
    if header == "metadata" && call.header(header) != Some("true") {
        return Some(refusal("bad_request_102", "Required metadata header not specified"));
    }
    if call.header(header).is_none() {
        return Some(Reply::not_implemented("the response to an app that sends no X-IDENTITY-HEADER"));
    }
    if !known.contains(&call.api_version()) {
        return Some(Reply::unknown("api-version of a managed identity", call.api_version(), known));
    }
    let Some(resource) = call.query("resource").filter(|resource| !resource.is_empty()) else {
        return Some(Reply::not_implemented("the response to a token request that names no resource"));
    };
    let principal = match principal(world, call) {
        Ok(principal) => principal,
        Err(refused) => return Some(*refused),
    };
    Some(granted(world, principal, resource, header == "metadata"))
}

fn refusal(error: &str, text: &str) -> Reply {
    Reply::json(400, json!({ "error": error, "error_description": text }))
}

/// The system-assigned identity, or the user-assigned one that is requested.
fn principal<'a>(world: &'a World, call: &Call) -> Result<&'a Principal, Box<Reply>> {
    // Reported: the response for an identity that the machine does not have.
    let missing = || Box::new(refusal("invalid_request", "Identity not found"));
    if let Some(id) = call.query("client_id") {
        return directory::application(world, id).ok_or_else(missing);
    }
    if let Some(id) = call.query("object_id").or_else(|| call.query("principal_id")) {
        let found = directory::find(world, id);
        return found
            .filter(|it| matches!(it.kind, PrincipalKind::ServicePrincipal { .. }))
            .ok_or_else(missing);
    }
    if let Some(name) = ["mi_res_id", "msi_res_id"].into_iter().find(|name| call.query(name).is_some()) {
        return Err(Box::new(Reply::unknown(
            "way to specify an identity",
            name,
            &["client_id", "object_id"],
        )));
    }
    match &world.signed_in.kind {
        PrincipalKind::ServicePrincipal { .. } => Ok(&world.signed_in),
        _ => directory::application(world, DEFAULT).ok_or_else(missing),
    }
}

/// Documented: the members, all of which are strings.
fn granted(world: &World, principal: &Principal, resource: &str, on_a_machine: bool) -> Reply {
    let (now, audience) = (world.clock.of_clients(), identity::audience_of(resource));
    let token = identity::mint(&world.tenant, principal, &audience, world.next_token(), now);
    let lifetime = identity::TOKEN_LIFETIME.whole_seconds();
    let client = match &principal.kind {
        PrincipalKind::ServicePrincipal { app_id } => app_id.as_str(),
        _ => "",
    };
    let mut body = json!({
        "access_token": token,
        "client_id": client,
        "expires_on": (now.unix_timestamp() + lifetime).to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    if on_a_machine {
        body["expires_in"] = json!(lifetime.to_string());
        body["ext_expires_in"] = json!(lifetime.to_string());
        body["not_before"] = json!(now.unix_timestamp().to_string());
    }
    Reply::ok(body)
}
