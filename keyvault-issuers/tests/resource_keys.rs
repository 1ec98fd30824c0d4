//! Rotations of the keys of resources, on the double, whose data planes check what is signed.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::time::Duration;

use keyvault_ops::{RotateFailure, RotateStep};
use mock_azure::DEFAULT_SUBSCRIPTION as SUB;
use support::{Lab, STORAGE, account, id, name, seed, storage};

fn connection_string(key: &str) -> String {
    format!(
        "DefaultEndpointsProtocol=https;AccountName=stlab;AccountKey={key};EndpointSuffix=core.windows.net;"
    )
}

#[tokio::test]
async fn a_storage_key_is_replaced_by_the_other_one_and_dies() {
    let lab = Lab::of(account()).await;
    let (key1, key2) = (lab.key(&storage(), "key1"), lab.key(&storage(), "key2"));
    lab.set("storage", &connection_string(&key1)).await;

    let rotation = lab.rotate("storage", &storage()).await.unwrap();

    assert!(rotation.is_complete(), "{rotation}");
    assert_eq!(rotation.issuer.created.as_deref(), Some("key2"));
    assert_eq!(rotation.issuer.revoked, ["key1"]);
    let new = lab.key(&storage(), "key2");
    assert_eq!(lab.value("storage").await, connection_string(&new));
    assert!(lab.takes(&storage(), &new));
    assert!(!lab.takes(&storage(), &key1) && !lab.takes(&storage(), &key2), "the old keys are dead");

    let proof = lab.azure.requests().into_iter().find(|request| request.host.contains("blob")).unwrap();
    assert_eq!((proof.method.as_str(), proof.host.as_str()), ("GET", "stlab.blob.core.windows.net"));
    assert_eq!(proof.query("restype"), Some("account"));
    assert!(proof.header("authorization").unwrap().starts_with("SharedKey stlab:"));
    assert!(lab.azure.unknown_requests().is_empty() && lab.azure.foreign_requests().is_empty());

    let again = lab.rotate("storage", &storage()).await.unwrap();
    assert!(again.is_complete(), "{again}");
    assert_eq!(
        (again.issuer.created.as_deref(), again.issuer.revoked),
        (Some("key1"), vec!["key2".to_owned()])
    );
}

#[tokio::test]
async fn a_key_that_takes_its_time_is_waited_for_and_so_is_the_end_of_the_old_one() {
    let lab = Lab::of(account().key_propagation_time(Duration::from_secs(60))).await;
    let key1 = lab.key(&storage(), "key1");
    lab.set("storage", &key1).await;
    let rotation = lab.rotate("storage", &storage()).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    assert!(!lab.takes(&storage(), &key1), "revoked means refused");

    let lab = Lab::of(account().key_propagation_time(Duration::from_secs(3600))).await;
    lab.set("storage", &lab.key(&storage(), "key1")).await;
    let error = lab.rotate("storage", &storage()).await.unwrap_err();
    assert_eq!(error.step, RotateStep::Verify, "{error}");
    assert_eq!(lab.value("storage").await, lab.key(&storage(), "key1"), "and nothing was set");
}

/// A type, the name of a resource of it, the keys as they are listed, and whether they can be used.
const TYPES: &[(&str, &str, [&str; 2], bool)] = &[
    (STORAGE, "stlab", ["key1", "key2"], true),
    ("Microsoft.DocumentDB/databaseAccounts", "cosmos", ["primaryMasterKey", "secondaryMasterKey"], true),
    (
        "Microsoft.DocumentDB/databaseAccounts",
        "cosmos",
        ["secondaryReadonlyMasterKey", "primaryReadonlyMasterKey"],
        true,
    ),
    ("Microsoft.ServiceBus/namespaces/authorizationRules", "bus/send", ["primaryKey", "secondaryKey"], true),
    ("Microsoft.EventHub/namespaces/authorizationRules", "hubs/Root", ["secondaryKey", "primaryKey"], true),
    ("Microsoft.CognitiveServices/accounts", "models", ["key1", "key2"], true),
    ("Microsoft.Search/searchServices", "search", ["primaryKey", "secondaryKey"], true),
    ("Microsoft.Cache/redis", "cache", ["primaryKey", "secondaryKey"], false),
    ("Microsoft.SignalRService/signalR", "signals", ["primaryKey", "secondaryKey"], false),
    ("Microsoft.SignalRService/webPubSub", "pubsub", ["primaryKey", "secondaryKey"], false),
    ("Microsoft.Maps/accounts", "maps", ["primaryKey", "secondaryKey"], false),
    ("Microsoft.Batch/batchAccounts", "batch", ["primary", "secondary"], false),
    ("Microsoft.EventGrid/topics", "topic", ["key1", "key2"], false),
    ("Microsoft.EventGrid/domains", "domain", ["key1", "key2"], false),
];

#[tokio::test]
async fn every_type_of_the_table_is_rotated_and_only_what_was_used_is_complete() {
    for (kind, resource, [in_use, idle], used) in TYPES {
        let lab = Lab::of(seed().keyed_resource(SUB, "rg", kind, resource)).await;
        let id = id(kind, resource);
        let old = lab.key(&id, in_use);
        lab.set("key", &format!("{{\"key\": \"{old}\", \"for\": \"{resource}\"}}")).await;

        let rotation = lab.rotate("key", &id).await.unwrap_or_else(|error| panic!("{kind}: {error}"));

        assert_eq!(rotation.is_complete(), *used, "{kind}: {rotation}");
        assert_eq!(
            rotation.to_string().contains("listed by the issuer, but not used"),
            !used,
            "{kind}: {rotation}"
        );
        let new = lab.key(&id, idle);
        assert_eq!(
            lab.value("key").await,
            format!("{{\"key\": \"{new}\", \"for\": \"{resource}\"}}"),
            "{kind}"
        );
        assert!(lab.takes(&id, &new) && !lab.takes(&id, &old), "{kind}: the old key is dead");
        assert_eq!(rotation.issuer.revoked.len(), 1, "{kind}");
        let unknown = lab.azure.unknown_requests();
        assert!(unknown.is_empty() && lab.azure.foreign_requests().is_empty(), "{kind}: {unknown:?}");
    }
}

#[tokio::test]
async fn a_cognitive_account_of_a_kind_without_models_is_listed_and_not_used() {
    let kind = "Microsoft.CognitiveServices/accounts";
    let id = id(kind, "speech");
    let seed = seed().keyed_resource(SUB, "rg", kind, "speech").resource_kind(id.as_str(), "SpeechServices");
    let lab = Lab::of(seed).await;
    lab.set("key", &lab.key(&id, "key1")).await;
    let rotation = lab.rotate("key", &id).await.unwrap();
    assert!(!rotation.is_complete() && !rotation.issuer.verified, "{rotation}");
    assert!(lab.azure.requests().iter().all(|request| !request.host.contains("openai")));
}

#[tokio::test]
async fn a_type_that_is_not_in_the_table_is_refused_with_those_that_are() {
    let lab = Lab::of(seed()).await;
    let other = id("Microsoft.Devices/IotHubs", "hub");
    let error = keyvault_issuers::ResourceKeyIssuer::new(&lab.arm, other.clone()).unwrap_err().to_string();
    assert!(error.contains("IotHubs") && error.contains(STORAGE), "{error}");
    let sent = lab.azure.requests().len();
    let client = keyvault_issuers::KeyedResourcesClient::new(&lab.arm);
    let error = client.regenerate_key(&other, "key1").await.unwrap_err().to_string();
    assert!(error.contains("IotHubs") && error.contains(STORAGE), "{error}");
    assert_eq!(lab.azure.requests().len(), sent, "nothing is sent");
}

#[tokio::test]
async fn two_keys_in_one_value_are_refused() {
    let lab = Lab::of(account()).await;
    let both = format!("{} {}", lab.key(&storage(), "key1"), lab.key(&storage(), "key2"));
    lab.set("both", &both).await;
    lab.azure.clear_requests();
    let error = lab.rotate("both", &storage()).await.unwrap_err();
    assert!(error.to_string().contains("two keys of"), "{error}");
    assert!(lab.writes().is_empty());
}

#[tokio::test]
async fn a_regenerate_whose_answer_is_lost_is_found_by_its_key_and_not_repeated() {
    let lab = Lab::of(account()).await;
    lab.set("storage", &lab.key(&storage(), "key1")).await;
    lab.azure.inject(mock_azure::Fault::reset_after_acting().on("POST", "/regenerateKey"));
    let rotation = lab.rotate("storage", &storage()).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    let regenerated = lab.writes().into_iter().filter(|write| write.ends_with("/regenerateKey")).count();
    assert_eq!(regenerated, 2, "one for each key");
}

#[tokio::test]
async fn a_current_value_that_dies_by_someone_elses_hand_is_raised() {
    let lab = Lab::of(account()).await;
    lab.set("storage", &lab.key(&storage(), "key1")).await;
    let stopped = lab.rotate("storage", &storage()).id("r-1");
    lab.azure.inject(mock_azure::Fault::status(500).on("PUT", "/secrets/storage").times(9));
    stopped.await.unwrap_err();
    lab.azure.clear_faults();
    lab.azure.regenerate_key(storage().as_str(), "key1");
    let error = lab.rotate("storage", &storage()).id("r-1").await.unwrap_err();
    let raised = matches!(*error.source, RotateFailure::CurrentCredentialDead { .. });
    assert!(raised, "{error}");
    assert_eq!(lab.secrets.verify_single_active(&name("storage")).await.unwrap().versions, 1);
}

#[tokio::test]
async fn who_may_not_read_their_permissions_learns_of_a_missing_one_from_the_first_refusal() {
    let lab = Lab::of(account()).await;
    lab.set("storage", &lab.key(&storage(), "key1")).await;
    lab.azure.inject(mock_azure::Fault::status(403).on("GET", "/permissions").always());
    assert!(lab.rotate("storage", &storage()).await.unwrap().is_complete());

    lab.azure.clear_faults();
    lab.azure.inject(mock_azure::Fault::status(404).on("GET", "/permissions").always());
    lab.azure.clear_requests();
    let error = lab.rotate("storage", &storage()).await.unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
    assert!(lab.writes().is_empty(), "{:?}", lab.writes());
}
