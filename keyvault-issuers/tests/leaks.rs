//! No key, password or token gets into a log, span, error, report or ledger line, whichever issuer is at work.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use keyvault_issuers::{
    ApplicationsClient, EntraPasswordIssuer, KeyedResourcesClient, ResourceKeyIssuer, WebhookIssuer,
};
use keyvault_ops::{Issuer, IssuerKind, Ledger};

use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, DEFAULT_TENANT, Fault};
use support::{
    Lab, VAULT, id, name, seed,
    service::{ADDRESS, Hook, KEY, Service},
};
use test_kit::overheard::{SEEN, keep_everything, see, see_error};

const APP: &str = "00000000-0000-0000-0000-0000000000d1";
const CLIENT: &str = "00000000-0000-0000-0000-0000000000c9";
const PASSWORD: &str = "old8Q~0123456789012345678901234567abcd";

const RESOURCES: &[(&str, &str, [&str; 2])] = &[
    ("Microsoft.Storage/storageAccounts", "stlab", ["key1", "key2"]),
    ("Microsoft.DocumentDB/databaseAccounts", "cosmos", ["primaryMasterKey", "secondaryMasterKey"]),
    ("Microsoft.ServiceBus/namespaces/authorizationRules", "bus/send", ["primaryKey", "secondaryKey"]),
    ("Microsoft.CognitiveServices/accounts", "models", ["key1", "key2"]),
    ("Microsoft.Search/searchServices", "search", ["primaryKey", "secondaryKey"]),
    ("Microsoft.EventHub/namespaces/authorizationRules", "hubs/Root", ["primaryKey", "secondaryKey"]),
    ("Microsoft.Cache/redis", "cache", ["primaryKey", "secondaryKey"]),
    ("Microsoft.SignalRService/signalR", "signals", ["primaryKey", "secondaryKey"]),
    ("Microsoft.SignalRService/webPubSub", "pubsub", ["primaryKey", "secondaryKey"]),
    ("Microsoft.Maps/accounts", "maps", ["primaryKey", "secondaryKey"]),
    ("Microsoft.Batch/batchAccounts", "batch", ["primary", "secondary"]),
    ("Microsoft.EventGrid/topics", "topic", ["key1", "key2"]),
    ("Microsoft.EventGrid/domains", "domain", ["key1", "key2"]),
];

/// Rotates, smoothly and with each kind of accident, and shows all that comes of it.
async fn rotate(lab: &Lab, issuer: &Arc<dyn Issuer>, secrets: &mut BTreeSet<String>, own: &[&str]) {
    let ledger = Ledger::in_memory();
    let db = name("db");
    let accidents = [
        None,
        Some(Fault::status(500)),
        Some(Fault::status(403)),
        Some(Fault::truncated()),
        Some(Fault::reset_after_acting()),
        Some(Fault::wrong_content_type("text/html", "<html>sign in</html>")),
    ];
    let (mut last, mut done) = (None, 0);
    for path in own {
        for accident in &accidents {
            if let Some(accident) = accident {
                lab.azure.inject(accident.clone().on("*", path).times(2));
            }
            let rotate =
                lab.secrets.rotate(&db).id(format!("r{done}")).issuer(issuer.clone()).ledger(&ledger);
            see(&rotate);
            match rotate.await {
                Ok(rotation) => {
                    see(&rotation);
                    let _ = writeln!(SEEN.lock().unwrap(), "{rotation}");
                    last = Some(rotation);
                    done += 1;
                }
                Err(error) => see_error(&error),
            }
            lab.azure.clear_faults();
            secrets.extend(lab.azure.secret_versions(VAULT, "db").into_iter().map(|version| version.value));
        }
    }
    assert!(last.is_some(), "none went well");
    SEEN.lock().unwrap().push_str(&String::from_utf8(ledger.contents().unwrap()).unwrap());
}

/// New credentials that do not work, however long they are waited for.
async fn refused(secrets: &mut BTreeSet<String>) {
    let hour = std::time::Duration::from_secs(3600);
    for (kind, resource, keys) in RESOURCES {
        let lab = Lab::of(seed().keyed_resource(SUB, "rg", kind, resource).key_propagation_time(hour)).await;
        let id = id(kind, resource);
        lab.set("db", &lab.key(&id, keys[0])).await;
        secrets.extend(keys.iter().map(|key| lab.key(&id, key)));
        match lab.rotate("db", &id).await {
            Ok(rotation) => see(&rotation),
            Err(error) => see_error(&error),
        }
        secrets.extend(keys.iter().map(|key| lab.key(&id, key)));
    }
    let lab = Lab::of(seed().application(APP, CLIENT, "web", PASSWORD).password_propagation_time(hour)).await;
    lab.set("db", PASSWORD).await;
    let issuer = EntraPasswordIssuer::new(&lab.arm, DEFAULT_TENANT, APP);
    see_error(&lab.secrets.rotate(&name("db")).issuer(Arc::new(issuer)).await.unwrap_err());
}

/// A webhook: its key, and the values that it makes; one that sends back what it got, and one that is not there.
async fn own_service(secrets: &mut BTreeSet<String>) {
    for echoes in [None, Some(200), Some(422), Some(500)] {
        for key in ["a key that the service does not have", KEY] {
            let service = Arc::new(Service { echoes, ..Service::default() });
            service.held.lock().unwrap().push(("c-0".into(), LEAKED_TOKEN.into(), String::new(), true));
            let lab = Lab::with_policies(seed(), vec![Arc::new(Hook(service.clone()))]).await;
            own_rotation(&lab, key, secrets).await;
            secrets.extend(service.held.lock().unwrap().iter().map(|held| held.1.clone()));
        }
    }
    own_rotation(&Lab::of(seed()).await, KEY, secrets).await;
}

const LEAKED_TOKEN: &str = "value-that-was-leaked-somewhere";

async fn own_rotation(lab: &Lab, key: &str, secrets: &mut BTreeSet<String>) {
    lab.set("db", LEAKED_TOKEN).await;
    let issuer =
        WebhookIssuer::new(&lab.arm, ADDRESS.parse().unwrap(), key.into(), IssuerKind::Many).unwrap();
    see(&issuer);
    for error in [issuer.verify(&LEAKED_TOKEN.into()).await.err(), issuer.revoke("c-none").await.err()] {
        error.iter().for_each(|error| see_error(error));
    }
    let ledger = Ledger::in_memory();
    match lab.secrets.rotate(&name("db")).ledger(&ledger).issuer(Arc::new(issuer)).await {
        Ok(rotation) => see(&rotation),
        Err(error) => see_error(&error),
    }
    SEEN.lock().unwrap().push_str(&String::from_utf8(ledger.contents().unwrap()).unwrap());
    secrets.insert(key.to_owned());
}

/// Two roles of PostgreSQL, smoothly and with answers that are lost.
#[cfg(feature = "postgres")]
async fn two_roles(secrets: &mut BTreeSet<String>) {
    use support::postgres::{ADMINISTRATOR, Accident, LEAKED, Postgres};
    let (lab, server) = (Lab::of(seed()).await, Postgres::start().await);
    lab.set("db", &server.url("app_a", LEAKED)).await;
    let administrator = server.url("rotator", ADMINISTRATOR).into();
    let issuer = keyvault_issuers::PostgresRoleIssuer::new(&administrator, ["app_a", "app_b"]).unwrap();
    see(&issuer);
    let ledger = Ledger::in_memory();
    let lost = |to| Some(Accident { to, acts: true });
    for (at, accident) in [None, lost("PASSWORD '"), lost("PASSWORD NULL"), None].into_iter().enumerate() {
        *server.accident.lock().unwrap() = accident;
        for _ in 0..2 {
            let rotate = lab.secrets.rotate(&name("db")).id(format!("r{at}")).ledger(&ledger);
            match rotate.issuer(Arc::new(issuer.clone())).await {
                Ok(rotation) => see(&rotation),
                Err(error) => see_error(&error),
            }
        }
    }
    let wrong = server.url("app_a", "a-password-that-is-not-its-own").into();
    see_error(&issuer.verify(&wrong).await.unwrap_err());
    let facts = [("may", "SELECT on table orders"), ("obstacle", "may not log in (NOLOGIN)")];
    for fact in facts {
        server.roles.lock().unwrap().get_mut("app_b").unwrap().facts.push(fact);
        let fresh = keyvault_issuers::PostgresRoleIssuer::new(&administrator, ["app_a", "app_b"]).unwrap();
        see_error(&lab.secrets.rotate(&name("db")).issuer(Arc::new(fresh)).await.unwrap_err());
    }
    server.roles.lock().unwrap().get_mut("rotator").unwrap().verifier = None;
    let fresh = keyvault_issuers::PostgresRoleIssuer::new(&administrator, ["app_a", "app_b"]).unwrap();
    see_error(&lab.secrets.rotate(&name("db")).issuer(Arc::new(fresh)).await.unwrap_err());
    let passwords: Vec<String> = lab
        .azure
        .secret_versions(VAULT, "db")
        .into_iter()
        .map(|version| version.value.split([':', '@']).nth(2).unwrap().to_owned())
        .collect();
    assert!(passwords.len() >= 5, "{}", passwords.len());
    secrets.extend(passwords);
    secrets.extend([ADMINISTRATOR, LEAKED, "a-password-that-is-not-its-own"].map(str::to_owned));
    SEEN.lock().unwrap().push_str(&String::from_utf8(ledger.contents().unwrap()).unwrap());
}

#[tokio::test]
async fn no_value_of_any_issuer_is_seen_in_traces_errors_reports_or_the_ledger() {
    keep_everything();
    let mut secrets = BTreeSet::from([PASSWORD.to_owned()]);
    for (kind, resource, keys) in RESOURCES {
        let lab = Lab::of(seed().keyed_resource(SUB, "rg", kind, resource)).await;
        let id = id(kind, resource);
        lab.set("db", &format!("key={};", lab.key(&id, keys[0]))).await;
        secrets.extend(keys.iter().map(|key| lab.key(&id, key)));
        let client = KeyedResourcesClient::new(&lab.arm);
        see(&client);
        see(&client.list_keys(&id).await.unwrap());
        see(&client.get(&id).await.unwrap());
        let issuer = ResourceKeyIssuer::new(&lab.arm, id.clone()).unwrap();
        see(&issuer);
        let host = format!("{}.", resource.split('/').next().unwrap());
        rotate(&lab, &(Arc::new(issuer) as Arc<dyn Issuer>), &mut secrets, &["/regenerate", "/list", &host])
            .await;
        secrets.extend(keys.iter().map(|key| lab.key(&id, key)));
    }
    refused(&mut secrets).await;
    let lab = Lab::of(seed().application(APP, CLIENT, "web", PASSWORD)).await;
    lab.set("db", &format!("{{\"secret\":\"{PASSWORD}\"}}")).await;
    see(&ApplicationsClient::new(&lab.arm).get(APP).await.unwrap());
    let issuer = EntraPasswordIssuer::new(&lab.arm, DEFAULT_TENANT, APP);
    see(&issuer);
    let own = ["/addPassword", "/removePassword", "/oauth2/v2.0/token"];
    rotate(&lab, &(Arc::new(issuer) as Arc<dyn Issuer>), &mut secrets, &own).await;

    own_service(&mut secrets).await;
    #[cfg(feature = "postgres")]
    two_roles(&mut secrets).await;

    // The keys and passwords alone, without the text that was around them.
    let bare = |value: &String| value.trim_start_matches("key=").trim_end_matches(';').to_owned();
    let bare: BTreeSet<String> = secrets.iter().map(bare).filter(|value| !value.contains('{')).collect();
    assert!(bare.len() > 20, "{}", bare.len());
    let seen = SEEN.lock().unwrap();
    for host in ["stlab.blob.core.windows.net", "login.microsoftonline.com", "regenerateKey"] {
        assert!(seen.contains(host), "requests to {host} are traced");
    }
    for value in &bare {
        for form in [value.clone(), value.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")] {
            // A part of a value is as bad.
            let part = &form[..form.len().min(20)];
            if let Some(at) = seen.find(part) {
                let around = &seen[at.saturating_sub(300)..(at + 60).min(seen.len())];
                panic!("a value was seen: {around}");
            }
        }
    }
    let json_passwords: Vec<&String> = secrets.iter().filter(|value| value.contains('{')).collect();
    assert!(!json_passwords.is_empty());
    for value in json_passwords {
        let password = value.split('"').nth(3).unwrap();
        assert!(!seen.contains(password), "a password was seen");
    }
    for token in ["bearer ey", "sharedkey stlab:", "sharedaccesssignature sr", "type%3dmaster"] {
        assert!(!seen.to_lowercase().contains(token), "{token}");
    }
}
