use arm_core::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroize as _;

/// The keys of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceKeys {
    /// The keys. For types that list them as members of an object, every text member of the response is here, sorted by
    /// name: for an authorization rule, also the connection strings and the rule's name.
    pub keys: Vec<ResourceKey>,
}

/// One key of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceKey {
    /// The name in the list, such as `key1`, `primaryKey` or `secondaryReadonlyMasterKey`.
    pub name: String,
    /// The key itself.
    pub value: Secret,
}

impl ResourceKeys {
    /// Finds a key by its name in the list, ignoring case.
    pub fn find(&self, name: &str) -> Option<&Secret> {
        self.keys.iter().find(|key| key.name.eq_ignore_ascii_case(name)).map(|key| &key.value)
    }
}

/// Services list keys as members of an object, or as an array of objects with a name and a value.
impl<'de> Deserialize<'de> for ResourceKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut answer = Value::deserialize(deserializer)?;
        let listed = answer.get_mut("keys").and_then(Value::as_array_mut).map(std::mem::take);
        let keys = match listed {
            Some(items) => items.into_iter().filter_map(item).collect(),
            None => {
                let members = answer.as_object_mut().map(std::mem::take).into_iter().flatten();
                members.filter_map(|(name, value)| Some(ResourceKey { name, value: text(value)? })).collect()
            }
        };
        wipe(answer);
        Ok(Self { keys })
    }
}

fn item(mut item: Value) -> Option<ResourceKey> {
    let value = item.get_mut("value").map(Value::take).and_then(text);
    let name = item.get("keyName").and_then(Value::as_str).map(str::to_owned);
    Some(ResourceKey { name: name?, value: value? })
}

fn text(value: Value) -> Option<Secret> {
    match value {
        Value::String(text) => Some(Secret::new(text)),
        _ => None,
    }
}

fn wipe(value: Value) {
    match value {
        Value::String(mut text) => text.zeroize(),
        Value::Array(items) => items.into_iter().for_each(wipe),
        Value::Object(members) => members.into_iter().for_each(|(_, member)| wipe(member)),
        _ => {}
    }
}
