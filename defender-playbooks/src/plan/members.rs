//! The differences between two reads of a resource, member by member.

use std::collections::BTreeMap;

use arm_core::Wish;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Counters, states and timestamps that the service sets: not part of a plan, and not a sign of somebody's change.
const OF_THE_CLOCK: &[&str] = &[
    "createdDate",
    "createdOn",
    "createdTimeUtc",
    "enablementTime",
    "etag",
    "freeTrialRemainingTime",
    "lastModifiedUtc",
    "lastSkuUpdate",
    "modifiedDate",
    "operationStatus",
    "provisioningState",
    "quotaNextResetTime",
    "resourcesCoverageStatus",
    "systemData",
    "updatedOn",
];

/// Members that repeat the id of the resource.
const OF_THE_ID: &[&str] = &["id", "name", "type"];

/// Members whose value is a credential. Their values are omitted; [`Member::secret`] marks them.
const SECRET: &[&str] = &[
    "adminPassword",
    "callbackUrl",
    "connectionString",
    "customData",
    "httpTriggerUrl",
    "instrumentationKey",
    "password",
    "primaryKey",
    "primarySharedKey",
    "sasToken",
    "secondaryKey",
    "secondarySharedKey",
    "secret",
    "serviceUri",
    "sharedKey",
    "uri",
    "userData",
    "value",
];

/// Members that identify an item of a list.
const NAMES: &[&str] = &["name", "category", "categoryGroup", "eventSource", "objectId", "id"];

/// A member of a resource, before and after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Member {
    /// The path, such as `properties.extensions[AgentlessVmScanning].isEnabled`.
    pub member: String,
    /// The value before; `None` if it was absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after; `None` if it is removed or unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whether the value is assigned when the plan is applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known_after_apply: bool,
    /// Whether the value is a secret, which a plan never contains.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

impl Member {
    pub(super) fn made_at_apply(member: &str) -> Self {
        Self { member: member.to_owned(), before: None, after: None, known_after_apply: true, secret: false }
    }

    pub(super) fn changed(member: &str, before: Option<&Value>, after: Option<&Value>) -> Self {
        let secret = [before, after].into_iter().flatten().any(|value| is_secret(member, value));
        let shown = |value: Option<&Value>| value.filter(|_| !secret).cloned();
        Self {
            member: member.to_owned(),
            before: shown(before),
            after: shown(after),
            known_after_apply: false,
            secret,
        }
    }

    /// Whether this member, as found or written, is what was planned.
    pub(super) fn is_as_planned(&self, planned: &Self) -> bool {
        self.member.eq_ignore_ascii_case(&planned.member)
            && (planned.known_after_apply || same(&self.member, &self.after, &planned.after))
    }
}

/// Compares values as the tasks do, for all kinds of resources. In these members, every character is significant.
const MEANING: Wish = Wish::new().exact(&["description", "displayName", "expectedValue", "query"]);

/// Whether two values of a member mean the same to the service.
pub(super) fn same(member: &str, a: &Option<Value>, b: &Option<Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => is_same(member, a, b),
        (a, b) => a == b,
    }
}

fn is_same(member: &str, a: &Value, b: &Value) -> bool {
    let named = |value: &Value| json!({ last(member): value });
    MEANING.unmet(&named(a), &named(b)).is_empty()
}

/// The members that differ. A value that the request omits and the service has filled in is not a difference.
pub(super) fn differing(before: &Value, after: &Value, of_service: &[&str]) -> Vec<Member> {
    let (before, after) = (leaves(before), leaves(after));
    let gone = before.iter().filter(|(member, _)| !after.contains_key(*member));
    let gone = gone.filter(|(member, _)| !of_service.contains(&last(member)));
    let gone = gone.map(|(member, value)| Member::changed(member, Some(value), None));
    let differ = after
        .iter()
        .filter(|(member, value)| before.get(*member).is_none_or(|it| !is_same(member, it, value)));
    let differ = differ.map(|(member, value)| Member::changed(member, before.get(member), Some(value)));
    let mut members: Vec<Member> = gone.chain(differ).collect();
    members.sort_by(|a, b| a.member.cmp(&b.member));
    members
}

/// A fingerprint of a resource as it was read, so that a plan need not contain the resource. It changes whenever
/// somebody changes anything, but not over time.
pub(super) fn fingerprint(read: &Value) -> String {
    let mut hash = Sha256::new();
    for (member, value) in leaves(read) {
        hash.update(format!("{member}={value}\n"));
    }
    hash.finalize().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Every value with its path. `null`, empty lists and empty objects count as absent.
fn leaves(value: &Value) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    collect(String::new(), value, &mut leaves);
    leaves
}

fn collect(place: String, value: &Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            let is_of_id = |name: &str| place.is_empty() && OF_THE_ID.contains(&name);
            let members = members.iter().filter(|(name, _)| !OF_THE_CLOCK.contains(&name.as_str()));
            for (name, value) in members.filter(|(name, _)| !is_of_id(name)) {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                collect(place, value, leaves);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let key = NAMES.iter().find(|key| are_named_by(items, key));
            for (index, item) in items.iter().enumerate() {
                let name = key.and_then(|key| item[*key].as_str());
                let name = name.map_or_else(|| index.to_string(), str::to_owned);
                collect(format!("{place}[{name}]"), item, leaves);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        value => {
            leaves.insert(place, value.clone());
        }
    }
}

/// Whether each item has a unique name.
fn are_named_by(items: &[Value], key: &str) -> bool {
    let mut names: Vec<&str> = items.iter().filter_map(|item| item[key].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.len() == items.len()
}

/// The last part of a member's path.
fn last(member: &str) -> &str {
    member.rsplit('.').next().unwrap_or(member)
}

fn is_secret(member: &str, value: &Value) -> bool {
    let signs_in = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["sig=", "accountkey=", "sharedaccesskey=", "?code=", "&code="].iter().any(|part| text.contains(part))
    };
    let mut names = member.split(['.', '[']);
    SECRET.iter().any(|name| last(member).eq_ignore_ascii_case(name)) && !names.any(|name| name == "ipRules")
        || value.as_str().is_some_and(signs_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_by_what_they_are_and_not_by_their_place() {
        let before = json!({ "properties": { "tier": "Free", "list": [{ "name": "a", "on": false }, { "name": "b" }] } });
        let after = json!({ "properties": { "tier": "free", "list": [{ "name": "b" }, { "name": "a", "on": true }] } });
        let members = differing(&before, &after, &[]);
        assert_eq!(members.len(), 1, "{members:?}");
        assert_eq!(
            members[0],
            Member::changed("properties.list[a].on", Some(&json!(false)), Some(&json!(true)))
        );
    }

    #[test]
    fn values_are_compared_as_the_tasks_compare_them() {
        let differ = |member: &str, before: Value, after: Value| {
            !differing(&json!({ member: before }), &json!({ member: after }), &[]).is_empty()
        };
        assert!(differ("query", json!("a == 'x'"), json!("a == 'X'")), "every letter counts");
        assert!(differ("emails", json!(["a", "a"]), json!(["a", "b"])), "each item is met once");
        assert!(!differ("emails", json!(["a", "b"]), json!(["B", "a"])));
        assert!(!differ("location", json!("West Europe"), json!("westeurope")));
        assert!(differ("note", json!("West Europe"), json!("westeurope")), "a blank is one but in a region");
    }

    #[test]
    fn what_is_removed_is_reported_unless_the_service_owns_it() {
        let before = json!({ "tags": { "team": "soc" }, "customerId": "1", "etag": "a" });
        let members = differing(&before, &json!({ "etag": "b" }), &["customerId"]);
        assert_eq!(members, [Member::changed("tags.team", Some(&json!("soc")), None)]);
    }

    #[test]
    fn a_secret_is_shown_as_changed_and_its_value_never() {
        let url = "https://flow.example/x?sp=run&sig=REDACTED";
        for after in
            [json!({ "uri": "https://x.example" }), json!({ "target": url }), json!({ "password": "p" })]
        {
            let members = differing(&json!({}), &after, &[]);
            let shown = serde_json::to_string(&members).unwrap();
            assert!(
                members[0].secret && !shown.contains("example") && !shown.contains("REDACTED"),
                "{shown}"
            );
        }
        let members = differing(&json!({}), &json!({ "ipRules": [{ "value": "203.0.113.7" }] }), &[]);
        assert_eq!(members[0].after, Some(json!("203.0.113.7")), "an address is none");
    }

    #[test]
    fn a_fingerprint_changes_with_what_people_change_and_not_with_the_clock() {
        let read = json!({ "etag": "1", "properties": { "tier": "Free", "freeTrialRemainingTime": "PT1S" } });
        let later =
            json!({ "etag": "2", "properties": { "tier": "Free", "freeTrialRemainingTime": "PT0S" } });
        let other =
            json!({ "etag": "1", "properties": { "tier": "Standard", "freeTrialRemainingTime": "PT1S" } });
        assert_eq!(fingerprint(&read), fingerprint(&later));
        assert_ne!(fingerprint(&read), fingerprint(&other));
    }
}
