//! A rotation by a service of the user's own, which checks every signature.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::{sync::Arc, time::Duration};

use arm_core::{ArmClient, Secret};
use azure_core::http::{ClientOptions, policies::Policy};
use keyvault_issuers::WebhookIssuer;
use keyvault_ops::{Issuer as _, IssuerKind, SecretsClient};
use support::{
    VAULT, name, seed,
    service::{ADDRESS, Hook, KEY, Service},
};

#[tokio::test]
async fn a_service_of_the_users_own_makes_and_ends_credentials_and_checks_who_calls() {
    mock_azure::fast_forward();
    let azure = seed().start().await;
    let service = Arc::new(Service::default());
    service.held.lock().unwrap().push(("c-0".into(), "leaked-value".into(), String::new(), true));
    let hook: Arc<dyn Policy> = Arc::new(Hook(service.clone()));
    let client = ClientOptions { per_try_policies: vec![hook], ..azure.client_options() };
    let arm = ArmClient::new(azure.credential(), Some(client.into())).unwrap();
    let secrets = SecretsClient::new(&arm, &VAULT.parse().unwrap()).unwrap();
    secrets.set(&name("token"), Secret::new("leaked-value")).await.unwrap();
    let endpoint: azure_core::http::Url = ADDRESS.parse().unwrap();

    let issuer = WebhookIssuer::new(&arm, endpoint.clone(), KEY.into(), IssuerKind::Many).unwrap();
    assert_eq!(format!("{issuer:?}"), r#"WebhookIssuer { host: "credentials.contoso.example", .. }"#);
    assert_eq!(keyvault_ops::Issuer::settle_time(&issuer), Duration::ZERO);
    let slow = issuer.clone().settle_time(Duration::from_secs(7));
    assert_eq!(keyvault_ops::Issuer::settle_time(&slow), Duration::from_secs(7));
    let rotation = secrets.rotate(&name("token")).issuer(Arc::new(issuer)).await.unwrap();

    assert!(rotation.is_complete(), "{rotation}");
    assert_eq!(rotation.issuer.revoked, ["c-0"]);
    assert_eq!(secrets.get(&name("token")).await.unwrap().value.expose(), "value-of-c-2");
    let alive: Vec<String> =
        service.held.lock().unwrap().iter().filter(|it| it.3).map(|it| it.0.clone()).collect();
    assert_eq!(alive, ["c-2"]);
    assert!(service.seen.lock().unwrap().contains(&"verify".to_owned()));

    let stranger =
        WebhookIssuer::new(&arm, endpoint, "another key, not the right one".into(), IssuerKind::Many)
            .unwrap();
    let error = stranger.verify(&"value-of-c-2".into()).await.unwrap_err().to_string();
    assert!(error.contains("401") && !error.contains("value-of-c-2"), "{error}");
}

#[tokio::test]
async fn an_address_that_is_not_https_or_a_short_key_is_refused() {
    let azure = seed().start().await;
    let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap();
    for (endpoint, key) in [
        ("http://credentials.contoso.example/", KEY),
        ("https://user:password@credentials.contoso.example/", KEY),
        ("https://credentials.contoso.example/", "short"),
    ] {
        assert!(WebhookIssuer::new(&arm, endpoint.parse().unwrap(), key.into(), IssuerKind::Many).is_err());
    }
}
