//! What Azure CLI and the Python and JavaScript SDKs ask for, as seen when they ran on the double.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::net::TcpListener;

use azure_core::http::{
    ClientOptions, Context,
    Method::{self, Delete, Get, Post, Put},
    Pipeline, PipelineSendOptions, Request, RetryOptions, Url,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mock_azure::{DEFAULT_TENANT, MockAzure, Seed, Server};
use serde_json::{Value, json};
use support::{Answer, SUB};

const ROOT: &str = "https://management.azure.com";
const APPLICATION: &str = "00000000-0000-0000-0000-0000000000c2";
const ITS_PRINCIPAL: &str = "00000000-0000-0000-0000-0000000000b2";
const SOMEONE: &str = "00000000-0000-0000-0000-0000000000d1";
const A_GROUP: &str = "00000000-0000-0000-0000-0000000000d2";

/// The double as its program starts it.
async fn program(seed: Seed) -> Server {
    seed.serve(TcpListener::bind("127.0.0.1:0").unwrap(), mock_azure::ServerOptions::new()).await.unwrap()
}

async fn get(azure: &MockAzure, path_and_query: &str) -> Answer {
    support::send(azure, Get, &format!("{ROOT}{path_and_query}"), Value::Null).await
}

async fn graph(azure: &MockAzure, method: Method, path_and_query: &str, body: Value) -> Answer {
    let token = azure.credential().get_token(&["https://graph.microsoft.com/.default"], None).await.unwrap();
    let url = format!("https://graph.microsoft.com/v1.0{path_and_query}");
    support::send_with(azure, method, &url, body, Some(token.token.secret())).await
}

#[tokio::test]
async fn a_program_keeps_the_last_thousand_requests_and_the_first_unknown_ones_without_their_tokens() {
    let azure = program(MockAzure::seed()).await;
    let unknown = "/providers/Microsoft.Unknown/things?api-version=2026-01-01";
    assert_eq!(get(&azure, unknown).await.status, 501);
    for _ in 0..1000 {
        get(&azure, "/subscriptions?api-version=2022-12-01").await;
    }
    let (requests, unknown) = (azure.requests(), azure.unknown_requests());
    assert_eq!((requests.len(), requests[0].path.as_str()), (1000, "/subscriptions"));
    assert_eq!((unknown.len(), unknown[0].path.as_str()), (1, "/providers/Microsoft.Unknown/things"));
    for request in requests.iter().chain(&unknown) {
        assert_eq!(request.header("authorization"), Some("REDACTED"));
    }
    azure.clear_requests();
    assert_eq!((azure.requests().len(), azure.unknown_requests().len()), (0, 0));
}

/// Asks the sign-in host for a token.
async fn sign_in(azure: &MockAzure, form: &str) -> (u16, Value) {
    let options = ClientOptions { retry: RetryOptions::none(), ..azure.client_options() };
    let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
    let url = format!("https://login.microsoftonline.com/{DEFAULT_TENANT}/oauth2/v2.0/token");
    let mut request = Request::new(Url::parse(&url).unwrap(), Post);
    request.insert_header("content-type", "application/x-www-form-urlencoded");
    request.set_body(form.to_owned());
    let options = PipelineSendOptions { skip_checks: true, ..Default::default() };
    let response = pipeline.send(&Context::default(), &mut request, Some(options)).await.unwrap();
    (response.status().into(), serde_json::from_slice(response.body()).unwrap())
}

async fn token_for(azure: &MockAzure, audience: &str) -> String {
    let form = format!(
        "grant_type=client_credentials&client_id={APPLICATION}&client_secret=REDACTED&scope={audience}/.default"
    );
    let (status, body) = sign_in(azure, &form).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.body["value"].as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_application_signs_in_with_a_secret_when_the_directory_knows_it() {
    let azure = MockAzure::seed().signed_in_service_principal().start().await;

    let grant = "grant_type=client_credentials&scope=https%3A%2F%2Fmanagement.azure.com%2F.default";
    let (status, good) = sign_in(&azure, &format!("{grant}&client_id={APPLICATION}&client_secret=x")).await;
    assert_eq!((status, &good["token_type"], &good["expires_in"]), (200, &json!("Bearer"), &json!(3600)));

    let (status, no_secret) = sign_in(&azure, &format!("{grant}&client_id={APPLICATION}")).await;
    assert_eq!((status, &no_secret["error"]), (401, &json!("invalid_client")));
    assert_eq!(no_secret["error_codes"], json!([7_000_216]));

    let (status, stranger) = sign_in(&azure, &format!("{grant}&client_id={SOMEONE}&client_secret=x")).await;
    assert_eq!((status, &stranger["error"]), (400, &json!("unauthorized_client")));
    assert!(stranger["error_description"].as_str().unwrap().starts_with("AADSTS700016: "), "{stranger}");
}

#[tokio::test]
async fn a_user_signs_in_with_a_password_a_device_code_or_a_refresh_token() {
    let azure = MockAzure::seed().user(SOMEONE, "someone@contoso.example").start().await;
    let claims = |token: &Value| -> Value {
        let part = token.as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let asks = "client_id=app&scope=https%3A%2F%2Fmanagement.azure.com%2F.default%20openid&grant_type";

    let form = format!("{asks}=password&username=someone%40contoso.example&password=x");
    let (status, by_password) = sign_in(&azure, &form).await;
    assert_eq!(status, 200, "{by_password}");
    assert_eq!(claims(&by_password["access_token"])["oid"], SOMEONE);
    let id = claims(&by_password["id_token"]);
    assert_eq!((&id["aud"], &id["preferred_username"]), (&json!("app"), &json!("someone@contoso.example")));
    let account: Value = serde_json::from_slice(
        &URL_SAFE_NO_PAD.decode(by_password["client_info"].as_str().unwrap()).unwrap(),
    )
    .unwrap();
    assert_eq!(account, json!({ "uid": SOMEONE, "utid": DEFAULT_TENANT }));

    let refresh = by_password["refresh_token"].as_str().unwrap();
    let (_, again) = sign_in(&azure, &format!("{asks}=refresh_token&refresh_token={refresh}")).await;
    assert_eq!(claims(&again["access_token"])["oid"], SOMEONE);

    let device = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let (_, by_code) = sign_in(&azure, &format!("{asks}={device}&device_code=device-app")).await;
    assert_eq!(claims(&by_code["access_token"])["oid"], azure.signed_in());

    for (form, error) in [
        ("password&username=nobody&password=x", "invalid_grant"),
        ("password&username=someone%40contoso.example", "invalid_request"),
        ("refresh_token&refresh_token=stolen", "invalid_grant"),
        (&format!("{device}&device_code=device-other"), "invalid_grant"),
        ("fortune", "unsupported_grant_type"),
    ] {
        let (status, refused) = sign_in(&azure, &format!("{asks}={form}")).await;
        assert_eq!((status, refused["error"].as_str()), (400, Some(error)), "{form}");
    }
}

#[tokio::test]
async fn the_program_holds_who_signs_in_to_its_roles_and_takes_foreign_tokens_as_they_are() {
    let seed = MockAzure::seed().signed_in_service_principal().vault(SUB, "rg-app", "kv-app");
    let azure = program(seed.role_propagation(1)).await;
    let secret = "https://kv-app.vault.azure.net/secrets/one?api-version=7.5";
    let put = async |token: &str| {
        support::send_with(&azure, Put, secret, json!({ "value": "REDACTED" }), Some(token)).await
    };
    let vault_token = token_for(&azure, "https://vault.azure.net").await;

    assert_eq!(put("brought-along").await.status, 200);
    let refused = put(&vault_token).await;
    assert_eq!((refused.status, refused.inner_code()), (403, "ForbiddenByRbac"));

    let vault =
        format!("/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-app");
    let role = "/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7";
    let url = format!(
        "{ROOT}{vault}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000011?api-version=2022-04-01"
    );
    let body = json!({ "properties": {
        "roleDefinitionId": format!("/subscriptions/{SUB}{role}"),
        "principalId": ITS_PRINCIPAL,
        "principalType": "ServicePrincipal",
    } });
    let token = token_for(&azure, "https://management.azure.com").await;
    assert_eq!(support::send_with(&azure, Put, &url, body, Some(&token)).await.status, 201);
    assert_eq!(put(&vault_token).await.status, 403, "the role assignment has not propagated yet");
    assert_eq!(put(&vault_token).await.status, 200);
    let wrong = put(&token).await;
    assert_eq!(wrong.status, 401, "a token for Resource Manager is none for a vault");
}

#[tokio::test]
async fn in_the_program_an_operation_that_no_one_polls_ends_by_the_clock() {
    let group = format!("{ROOT}/subscriptions/{SUB}/resourceGroups/rg-old?api-version=2024-03-01");
    let groups = format!("/subscriptions/{SUB}/resourcegroups?api-version=2024-03-01");
    let seed = || MockAzure::seed().resource_group(SUB, "rg-old", "westeurope").operation_polls(0);
    let (here, served) = (seed().start().await, program(seed()).await);
    for (azure, left) in [(&here, 1), (&*served, 0)] {
        assert_eq!(support::send(azure, Delete, &group, Value::Null).await.status, 202);
        assert_eq!(ids(&get(azure, &groups).await).len(), left);
    }
}

#[tokio::test]
async fn graph_finds_whom_azure_cli_names_by_client_id_object_id_or_sign_in_name() {
    let azure = MockAzure::seed()
        .signed_in_service_principal()
        .user(SOMEONE, "someone@contoso.example")
        .group(A_GROUP, "Security")
        .start()
        .await;

    let by_name =
        |name: &str| format!("/servicePrincipals?$filter=servicePrincipalNames%2Fany(c%3Ac%20eq%20'{name}')");
    let application = graph(&azure, Get, &by_name(APPLICATION), Value::Null).await;
    assert_eq!(ids(&application), [ITS_PRINCIPAL]);
    assert_eq!(application.body["value"][0]["servicePrincipalNames"], json!([APPLICATION]));
    assert!(ids(&graph(&azure, Get, &by_name(SOMEONE), Value::Null).await).is_empty());

    let user = "/users?$filter=userPrincipalName%20eq%20'someone%40contoso.example'";
    assert_eq!(ids(&graph(&azure, Get, user, Value::Null).await), [SOMEONE]);

    let all = json!({ "ids": [SOMEONE, A_GROUP, ITS_PRINCIPAL, SUB], "types": ["user", "group", "servicePrincipal"] });
    let found = graph(&azure, Post, "/directoryObjects/getByIds", all).await;
    assert_eq!(ids(&found), [SOMEONE, A_GROUP, ITS_PRINCIPAL]);
    assert_eq!(found.body["value"][0]["@odata.type"], "#microsoft.graph.user");
    assert_eq!(found.body["value"][2]["@odata.type"], "#microsoft.graph.servicePrincipal");
    let users = json!({ "ids": [SOMEONE, A_GROUP], "types": ["user"] });
    assert_eq!(ids(&graph(&azure, Post, "/directoryObjects/getByIds", users).await), [SOMEONE]);
}

#[tokio::test]
async fn a_question_to_graph_that_is_not_understood_as_a_whole_is_501() {
    let azure = MockAzure::seed().start().await;
    for question in [
        "/servicePrincipals?$filter=startswith(displayName,'lab')",
        "/servicePrincipals?$filter=appId%20eq%20'a'%20or%20appId%20eq%20'b'",
        "/users?$filter=accountEnabled%20eq%20'true'",
        "/users?$orderby=displayName",
    ] {
        assert_eq!(graph(&azure, Get, question, Value::Null).await.status, 501, "{question}");
    }
}

#[tokio::test]
async fn a_filter_on_resources_is_obeyed_in_all_its_parts_or_not_known() {
    let azure = MockAzure::seed()
        .vault(SUB, "rg-a", "kv-one")
        .vault(SUB, "rg-b", "kv-two")
        .virtual_machine(SUB, "rg-b", "vm-one")
        .resource(json!({
            "id": format!("/subscriptions/{SUB}/resourceGroups/rg-b/providers/Microsoft.Storage/storageAccounts/stone"),
            "name": "stone",
            "type": "Microsoft.Storage/storageAccounts",
            "location": "westeurope",
            "tags": { "team": "security", "stage": "test" },
        }))
        .start()
        .await;
    let names = async |filter: &str| -> Vec<String> {
        let filter = filter.replace(' ', "%20").replace('/', "%2F");
        let answer =
            get(&azure, &format!("/subscriptions/{SUB}/resources?$filter={filter}&api-version=2015-11-01"))
                .await;
        assert_eq!(answer.status, 200, "{}", answer.message());
        let names = answer.body["value"].as_array().unwrap().iter();
        names.map(|found| found["name"].as_str().unwrap().to_owned()).collect()
    };

    assert_eq!(names("resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'KV-two'").await, ["kv-two"]);
    assert_eq!(
        names("resourceGroup eq 'rg-b' and resourceType ne 'Microsoft.KeyVault/vaults'").await,
        ["vm-one", "stone"]
    );
    assert_eq!(names("tagName eq 'team' and tagValue eq 'security'").await, ["stone"]);
    assert!(names("tagName eq 'team' and tagValue eq 'test'").await.is_empty(), "both are about one tag");

    for unknown in ["name eq 'a' or name eq 'b'", "substringof('kv', name)", "plan eq 'x'", "name eq kv-one"]
    {
        let filter = unknown.replace(' ', "%20");
        let answer =
            get(&azure, &format!("/subscriptions/{SUB}/resources?$filter={filter}&api-version=2021-04-01"))
                .await;
        assert_eq!((answer.status, answer.code()), (501, "MockNotImplemented"), "{unknown}");
    }
}

#[tokio::test]
async fn the_api_versions_that_real_clients_ask_for_are_answered() {
    let azure =
        MockAzure::seed().vault(SUB, "rg-app", "kv-app").access_policy("kv-app", &["list"]).start().await;
    let secrets = "https://kv-app.vault.azure.net/secrets?api-version=2026-04-01";
    assert_eq!(support::send(&azure, Get, secrets, Value::Null).await.status, 200);
    for (path, version) in [
        ("", "2022-12-01"),
        ("/resourcegroups", "2024-11-01"),
        ("/resources", "2015-11-01"),
        ("/providers", "2024-11-01"),
        ("/providers/Microsoft.Compute/virtualMachines", "2026-04-01"),
        ("/providers/Microsoft.Insights/actionGroups", "2024-10-01-preview"),
        ("/providers/Microsoft.KeyVault/vaults", "2026-05-15"),
        ("/providers/Microsoft.KeyVault/managedHSMs", "2026-02-01"),
        ("/providers/Microsoft.KeyVault/deletedManagedHSMs", "2026-02-01"),
    ] {
        let answer = get(&azure, &format!("/subscriptions/{SUB}{path}?api-version={version}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.message());
    }
}

#[tokio::test]
async fn an_automation_that_is_deleted_is_204_the_only_answer_that_the_python_sdk_takes() {
    let azure = MockAzure::seed().resource_group(SUB, "rg-app", "westeurope").start().await;
    let url = format!(
        "{ROOT}/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.Security/automations/kv?api-version=2019-01-01-preview"
    );
    let body = json!({ "location": "westeurope", "properties": {
        "scopes": [{ "scopePath": format!("/subscriptions/{SUB}") }],
        "sources": [{ "eventSource": "Alerts" }],
        "actions": [{
            "actionType": "LogicApp",
            "logicAppResourceId": format!("/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.Logic/workflows/respond"),
            "uri": "https://logic.example/REDACTED",
        }],
    } });
    assert_eq!(support::send(&azure, Put, &url, body).await.status, 201);
    assert_eq!(support::send(&azure, Delete, &url, Value::Null).await.status, 204);
    assert_eq!(support::send(&azure, Get, &url, Value::Null).await.status, 404);
}

#[tokio::test]
async fn older_api_versions_answer_as_they_did_then() {
    let azure = MockAzure::seed().plan(SUB, "CloudPosture", "Standard").start().await;

    let plans = format!("/subscriptions/{SUB}/providers/Microsoft.Security/pricings");
    let properties = async |path: &str| {
        let answer = get(&azure, path).await;
        assert_eq!(answer.status, 200, "{}", answer.message());
        answer.body["properties"].clone()
    };
    let now = properties(&format!("{plans}/CloudPosture?api-version=2024-01-01")).await;
    assert!(now["extensions"].is_array() && now["enablementTime"].is_string());
    let then = properties(&format!("{plans}/CloudPosture?api-version=2022-03-01")).await;
    assert_eq!(
        then,
        json!({ "pricingTier": "Standard", "freeTrialRemainingTime": now["freeTrialRemainingTime"] })
    );
    let listed = get(&azure, &format!("{plans}?api-version=2022-03-01")).await;
    assert!(
        listed.body["value"]
            .as_array()
            .unwrap()
            .iter()
            .all(|plan| plan["properties"]["extensions"].is_null())
    );

    let alerts =
        format!("{ROOT}/subscriptions/{SUB}/providers/Microsoft.Security/locations/westeurope/alerts");
    let body = json!({ "properties": { "kind": "Bundles", "bundles": ["KeyVaults"] } });
    let simulate = format!("{alerts}/default/simulate?api-version=2021-11-01");
    assert_eq!(support::send(&azure, Post, &simulate, body).await.status, 204);
    let found = support::send(&azure, Get, &format!("{alerts}?api-version=2021-11-01"), Value::Null).await;
    assert_eq!(ids(&found).len(), 5);
}

#[tokio::test]
async fn no_request_is_answered_without_an_api_version() {
    let azure = MockAzure::seed().resource_group(SUB, "rg", "westeurope").start().await;
    for path in [
        "/subscriptions".to_owned(),
        "/tenants".to_owned(),
        format!("/subscriptions/{SUB}"),
        format!("/subscriptions/{SUB}/resources"),
        format!("/subscriptions/{SUB}/locations"),
        format!("/subscriptions/{SUB}/providers"),
        format!("/subscriptions/{SUB}/resourceGroups/rg"),
        format!("/subscriptions/{SUB}/resourceGroups/rg/resources"),
        format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/vaults"),
    ] {
        let answer = get(&azure, &path).await;
        assert_eq!((answer.status, answer.code()), (400, "MissingApiVersionParameter"), "{path}");
    }
}

#[tokio::test]
async fn a_region_is_shown_with_what_its_api_version_knows() {
    let azure = MockAzure::seed().start().await;
    for (version, old, kind) in [
        ("2019-06-01", true, Value::Null),
        ("2019-11-01", false, Value::Null),
        ("2020-01-01", false, json!("Region")),
        ("2022-12-01", false, json!("Region")),
    ] {
        let answer = get(&azure, &format!("/subscriptions/{SUB}/locations?api-version={version}")).await;
        let region = &answer.body["value"][0];
        assert_eq!(region["longitude"].is_string(), old, "{version}: {region}");
        assert_eq!(region["metadata"].is_null(), old, "{version}: {region}");
        assert_eq!(region["type"], kind, "{version}");
    }
}

#[tokio::test]
async fn roles_are_listed_at_every_scope_but_a_resource_that_is_not_there() {
    let azure = MockAzure::seed().vault(SUB, "rg", "kv-a").start().await;
    let group = format!("/subscriptions/{SUB}/resourceGroups/rg");
    for (scope, status) in [
        (String::new(), 200),
        (format!("/subscriptions/{SUB}"), 200),
        (group.clone(), 200),
        (format!("{group}/providers/Microsoft.KeyVault/vaults/kv-a"), 200),
        (format!("{group}/providers/Microsoft.KeyVault/vaults/kv-gone"), 404),
    ] {
        let path =
            format!("{scope}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01");
        let answer = get(&azure, &path).await;
        assert_eq!(answer.status, status, "{scope}: {}", answer.message());
    }
}
