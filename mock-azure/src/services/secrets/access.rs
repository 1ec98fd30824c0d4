//! Access to a vault's data: the network rules first, then roles or access policies.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::{
    certificates, keys,
    kind::{CERTIFICATES, KEYS, Kind},
    refusal,
};
use crate::{
    http::{Call, Method, Reply},
    services::{
        role_assignments,
        vaults::{self, VaultState},
    },
    state::World,
};

/// What a request requires: the data action of a role, and the permission of an access policy.
struct Needed {
    kind: &'static Kind,
    action: &'static str,
    permission: &'static str,
}

fn needed(call: &Call) -> Option<Needed> {
    let path = call.path();
    let kind = Kind::of(path.first()?)?;
    if kind.live == KEYS.live {
        return keys::needed(call).map(|(action, permission)| Needed { kind, action, permission });
    }
    if kind.live == CERTIFICATES.live {
        return certificates::needed(call).map(|(action, permission)| Needed { kind, action, permission });
    }
    let (action, permission) = match (call.method, call.path().as_slice()) {
        (Method::Get, ["secrets"] | ["secrets", _, "versions"] | ["deletedsecrets"]) => {
            ("readMetadata/action", "list")
        }
        (Method::Get, ["deletedsecrets", _]) => ("readMetadata/action", "get"),
        (Method::Get, ["secrets", ..]) => ("getSecret/action", "get"),
        (Method::Put, ["secrets", _]) => ("setSecret/action", "set"),
        (Method::Patch, ["secrets", ..]) => ("update/action", "set"),
        (Method::Delete, ["secrets", _]) => ("delete", "delete"),
        (Method::Post, ["secrets", "restore"]) => ("restore/action", "restore"),
        (Method::Post, ["secrets", _, "backup"]) => ("backup/action", "backup"),
        (Method::Post, ["deletedsecrets", _, "recover"]) => ("recover/action", "recover"),
        (Method::Delete, ["deletedsecrets", _]) => ("purge/action", "purge"),
        _ => return None,
    };
    Some(Needed { kind, action, permission })
}

/// Admits a request to the vault, or returns the refusal.
pub(super) fn admit(world: &mut World, call: &Call, vault: &Value) -> Result<(), Box<Reply>> {
    network(world, call, vault)?;
    let Some(needed) = needed(call) else { return Ok(()) };
    if call.caller.unchecked {
        return Ok(());
    }
    if vault["properties"]["enableRbacAuthorization"] == true {
        roles(world, call, vault, &needed)
    } else {
        policies(world, call, vault, &needed)
    }
}

fn network(world: &World, call: &Call, vault: &Value) -> Result<(), Box<Reply>> {
    let (properties, caller) = (&vault["properties"], described(world, call));
    let said =
        |value: &Value, text: &str| value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(text));
    if said(&properties["publicNetworkAccess"], "Disabled") {
        let message = format!(
            "Public network access is disabled and request is not from a trusted service nor via an approved private \
             link.\r\nCaller: {caller}\r\n{}",
            place(vault)
        );
        return Err(Box::new(refusal::inner(403, "Forbidden", "ForbiddenByConnection", message)));
    }
    let rules = &properties["networkAcls"];
    if !said(&rules["defaultAction"], "Deny") {
        return Ok(());
    }
    let address = world.states.get::<VaultState>().caller_ip();
    let mut allowed =
        rules["ipRules"].as_array().into_iter().flatten().filter_map(|rule| rule["value"].as_str());
    if allowed.any(|range| contains(range, address)) {
        return Ok(());
    }
    let message = format!(
        "Client address is not authorized and caller is not a trusted service.\r\nClient address: {address}\r\nCaller: \
         {caller}\r\n{}",
        place(vault)
    );
    Err(Box::new(refusal::inner(403, "Forbidden", "ForbiddenByFirewall", message)))
}

/// Whether an address is in a range such as `203.0.113.0/24`, or equal to a single address.
fn contains(range: &str, address: &str) -> bool {
    let (base, bits) = range.split_once('/').unwrap_or((range, "32"));
    let (Ok(base), Ok(address), Ok(bits)) =
        (base.parse::<Ipv4Addr>(), address.parse::<Ipv4Addr>(), bits.parse::<u32>())
    else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
    u32::from(base) & mask == u32::from(address) & mask
}

fn roles(world: &mut World, call: &Call, vault: &Value, needed: &Needed) -> Result<(), Box<Reply>> {
    let collection = needed.kind.live;
    // Documented: rotation policies, contacts and issuers have their own actions.
    let action = match needed.action.strip_prefix('/') {
        Some(action) => format!("Microsoft.KeyVault/vaults/{action}"),
        None => format!("Microsoft.KeyVault/vaults/{collection}/{}", needed.action),
    };
    let id = vault["id"].as_str().unwrap_or_default();
    let scope = match call.path().as_slice() {
        [_, "restore"] | [_] => id.to_owned(),
        [_, name, ..] => format!("{id}/{collection}/{name}"),
        [] => id.to_owned(),
    };
    let principal = call.caller.object_id.clone();
    if role_assignments::may_on_data(world, &principal, &action, &scope) {
        return Ok(());
    }
    let message = format!(
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role \
         definitions were changed recently, please observe propagation time.\r\nCaller: {}\r\nAction: \
         '{action}'\r\nResource: '{}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \
         \r\n{}\r\n",
        described(world, call),
        scope.to_ascii_lowercase(),
        place(vault)
    );
    Err(Box::new(refusal::inner(403, "Forbidden", "ForbiddenByRbac", message)))
}

fn policies(world: &World, call: &Call, vault: &Value, needed: &Needed) -> Result<(), Box<Reply>> {
    if vaults::policies_allow(vault, &call.caller.object_id, needed.kind.live, needed.permission) {
        return Ok(());
    }
    let who = if call.caller.upn.is_some() { "user, group or application" } else { "application" };
    let message = format!(
        "The {who} '{}' does not have {} {} permission on key vault '{};location={}'. For help resolving this \
         issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
        described(world, call),
        needed.kind.live,
        needed.permission,
        vault["name"].as_str().unwrap_or_default(),
        vault["location"].as_str().unwrap_or_default(),
    );
    Err(Box::new(refusal::inner(403, "Forbidden", "ForbiddenByPolicy", message)))
}

fn described(world: &World, call: &Call) -> String {
    let app = call.caller.app_id.as_deref().unwrap_or_default();
    format!("appid={app};oid={};iss=https://sts.windows.net/{}/", call.caller.object_id, world.tenant)
}

fn place(vault: &Value) -> String {
    let text = |key: &str| vault[key].as_str().unwrap_or_default().to_owned();
    format!("Vault: {};location={}", text("name"), text("location"))
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn an_address_is_found_in_its_range_only() {
        assert!(contains("203.0.113.0/24", "203.0.113.7"));
        assert!(contains("203.0.113.7", "203.0.113.7"));
        assert!(contains("0.0.0.0/0", "198.51.100.1"));
        assert!(!contains("203.0.113.0/25", "203.0.113.200"));
        assert!(!contains("nonsense", "203.0.113.7"));
    }
}
