//! Automations against the double: what is kept, what is refused, what a second run does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails

use arm_core::{
    ArmClient, ArmErrorExt as _, Change, ResourceGroupId, ResourceId, ResourceName, SubscriptionId,
};
use defender_automation::{
    API_VERSION, Action, AlertSeverity, AutomationPatch, AutomationSpec, AutomationsClient, EventSource,
    Rule, Scopes, Source, Warning,
};
use futures::TryStreamExt as _;
use mock_azure::{DEFAULT_SUBSCRIPTION, Fault, MockAzure};
use serde_json::{Value, json};

const TRIGGER: &str = "https://flow.example/triggers/manual?sig=REDACTED";

fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

fn group() -> ResourceGroupId {
    subscription().resource_group("rg-sec").unwrap()
}

fn name() -> ResourceName {
    "kv-alerts".parse().unwrap()
}

fn id() -> ResourceId {
    format!("{}/providers/Microsoft.Security/automations/kv-alerts", group()).parse().unwrap()
}

fn resource(text: &str) -> ResourceId {
    format!("{}/providers/{text}", group()).parse().unwrap()
}

fn flow() -> Action {
    Action::logic_app(&resource("Microsoft.Logic/workflows/flow"), TRIGGER)
}

fn workspace() -> Action {
    Action::workspace(&resource("Microsoft.OperationalInsights/workspaces/law-sec"))
}

fn spec() -> AutomationSpec {
    AutomationSpec::key_vault_response("westeurope", &subscription(), [flow()])
}

fn with_actions(actions: Vec<Action>) -> AutomationSpec {
    let mut spec = spec();
    spec.actions = actions;
    spec
}

fn described(text: &str) -> AutomationSpec {
    let mut spec = spec();
    spec.description = Some(text.to_owned());
    spec
}

async fn start() -> MockAzure {
    mock_azure::fast_forward();
    MockAzure::seed().resource_group(subscription(), "rg-sec", "westeurope").start().await
}

fn arm(azure: &MockAzure) -> ArmClient {
    ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap()
}

fn client(azure: &MockAzure) -> AutomationsClient {
    AutomationsClient::new(&arm(azure))
}

async fn stored(azure: &MockAzure) -> Value {
    let mut found: Value = arm(azure).get(&id(), API_VERSION).json_opt().await.unwrap().unwrap_or_default();
    if let Some(fields) = found.as_object_mut() {
        fields.remove("etag");
    }
    for date in ["createdDateTimeUtc", "lastUpdatedDateTimeUtc"] {
        if let Some(date) = found.pointer_mut(&format!("/properties/metadata/{date}")) {
            *date = json!("some time");
        }
    }
    found
}

/// Recorded: who made it and changed it, and when.
#[tokio::test]
async fn every_member_of_an_automation_is_typed() {
    let azure = start().await;
    let made = client(&azure).create_or_update(&group(), &name(), &spec()).await.unwrap();
    let metadata = made.properties.metadata.unwrap();
    for name in ["createdBy", "createdDateTimeUtc", "lastUpdatedBy", "lastUpdatedDateTimeUtc"] {
        assert!(metadata[name].is_string(), "{name} of {metadata}");
    }
}

#[tokio::test]
async fn an_automation_is_not_called_absent_because_the_provider_is_not_registered() {
    let azure = MockAzure::seed().resource_group(subscription(), "rg-sec", "westeurope");
    let azure = azure.unregistered(subscription(), "Microsoft.Security").start().await;
    let error = AutomationsClient::new(&arm(&azure)).get_opt(&group(), &name()).await.unwrap_err();
    assert!(error.is_registration_missing() && !error.is_resource_not_found(), "{error}");
}

#[tokio::test]
async fn every_operation_does_what_it_says() {
    let azure = start().await;
    let client = client(&azure);
    assert!(client.validate(&group(), &name(), &spec()).await.unwrap().is_valid);
    assert!(client.get_opt(&group(), &name()).await.unwrap().is_none());
    let made = client.create_or_update(&group(), &name(), &spec()).await.unwrap();
    assert_eq!(client.get(&group(), &name()).await.unwrap(), made);
    let off = client
        .update(&group(), &name(), &AutomationPatch::new().enabled(false).description("quiet"))
        .await
        .unwrap();
    assert_eq!(
        (off.properties.is_enabled, off.properties.description.as_deref()),
        (Some(false), Some("quiet"))
    );
    assert_eq!(
        azure.automation_secrets(id().as_str()),
        [Some(TRIGGER.to_owned())],
        "a patch keeps the secret"
    );
    let listed: Vec<_> = client.list(&subscription()).try_collect().await.unwrap();
    let in_group: Vec<_> = client.list_by_resource_group(&group()).try_collect().await.unwrap();
    assert_eq!((listed.len(), in_group.len()), (1, 1));
    client.delete(&group(), &name()).await.unwrap();
    client.delete(&group(), &name()).await.unwrap();
    assert!(client.get(&group(), &name()).await.unwrap_err().is_not_found());
    for request in azure.requests() {
        assert_eq!(request.query("api-version"), Some("2023-12-01-preview"), "{request:?}");
    }
}

#[tokio::test]
async fn the_response_to_key_vault_alerts_is_written_whole_and_a_second_run_writes_nothing() {
    let azure = start().await;
    let first = client(&azure).ensure(&group(), &name(), &spec()).await.unwrap();
    assert!(matches!(first.change, Change::Created(_)) && first.warnings.is_empty());
    let rule = |path: &str, operator: &str, value: &str| json!({ "propertyJPath": path, "propertyType": "String", "expectedValue": value, "operator": operator });
    let set = |severity: &str| json!({ "rules": [rule("AlertType", "Contains", "KV_"), rule("Severity", "Equals", severity)] });
    assert_eq!(
        azure.writes()[0].body,
        json!({ "location": "westeurope", "properties": {
            "description": "Responds to Key Vault alerts of severity Medium and High",
            "isEnabled": true,
            "scopes": [{ "scopePath": format!("/subscriptions/{}", subscription()) }],
            "sources": [{ "eventSource": "Alerts", "ruleSets": [set("Medium"), set("High")] }],
            "actions": [{
                "actionType": "LogicApp",
                "logicAppResourceId": resource("Microsoft.Logic/workflows/flow").to_string(),
                "uri": TRIGGER,
            }],
        } })
    );
    azure.clear_requests();
    let second = client(&azure).ensure(&group(), &name(), &spec()).await.unwrap();
    assert!(!second.change.is_change() && azure.writes().is_empty());
    assert!(!format!("{first:?}{second:?}").contains("REDACTED"));
}

#[tokio::test]
async fn an_automation_that_was_read_is_not_written_back_without_its_secrets() {
    let azure = start().await;
    let client = client(&azure);
    client.create_or_update(&group(), &name(), &spec()).await.unwrap();
    azure.clear_requests();
    let read = client.get(&group(), &name()).await.unwrap();
    let mut back = AutomationSpec::from(&read);
    back.description = Some("new".to_owned());
    let refused = client.create_or_update(&group(), &name(), &back).await.unwrap_err().to_string();
    assert!(
        refused.contains("lacks the URL of its trigger (uri)") && refused.contains("given again"),
        "{refused}"
    );
    let patch = AutomationPatch::new().actions(read.properties.actions);
    assert!(client.update(&group(), &name(), &patch).await.is_err());
    assert_eq!(azure.requests().len(), 1, "one read, nothing else was sent");
    assert_eq!(azure.automation_secrets(id().as_str()), [Some(TRIGGER.to_owned())]);

    back.actions = vec![flow()];
    client.create_or_update(&group(), &name(), &back).await.unwrap();
    assert_eq!(azure.automation_secrets(id().as_str()), [Some(TRIGGER.to_owned())]);
}

#[tokio::test]
async fn a_rotated_secret_is_written_when_asked() {
    let azure = start().await;
    client(&azure).ensure(&group(), &name(), &spec()).await.unwrap();
    let rotated = with_actions(vec![Action::logic_app(
        &resource("Microsoft.Logic/workflows/flow"),
        "https://flow.example/?sig=NEW",
    )]);
    assert!(!client(&azure).ensure(&group(), &name(), &rotated).await.unwrap().change.is_change());
    assert!(
        client(&azure)
            .ensure(&group(), &name(), &rotated)
            .with_new_secrets()
            .await
            .unwrap()
            .change
            .is_change()
    );
    assert_eq!(azure.automation_secrets(id().as_str()), [Some("https://flow.example/?sig=NEW".to_owned())]);
}

#[tokio::test]
async fn what_others_added_stays_and_their_secrets_are_never_blanked() {
    let azure = start().await;
    let mut theirs = serde_json::to_value(spec()).unwrap();
    theirs["kind"] = json!("k");
    theirs["tags"] = json!({ "team": "soc" });
    theirs["properties"]["invented"] = json!({ "kept": true });
    theirs["properties"]["sources"][0]["invented"] = json!(1);
    theirs["properties"]["actions"][0]["invented"] = json!(2);
    theirs["properties"]["sources"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "eventSource": "Assessments", "ruleSets": [] }));
    let extra = serde_json::to_value(workspace()).unwrap();
    theirs["properties"]["actions"].as_array_mut().unwrap().push(extra);
    arm(&azure).put(&id(), API_VERSION).body(&theirs).send_empty().await.unwrap();

    assert!(!client(&azure).ensure(&group(), &name(), &spec()).await.unwrap().change.is_change());
    let metadata =
        arm(&azure).get(&id(), API_VERSION).json::<Value>().await.unwrap()["properties"]["metadata"].clone();
    let louder = described("louder");
    assert!(client(&azure).ensure(&group(), &name(), &louder).await.unwrap().change.is_change());
    let mut expected = theirs.clone();
    expected["properties"]["description"] = json!("louder");
    expected["properties"]["metadata"] = metadata;
    expected["type"] = json!("Microsoft.Security/automations");
    let sent = azure.writes().last().unwrap().body.clone();
    assert_eq!(sent, expected);

    let mut foreign = theirs;
    foreign["properties"]["actions"][1] = serde_json::to_value(Action::logic_app(
        &resource("Microsoft.Logic/workflows/theirs"),
        "https://theirs.example/?sig=REDACTED",
    ))
    .unwrap();
    arm(&azure).put(&id(), API_VERSION).body(&foreign).send_empty().await.unwrap();
    let quieter = described("quieter");
    azure.clear_requests();
    let refused = client(&azure).ensure(&group(), &name(), &quieter).await.unwrap_err().to_string();
    assert!(
        refused.contains("workflows/theirs") && refused.contains("include that action in the spec"),
        "{refused}"
    );
    assert!(azure.writes().is_empty());
    assert!(
        !client(&azure).ensure(&group(), &name(), &spec()).await.unwrap().change.is_change(),
        "nothing to write"
    );
    client(&azure).ensure(&group(), &name(), &quieter).dropping_other_actions().await.unwrap();
    assert_eq!(azure.automation_secrets(id().as_str()), [Some(TRIGGER.to_owned())]);
}

#[tokio::test]
async fn actions_of_unknown_kinds_go_back_as_they_came() {
    let azure = start().await;
    let fax: Action = serde_json::from_value(json!({ "actionType": "Fax", "number": 1 })).unwrap();
    let spec = with_actions(vec![fax, flow()]);
    let refused = client(&azure).create_or_update(&group(), &name(), &spec).await.unwrap_err();
    assert_eq!(refused.status(), Some(501), "the double does not know it either");
    assert_eq!(
        azure.writes()[0].body["properties"]["actions"][0],
        json!({ "actionType": "Fax", "number": 1 })
    );
}

#[tokio::test]
async fn a_dry_run_asks_the_service_and_stores_nothing() {
    let azure = start().await;
    let preview = client(&azure).ensure(&group(), &name(), &spec()).dry_run().await.unwrap();
    assert!(matches!(preview.change, Change::Created(_)));
    assert!(azure.requests().iter().any(|request| request.path.ends_with("/validate")));
    assert_eq!(stored(&azure).await, Value::Null);
}

#[tokio::test]
async fn what_the_service_calls_invalid_is_one_line_and_nothing_is_written() {
    let azure = start().await;
    let mut odd = spec();
    odd.sources = vec![Source::of(EventSource::Unknown("Rumours".to_owned()))];
    let answer = json!({ "isValid": false, "message": "The event source 'Rumours' is not supported." });
    azure.inject(Fault::body(200, answer.to_string()).on("POST", "/validate"));
    let error = client(&azure).ensure(&group(), &name(), &odd).await.unwrap_err().to_string();
    assert!(
        error.contains("would not accept") && error.contains("'Rumours'") && !error.contains('\n'),
        "{error}"
    );
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn several_scopes_and_missing_secrets_are_refused_before_anything_is_sent() {
    let azure = start().await;
    let groups = ["rg-a", "rg-b"].map(|name| subscription().resource_group(name).unwrap());
    let two = AutomationSpec::builder()
        .location("westeurope")
        .scopes(groups.iter().collect::<Scopes>())
        .sources([Source::alerts()])
        .actions([workspace()])
        .build();
    let error = client(&azure).ensure(&group(), &name(), &two).await.unwrap_err().to_string();
    assert!(error.contains("2 scopes, but the service allows exactly one"), "{error}");
    assert!(two.warnings().iter().any(|warning| matches!(warning, Warning::WillBeRefused(_))));
    let silent = Action::logic_app(&resource("Microsoft.Logic/workflows/flow"), " ");
    let silent = with_actions(vec![silent]);
    assert!(client(&azure).ensure(&group(), &name(), &silent).await.is_err());
    assert!(azure.requests().is_empty());
}

#[tokio::test]
async fn rules_that_never_match_are_written_if_requested_but_reported_with_the_reason() {
    let azure = start().await;
    let sheet = AutomationSpec::builder()
        .location("westeurope")
        .scopes(&subscription())
        .sources([Source::alerts()
            .when_all([Rule::alert_type().contains("KV_"), Rule::severity_is(AlertSeverity::High)])
            .when_all([Rule::assessment_severity().equals("High")])])
        .actions([Action::event_hub_with_key(
            &resource("Microsoft.EventHub/namespaces/n/eventhubs/h"),
            "REDACTED",
        )])
        .build();
    let done = client(&azure).ensure(&group(), &name(), &sheet).await.unwrap();
    let told: Vec<String> = done.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].contains("properties.metadata.severity") || told[1].contains("properties.metadata.severity")
    );
    assert!(
        told.iter().any(|line| line.contains("rule set 1 can never match") && line.contains("Medium or Low"))
    );
    assert!(told.iter().any(|line| line.contains("a trusted service needs no key")));
}

#[tokio::test]
async fn the_response_acts_on_medium_alerts_and_on_samples_and_the_rules_of_the_sheet_on_none() {
    mock_azure::fast_forward();
    let vault = resource("Microsoft.KeyVault/vaults/kv-prod");
    let azure = MockAzure::seed()
        .vault(subscription(), "rg-sec", "kv-prod")
        .alert(&vault, "KV_ListGetAnomaly")
        .alert(&vault, "KV_UserAccessDeniedAnomaly")
        .start()
        .await;
    client(&azure).ensure(&group(), &name(), &spec()).await.unwrap();
    assert_eq!(azure.automation_acts_on(id().as_str()).len(), 1, "the denied one is Low");
    let simulate: ResourceId = format!(
        "/subscriptions/{}/providers/Microsoft.Security/locations/westeurope/alerts/default",
        subscription()
    )
    .parse()
    .unwrap();
    let body = json!({ "properties": { "kind": "Bundles", "bundles": ["KeyVaults"] } });
    let path = arm_core::ArmPath::from(&simulate).literal("simulate");
    arm(&azure).post(path, "2022-01-01").body(&body).poller::<()>().await.unwrap();
    assert!(azure.automation_acts_on(id().as_str()).len() > 1, "samples, too");

    let mut sheet = spec();
    let rules = [Rule::alert_type().contains("KV_"), Rule::severity_is(AlertSeverity::High)];
    sheet.sources = vec![Source::alerts().when_all(rules)];
    client(&azure).ensure(&group(), &name(), &sheet).await.unwrap();
    assert!(azure.automation_acts_on(id().as_str()).is_empty());
}

#[tokio::test]
async fn a_keyless_event_hub_needs_no_secret_to_be_changed() {
    let azure = start().await;
    let hub = Action::event_hub(&resource("Microsoft.EventHub/namespaces/n/eventhubs/h"));
    let spec = AutomationSpec::key_vault_response("westeurope", &subscription(), [hub]);
    client(&azure).ensure(&group(), &name(), &spec).await.unwrap();
    let read = client(&azure).get(&group(), &name()).await.unwrap();
    let mut back = AutomationSpec::from(&read);
    back.is_enabled = false;
    let off = client(&azure).create_or_update(&group(), &name(), &back).await.unwrap();
    assert_eq!(off.properties.is_enabled, Some(false));
}

#[tokio::test]
async fn cut_at_any_request_the_task_ends_in_the_same_state() {
    let whole = start().await;
    client(&whole).ensure(&group(), &name(), &spec()).await.unwrap();
    let expected = (stored(&whole).await, whole.automation_secrets(id().as_str()));
    let mut cuts = 0;
    loop {
        let azure = start().await;
        azure.interrupt_at(cuts + 1);
        let first = client(&azure).ensure(&group(), &name(), &spec()).await;
        azure.clear_faults();
        if first.is_ok() {
            break;
        }
        cuts += 1;
        client(&azure).ensure(&group(), &name(), &spec()).await.unwrap();
        assert_eq!(
            (stored(&azure).await, azure.automation_secrets(id().as_str())),
            expected,
            "cut at request {cuts}"
        );
        azure.clear_requests();
        client(&azure).ensure(&group(), &name(), &spec()).await.unwrap();
        assert!(azure.writes().is_empty());
    }
    assert_eq!(cuts, 4, "read, validate, write, read back");
}

fn on_word(word: &str) -> AutomationSpec {
    let mut spec = spec();
    spec.sources = vec![Source::alerts().when_all([Rule::alert_type().contains(word)])];
    spec
}

#[tokio::test]
async fn other_rules_are_written_and_are_not_believed_before_they_are_read() {
    let azure = start().await;
    client(&azure).ensure(&group(), &name(), &on_word("SQL_")).await.unwrap();
    let before = stored(&azure).await;
    let path = "/properties/sources/0/ruleSets/0/rules/0/expectedValue";
    // An answer as if it were done.
    let mut lie = before.clone();
    *lie.pointer_mut(path).unwrap() = json!("KV_");
    azure.inject(Fault::body(200, lie.to_string()).on("PUT", "automations/kv-alerts"));
    let error = client(&azure).ensure(&group(), &name(), &on_word("KV_")).await.unwrap_err();
    assert!(error.to_string().contains("the automation 'kv-alerts'"), "{error}");
    assert_eq!(stored(&azure).await, before);

    let changed = client(&azure).ensure(&group(), &name(), &on_word("KV_")).await.unwrap();
    assert!(matches!(changed.change, Change::Updated { .. }));
    assert_eq!(stored(&azure).await.pointer(path), Some(&json!("KV_")));
    azure.clear_requests();
    assert!(!client(&azure).ensure(&group(), &name(), &on_word("KV_")).await.unwrap().change.is_change());
    assert!(azure.writes().is_empty());
}
