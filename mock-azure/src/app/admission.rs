//! The checks before any service sees a request: authentication, api-version, subscription, and authorization.

use crate::{
    app::{
        api_versions::{self, Addressed},
        options,
    },
    http::{
        Call, Method, Reply,
        host::Service,
        identity::{self, Caller, Claims, PrincipalKind},
    },
    services::{
        clouds, directory, locks, policy_refusals, providers::Providers, role_assignments,
        subscriptions::Subscriptions,
    },
    state::World,
};

/// Admits a request, or returns the refusal.
pub(crate) fn admit(world: &mut World, call: &mut Call) -> Result<(), Box<Reply>> {
    // Requests to these hosts bring a key or ask for a token; the service itself checks them.
    if matches!(call.host.service, Service::Login | Service::Keyed(_) | Service::Identity) {
        return Ok(());
    }
    // Documented: a cloud's endpoints are public, without a sign-in.
    if call.host.service == Service::Management && call.path() == clouds::PATH {
        return Ok(());
    }
    call.caller = authenticate(world, call)?;
    if call.host.service != Service::Management {
        return options::check(call, &options::at(&call.host.service));
    }
    let addressed = api_versions::addressed(call);
    if let Some(addressed) = &addressed {
        api_versions::check(call, addressed)?;
        options::check(call, addressed.options)?;
    }
    subscription_exists(world, call)?;
    if let Some(addressed) = &addressed {
        may(world, call, addressed)?;
        group_exists(world, call)?;
        registered(world, call, addressed)?;
    }
    if let Some(refusal) = locks::refusal(world, call) {
        return Err(Box::new(refusal));
    }
    if let Some(kind) = addressed.as_ref().and_then(Addressed::written)
        && let Some(refusal) = policy_refusals::refusal(world, call, kind)
    {
        return Err(Box::new(refusal));
    }
    Ok(())
}

/// Documented: the responses to a missing or invalid token.
fn authenticate(world: &World, call: &Call) -> Result<Caller, Box<Reply>> {
    let header = call.header("authorization").unwrap_or_default();
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(Box::new(missing_token(world, call))),
    };
    let claims = identity::read(token);
    if world.any_token && !claims.as_ref().is_some_and(|claims| is_ours(world, claims)) {
        let caller = claims.map_or_else(|| signed_in(world), |claims| claims.caller);
        return Ok(Caller { unchecked: true, ..caller });
    }
    let refuse = |code: &str, message: String| Err(Box::new(bad_token(world, call, code, &message)));
    let Some(claims) = claims else {
        return refuse("InvalidAuthenticationToken", "The access token is invalid.".to_owned());
    };
    if !call.host.accepts(&claims.audience) {
        let message = format!(
            "The access token has been obtained for wrong audience or resource '{}'. It should exactly match \
             with one of the allowed audiences.",
            claims.audience
        );
        return refuse("InvalidAuthenticationTokenAudience", message);
    }
    if !claims.tenant.eq_ignore_ascii_case(&world.tenant) {
        let message = format!(
            "The access token is from the wrong issuer 'https://sts.windows.net/{}/'. It must match the tenant \
             'https://sts.windows.net/{}/' associated with this subscription.",
            claims.tenant, world.tenant
        );
        return refuse("InvalidAuthenticationTokenTenant", message);
    }
    if claims.expires <= world.clock.of_clients().unix_timestamp() || claims.serial < world.oldest_token {
        return refuse("ExpiredAuthenticationToken", "The access token expiry is in the past.".to_owned());
    }
    Ok(claims.caller)
}

/// Whether a token names a principal in the double's directory, as the double's own tokens do.
fn is_ours(world: &World, claims: &Claims) -> bool {
    claims.tenant.eq_ignore_ascii_case(&world.tenant)
        && directory::find(world, &claims.caller.object_id).is_some()
}

fn signed_in(world: &World) -> Caller {
    let principal = &world.signed_in;
    let (name, upn, app_id) = match &principal.kind {
        PrincipalKind::User { upn } => (upn, Some(upn.clone()), Some(identity::CLI_APP_ID.to_owned())),
        PrincipalKind::ServicePrincipal { app_id } => (app_id, None, Some(app_id.clone())),
        PrincipalKind::Group => (&principal.display_name, None, None),
    };
    Caller { object_id: principal.object_id.clone(), name: name.clone(), upn, app_id, unchecked: false }
}

fn missing_token(world: &World, call: &Call) -> Reply {
    match call.host.service {
        Service::Vault(_) => {
            Reply::arm_error(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        }
        Service::Graph => directory::refusal(401, "InvalidAuthenticationToken", "Access token is empty."),
        _ => Reply::arm_error(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        ),
    }
    .header("www-authenticate", challenge(world, call, None))
}

fn bad_token(world: &World, call: &Call, code: &str, message: &str) -> Reply {
    match call.host.service {
        Service::Vault(_) => Reply::arm_error(401, "Unauthorized", format!("AKV10022: {message}")),
        Service::Graph => directory::refusal(401, "InvalidAuthenticationToken", message),
        _ => Reply::arm_error(401, code, message),
    }
    .header("www-authenticate", challenge(world, call, Some(message)))
}

fn challenge(world: &World, call: &Call, problem: Option<&str>) -> String {
    let cloud = call.host.cloud;
    let authority = format!("https://{}/{}", cloud.login, world.tenant);
    let mut text = match call.host.service {
        Service::Vault(_) => {
            format!(r#"Bearer authorization="{authority}", resource="{}""#, cloud.vault_audience)
        }
        Service::Graph => format!(r#"Bearer realm="", authorization_uri="{authority}/oauth2/authorize""#),
        _ => format!(r#"Bearer authorization_uri="{authority}""#),
    };
    if let Some(problem) = problem {
        text.push_str(&format!(r#", error="invalid_token", error_description="{problem}""#));
    }
    text
}

/// Documented: the responses for a subscription that does not exist.
fn subscription_exists(world: &World, call: &Call) -> Result<(), Box<Reply>> {
    let Some(id) = call.subscription() else { return Ok(()) };
    if uuid::Uuid::parse_str(id).is_err() {
        let message = format!("The provided subscription identifier '{id}' is malformed or invalid.");
        return Err(Box::new(Reply::arm_error(400, "InvalidSubscriptionId", message)));
    }
    if !world.states.get::<Subscriptions>().contains(id) {
        let message = format!("The subscription '{id}' could not be found.");
        return Err(Box::new(Reply::arm_error(404, "SubscriptionNotFound", message)));
    }
    Ok(())
}

/// Recorded: the response to a caller without the permission.
fn may(world: &mut World, call: &Call, addressed: &Addressed) -> Result<(), Box<Reply>> {
    if call.subscription().is_none() {
        return Ok(());
    }
    let action = addressed.action(call.method);
    let (principal, scope) = (call.caller.object_id.clone(), call.key());
    if call.caller.unchecked || role_assignments::may(world, &principal, &action, &scope) {
        return Ok(());
    }
    let message = format!(
        "The client '{}' with object id '{principal}' does not have authorization to perform action '{action}' \
         over scope '{}' or the scope is invalid. If access was recently granted, please refresh your \
         credentials.",
        call.caller.name,
        call.id(call.len())
    );
    Err(Box::new(Reply::arm_error(403, "AuthorizationFailed", message)))
}

fn group_exists(world: &World, call: &Call) -> Result<(), Box<Reply>> {
    let path = call.path();
    let ["subscriptions", _, "resourcegroups", _, _, ..] = path.as_slice() else { return Ok(()) };
    let name = call.spelled(3);
    let Some(group) = world.resources.get(&call.id(4)) else {
        let message = format!("Resource group '{name}' could not be found.");
        return Err(Box::new(Reply::arm_error(404, "ResourceGroupNotFound", message)));
    };
    let writes = matches!(call.method, Method::Put | Method::Patch | Method::Post);
    if writes && group["properties"]["provisioningState"] == "Deleting" {
        let message = format!(
            "The resource group '{name}' is in deprovisioning state and cannot perform this operation."
        );
        return Err(Box::new(Reply::arm_error(409, "ResourceGroupBeingDeleted", message)));
    }
    Ok(())
}

/// Recorded: 409 for a provider that is not registered. Reported: the different response of Microsoft.Security.
fn registered(world: &World, call: &Call, addressed: &Addressed) -> Result<(), Box<Reply>> {
    let (Some(subscription), namespace) = (call.subscription(), addressed.namespace()) else { return Ok(()) };
    if world.states.get::<Providers>().is_registered(subscription, namespace) {
        return Ok(());
    }
    if namespace.eq_ignore_ascii_case("Microsoft.Security") {
        let message = "Please register to Microsoft.Security in order to view your security status";
        return Err(Box::new(Reply::arm_error(404, "Subscription Not Registered", message)));
    }
    if matches!(call.method, Method::Get | Method::Head) {
        return Ok(());
    }
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See \
         https://aka.ms/rps-not-found for how to register subscriptions."
    );
    Err(Box::new(Reply::arm_error(409, "MissingSubscriptionRegistration", message)))
}
