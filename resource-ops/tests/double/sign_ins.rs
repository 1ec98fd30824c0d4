//! Who may sign in, against the double.

use crate::support::{arm, seed};
use arm_core::ArmErrorExt as _;
use mock_azure::MockAzure;
use resource_ops::{PrincipalId, SignInsClient};
use serde_json::json;

const USER: &str = "00000000-0000-0000-0000-0000000000d1";
const APPLICATION: &str = "00000000-0000-0000-0000-0000000000d2";

fn id(text: &str) -> PrincipalId {
    text.parse().unwrap()
}

async fn azure() -> MockAzure {
    let seed = seed().user(USER, "alice@contoso.example");
    seed.service_principal(APPLICATION, "00000000-0000-0000-0000-0000000000a2", "app").start().await
}

#[tokio::test]
async fn a_user_and_an_application_are_disabled_and_enabled_each_alone() {
    let azure = azure().await;
    let client = SignInsClient::new(&arm(&azure));
    let (user, application) = (id(USER), id(APPLICATION));
    let enabled = async || {
        let (user, application) =
            (client.user(user).await.unwrap(), client.application(application).await.unwrap());
        (user.account_enabled.unwrap(), application.account_enabled.unwrap())
    };

    assert_eq!(enabled().await, (true, true));
    client.set_application_enabled(application, false).await.unwrap();
    assert_eq!(enabled().await, (true, false));
    client.set_user_enabled(user, false).await.unwrap();
    client.set_application_enabled(application, true).await.unwrap();
    assert_eq!(enabled().await, (false, true));
    client.set_user_enabled(user, true).await.unwrap();
    assert_eq!(enabled().await, (true, true));

    let sent: Vec<_> = azure.writes().into_iter().map(|sent| (sent.method, sent.path, sent.body)).collect();
    let patch = |kind: &str, id: &str, enabled: bool| {
        ("PATCH".to_owned(), format!("/v1.0/{kind}/{id}"), json!({ "accountEnabled": enabled }))
    };
    assert_eq!(
        sent,
        [
            patch("servicePrincipals", APPLICATION, false),
            patch("users", USER, false),
            patch("servicePrincipals", APPLICATION, true),
            patch("users", USER, true),
        ]
    );
}

#[tokio::test]
async fn the_sessions_of_a_user_are_revoked_and_only_those() {
    let azure = azure().await;
    let client = SignInsClient::new(&arm(&azure));
    let before = client.user(id(USER)).await.unwrap().sessions_valid_from;
    azure.advance(std::time::Duration::from_secs(3_600));
    client.revoke_sessions(id(USER)).await.unwrap();
    let after = client.user(id(USER)).await.unwrap();
    assert!(after.sessions_valid_from > before && after.account_enabled == Some(true), "{after:?}");
}

#[tokio::test]
async fn who_is_not_there_is_an_error_and_an_application_is_no_user() {
    let azure = azure().await;
    let client = SignInsClient::new(&arm(&azure));
    for error in [
        client.user(id(APPLICATION)).await.map(drop),
        client.application(id(USER)).await.map(drop),
        client.set_user_enabled(id(APPLICATION), false).await,
        client.set_application_enabled(id(USER), false).await,
        client.revoke_sessions(id(APPLICATION)).await,
    ] {
        assert!(error.unwrap_err().is_resource_not_found());
    }
}
