use std::time::Duration;

use arm_core::{ArmErrorExt as _, Change, ResourceId};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure, Seed};
use monitor_ops::{ConditionOperator, QueryRule, QueryRulePatch, QueryRulesClient};
use serde_json::{Value, json};

use crate::lab::*;

fn client(azure: &MockAzure) -> QueryRulesClient {
    QueryRulesClient::new(&arm(azure))
}

fn logged() -> Seed {
    seed()
        .vault(subscription(), "rg-sec", "kv-closed")
        .diagnostic_setting(vault().as_str(), "x", &workspace().to_string(), &["AuditEvent"])
        .diagnostic_setting(vault_named("kv-closed").as_str(), "x", &workspace().to_string(), &["audit"])
}

fn action_group() -> ResourceId {
    format!("{}/providers/Microsoft.Insights/actionGroups/soc", group()).parse().unwrap()
}

fn refused() -> QueryRule {
    QueryRule::refused_requests(&workspace(), "westeurope", 2).notifying([&action_group()])
}

fn id() -> String {
    format!("{}/providers/Microsoft.Insights/scheduledQueryRules/refused", group())
}

#[tokio::test]
async fn every_operation_does_what_it_says() {
    let azure = logged().start().await;
    secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    let (client, rule) = (client(&azure), name("refused"));
    let made = client.create_or_update(&group(), &rule, &refused()).await.unwrap();
    assert_eq!(client.get(&group(), &rule).await.unwrap(), made);
    let quiet = client.update(&group(), &rule, &QueryRulePatch::new().enabled(false)).await.unwrap();
    assert_eq!(
        (quiet.properties.enabled, &quiet.properties.criteria),
        (Some(false), &made.properties.criteria)
    );
    let listed: Vec<_> = client.list(&subscription()).try_collect().await.unwrap();
    let in_group: Vec<_> = client.list_by_resource_group(&group()).try_collect().await.unwrap();
    assert_eq!((listed.len(), in_group.len()), (1, 1));
    client.delete(&group(), &rule).await.unwrap();
    client.delete(&group(), &rule).await.unwrap();
    assert!(client.get_opt(&group(), &rule).await.unwrap().is_none());
}

#[tokio::test]
async fn the_rule_fires_on_more_refusals_than_allowed_and_a_second_run_writes_nothing() {
    let azure = logged().start().await;
    secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    assert!(matches!(
        client(&azure).ensure(&group(), &name("refused"), &refused()).await.unwrap(),
        Change::Created(_)
    ));
    let body = &azure.writes()[0].body;
    assert_eq!(body["kind"], "LogAlert");
    assert_eq!(
        (&body["properties"]["evaluationFrequency"], &body["properties"]["windowSize"]),
        (&json!("PT5M"), &json!("PT30M"))
    );
    assert_eq!(body["properties"]["actions"]["actionGroups"], json!([action_group().to_string()]));
    for refusals in 1..=3 {
        let error = secrets(&azure, "kv-closed").get_secret("db", None).await.unwrap_err();
        assert!(error.is_forbidden());
        assert_eq!(azure.rule_fires(&id()), refusals > 2, "after {refusals}");
    }
    azure.clear_requests();
    assert!(matches!(
        client(&azure).ensure(&group(), &name("refused"), &refused()).await.unwrap(),
        Change::Unchanged(_)
    ));
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn the_rule_on_mass_reading_fires_on_many_reads_after_a_list_and_not_on_one_secret_read_often() {
    let mut lab = logged();
    for n in 0..5 {
        lab = lab.secret("kv-prod", &format!("s{n}"), "REDACTED");
    }
    let azure = lab.start().await;
    let rule = QueryRule::mass_secret_reading(&workspace(), "westeurope", 10);
    for _ in 0..20 {
        secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    }
    assert!(client(&azure).ensure(&group(), &name("refused"), &rule).await.unwrap().is_change());
    assert!(!azure.rule_fires(&id()));
    list_secrets(&azure, "kv-prod").await;
    for n in 0..4 {
        secrets(&azure, "kv-prod").get_secret(&format!("s{n}"), None).await.unwrap();
    }
    assert!(azure.rule_fires(&id()));
}

#[tokio::test]
async fn before_the_table_exists_the_query_is_taken_unchecked_and_only_then() {
    let azure = logged().start().await;
    let done = client(&azure).ensure(&group(), &name("refused"), &refused()).await.unwrap();
    assert_eq!(done.current().properties.skip_query_validation, Some(true));
    let tried: Vec<_> = azure
        .writes()
        .iter()
        .map(|write| (write.status, write.body["properties"]["skipQueryValidation"].clone()))
        .collect();
    assert_eq!(tried, [(Some(400), json!(false)), (Some(201), json!(true))]);
    azure.clear_requests();
    assert!(!client(&azure).ensure(&group(), &name("refused"), &refused()).await.unwrap().is_change());
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn a_bad_query_a_bad_duration_and_a_foreign_workspace_are_one_line_and_nothing_is_written() {
    let azure = logged().start().await;
    secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    let mut query = refused();
    query.properties.criteria.all_of[0].query = "AzureDiagnostics | where == 403".into();
    let mut column = refused();
    column.properties.criteria.all_of[0].query = "AzureDiagnostics | count | where Nowhere == 403".into();
    let mut duration = refused();
    duration.properties.evaluation_frequency = Some(Duration::from_secs(420));
    let mut foreign = refused();
    foreign.properties.scopes = vec![
        workspace().to_string().replace(subscription().as_str(), "00000000-0000-0000-0000-000000000009"),
    ];
    for (rule, status, says) in [
        (query, Some(400), "could not be parsed at '=='"),
        (column, Some(400), "'Nowhere'"),
        (duration, None, "cannot run every 420s"),
        (foreign, Some(403), "not authorized to access linked subscription"),
    ] {
        let error = client(&azure).ensure(&group(), &name("refused"), &rule).await.unwrap_err();
        let line = error.to_string();
        assert!(error.status() == status && line.contains(says) && !line.contains('\n'), "{line}");
    }
    assert_eq!(stored(&azure, &id(), QueryRulesClient::API_VERSION).await, Value::Null);
}

#[tokio::test]
async fn what_others_added_to_a_rule_stays() {
    let azure = logged().start().await;
    secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    assert!(client(&azure).ensure(&group(), &name("refused"), &refused()).await.unwrap().is_change());
    let patch = json!({ "tags": { "team": "soc" }, "properties": {
        "invented": { "kept": true },
        "actions": { "actionGroups": ["/theirs", action_group().to_string()], "actionProperties": { "a": "b" } },
    } });
    let rule: ResourceId = id().parse().unwrap();
    arm(&azure).patch(&rule, QueryRulesClient::API_VERSION).body(&patch).send_empty().await.unwrap();
    let mut stricter = refused();
    stricter.properties.criteria.all_of[0].threshold = Some(1.0);
    let preview = client(&azure).ensure(&group(), &name("refused"), &stricter).dry_run().await.unwrap();
    assert!(matches!(preview, Change::Updated { .. }));
    assert!(client(&azure).ensure(&group(), &name("refused"), &stricter).await.unwrap().is_change());
    let now = stored(&azure, &id(), QueryRulesClient::API_VERSION).await;
    assert_eq!(now["properties"]["invented"], json!({ "kept": true }));
    assert_eq!(now["properties"]["actions"], patch["properties"]["actions"]);
    assert_eq!(
        (&now["tags"]["team"], &now["properties"]["criteria"]["allOf"][0]["threshold"]),
        (&json!("soc"), &json!(1.0))
    );
}

#[tokio::test]
async fn cut_at_any_request_the_task_ends_in_the_same_state() {
    interrupted_anywhere_it_ends_the_same(
        logged,
        |arm| async move {
            QueryRulesClient::new(&arm).ensure(&group(), &name("refused"), &refused()).await.map(drop)
        },
        |azure| async move { stored(&azure, &id(), QueryRulesClient::API_VERSION).await },
    )
    .await;
}

#[tokio::test]
async fn muting_and_resolving_are_merged_together_and_the_mute_can_be_cleared() {
    let azure = logged().start().await;
    secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    let (rules, rule_name) = (client(&azure), name("refused"));
    let mut muted = refused();
    muted.properties.auto_mitigate = None;
    muted.properties.mute_actions_duration = Some(Duration::from_secs(3600));
    let silent = |rule: &QueryRule| {
        (rule.properties.auto_mitigate, rule.properties.mute_actions_duration.map(|mute| mute.as_secs()))
    };

    assert!(rules.ensure(&group(), &rule_name, &refused()).await.unwrap().is_change());
    let now = rules.ensure(&group(), &rule_name, &muted).await.unwrap().into_current();
    assert_eq!(silent(&now), (Some(false), Some(3600)), "a mute takes resolving away");
    let now = rules.ensure(&group(), &rule_name, &refused()).await.unwrap().into_current();
    assert_eq!(silent(&now), (Some(true), None), "resolving takes the mute away");

    rules.ensure(&group(), &rule_name, &muted).await.unwrap();
    muted.properties.mute_actions_duration = Some(Duration::ZERO);
    let now = rules.ensure(&group(), &rule_name, &muted).await.unwrap().into_current();
    assert_eq!(silent(&now), (Some(false), None), "zero clears it");
    azure.clear_requests();
    assert!(!rules.ensure(&group(), &rule_name, &muted).await.unwrap().is_change());
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn what_is_coupled_and_does_not_fit_is_refused_by_the_dry_run_too() {
    let azure = logged().start().await;
    let mut both = refused();
    both.properties.mute_actions_duration = Some(Duration::from_secs(3600));
    let mut short = refused();
    short.properties.auto_mitigate = Some(false);
    short.properties.mute_actions_duration = Some(Duration::from_secs(60));
    for (rule, says) in [(both, "cannot be muted"), (short, "at least as long")] {
        for task in [
            client(&azure).ensure(&group(), &name("refused"), &rule),
            client(&azure).ensure(&group(), &name("refused"), &rule).dry_run(),
        ] {
            let error = task.await.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn a_schedule_that_the_service_never_takes_is_refused_by_the_dry_run_too() {
    let azure = logged().start().await;
    let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
    let mut odd = refused();
    odd.properties.window_size = minutes(7);
    let mut half_a_day = refused();
    half_a_day.properties.window_size = minutes(12 * 60);
    let mut two_days = refused();
    two_days.properties.evaluation_frequency = minutes(2880);
    two_days.properties.window_size = minutes(2880);
    let mut gaps = refused();
    gaps.properties.evaluation_frequency = minutes(60);
    let mut none_of_none = refused();
    let mut periods = none_of_none.properties.criteria.all_of[0].failing_periods.clone().unwrap();
    periods.number_of_evaluation_periods = 0;
    periods.min_failing_periods_to_alert = 0;
    none_of_none.properties.criteria.all_of[0].failing_periods = Some(periods);
    for (rule, says) in [
        (odd, "cannot look back 420s"),
        (half_a_day, "cannot look back 43200s"),
        (two_days, "cannot run every 172800s"),
        (gaps, "would miss"),
        (none_of_none, "fail in 0 of 0"),
    ] {
        for task in [
            client(&azure).ensure(&group(), &name("refused"), &rule),
            client(&azure).ensure(&group(), &name("refused"), &rule).dry_run(),
        ] {
            let error = task.await.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let refusal = client(&azure).create_or_update(&group(), &name("refused"), &rule).await.unwrap_err();
        assert_eq!(refusal.status(), Some(400), "the service refuses it: {refusal}");
    }
    assert!(azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn a_duration_that_cannot_be_read_stays_and_its_change_is_refused() {
    let azure = logged().start().await;
    secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    let mut stored_rule = serde_json::to_value(refused()).unwrap();
    stored_rule["id"] = id().into();
    stored_rule["properties"]["overrideQueryTimeRange"] = "P2M".into();
    let shown =
        |body: &Value| Fault::body(200, body.to_string()).on("GET", "/scheduledQueryRules/refused").times(1);
    let mut stricter = refused();
    stricter.properties.criteria.all_of[0].threshold = Some(1.0);

    azure.inject(shown(&stored_rule));
    let _ = client(&azure).ensure(&group(), &name("refused"), &stricter).await;
    assert_eq!(azure.writes()[0].body["properties"]["overrideQueryTimeRange"], "P2M");
    assert_eq!(azure.writes()[0].body["properties"]["criteria"]["allOf"][0]["threshold"], 1.0);

    azure.clear_requests();
    stricter.properties.override_query_time_range = Some(Duration::from_secs(7200));
    for dry in [true, false] {
        azure.inject(shown(&stored_rule));
        let task = client(&azure).ensure(&group(), &name("refused"), &stricter);
        let error = if dry { task.dry_run().await } else { task.await }.unwrap_err().to_string();
        assert!(error.contains("'/properties/overrideQueryTimeRange' could not be read"), "{error}");
    }
    assert!(azure.writes().is_empty());
}

/// azure-rest-api-specs#21794: the service refuses `Equals`.
#[tokio::test]
async fn the_operator_of_sameness_is_the_one_that_the_service_takes() {
    let azure = logged().start().await;
    secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    let mut rule = refused();
    rule.properties.criteria.all_of[0].operator = Some(ConditionOperator::Equal);
    let made = client(&azure).create_or_update(&group(), &name("refused"), &rule).await.unwrap();
    assert_eq!(made.properties.criteria.all_of[0].operator, Some(ConditionOperator::Equal));
    assert_eq!(azure.writes()[0].body["properties"]["criteria"]["allOf"][0]["operator"], "Equal");
    rule.properties.criteria.all_of[0].operator = Some("Equals".into());
    let error = client(&azure).create_or_update(&group(), &name("refused"), &rule).await.unwrap_err();
    assert_eq!(error.status(), Some(400));
}
