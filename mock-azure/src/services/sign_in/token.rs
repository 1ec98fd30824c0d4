//! Issues tokens for the grant types of applications and users.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::refusal;
use crate::{
    http::{
        Call, Reply,
        identity::{self, Principal, PrincipalKind},
    },
    services::{
        accounts,
        applications::{self, Sign},
        directory,
    },
    state::World,
};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The prefix of an application's device code; the next is that of a user's refresh token.
const CODE: &str = "device-";
const REFRESH: &str = "refresh-";

/// The fields of a request's form.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(call: &Call) -> Self {
        Self(form_urlencoded::parse(call.text().as_bytes()).into_owned().collect())
    }

    /// A field. `None` if it is missing or empty.
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }
}

pub(super) fn answer(world: &World, call: &Call) -> Reply {
    let form = Form::read(call);
    match principal(world, &form) {
        Ok((principal, client_id)) if accounts::is_disabled(world, &principal.object_id) => {
            disabled(principal, client_id)
        }
        Ok((principal, client_id)) => granted(world, call, &form, principal, client_id),
        Err(refusal) => *refusal,
    }
}

/// Begins a sign-in on another device. The user is quick: the first poll already succeeds.
pub(super) fn device_code(call: &Call) -> Reply {
    let form = Form::read(call);
    let Some(client_id) = form.get("client_id") else { return missing("client_id") };
    Reply::ok(json!({
        "user_code": "MOCKAZURE",
        "device_code": format!("{CODE}{client_id}"),
        "verification_uri": "https://microsoft.com/devicelogin",
        "expires_in": 900,
        "interval": 1,
        "message": "There is no page to open: the double takes the code MOCKAZURE as entered.",
    }))
}

fn missing(field: &str) -> Reply {
    let text = format!("The request body must contain the following parameter: '{field}'.");
    refusal("invalid_request", 900_144, &text)
}

/// The principal for which a request may obtain a token, and the requesting application.
fn principal<'a>(world: &'a World, form: &'a Form) -> Result<(&'a Principal, &'a str), Box<Reply>> {
    let required = |name: &str| form.get(name).ok_or_else(|| Box::new(missing(name)));
    let client_id = required("client_id")?;
    let principal = match required("grant_type")? {
        "client_credentials" => application(world, form, client_id)?,
        DEVICE_CODE if required("device_code")? == format!("{CODE}{client_id}") => {
            user(world, &world.signed_in.object_id)?
        }
        "password" => {
            required("password")?;
            user(world, required("username")?)?
        }
        "refresh_token" if required("refresh_token")?.starts_with(REFRESH) => {
            let (id, issued) = refreshed(required("refresh_token")?);
            let user = user(world, id)?;
            if issued <= accounts::sessions_from(world, &user.object_id).unix_timestamp_nanos() {
                // Documented: the code for a revoked grant.
                let text =
                    "The provided grant has expired due to it being revoked, a fresh auth token is needed.";
                return Err(Box::new(refusal("invalid_grant", 50_173, text)));
            }
            user
        }
        // Documented: an unknown grant is refused.
        DEVICE_CODE | "refresh_token" => {
            let text = "The provided grant is not one of this directory.";
            return Err(Box::new(refusal("invalid_grant", 9_002_313, text)));
        }
        known @ ("authorization_code"
        | "urn:ietf:params:oauth:grant-type:jwt-bearer"
        | "urn:ietf:params:oauth:grant-type:token-exchange") => {
            let here = ["client_credentials", "password", "refresh_token", DEVICE_CODE];
            return Err(Box::new(Reply::unknown("grant", known, &here)));
        }
        // Documented: AADSTS70003 for an unknown grant type.
        other => {
            let text = format!("The app requested an unsupported grant type '{other}'.");
            return Err(Box::new(refusal("unsupported_grant_type", 70_003, &text)));
        }
    };
    Ok((principal, client_id))
}

/// The user of a refresh token, and when it was issued.
fn refreshed(token: &str) -> (&str, i128) {
    let token = token.trim_start_matches(REFRESH);
    let (id, issued) = token.split_once('.').unwrap_or((token, ""));
    (id, issued.parse().unwrap_or_default())
}

/// Documented: the codes for accounts that are not allowed to sign in.
fn disabled(principal: &Principal, client_id: &str) -> Reply {
    match &principal.kind {
        PrincipalKind::ServicePrincipal { .. } => {
            let text = format!("Application '{client_id}'({}) is disabled.", principal.display_name);
            refusal("unauthorized_client", 7_000_112, &text)
        }
        _ => refusal("invalid_grant", 50_057, "The user account is disabled."),
    }
}

fn application<'a>(world: &'a World, form: &Form, client_id: &str) -> Result<&'a Principal, Box<Reply>> {
    if form.get("client_secret").or_else(|| form.get("client_assertion")).is_none() {
        let text = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
        return Err(Box::new(refusal("invalid_client", 7_000_216, text).with_status(401)));
    }
    // Reported: the codes for a secret that is wrong or not yet propagated, and for one that has expired.
    match form.get("client_secret").and_then(|secret| applications::sign_in(world, client_id, secret)) {
        Some(Sign::Invalid) => {
            let text = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
                 not the client secret ID, for a secret added to app '{client_id}'."
            );
            return Err(Box::new(refusal("invalid_client", 7_000_215, &text).with_status(401)));
        }
        Some(Sign::Expired) => {
            let text = format!("The provided client secret keys for app '{client_id}' are expired.");
            return Err(Box::new(refusal("invalid_client", 7_000_222, &text).with_status(401)));
        }
        Some(Sign::In) | None => {}
    }
    directory::application(world, client_id).ok_or_else(|| {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in \
             the tenant. You may have sent your authentication request to the wrong tenant.",
            world.tenant
        );
        Box::new(refusal("unauthorized_client", 700_016, &text))
    })
}

fn user<'a>(world: &'a World, name: &str) -> Result<&'a Principal, Box<Reply>> {
    directory::user(world, name).ok_or_else(|| {
        let text = format!(
            "The user account {{EmailHidden}} does not exist in the {} directory. To sign into this application, the \
             account must be added to the directory.",
            world.tenant
        );
        Box::new(refusal("invalid_grant", 50_034, &text))
    })
}

fn granted(world: &World, call: &Call, form: &Form, principal: &Principal, client_id: &str) -> Reply {
    let asked = form.get("scope").or_else(|| form.get("resource")).unwrap_or_default();
    let audience = identity::audience_of(asked);
    let token =
        identity::mint(&world.tenant, principal, &audience, world.next_token(), world.clock.of_clients());
    let lifetime = identity::TOKEN_LIFETIME.whole_seconds();
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    });
    if let Some(resource) = form.get("resource") {
        body["resource"] = json!(resource);
        body["expires_in"] = json!(lifetime.to_string());
        body["expires_on"] = json!((world.clock.of_clients().unix_timestamp() + lifetime).to_string());
    }
    if let PrincipalKind::User { upn } = &principal.kind {
        let (now, id) = (world.clock.of_clients().unix_timestamp(), &principal.object_id);
        body["scope"] = Value::from(asked);
        body["refresh_token"] = json!(format!("{REFRESH}{id}.{}", world.now().unix_timestamp_nanos()));
        body["client_info"] =
            json!(URL_SAFE_NO_PAD.encode(json!({ "uid": id, "utid": world.tenant }).to_string()));
        body["id_token"] = json!(identity::unsigned(&json!({
            "aud": client_id,
            "iss": format!("https://{}/{}/v2.0", call.authority, world.tenant),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "name": principal.display_name,
            "oid": id,
            "preferred_username": upn,
            "sub": id,
            "tid": world.tenant,
            "ver": "2.0",
        })));
    }
    Reply::ok(body).header("cache-control", "no-store, no-cache")
}
