//! How keys are listed.

use serde_json::{Value, json};

use super::{
    Key,
    rows::{Row, Shape},
};
use crate::http::timestamp;

/// All keys of a resource, as its type lists them.
pub(super) fn keys(row: &Row, id: &str, keys: &[Key]) -> Value {
    let mut body = json!({});
    if matches!(row.shape, Shape::Storage) {
        let one = |key: &Key| {
            json!({
                "creationTime": timestamp::precise(key.since),
                "keyName": key.name,
                "value": key.value,
                "permissions": "FULL",
            })
        };
        body["keys"] = keys.iter().map(one).collect();
        return body;
    }
    for key in keys {
        body[key.name] = json!(key.value);
    }
    let segments: Vec<&str> = id.split('/').collect();
    let name = segments.last().copied().unwrap_or_default();
    match row.shape {
        Shape::Namespace => {
            let namespace = segments.get(8).copied().unwrap_or_default();
            for (key, member) in keys.iter().zip(["primaryConnectionString", "secondaryConnectionString"]) {
                body[member] = json!(format!(
                    "Endpoint=sb://{namespace}.servicebus.windows.net/;SharedAccessKeyName={name};SharedAccessKey={}",
                    key.value
                ));
            }
            body["keyName"] = json!(name);
        }
        Shape::SignalR => {
            let host = match row.kind.ends_with("signalR") {
                true => "service.signalr.net",
                false => "webpubsub.azure.com",
            };
            for (key, member) in keys.iter().zip(["primaryConnectionString", "secondaryConnectionString"]) {
                body[member] =
                    json!(format!("Endpoint=https://{name}.{host};AccessKey={};Version=1.0;", key.value));
            }
        }
        Shape::Dated => {
            for (key, member) in keys.iter().zip(["primaryKeyLastUpdated", "secondaryKeyLastUpdated"]) {
                body[member] = json!(timestamp::precise(key.since));
            }
        }
        Shape::Named => body["accountName"] = json!(name),
        Shape::Members | Shape::Storage => {}
    }
    body
}
