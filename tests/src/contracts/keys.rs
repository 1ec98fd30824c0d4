//! Resources with keys: one declaration for each type and operation.

use arm_core::{ArmClient, ResourceId};
use keyvault_issuers::KeyedResourcesClient;
use serde_json::json;

use super::common::GROUP;
use crate::{Contract, all, done, get, one, post};

/// A type of resource with keys.
struct Keyed {
    /// What tells its contracts from those of other types with operations of the same name.
    variant: &'static str,
    /// `{namespace}/{type}/{name}`, of a rule with its namespace.
    path: &'static str,
    version: &'static str,
    /// The operations, and the answers to the first two.
    get: (&'static str, &'static str),
    list: (&'static str, &'static str),
    regenerate: &'static str,
    /// The last segments of their paths.
    actions: (&'static str, &'static str),
    /// How a key is named in the body, and which: nothing where it stands in the path.
    body: Option<(&'static str, &'static str)>,
}

const KEYED: &[Keyed] = &[
    Keyed {
        variant: "",
        path: "Microsoft.Storage/storageAccounts/stapp",
        version: "2023-05-01",
        get: ("StorageAccounts_GetProperties", "keys/storage_get.json"),
        list: ("StorageAccounts_ListKeys", "keys/storage_list.json"),
        regenerate: "StorageAccounts_RegenerateKey",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyName", "key1")),
    },
    Keyed {
        variant: "",
        path: "Microsoft.DocumentDB/databaseAccounts/cosmos",
        version: "2023-11-15",
        get: ("DatabaseAccounts_Get", GET),
        list: ("DatabaseAccounts_ListKeys", "keys/cosmos_list.json"),
        regenerate: "DatabaseAccounts_RegenerateKey",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyKind", "primaryReadonly")),
    },
    Keyed {
        variant: "of_service_bus",
        path: "Microsoft.ServiceBus/namespaces/ns/authorizationRules/send",
        ..RULE
    },
    Keyed {
        variant: "of_event_hubs",
        path: "Microsoft.EventHub/namespaces/ns/authorizationRules/send",
        ..RULE
    },
    Keyed {
        variant: "of_cognitive_services",
        path: "Microsoft.CognitiveServices/accounts/models",
        version: "2023-05-01",
        get: ("Accounts_Get", "keys/cognitive_get.json"),
        list: ("Accounts_ListKeys", "keys/key1_list.json"),
        regenerate: "Accounts_RegenerateKey",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyName", "Key2")),
    },
    Keyed {
        variant: "",
        path: "Microsoft.Search/searchServices/search",
        version: "2022-09-01",
        get: ("Services_Get", GET),
        list: ("AdminKeys_Get", PRIMARY),
        regenerate: "AdminKeys_Regenerate",
        actions: ("listAdminKeys", "regenerateAdminKey/secondary"),
        body: None,
    },
    Keyed {
        variant: "",
        path: "Microsoft.Cache/redis/cache",
        version: "2024-03-01",
        get: ("Redis_Get", "keys/redis_get.json"),
        list: ("Redis_ListKeys", PRIMARY),
        regenerate: "Redis_RegenerateKey",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyType", "Primary")),
    },
    Keyed {
        variant: "",
        path: "Microsoft.SignalRService/signalR/signals",
        version: "2023-02-01",
        get: ("SignalR_Get", GET),
        list: ("SignalR_ListKeys", PRIMARY),
        regenerate: "SignalR_RegenerateKey",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyType", "Secondary")),
    },
    Keyed {
        variant: "",
        path: "Microsoft.SignalRService/webPubSub/pubsub",
        version: "2023-02-01",
        get: ("WebPubSub_Get", GET),
        list: ("WebPubSub_ListKeys", PRIMARY),
        regenerate: "WebPubSub_RegenerateKey",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyType", "Primary")),
    },
    Keyed {
        variant: "of_maps",
        path: "Microsoft.Maps/accounts/maps",
        version: "2021-02-01",
        get: ("Accounts_Get", GET),
        list: ("Accounts_ListKeys", PRIMARY),
        regenerate: "Accounts_RegenerateKeys",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyType", "primary")),
    },
    Keyed {
        variant: "",
        path: "Microsoft.Batch/batchAccounts/batch",
        version: "2024-02-01",
        get: ("BatchAccount_Get", "keys/batch_get.json"),
        list: ("BatchAccount_GetKeys", "keys/batch_list.json"),
        regenerate: "BatchAccount_RegenerateKey",
        actions: ("listKeys", "regenerateKeys"),
        body: Some(("keyName", "Primary")),
    },
    Keyed {
        variant: "",
        path: "Microsoft.EventGrid/topics/topic",
        version: "2022-06-15",
        get: ("Topics_Get", GET),
        list: ("Topics_ListSharedAccessKeys", "keys/key1_list.json"),
        regenerate: "Topics_RegenerateKey",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyName", "key1")),
    },
    Keyed {
        variant: "",
        path: "Microsoft.EventGrid/domains/domain",
        version: "2022-06-15",
        get: ("Domains_Get", GET),
        list: ("Domains_ListSharedAccessKeys", "keys/key1_list.json"),
        regenerate: "Domains_RegenerateKey",
        actions: ("listKeys", "regenerateKey"),
        body: Some(("keyName", "key2")),
    },
];

const GET: &str = "keys/get.json";
const PRIMARY: &str = "keys/primary_list.json";

const RULE: Keyed = Keyed {
    variant: "",
    path: "",
    version: "2021-11-01",
    get: ("Namespaces_Get", GET),
    list: ("Namespaces_ListKeys", "keys/rule_list.json"),
    regenerate: "Namespaces_RegenerateKeys",
    actions: ("listKeys", "regenerateKeys"),
    body: Some(("keyType", "SecondaryKey")),
};

fn client(arm: &ArmClient) -> KeyedResourcesClient {
    KeyedResourcesClient::new(arm)
}

impl Keyed {
    fn id(&self) -> ResourceId {
        format!("{GROUP}/providers/{}", self.path).parse().unwrap()
    }

    fn contracts(&'static self) -> [Contract; 3] {
        let id = self.id();
        // Whether keys are turned off stands on the namespace of a rule.
        let owner = id.as_str().split("/authorizationRules").next().unwrap_or_default().to_owned();
        let key =
            self.body.map_or_else(|| self.actions.1.rsplit('/').next().unwrap_or_default(), |body| body.1);
        let regenerate = post(self.regenerate, format!("{id}/{}", self.actions.1), self.version);
        let regenerate = match self.body {
            Some((member, key)) => regenerate.sends(json!({ member: key })),
            None => regenerate,
        };
        [
            get(self.get.0, owner, self.version)
                .variant(self.variant)
                .answers(self.get.1)
                .call(move |arm| one(async move { client(&arm).get(&self.id()).await })),
            post(self.list.0, format!("{id}/{}", self.actions.0), self.version)
                .variant(self.variant)
                .answers(self.list.1)
                .call(move |arm| one(async move { client(&arm).list_keys(&self.id()).await })),
            regenerate
                .variant(self.variant)
                .statuses(&[200, 202])
                .long_running()
                .call(move |arm| done(client(&arm).regenerate_key(&self.id(), key))),
        ]
    }
}

pub(super) fn contracts() -> Vec<Contract> {
    let mut contracts: Vec<Contract> = KEYED.iter().flat_map(Keyed::contracts).collect();
    let account = KEYED[0].id();
    let permissions = format!("{account}/providers/Microsoft.Authorization/permissions");
    contracts.push(
        get("Permissions_ListForResource", permissions, "2022-04-01")
            .answers("keys/permissions.json")
            .pages()
            .call(|arm| all(client(&arm).permissions(&KEYED[0].id()))),
    );
    contracts
}
