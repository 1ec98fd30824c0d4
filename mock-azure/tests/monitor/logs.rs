use crate::caller::*;

async fn send_audit_to_workspace(azure: &mock_azure::MockAzure, mode: Value) {
    let path = format!("{}/providers/Microsoft.Insights/diagnosticSettings/to-law", vault());
    let body = json!({ "properties": {
        "workspaceId": workspace(),
        "logAnalyticsDestinationType": mode,
        "logs": [{ "categoryGroup": "audit", "enabled": true }],
    } });
    assert_eq!(arm(azure, Put, "2021-05-01-preview", &path, body).await.status, 200);
}

fn inner(answer: &Answer) -> (&Value, &Value) {
    let inner = &answer.body["error"]["innererror"];
    (&inner["code"], &inner["innererror"]["code"])
}

#[tokio::test]
async fn a_table_exists_once_the_first_record_after_the_setting_has_come() {
    let azure = seed().start().await;
    get_secret(&azure, "db").await;
    send_audit_to_workspace(&azure, Value::Null).await;
    let none = query(&azure, "AzureDiagnostics | count").await;
    assert_eq!((none.status, none.code()), (400, "BadArgumentError"));
    assert_eq!(inner(&none), (&json!("SemanticError"), &json!("SEM0100")));

    assert_eq!(get_secret(&azure, "db").await.status, 200);
    let found = query(&azure, "AzureDiagnostics | where OperationName == 'SecretGet' | count").await;
    assert_eq!(found.body["tables"][0]["rows"], json!([[1]]), "{}", found.body);
    assert_eq!(query(&azure, "AZKVAuditLogs | count").await.status, 400);
}

#[tokio::test]
async fn the_destination_type_decides_about_the_table_and_old_rows_stay() {
    let azure = seed().start().await;
    send_audit_to_workspace(&azure, Value::Null).await;
    get_secret(&azure, "db").await;
    send_audit_to_workspace(&azure, json!("Dedicated")).await;
    get_secret(&azure, "none").await;
    let old = query(&azure, "AzureDiagnostics | project httpStatusCode_d, Resource, requestUri_s").await;
    assert_eq!(old.body["tables"][0]["rows"][0][0], 200.0);
    assert_eq!(old.body["tables"][0]["rows"][0][1], "KV-PROD");
    let new = query(
        &azure,
        "AZKVAuditLogs | project HttpStatusCode, tostring(Identity.claim['http://schemas.microsoft.com/identity/claims/objectidentifier'])",
    )
    .await;
    assert_eq!(new.body["tables"][0]["rows"], json!([[404, azure.signed_in()]]), "{}", new.body);
}

#[tokio::test]
async fn only_vaults_with_a_setting_are_in_the_logs() {
    let azure = seed()
        .vault(SUB, "rg-sec", "kv-silent")
        .vault_role("kv-silent", "Key Vault Secrets User")
        .diagnostic_setting(&vault(), "to-law", &workspace(), &["AuditEvent"])
        .start()
        .await;
    get_secret(&azure, "db").await;
    let silent = arm(&azure, Get, "2026-02-01", &vault().replace("kv-prod", "kv-silent"), Value::Null).await;
    assert_eq!(silent.status, 200);
    let found = query(&azure, "AzureDiagnostics | distinct Resource").await;
    assert_eq!(found.body["tables"][0]["rows"], json!([["KV-PROD"]]));
    let resource =
        logs(&azure, Post, &format!("{}/query", vault()), json!({ "query": "AzureDiagnostics | count" }))
            .await;
    assert_eq!(resource.status, 200, "{}", resource.body);
    let other = vault().replace("kv-prod", "kv-silent");
    let resource =
        logs(&azure, Post, &format!("{other}/query"), json!({ "query": "AzureDiagnostics | count" })).await;
    assert_eq!(resource.status, 400);
}

#[tokio::test]
async fn broken_and_unknown_queries_are_errors() {
    let azure = seed().diagnostic_setting(&vault(), "x", &workspace(), &["AuditEvent"]).start().await;
    get_secret(&azure, "db").await;
    let broken = query(&azure, "not a valid query").await;
    let inner = &broken.body["error"]["innererror"];
    assert_eq!((broken.status, &inner["code"]), (400, &json!("SyntaxError")));
    let expected = json!({
        "code": "SYN0002",
        "message": "Query could not be parsed at 'a' on line [1,4]",
        "line": 1,
        "pos": 4,
        "token": "a",
    });
    assert_eq!(inner["innererror"], expected);
    assert_eq!(query(&azure, "Made_CL | count").await.status, 400);
    for unknown in ["AzureDiagnostics | join X on Y", "AzureDiagnostics | wher x", "Heartbeat | count"] {
        assert_eq!(query(&azure, unknown).await.status, 501, "{unknown}");
    }
    let id = customer_id(&azure).await;
    let span =
        logs(&azure, Get, &format!("/workspaces/{id}/query?query=AzureDiagnostics&timespan=1h"), Value::Null)
            .await;
    assert_eq!(span.status, 400);
    let gone =
        logs(&azure, Get, "/workspaces/00000000-0000-0000-0000-000000000009/query?query=x", Value::Null)
            .await;
    assert_eq!((gone.status, gone.code()), (404, "WorkspaceNotFoundError"));
}

#[tokio::test]
async fn a_truncated_answer_is_marked_as_such() {
    let azure =
        seed().log_row_limit(1).diagnostic_setting(&vault(), "x", &workspace(), &["allLogs"]).start().await;
    get_secret(&azure, "db").await;
    get_secret(&azure, "db").await;
    let cut = query(&azure, "AzureDiagnostics | project OperationName").await;
    assert_eq!((cut.status, cut.code()), (200, "PartialError"));
    assert_eq!(cut.body["tables"][0]["rows"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn several_queries_go_in_one_batch_and_metadata_lists_the_tables() {
    let azure = seed().diagnostic_setting(&vault(), "x", &workspace(), &["AuditEvent"]).start().await;
    get_secret(&azure, "db").await;
    let id = customer_id(&azure).await;
    let one = |n: &str, query: &str| json!({ "id": n, "method": "POST", "path": "/query", "workspace": id, "body": { "query": query, "timespan": "PT1H" } });
    let body = json!({ "requests": [one("1", "AzureDiagnostics | count"), one("2", "Nothing_CL | count")] });
    let both = logs(&azure, Post, "/$batch", body).await;
    let status = |n: usize| both.body["responses"][n]["status"].clone();
    assert_eq!((status(0), status(1)), (json!(200), json!(400)));
    let metadata = logs(&azure, Get, &format!("/workspaces/{id}/metadata"), Value::Null).await;
    assert_eq!(metadata.body["tables"][0]["name"], "AzureDiagnostics");
}

#[tokio::test]
async fn who_may_not_read_the_workspace_gets_no_rows() {
    let azure = seed().signed_in_role("Key Vault Reader").start().await;
    let resource =
        logs(&azure, Post, &format!("{}/query", vault()), json!({ "query": "AzureDiagnostics" })).await;
    assert_eq!((resource.status, resource.code()), (403, "InsufficientAccessError"));
}

#[tokio::test]
async fn a_timespan_has_a_beginning_that_is_not_after_its_end() {
    let azure = seed().diagnostic_setting(&vault(), "x", &workspace(), &["AuditEvent"]).start().await;
    get_secret(&azure, "db").await;
    let id = customer_id(&azure).await;
    let (early, late) = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
    for (span, status) in [
        ("PT1H".to_owned(), 200),
        (format!("{early}/{late}"), 200),
        (format!("{early}/{early}"), 200),
        (format!("{early}/PT1H"), 200),
        (format!("PT1H/{late}"), 200),
        (format!("{late}/{early}"), 400),
        ("PT1H/PT1H".to_owned(), 400),
        ("PT0S".to_owned(), 400),
        (format!("{early}/"), 400),
    ] {
        let body = json!({ "query": "AzureDiagnostics | count", "timespan": span });
        let found = logs(&azure, Post, &format!("/workspaces/{id}/query"), body).await;
        assert_eq!(found.status, status, "{span}: {}", found.body);
    }
}
