use std::{collections::BTreeSet, time::Duration};

use arm_core::ArmErrorExt as _;
use mock_azure::{AuditEvent, Fault, MockAzure, Seed};
use monitor_ops::{
    BatchQuery, DestinationType, DiagnosticSpec, DiagnosticsClient, LogQuery, LogSource, LogsClient,
    Timespan, VaultOperation, VaultOperationName, WorkspacesClient, missing_table,
};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use crate::lab::*;

fn logs(azure: &MockAzure) -> LogsClient {
    LogsClient::new(&arm(azure))
}

fn logged() -> Seed {
    seed().diagnostic_setting(vault().as_str(), "x", &workspace().to_string(), &["AuditEvent"])
}

async fn customer(azure: &MockAzure) -> monitor_ops::CustomerId {
    WorkspacesClient::new(&arm(azure)).get(&workspace()).await.unwrap().properties.customer_id.unwrap()
}

async fn read(azure: &MockAzure, secret: &str) {
    let _ = secrets(azure, "kv-prod").get_secret(secret, None).await;
}

#[derive(Debug, Deserialize, PartialEq)]
struct Count {
    #[serde(rename = "Count")]
    count: u64,
}

#[tokio::test]
async fn every_query_operation_answers_typed_rows() {
    let azure = logged().start().await;
    read(&azure, "db").await;
    let (logs, id) = (logs(&azure), customer(&azure).await);
    let query = || {
        LogQuery::new("AzureDiagnostics | where OperationName == 'SecretGet' | count")
            .timespan(Timespan::Last(Duration::from_secs(3600)))
            .server_timeout(Duration::from_secs(60))
            .with_statistics()
    };
    let one = [Count { count: 1 }];
    let results = logs.query(&id, query()).await.unwrap();
    assert_eq!(results.rows::<Count>().unwrap(), one);
    assert!(results.statistics.is_some());
    assert_eq!(logs.query_get(&id, query()).await.unwrap().rows::<Count>().unwrap(), one);
    assert_eq!(logs.query_resource(&vault(), query()).await.unwrap().rows::<Count>().unwrap(), one);
    assert_eq!(logs.query_resource_get(&vault(), query()).await.unwrap().rows::<Count>().unwrap(), one);
    let batch = [BatchQuery::new("good", id, query()), BatchQuery::new("bad", id, "Nothing_CL | count")];
    let answers = logs.batch(&batch).await.unwrap();
    assert_eq!((answers[0].status, answers[1].status), (200, 400));
    assert_eq!(answers[0].body.tables[0].rows::<Count>().unwrap(), one);
    assert!(answers[1].body.error.as_ref().unwrap().to_string().starts_with("SEM0100"));
    for metadata in [logs.metadata(&id).await.unwrap(), logs.metadata_post(&id).await.unwrap()] {
        assert_eq!(metadata.tables[0].name, "AzureDiagnostics");
    }
    let sent: Vec<_> =
        azure.requests().into_iter().filter(|request| request.path.ends_with("/query")).collect();
    assert!(sent.iter().all(|request| request.host == "api.loganalytics.azure.com"));
    assert_eq!(sent.last().unwrap().header("prefer"), Some("wait=60,include-statistics=true"));
    assert_eq!(sent.last().unwrap().query("timespan"), Some("PT1H"));
    assert!(azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn a_query_of_additional_workspaces_is_not_sent_as_a_get_without_them() {
    let azure = logged().start().await;
    read(&azure, "db").await;
    let (logs, id) = (logs(&azure), customer(&azure).await);
    azure.clear_requests();
    let query = || LogQuery::new("AzureDiagnostics | count").additional_workspaces([id]);
    for refused in [logs.query_get(&id, query()).await, logs.query_resource_get(&vault(), query()).await] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("cannot be sent as a GET: use query()"), "{error}");
    }
    assert!(azure.requests().is_empty());
    logs.query(&id, query()).await.unwrap();
    assert_eq!(azure.requests()[0].body["workspaces"], json!([id]));
}

#[tokio::test]
async fn what_was_done_to_a_deleted_secret_is_found_by_its_name() {
    let deleted = logged().secret_settling(0).deleted_secret("kv-prod", "API-key", "REDACTED");
    let officer = deleted.vault_role("kv-prod", "Key Vault Secrets Officer");
    let azure = officer.secret("kv-prod", "restore", "x").start().await;
    let secrets = secrets(&azure, "kv-prod");
    secrets.get_deleted_secret("API-key", None).await.unwrap();
    secrets.purge_deleted_secret("API-key", None).await.unwrap();
    read(&azure, "db").await;
    read(&azure, "restore").await;
    let found = async |name: &str| {
        let found = logs(&azure).evidence(&workspace()).secret(name).await.unwrap();
        let row = |it: &VaultOperation| (it.operation.as_str().to_owned(), it.secret());
        found.operations.iter().map(row).collect::<Vec<_>>()
    };
    let row = |operation: &str, name: &str| (operation.to_owned(), Some(name.to_owned()));
    let done = [row("SecretGetDeleted", "api-key"), row("SecretPurge", "api-key")];
    assert_eq!(found("api-KEY").await, done);
    assert_eq!(found("restore").await, [row("SecretGet", "restore")]);
}

#[tokio::test]
async fn bad_queries_are_one_clear_line() {
    let azure = logged().start().await;
    read(&azure, "db").await;
    let (logs, id) = (logs(&azure), customer(&azure).await);
    let syntax = logs.query(&id, "AzureDiagnostics Nothing").await.unwrap_err();
    assert!(syntax.is_code("SYN0002"));
    assert!(syntax.to_string().contains("could not be parsed at 'Nothing' on line [1,17]"), "{syntax}");
    let table = logs.query(&id, "Nothing_CL | count").await.unwrap_err();
    assert_eq!(missing_table(&table).as_deref(), Some("Nothing_CL"));
    let column = logs.query(&id, "AzureDiagnostics | count | where Nothing == 1").await.unwrap_err();
    assert!(missing_table(&column).is_none() && column.to_string().contains("'Nothing'"), "{column}");
    assert!([syntax, table, column].iter().all(|error| !error.to_string().contains('\n')));
}

#[tokio::test]
async fn a_partial_answer_is_never_taken_for_a_complete_one() {
    let azure = logged().log_row_limit(1).start().await;
    read(&azure, "db").await;
    read(&azure, "db").await;
    let results = logs(&azure).query(&customer(&azure).await, "AzureDiagnostics").await.unwrap();
    assert!(results.is_partial() && results.tables[0].cells.len() == 1);
    let error = results.rows::<serde_json::Value>().unwrap_err().to_string();
    assert!(error.contains("incomplete") && error.contains("exceed the set limit"), "{error}");
    assert!(logs(&azure).evidence(&workspace()).await.is_err());
}

#[tokio::test]
async fn a_sweep_of_secrets_shows_up_with_who_what_and_where_from() {
    let azure = logged().secret("kv-prod", "API-key", "REDACTED").caller_ip("198.51.100.9").start().await;
    list_secrets(&azure, "kv-prod").await;
    read(&azure, "db").await;
    read(&azure, "API-key").await;
    read(&azure, "none").await;
    let evidence = logs(&azure)
        .evidence(&workspace())
        .vault(&vault())
        .caller(azure.signed_in())
        .caller_ip("198.51.100.9")
        .await
        .unwrap();
    assert_eq!(evidence.source, LogSource::Present);
    assert_eq!(evidence.secrets_read(), BTreeSet::from(["api-key".to_owned(), "db".to_owned()]));
    assert_eq!(evidence.caller_ips(), BTreeSet::from(["198.51.100.9"]));
    let names: Vec<_> = evidence.operations.iter().map(|row| (row.operation.as_str(), row.status)).collect();
    let got = ("SecretGet", Some(200));
    assert_eq!(names, [("SecretList", Some(200)), got, got, ("SecretGet", Some(404))]);
    let first = &evidence.operations[0];
    assert_eq!(first.upn, "lab.user@contoso.example");
    assert_eq!(first.vault, vault().as_str().to_lowercase());
    assert!(!evidence.is_settled && !evidence.is_conclusive(), "logs of the last minutes can still come");
}

#[tokio::test]
async fn both_tables_are_read_with_their_other_columns() {
    let azure = seed().start().await;
    let diagnostics = DiagnosticsClient::new(&arm(&azure));
    let spec = DiagnosticSpec::audit_to(&workspace()).unwrap();
    assert!(diagnostics.ensure(&vault(), &spec).await.unwrap().is_change());
    read(&azure, "db").await;
    let mut dedicated = diagnostics.get(&vault(), &spec.name).await.unwrap();
    dedicated.properties.log_analytics_destination_type = Some(DestinationType::Dedicated);
    diagnostics.create_or_update(&vault(), &spec.name, &dedicated).await.unwrap();
    read(&azure, "db").await;
    let both = logs(&azure).evidence(&workspace()).operations([VaultOperationName::SecretGet]).await.unwrap();
    assert_eq!(both.operations.len(), 2);
    let [old, new] = [&both.operations[0], &both.operations[1]];
    assert_eq!(
        (&old.object_id, &old.upn, &old.caller_ip, old.status),
        (&new.object_id, &new.upn, &new.caller_ip, new.status)
    );
    assert_eq!((old.secret(), new.secret()), (Some("db".to_owned()), Some("db".to_owned())));
}

#[tokio::test]
async fn nothing_found_is_distinguished_from_nothing_logged_and_nothing_arrived_yet() {
    let azure = seed().start().await;
    read(&azure, "db").await;
    let gather = |azure: &MockAzure| logs(azure).evidence(&workspace()).vault(&vault());
    assert_eq!(gather(&azure).await.unwrap().source, LogSource::Off);

    let azure = logged().start().await;
    assert_eq!(gather(&azure).await.unwrap().source, LogSource::NoLogsYet);
    read(&azure, "db").await;
    let calm = gather(&azure).caller_ip("192.0.2.1").await.unwrap();
    assert!(calm.operations.is_empty() && calm.source == LogSource::Present);
    let day = time::Duration::days(1);
    let now = OffsetDateTime::now_utc();
    let past = gather(&azure).timespan(Timespan::Between(now - day * 2, now - day)).await.unwrap();
    assert!(past.operations.is_empty() && past.is_conclusive());

    azure.inject(Fault::status(403).on("GET", "diagnosticSettings").always());
    assert!(matches!(gather(&azure).caller_ip("192.0.2.1").await.unwrap().source, LogSource::Unknown(_)));
}

#[tokio::test]
async fn a_result_beyond_the_limit_is_marked_as_truncated() {
    let azure = logged().start().await;
    for _ in 0..3 {
        read(&azure, "db").await;
    }
    let cut = logs(&azure).evidence(&workspace()).limit(2).await.unwrap();
    assert!(cut.is_truncated && cut.operations.len() == 2 && !cut.is_conclusive());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_and_counts_towards_the_limit() {
    let azure = logged().start().await;
    let names = [
        "TimeGenerated",
        "Vault",
        "Operation",
        "Status",
        "Result",
        "CallerIp",
        "ObjectId",
        "Upn",
        "AppId",
        "Uri",
        "Client",
        "CorrelationId",
    ];
    let columns =
        names.map(|name| json!({ "name": name, "type": if name == "Status" { "int" } else { "string" } }));
    let row = |time: &str| json!([time, "/v", "SecretGet", 200, "", "", "", "", "", "", "", ""]);
    let rows = [row("2026-03-01T12:00:00Z"), row("at noon")];
    let answer = json!({ "tables": [{ "name": "PrimaryResult", "columns": columns, "rows": rows }] });
    azure.inject(Fault::body(200, answer.to_string()).on("POST", "/query").always());
    for (limit, is_truncated) in [(2, false), (1, true)] {
        let found = logs(&azure).evidence(&workspace()).limit(limit).await.unwrap();
        assert_eq!((found.operations.len(), found.unreadable.len()), (1, 1), "{found:?}");
        assert_eq!((found.is_truncated, found.is_conclusive()), (is_truncated, false), "{limit}");
    }
}

#[tokio::test]
async fn what_an_attacker_chose_stays_a_value_inside_the_query() {
    let azure = logged().start().await;
    read(&azure, "db").await;
    for hostile in ["\") or true or CallerIp in (\"", "\\\") | take 1 //", "x\"\n| take 1"] {
        let found = logs(&azure).evidence(&workspace()).caller_ip(hostile).caller(hostile).await.unwrap();
        assert!(found.operations.is_empty(), "{hostile}");
    }
}

#[tokio::test]
async fn without_a_timespan_evidence_is_that_of_the_last_day() {
    let azure = logged().start().await;
    for hours in [1, 23, 25] {
        let at = azure.now() - time::Duration::hours(hours);
        azure.audit_event(AuditEvent::new("SecretGet", vault(), at));
    }
    let found = logs(&azure).evidence(&workspace()).await.unwrap();
    assert_eq!(found.operations.len(), 2, "{found:?}");
}
