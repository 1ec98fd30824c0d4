//! Access policies, which control access to a vault that does not use roles.

use serde_json::{Value, json};

use super::manage;
use crate::{
    http::{Call, Reply},
    state::World,
};

/// The object types in a policy.
const KINDS: &[&str] = &["keys", "secrets", "certificates", "storage"];

pub(super) fn update(world: &mut World, call: &Call, kind: &str) -> Option<Reply> {
    let change: fn(&mut Vec<Value>, &Value) = match kind {
        "add" => add,
        "replace" => replace,
        "remove" => remove,
        _ => return None,
    };
    // Documented: the list is required, and so is the principal of each policy.
    let Some(asked) = call.property("accessPolicies").as_array() else {
        return Some(Reply::bad_request("The parameter accessPolicies is not specified."));
    };
    if asked.iter().any(|policy| policy["objectId"].as_str().is_none_or(str::is_empty)) {
        return Some(Reply::bad_request("The parameter objectId is not specified."));
    }
    let Some(vault) = world.resources.get_mut(&call.id(8)) else {
        return Some(manage::VAULTS.not_found(call));
    };
    let policies = &mut vault["properties"]["accessPolicies"];
    let mut all = policies.as_array().cloned().unwrap_or_default();
    for policy in asked {
        change(&mut all, policy);
    }
    *policies = Value::Array(all.clone());
    Some(Reply::ok(json!({
        "id": format!("{}/accessPolicies/", vault["id"].as_str().unwrap_or_default()),
        "type": "Microsoft.KeyVault/vaults/accessPolicies",
        "properties": { "accessPolicies": all },
    })))
}

fn same_principal(a: &Value, b: &Value) -> bool {
    let same = |key: &str| match (a[key].as_str(), b[key].as_str()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    };
    same("objectId") && same("applicationId")
}

fn add(all: &mut Vec<Value>, policy: &Value) {
    let Some(existing) = all.iter_mut().find(|existing| same_principal(existing, policy)) else {
        all.push(policy.clone());
        return;
    };
    for kind in KINDS {
        let mut granted = permissions(existing, kind);
        granted.extend(permissions(policy, kind));
        granted.sort_unstable();
        granted.dedup();
        if !granted.is_empty() {
            existing["permissions"][*kind] = json!(granted);
        }
    }
}

fn replace(all: &mut Vec<Value>, policy: &Value) {
    all.retain(|existing| !same_principal(existing, policy));
    all.push(policy.clone());
}

fn remove(all: &mut Vec<Value>, policy: &Value) {
    for existing in all.iter_mut().filter(|existing| same_principal(existing, policy)) {
        for kind in KINDS {
            let taken = permissions(policy, kind);
            let left: Vec<String> =
                permissions(existing, kind).into_iter().filter(|held| !taken.contains(held)).collect();
            if existing["permissions"][*kind].is_array() {
                existing["permissions"][*kind] = json!(left);
            }
        }
    }
    let empty = |existing: &Value| KINDS.iter().all(|kind| permissions(existing, kind).is_empty());
    all.retain(|existing| !same_principal(existing, policy) || !empty(existing));
}

fn permissions(policy: &Value, kind: &str) -> Vec<String> {
    let listed = policy["permissions"][kind].as_array();
    listed.into_iter().flatten().filter_map(|one| one.as_str()).map(str::to_ascii_lowercase).collect()
}

/// Whether a vault's policies allow a principal an operation on an object type, such as `secrets`.
pub(crate) fn allow(vault: &Value, principal: &str, kind: &str, permission: &str) -> bool {
    vault["properties"]["accessPolicies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|policy| policy["objectId"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(principal)))
        .any(|policy| permissions(policy, kind).iter().any(|held| held == permission || held == "all"))
}
