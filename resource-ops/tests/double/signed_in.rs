//! Who is signed in, from Graph or from the token.

use crate::support::{arm, seed};
use arm_core::ArmErrorExt as _;
use mock_azure::{Fault, MockAzure};
use resource_ops::{DirectoryClient, PrincipalSource, PrincipalType};

fn client(azure: &MockAzure) -> DirectoryClient {
    DirectoryClient::new(&arm(azure))
}

#[tokio::test]
async fn a_user_is_known_from_graph() {
    let azure = seed().start().await;
    let me = client(&azure).signed_in().await.unwrap();
    assert_eq!(me.id.to_string(), azure.signed_in());
    assert_eq!((me.principal_type, me.source), (PrincipalType::User, PrincipalSource::Graph));
    assert_eq!(me.user_principal_name.as_deref(), Some("lab.user@contoso.example"));
    assert_eq!(azure.requests()[0].host, "graph.microsoft.com");
    assert!(azure.token_requests().contains(&"https://graph.microsoft.com/.default".to_owned()));
}

#[tokio::test]
async fn if_graph_is_forbidden_the_token_identifies_the_principal() {
    for application in [false, true] {
        let azure = match application {
            false => seed().graph_forbidden(),
            true => seed().graph_forbidden().signed_in_service_principal(),
        };
        let azure = azure.start().await;
        let me = client(&azure).signed_in().await.unwrap();
        assert_eq!((me.id.to_string().as_str(), me.source), (azure.signed_in(), PrincipalSource::Token));
        let expected = if application { PrincipalType::ServicePrincipal } else { PrincipalType::User };
        assert_eq!(me.principal_type, expected);
    }
}

/// No consent, no access, a token that Graph does not take, a principal that it does not show.
#[tokio::test]
async fn where_graph_leaves_it_open_the_token_tells_who_it_is() {
    for (status, code) in [
        (403, "Authorization_RequestDenied"),
        (403, "AccessDenied"),
        (403, "Forbidden"),
        (403, "Authorization_IdentityNotFound"),
        (401, "InvalidAuthenticationToken"),
        (401, "Unauthorized"),
        (404, "Request_ResourceNotFound"),
    ] {
        let azure = seed().start().await;
        azure.inject(Fault::status(status).code(code).on("GET", "/me").always());
        let me = client(&azure).signed_in().await.unwrap();
        assert_eq!(
            (me.id.to_string().as_str(), me.source),
            (azure.signed_in(), PrincipalSource::Token),
            "{code}"
        );
    }
    for (status, code) in [(400, "Request_BadRequest"), (403, "Directory_QuotaExceeded")] {
        let azure = seed().start().await;
        azure.inject(Fault::status(status).code(code).on("GET", "/me").always());
        assert!(client(&azure).signed_in().await.unwrap_err().is_code(code));
    }
}

#[tokio::test]
async fn an_application_is_asked_for_as_a_service_principal() {
    let azure = seed().signed_in_service_principal().start().await;
    let directory = client(&azure);
    let me = directory.signed_in().await.unwrap();
    assert_eq!((me.principal_type, me.source), (PrincipalType::ServicePrincipal, PrincipalSource::Graph));
    assert_eq!(me.display_name.as_deref(), Some("lab-automation"));
    assert!(azure.requests()[0].path.starts_with("/v1.0/servicePrincipals/"));
    let again = directory.service_principal_of(me.app_id.unwrap().parse().unwrap()).await.unwrap();
    assert_eq!(again.id, me.id);
    // The two answers differ in what Graph says of the request, which each keeps.
    let by_id = directory.service_principal(me.id).await.unwrap();
    assert_eq!((by_id.id, by_id.app_id, by_id.display_name), (again.id, again.app_id, again.display_name));
    assert!(directory.me().await.is_err());
}

#[tokio::test]
async fn a_failing_graph_is_an_error_and_not_a_guess() {
    let azure = seed().start().await;
    azure.inject(Fault::status(500).on("GET", "/me").always());
    let error = client(&azure).signed_in().await.unwrap_err();
    assert_eq!(error.status(), Some(500), "{error}");
}

#[tokio::test]
async fn a_refusal_of_a_proxy_is_not_taken_for_one_of_graph() {
    let azure = seed().start().await;
    let proxy = Fault::body(403, "<html>blocked by the proxy</html>").on("GET", "/me").always();
    azure.inject(proxy);
    let error = client(&azure).signed_in().await.unwrap_err();
    assert_eq!(error.status(), Some(403), "{error}");
}
