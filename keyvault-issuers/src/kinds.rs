//! The types of resources with keys, as data: one row per type.

use std::fmt;

use arm_core::ResourceType;
use serde_json::Value;

/// A type of resource with keys.
pub(crate) struct Kind {
    /// As the service spells it.
    pub(crate) name: &'static str,
    /// The api-version of every request.
    pub(crate) version: &'static str,
    /// The action that lists the keys.
    pub(crate) list: &'static str,
    /// The action that regenerates a key.
    pub(crate) regenerate: Regenerate,
    pub(crate) slots: &'static [Slot],
    /// The setting, below `properties`, that turns keys off.
    pub(crate) off: Off,
    /// Whether that setting is on the parent, such as the namespace of an authorization rule.
    pub(crate) off_above: bool,
    pub(crate) proof: Proof,
    /// The suffixes of the hosts of such resources in the public, US government and China clouds.
    pub(crate) hosts: [&'static [&'static str]; 3],
    /// The path of the resource's own endpoint, below `properties`.
    pub(crate) endpoint: &'static [&'static str],
}

/// One of the keys of a resource.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Its name in a request and in a rotation.
    pub(crate) name: &'static str,
    /// Its name in the list of keys.
    pub(crate) listed: &'static str,
    /// The other key with the same rights.
    pub(crate) partner: &'static str,
}

/// The setting that turns the keys of a resource off.
#[derive(Clone, Copy)]
pub(crate) enum Off {
    /// A member with this value.
    Flag(&'static str, bool),
    /// A list without this entry.
    Lacks(&'static str, &'static str),
}

impl Off {
    /// Whether keys are accepted; `None` if the resource does not say.
    pub(crate) fn takes_keys(self, properties: &Value) -> Option<bool> {
        match self {
            Self::Flag(member, off) => properties[member].as_bool().map(|value| value != off),
            Self::Lacks(member, entry) => {
                properties[member].as_array().map(|held| held.iter().any(|held| held == entry))
            }
        }
    }
}

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(member, off) => write!(f, "{member}: {off}"),
            Self::Lacks(member, entry) => write!(f, "{member} without {entry}"),
        }
    }
}

/// How a request names the key to regenerate.
#[derive(Clone, Copy)]
pub(crate) enum Regenerate {
    /// In a member of its body.
    Member { action: &'static str, member: &'static str },
    /// In the last segment of its path.
    Segment { action: &'static str },
}

impl Regenerate {
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Member { action, .. } | Self::Segment { action } => action,
        }
    }
}

/// How to test whether a key works.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Not possible: the key can only be listed.
    None,
    /// `Get Account Information`, signed with the shared key.
    Storage,
    /// A list of databases, signed with a master key.
    Cosmos,
    /// A list of entities of this kind, with a token signed with the rule's key.
    Namespace(&'static str),
    /// A list of models; only for kinds of account that have one.
    OpenAi,
    /// The statistics of a search service.
    Search,
}

impl Kind {
    pub(crate) fn of(resource_type: &ResourceType) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(resource_type.as_str()))
    }

    pub(crate) fn slot(&self, name: &str) -> Option<&'static Slot> {
        self.slots.iter().find(|slot| slot.name.eq_ignore_ascii_case(name))
    }
}

const fn slot(name: &'static str, listed: &'static str, partner: &'static str) -> Slot {
    Slot { name, listed, partner }
}

const KEY_1_2: &[Slot] = &[slot("key1", "key1", "key2"), slot("key2", "key2", "key1")];
const PRIMARY: &[Slot] =
    &[slot("Primary", "primaryKey", "Secondary"), slot("Secondary", "secondaryKey", "Primary")];
const PRIMARY_LOWER: &[Slot] =
    &[slot("primary", "primaryKey", "secondary"), slot("secondary", "secondaryKey", "primary")];
const NOWHERE: [&[&str]; 3] = [&[], &[], &[]];

/// The common properties of the types whose keys can only be listed.
const LISTED: Kind = Kind {
    name: "",
    version: "",
    list: "listKeys",
    regenerate: Regenerate::Member { action: "regenerateKey", member: "keyType" },
    slots: PRIMARY,
    off: Off::Flag("disableLocalAuth", true),
    off_above: false,
    proof: Proof::None,
    hosts: NOWHERE,
    endpoint: &[],
};

const RULE: Kind = Kind {
    version: "2021-11-01",
    regenerate: Regenerate::Member { action: "regenerateKeys", member: "keyType" },
    slots: &[
        slot("PrimaryKey", "primaryKey", "SecondaryKey"),
        slot("SecondaryKey", "secondaryKey", "PrimaryKey"),
    ],
    off_above: true,
    hosts: [&["servicebus.windows.net"], &["servicebus.usgovcloudapi.net"], &["servicebus.chinacloudapi.cn"]],
    ..LISTED
};

/// All types, in the order of the documentation.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "Microsoft.Storage/storageAccounts",
        version: "2023-05-01",
        regenerate: Regenerate::Member { action: "regenerateKey", member: "keyName" },
        slots: KEY_1_2,
        off: Off::Flag("allowSharedKeyAccess", false),
        proof: Proof::Storage,
        hosts: [
            &["blob.core.windows.net", "blob.storage.azure.net"],
            &["blob.core.usgovcloudapi.net"],
            &["blob.core.chinacloudapi.cn"],
        ],
        endpoint: &["primaryEndpoints", "blob"],
        ..LISTED
    },
    Kind {
        name: "Microsoft.DocumentDB/databaseAccounts",
        version: "2023-11-15",
        regenerate: Regenerate::Member { action: "regenerateKey", member: "keyKind" },
        slots: &[
            slot("primary", "primaryMasterKey", "secondary"),
            slot("secondary", "secondaryMasterKey", "primary"),
            slot("primaryReadonly", "primaryReadonlyMasterKey", "secondaryReadonly"),
            slot("secondaryReadonly", "secondaryReadonlyMasterKey", "primaryReadonly"),
        ],
        proof: Proof::Cosmos,
        hosts: [&["documents.azure.com"], &["documents.azure.us"], &["documents.azure.cn"]],
        endpoint: &["documentEndpoint"],
        ..LISTED
    },
    Kind {
        name: "Microsoft.ServiceBus/namespaces/authorizationRules",
        proof: Proof::Namespace("queues"),
        ..RULE
    },
    Kind {
        name: "Microsoft.EventHub/namespaces/authorizationRules",
        proof: Proof::Namespace("eventhubs"),
        ..RULE
    },
    Kind {
        name: "Microsoft.CognitiveServices/accounts",
        version: "2023-05-01",
        regenerate: Regenerate::Member { action: "regenerateKey", member: "keyName" },
        slots: &[slot("Key1", "key1", "Key2"), slot("Key2", "key2", "Key1")],
        proof: Proof::OpenAi,
        hosts: [
            &["openai.azure.com", "cognitiveservices.azure.com"],
            &["openai.azure.us", "cognitiveservices.azure.us"],
            &["openai.azure.cn", "cognitiveservices.azure.cn"],
        ],
        endpoint: &["endpoint"],
        ..LISTED
    },
    Kind {
        name: "Microsoft.Search/searchServices",
        version: "2022-09-01",
        list: "listAdminKeys",
        regenerate: Regenerate::Segment { action: "regenerateAdminKey" },
        slots: PRIMARY_LOWER,
        proof: Proof::Search,
        hosts: [&["search.windows.net"], &["search.azure.us"], &["search.azure.cn"]],
        ..LISTED
    },
    Kind {
        name: "Microsoft.Cache/redis",
        version: "2024-03-01",
        off: Off::Flag("disableAccessKeyAuthentication", true),
        ..LISTED
    },
    Kind { name: "Microsoft.SignalRService/signalR", version: "2023-02-01", ..LISTED },
    Kind { name: "Microsoft.SignalRService/webPubSub", version: "2023-02-01", ..LISTED },
    Kind { name: "Microsoft.Maps/accounts", version: "2021-02-01", slots: PRIMARY_LOWER, ..LISTED },
    Kind {
        name: "Microsoft.Batch/batchAccounts",
        version: "2024-02-01",
        regenerate: Regenerate::Member { action: "regenerateKeys", member: "keyName" },
        slots: &[slot("Primary", "primary", "Secondary"), slot("Secondary", "secondary", "Primary")],
        off: Off::Lacks("allowedAuthenticationModes", "SharedKey"),
        ..LISTED
    },
    Kind {
        name: "Microsoft.EventGrid/topics",
        version: "2022-06-15",
        regenerate: Regenerate::Member { action: "regenerateKey", member: "keyName" },
        slots: KEY_1_2,
        ..LISTED
    },
    Kind {
        name: "Microsoft.EventGrid/domains",
        version: "2022-06-15",
        regenerate: Regenerate::Member { action: "regenerateKey", member: "keyName" },
        slots: KEY_1_2,
        ..LISTED
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_keys_off_is_named_with_its_value() {
        assert_eq!(Off::Flag("disableLocalAuth", true).to_string(), "disableLocalAuth: true");
        assert_eq!(Off::Lacks("modes", "SharedKey").to_string(), "modes without SharedKey");
    }

    #[test]
    fn keys_are_named_as_each_service_spells_them() {
        let spelled = |kind: &str| -> Vec<&str> {
            let kind = KINDS.iter().find(|known| known.name == kind).unwrap();
            kind.slots.iter().map(|slot| slot.name).collect()
        };
        for kind in ["Microsoft.Maps/accounts", "Microsoft.Search/searchServices"] {
            assert_eq!(spelled(kind), ["primary", "secondary"], "{kind}");
        }
        for kind in
            ["Microsoft.Cache/redis", "Microsoft.SignalRService/signalR", "Microsoft.Batch/batchAccounts"]
        {
            assert_eq!(spelled(kind), ["Primary", "Secondary"], "{kind}");
        }
        assert_eq!(spelled("Microsoft.CognitiveServices/accounts"), ["Key1", "Key2"]);
        for kind in ["Microsoft.Storage/storageAccounts", "Microsoft.EventGrid/topics"] {
            assert_eq!(spelled(kind), ["key1", "key2"], "{kind}");
        }
    }

    #[test]
    fn each_key_has_a_partner_that_is_not_itself() {
        for kind in KINDS {
            for slot in kind.slots {
                let partner = kind.slot(slot.partner).expect(kind.name);
                assert!(partner.name != slot.name && partner.partner == slot.name, "{}", kind.name);
            }
            assert_eq!(kind.hosts[0].is_empty(), kind.proof == Proof::None, "{}", kind.name);
        }
    }
}
