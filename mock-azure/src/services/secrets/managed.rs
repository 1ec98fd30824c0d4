//! The secrets and keys of a vault as Resource Manager lists them, without values.

use serde_json::{Value, json};

use super::{
    SecretState,
    kind::{KEYS, Kind, SECRETS},
    store::{Recovery, Secret},
};
use crate::{
    http::{Call, Method, Reply, paging},
    services::vaults,
    state::{Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    types: &[
        ("Microsoft.KeyVault/vaults/secrets", vaults::VERSIONS),
        ("Microsoft.KeyVault/vaults/keys", vaults::VERSIONS),
    ],
    answer,
    ..Surface::EMPTY
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let [
        _,
        _,
        "resourcegroups",
        _,
        "providers",
        "microsoft.keyvault",
        "vaults",
        vault,
        collection,
        rest @ ..,
    ] = path.as_slice()
    else {
        return None;
    };
    let kind = [SECRETS, KEYS].into_iter().find(|kind| kind.live == *collection)?;
    if call.method != Method::Get || rest.len() > 1 {
        return None;
    }
    let Some(resource) = world.resources.get(&call.id(8)) else {
        return Some(Reply::resource_not_found(
            &format!("{}/{}", vaults::TYPE, call.spelled(7)),
            call.spelled(3),
        ));
    };
    let stored = world.states.get::<SecretState>().by_vault.get(&(vault.to_string(), kind.live));
    let show = |object: &Secret| show(kind, resource, object);
    let Some(name) = rest.first() else {
        let live = stored.into_iter().flat_map(|stored| stored.live.values());
        let all: Vec<Value> = live.map(show).collect();
        return Some(if all.is_empty() {
            Reply::ok(json!({ "value": [] }))
        } else {
            paging::page(&world.paging, call, 25, all.iter())
        });
    };
    Some(match stored.and_then(|stored| stored.live.get(*name)) {
        Some(found) => Reply::ok(show(found)),
        None => {
            let named = format!("{}/{}/{}/{}", vaults::TYPE, call.spelled(7), kind.live, call.spelled(9));
            Reply::resource_not_found(&named, call.spelled(3))
        }
    })
}

/// Documented: the members of each.
fn show(kind: &Kind, vault: &Value, object: &Secret) -> Value {
    let Some((id, version)) = object.version(None) else { return Value::Null };
    let (vault_id, at) = (&vault["id"], vault["properties"]["vaultUri"].as_str().unwrap_or_default());
    let uri = format!("{at}{}/{}", kind.live, object.name);
    let mut attributes = version.attributes(&Recovery::of(&vault["properties"]));
    if let Some(members) = attributes.as_object_mut() {
        members.remove("recoverableDays");
        if kind.live == SECRETS.live {
            members.remove("recoveryLevel");
        }
    }
    let mut properties = json!({ "attributes": attributes });
    if kind.live == SECRETS.live {
        properties["secretUri"] = json!(uri);
        properties["secretUriWithVersion"] = json!(format!("{uri}/{id}"));
        if let Some(content_type) = &version.content_type {
            properties["contentType"] = json!(content_type);
        }
    } else {
        properties["keyUri"] = json!(uri);
        properties["keyUriWithVersion"] = json!(format!("{uri}/{id}"));
        properties["kty"] = version.key["kty"].clone();
        properties["keyOps"] = version.key["key_ops"].clone();
    }
    let mut shown = json!({
        "id": format!("{}/{}/{}", vault_id.as_str().unwrap_or_default(), kind.live, object.name),
        "name": object.name,
        "type": format!("{}/{}", vaults::TYPE, kind.live),
        "location": vault["location"],
        "properties": properties,
    });
    if let Some(tags) = &version.tags {
        shown["tags"] = json!(tags);
    }
    shown
}
