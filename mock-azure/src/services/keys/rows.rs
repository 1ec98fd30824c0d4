//! The types of resources with keys, and how each lists and regenerates them.

use serde_json::Value;

/// A type of resource with keys.
pub(super) struct Row {
    /// The type in the service's spelling.
    pub(super) kind: &'static str,
    /// The action that lists the keys, in lower case.
    pub(super) list: &'static str,
    /// The action that regenerates a key, in lower case, and how a request selects the key.
    pub(super) regenerate: &'static str,
    pub(super) by: By,
    /// The names of the keys, in the list and in a request.
    pub(super) slots: &'static [(&'static str, &'static str)],
    pub(super) shape: Shape,
    pub(super) answer: Answer,
    pub(super) form: Form,
    /// The property that turns keys off, and the value with which it does.
    pub(super) off: (&'static str, bool),
    /// The domain of the hosts at which the keys are used.
    pub(super) host: Option<&'static str>,
    /// The seeded resource, as JSON in which `NAME` is replaced by its name.
    pub(super) resource: &'static str,
    /// The same for the parent resource.
    pub(super) above: &'static str,
}

/// How a request selects the key to regenerate.
#[derive(Clone, Copy)]
pub(super) enum By {
    /// By a member of its body.
    Member(&'static str),
    /// By the last segment of its path.
    Segment,
}

/// The format of a list of keys.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// `{"keys":[{"keyName":..,"value":..}]}`
    Storage,
    /// One member for each key.
    Members,
    /// `Members`, with a connection string for each key.
    Namespace,
    /// `Members`, with SignalR's connection strings.
    SignalR,
    /// `Members`, with the creation time of each key.
    Dated,
    /// `Members`, with the account's name.
    Named,
}

/// The response to a request that regenerates a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200 with all keys.
    Keys,
    /// 202 with all keys, and an operation that is still running.
    AcceptedKeys,
    /// 202 with `Enqueued`; the key is regenerated when the operation completes.
    Enqueued,
}

/// The format of a key.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// This number of bytes, in base64.
    Base64(usize),
    /// This number of hexadecimal digits.
    Hex(usize),
}

impl Row {
    pub(super) fn of(kind: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.kind.eq_ignore_ascii_case(kind))
    }

    /// Whether keys are turned off for a resource. Documented: for Batch accounts, by a list without `SharedKey`.
    pub(super) fn is_off(&self, resource: &Value) -> bool {
        let modes = resource["properties"]["allowedAuthenticationModes"].as_array();
        let lacks = modes.is_some_and(|modes| !modes.iter().any(|mode| mode == "SharedKey"));
        lacks || resource["properties"][self.off.0] == self.off.1
    }
}

/// Recorded, unless a line says otherwise: the actions, bodies, key names, statuses and members of the responses.
pub(super) const ROWS: &[Row] = &[
    Row {
        kind: "Microsoft.Storage/storageAccounts",
        list: "listkeys",
        regenerate: "regeneratekey",
        by: By::Member("keyName"),
        slots: &[("key1", "key1"), ("key2", "key2")],
        shape: Shape::Storage,
        answer: Answer::Keys,
        form: Form::Base64(64),
        off: ("allowSharedKeyAccess", false),
        host: Some("blob.core.windows.net"),
        resource: include_str!("resources/storage.json"),
        above: "",
    },
    Row {
        kind: "Microsoft.DocumentDB/databaseAccounts",
        list: "listkeys",
        regenerate: "regeneratekey",
        by: By::Member("keyKind"),
        slots: &[
            ("primaryMasterKey", "primary"),
            ("secondaryMasterKey", "secondary"),
            ("primaryReadonlyMasterKey", "primaryReadonly"),
            ("secondaryReadonlyMasterKey", "secondaryReadonly"),
        ],
        shape: Shape::Members,
        answer: Answer::Enqueued,
        form: Form::Base64(64),
        off: ("disableLocalAuth", true),
        host: Some("documents.azure.com"),
        resource: include_str!("resources/cosmos.json"),
        above: "",
    },
    namespace(
        "Microsoft.ServiceBus/namespaces/authorizationRules",
        include_str!("resources/servicebus.json"),
    ),
    namespace("Microsoft.EventHub/namespaces/authorizationRules", include_str!("resources/eventhubs.json")),
    Row {
        kind: "Microsoft.Cache/redis",
        by: By::Member("keyType"),
        slots: &[("primaryKey", "Primary"), ("secondaryKey", "Secondary")],
        form: Form::Base64(32),
        off: ("disableAccessKeyAuthentication", true),
        resource: include_str!("resources/redis.json"),
        ..PLAIN
    },
    Row {
        kind: "Microsoft.CognitiveServices/accounts",
        by: By::Member("keyName"),
        slots: &[("key1", "Key1"), ("key2", "Key2")],
        form: Form::Hex(32),
        host: Some("openai.azure.com"),
        resource: include_str!("resources/cognitive.json"),
        ..PLAIN
    },
    Row {
        kind: "Microsoft.Search/searchServices",
        list: "listadminkeys",
        regenerate: "regenerateadminkey",
        by: By::Segment,
        slots: &[("primaryKey", "primary"), ("secondaryKey", "secondary")],
        form: Form::Hex(32),
        host: Some("search.windows.net"),
        resource: include_str!("resources/search.json"),
        ..PLAIN
    },
    Row {
        kind: "Microsoft.SignalRService/signalR",
        resource: include_str!("resources/signalr.json"),
        ..SIGNALR
    },
    Row {
        kind: "Microsoft.SignalRService/webPubSub",
        resource: include_str!("resources/webpubsub.json"),
        ..SIGNALR
    },
    Row {
        kind: "Microsoft.Maps/accounts",
        by: By::Member("keyType"),
        slots: &[("primaryKey", "primary"), ("secondaryKey", "secondary")],
        shape: Shape::Dated,
        resource: include_str!("resources/maps.json"),
        ..PLAIN
    },
    Row {
        kind: "Microsoft.Batch/batchAccounts",
        regenerate: "regeneratekeys",
        by: By::Member("keyName"),
        slots: &[("primary", "Primary"), ("secondary", "Secondary")],
        shape: Shape::Named,
        form: Form::Base64(64),
        resource: include_str!("resources/batch.json"),
        ..PLAIN
    },
    Row {
        kind: "Microsoft.EventGrid/topics",
        slots: &[("key1", "key1"), ("key2", "key2")],
        resource: include_str!("resources/topic.json"),
        ..PLAIN
    },
    Row {
        kind: "Microsoft.EventGrid/domains",
        slots: &[("key1", "key1"), ("key2", "key2")],
        resource: include_str!("resources/domain.json"),
        ..PLAIN
    },
];

const PLAIN: Row = Row {
    kind: "",
    list: "listkeys",
    regenerate: "regeneratekey",
    by: By::Member("keyName"),
    slots: &[],
    shape: Shape::Members,
    answer: Answer::Keys,
    form: Form::Base64(32),
    off: ("disableLocalAuth", true),
    host: None,
    resource: "",
    above: "",
};

const SIGNALR: Row = Row {
    by: By::Member("keyType"),
    slots: &[("primaryKey", "Primary"), ("secondaryKey", "Secondary")],
    shape: Shape::SignalR,
    answer: Answer::AcceptedKeys,
    form: Form::Base64(63),
    ..PLAIN
};

const fn namespace(kind: &'static str, above: &'static str) -> Row {
    Row {
        kind,
        list: "listkeys",
        regenerate: "regeneratekeys",
        by: By::Member("keyType"),
        slots: &[("primaryKey", "PrimaryKey"), ("secondaryKey", "SecondaryKey")],
        shape: Shape::Namespace,
        answer: Answer::Keys,
        form: Form::Base64(32),
        off: ("disableLocalAuth", true),
        host: Some("servicebus.windows.net"),
        resource: r#"{ "properties": { "rights": ["Listen", "Manage", "Send"] } }"#,
        above,
    }
}

/// A resource of the table, with its name.
pub(super) fn named(resource: &str, name: &str) -> Value {
    serde_json::from_str(&resource.replace("NAME", name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_of_the_table_and_above_is_an_object_with_properties() {
        for row in ROWS {
            assert!(named(row.resource, "name")["properties"].is_object(), "{}", row.kind);
            let above = named(row.above, "name");
            assert_eq!(above["properties"].is_object(), row.kind.matches('/').count() > 1, "{}", row.kind);
        }
    }
}
