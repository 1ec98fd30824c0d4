//! Diagnostic settings, workspaces, log queries, alert rules of Monitor, action groups.

use std::time::Duration;

use crate::{Contract, all, delete, done, fixture, get, one, one_or_none, patch, post, put};
use arm_core::{ArmClient, ResourceName};
use monitor_ops::{
    ActionGroup, ActionGroupPatch, ActionGroupsClient, BatchQuery, CustomerId, DiagnosticSetting,
    DiagnosticsClient, LogQuery, LogsClient, QueryRule, QueryRulePatch, QueryRulesClient, Receivers,
    TestNotification, Timespan, WorkspaceId, WorkspacePatch, WorkspaceSku, WorkspaceSpec, WorkspacesClient,
};
use serde_json::json;

use super::common::{GROUP, SUBSCRIPTION, VAULT, WORKSPACE, decoded, group, name, resource, subscription};

const CUSTOMER: &str = "00000000-0000-0000-0000-000000000009";

pub(super) fn contracts() -> Vec<Contract> {
    [diagnostics(), diagnostics_of_subscription(), query_rules(), action_groups(), workspaces(), logs()]
        .concat()
}

fn diagnostics() -> Vec<Contract> {
    let version = "2021-05-01-preview";
    let settings = format!("{VAULT}/providers/Microsoft.Insights/diagnosticSettings");
    let categories = format!("{VAULT}/providers/Microsoft.Insights/diagnosticSettingsCategories");
    let client = DiagnosticsClient::new;
    vec![
        get("DiagnosticSettings_List", &settings, version)
            .answers("diagnostic_settings/list.json")
            .pages()
            .model("DiagnosticSetting")
            .call(move |arm| all(client(&arm).list(&resource(VAULT)))),
        get("DiagnosticSettings_Get", format!("{settings}/to-law"), version)
            .answers("diagnostic_settings/get.json")
            .model("DiagnosticSetting")
            .call(move |arm| one(async move { client(&arm).get(&resource(VAULT), &name("to-law")).await })),
        put("DiagnosticSettings_CreateOrUpdate", format!("{settings}/to-law"), version)
            .statuses(&[200])
            .sends(fixture("diagnostic_settings/get.json"))
            .answers("diagnostic_settings/get.json")
            .model("DiagnosticSetting")
            .call(move |arm| {
                one(async move {
                    let setting: DiagnosticSetting = decoded("diagnostic_settings/get.json");
                    client(&arm).create_or_update(&resource(VAULT), &name("to-law"), &setting).await
                })
            }),
        delete("DiagnosticSettings_Delete", format!("{settings}/to-law"), version).call(move |arm| {
            one(async move { client(&arm).delete(&resource(VAULT), &name("to-law")).await })
        }),
        get("DiagnosticSettingsCategory_List", &categories, version)
            .answers("diagnostic_categories/list.json")
            .pages()
            .model("DiagnosticCategory")
            .call(move |arm| all(client(&arm).categories(&resource(VAULT)))),
        get("DiagnosticSettingsCategory_Get", format!("{categories}/AuditEvent"), version)
            .answers("diagnostic_categories/get.json")
            .model("DiagnosticCategory")
            .call(move |arm| {
                one(async move { client(&arm).category(&resource(VAULT), &name("AuditEvent")).await })
            }),
    ]
}

fn diagnostics_of_subscription() -> Vec<Contract> {
    let version = "2021-05-01-preview";
    let settings = format!("{SUBSCRIPTION}/providers/Microsoft.Insights/diagnosticSettings");
    let client = DiagnosticsClient::new;
    let answer = "diagnostic_settings/get_of_subscription.json";
    vec![
        get("SubscriptionDiagnosticSettings_List", &settings, version)
            .answers("diagnostic_settings/list_by_subscription.json")
            .pages()
            .model("DiagnosticSetting")
            .call(move |arm| all(client(&arm).list_by_subscription(&subscription()))),
        get("SubscriptionDiagnosticSettings_Get", format!("{settings}/activity"), version)
            .answers(answer)
            .model("DiagnosticSetting")
            .call(move |arm| {
                one(async move { client(&arm).get_of_subscription(&subscription(), &name("activity")).await })
            }),
        put("SubscriptionDiagnosticSettings_CreateOrUpdate", format!("{settings}/activity"), version)
            .statuses(&[200])
            .sends(fixture(answer))
            .answers(answer)
            .model("DiagnosticSetting")
            .call(move |arm| {
                one(async move {
                    let (client, name) = (client(&arm), name("activity"));
                    client.create_or_update_of_subscription(&subscription(), &name, &decoded(answer)).await
                })
            }),
        delete("SubscriptionDiagnosticSettings_Delete", format!("{settings}/activity"), version).call(
            move |arm| {
                one(async move { client(&arm).delete_of_subscription(&subscription(), &name("activity")).await })
            },
        ),
    ]
}

fn query_rules() -> Vec<Contract> {
    let version = "2026-03-01";
    let rules = "/providers/Microsoft.Insights/scheduledQueryRules";
    let rule = format!("{GROUP}{rules}/kv-reads");
    let client = QueryRulesClient::new;
    let list =
        |contract: Contract| contract.answers("query_rules/list.json").pages().model("ScheduledQueryRule");
    let single = |contract: Contract| contract.answers("query_rules/get.json").model("ScheduledQueryRule");
    vec![
        list(get("ScheduledQueryRules_ListBySubscription", format!("{SUBSCRIPTION}{rules}"), version))
            .call(move |arm| all(client(&arm).list(&subscription()))),
        list(get("ScheduledQueryRules_ListByResourceGroup", format!("{GROUP}{rules}"), version))
            .call(move |arm| all(client(&arm).list_by_resource_group(&group()))),
        single(get("ScheduledQueryRules_Get", &rule, version))
            .call(move |arm| one(async move { client(&arm).get(&group(), &name("kv-reads")).await })),
        single(put("ScheduledQueryRules_CreateOrUpdate", &rule, version))
            .sends(fixture("query_rules/get.json"))
            .call(move |arm| {
                one(async move {
                    let rule: QueryRule = decoded("query_rules/get.json");
                    client(&arm).create_or_update(&group(), &name("kv-reads"), &rule).await
                })
            }),
        single(patch("ScheduledQueryRules_Update", &rule, version))
            .sends(json!({ "properties": { "enabled": false } }))
            .call(move |arm| {
                one(async move {
                    let off = QueryRulePatch::new().enabled(false);
                    client(&arm).update(&group(), &name("kv-reads"), &off).await
                })
            }),
        delete("ScheduledQueryRules_Delete", &rule, version)
            .call(move |arm| one(async move { client(&arm).delete(&group(), &name("kv-reads")).await })),
    ]
}

fn action_groups() -> Vec<Contract> {
    let version = "2023-01-01";
    let groups = "/providers/Microsoft.Insights/actionGroups";
    let oncall = format!("{GROUP}{groups}/oncall");
    let client = ActionGroupsClient::new;
    let list = |contract: Contract| contract.answers("action_groups/list.json").pages().model("ActionGroup");
    let single = |contract: Contract| contract.answers("action_groups/get.json").model("ActionGroup");
    let id = || -> ResourceName { name("notification-1") };
    vec![
        list(get("ActionGroups_ListBySubscriptionId", format!("{SUBSCRIPTION}{groups}"), version))
            .call(move |arm| all(client(&arm).list(&subscription()))),
        list(get("ActionGroups_ListByResourceGroup", format!("{GROUP}{groups}"), version))
            .call(move |arm| all(client(&arm).list_by_resource_group(&group()))),
        single(get("ActionGroups_Get", &oncall, version))
            .call(move |arm| one(async move { client(&arm).get(&group(), &name("oncall")).await })),
        single(put("ActionGroups_CreateOrUpdate", &oncall, version))
            .sends(fixture("action_groups/get.json"))
            .call(move |arm| {
                one(async move {
                    let body: ActionGroup = decoded("action_groups/get.json");
                    client(&arm).create_or_update(&group(), &name("oncall"), &body).await
                })
            }),
        single(patch("ActionGroups_Update", &oncall, version))
            .sends(json!({ "properties": { "enabled": false } }))
            .call(move |arm| {
                one(async move {
                    let off = ActionGroupPatch::new().enabled(false);
                    client(&arm).update(&group(), &name("oncall"), &off).await
                })
            }),
        delete("ActionGroups_Delete", &oncall, version)
            .call(move |arm| one(async move { client(&arm).delete(&group(), &name("oncall")).await })),
        post(
            "ActionGroups_CreateNotificationsAtActionGroupResourceLevel",
            format!("{oncall}/createNotifications"),
            version,
        )
        .sends(json!({ "alertType": "logalertv2" }))
        .answers("action_groups/notification.json")
        .long_running()
        .call(move |arm| {
            let test = TestNotification::new("logalertv2", Receivers::default());
            done(client(&arm).test_notifications(&group(), &name("oncall"), &test))
        }),
        get(
            "ActionGroups_GetTestNotificationsAtActionGroupResourceLevel",
            format!("{oncall}/notificationStatus/notification-1"),
            version,
        )
        .answers("action_groups/notification.json")
        .call(move |arm| {
            one_or_none(
                async move { client(&arm).notification_status(&group(), &name("oncall"), &id()).await },
            )
        }),
        post("ActionGroups_EnableReceiver", format!("{oncall}/subscribe"), version)
            .sends(json!({ "receiverName": "mail" }))
            .gives("true")
            .call(move |arm| {
                one(async move { client(&arm).enable_receiver(&group(), &name("oncall"), "mail").await })
            }),
    ]
}

fn workspaces() -> Vec<Contract> {
    let version = "2026-03-01";
    let provider = "/providers/Microsoft.OperationalInsights";
    let client = WorkspacesClient::new;
    let list = |contract: Contract| contract.answers("workspaces/list.json").pages().model("Workspace");
    let single = |contract: Contract| {
        contract.answers("workspaces/get.json").model("Workspace").fixed_words(&["provisioningState"])
    };
    let id = || -> WorkspaceId { WORKSPACE.parse().unwrap() };
    vec![
        list(get("Workspaces_List", format!("{SUBSCRIPTION}{provider}/workspaces"), version))
            .call(move |arm| all(client(&arm).list(&subscription()))),
        list(get("Workspaces_ListByResourceGroup", format!("{GROUP}{provider}/workspaces"), version))
            .call(move |arm| all(client(&arm).list_by_resource_group(&group()))),
        single(get("Workspaces_Get", WORKSPACE, version))
            .call(move |arm| one(async move { client(&arm).get(&id()).await })),
        single(put("Workspaces_CreateOrUpdate", WORKSPACE, version))
            .sends(json!({
                "location": "westeurope",
                "properties": { "sku": { "name": "PerGB2018" }, "retentionInDays": 90 },
            }))
            .long_running()
            .call(move |arm| {
                let spec = WorkspaceSpec::builder().location("westeurope").retention_in_days(90).build();
                done(client(&arm).create_or_update(&id(), &spec))
            }),
        single(patch("Workspaces_Update", WORKSPACE, version))
            .sends(json!({ "properties": { "sku": { "name": "PerGB2018" }, "retentionInDays": 30 } }))
            .call(move |arm| {
                let patch = WorkspacePatch::new().retention_in_days(30).sku(WorkspaceSku::PerGb2018);
                one(async move { client(&arm).update(&id(), &patch).await })
            }),
        delete("Workspaces_Delete", WORKSPACE, version)
            .long_running()
            .call(move |arm| done(client(&arm).delete(&id()))),
        delete("Workspaces_Delete", format!("{WORKSPACE}?force=true"), version)
            .variant("for_good")
            .long_running()
            .call(move |arm| done(client(&arm).force_delete(&id()))),
        list(get("DeletedWorkspaces_List", format!("{SUBSCRIPTION}{provider}/deletedWorkspaces"), version))
            .call(move |arm| all(client(&arm).list_deleted(&subscription()))),
        list(get(
            "DeletedWorkspaces_ListByResourceGroup",
            format!("{GROUP}{provider}/deletedWorkspaces"),
            version,
        ))
        .call(move |arm| all(client(&arm).list_deleted_by_resource_group(&group()))),
    ]
}

fn logs() -> Vec<Contract> {
    let host = "https://api.loganalytics.azure.com/v1";
    let of_workspace = format!("{host}/workspaces/{CUSTOMER}");
    let of_resource = format!("{host}{VAULT}");
    let client = LogsClient::new;
    let id = || -> CustomerId { CUSTOMER.parse().unwrap() };
    let results = |contract: Contract| contract.answers("log_queries/results.json").model("QueryResults");
    let hour = || LogQuery::new("T | take 1").timespan(Timespan::Last(Duration::from_secs(3600)));
    let body = json!({ "query": "T | take 1", "timespan": "PT1H" });
    let query = "query?query=T | take 1&timespan=PT1H";
    let preferring = move |arm: &ArmClient| {
        let query = hour().server_timeout(Duration::from_secs(60)).with_statistics();
        let client = client(arm);
        async move { client.query(&id(), query).await }
    };
    // The specification lists both twice, the second time for services that disambiguate by the query.
    let resource_execute = |operation| {
        results(post(operation, format!("{of_resource}/query"), ""))
            .sends(body.clone())
            .call(move |arm| one(async move { client(&arm).query_resource(&resource(VAULT), hour()).await }))
    };
    let resource_get = |operation| {
        results(get(operation, format!("{of_resource}/{query}"), "")).call(move |arm| {
            one(async move { client(&arm).query_resource_get(&resource(VAULT), hour()).await })
        })
    };
    vec![
        results(post("Query_Execute", format!("{of_workspace}/query"), ""))
            .header("prefer", "wait=60,include-statistics=true")
            .sends(body.clone())
            .call(move |arm| one(preferring(&arm))),
        post("Query_Execute", format!("{of_workspace}/query"), "")
            .variant("partial")
            .sends(body.clone())
            .answers("log_queries/partial.json")
            .model("QueryResults")
            .call(move |arm| one(async move { client(&arm).query(&id(), hour()).await })),
        results(get("Query_Get", format!("{of_workspace}/{query}"), ""))
            .call(move |arm| one(async move { client(&arm).query_get(&id(), hour()).await })),
        resource_execute("Query_ResourceExecute"),
        resource_execute("Query_ResourceExecuteXms"),
        resource_get("Query_ResourceGet"),
        resource_get("Query_ResourceGetXms"),
        post("Query_Batch", format!("{host}/$batch"), "")
            .sends(json!({ "requests": [{
                "id": "1",
                "workspace": CUSTOMER,
                "path": "/query",
                "method": "POST",
                "headers": {},
                "body": { "query": "T" },
            }]}))
            .answers("log_queries/batch.json")
            .call(move |arm| {
                one(async move { client(&arm).batch(&[BatchQuery::new("1", id(), "T")]).await })
            }),
        get("Metadata_Get", format!("{of_workspace}/metadata"), "")
            .answers("log_queries/metadata.json")
            .call(move |arm| one(async move { client(&arm).metadata(&id()).await })),
        post("Metadata_Post", format!("{of_workspace}/metadata"), "")
            .answers("log_queries/metadata.json")
            .call(move |arm| one(async move { client(&arm).metadata_post(&id()).await })),
    ]
}
