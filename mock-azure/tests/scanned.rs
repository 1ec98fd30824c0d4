//! What a scanner asks a subscription before it concludes anything, and what people write there.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use azure_core::http::Method::{Delete, Get, Patch, Post, Put};
use mock_azure::MockAzure;
use serde_json::{Value, json};
use support::{Answer, SUB, send};

const ARM: &str = "https://management.azure.com";

fn arm(rest: &str, version: &str) -> String {
    format!("{ARM}/subscriptions/{SUB}{rest}?api-version={version}")
}

async fn read(azure: &MockAzure, rest: &str, version: &str) -> Answer {
    send(azure, Get, &arm(rest, version), Value::Null).await
}

async fn double() -> MockAzure {
    MockAzure::seed().vault(SUB, "rg-sec", "kv-prod").start().await
}

#[tokio::test]
async fn a_new_subscription_has_none_of_what_someone_has_to_make() {
    let azure = double().await;
    for (rest, version) in [
        ("/providers/Microsoft.Security/jitNetworkAccessPolicies", "2020-01-01"),
        ("/resourceGroups/rg-sec/providers/Microsoft.Security/jitNetworkAccessPolicies", "2020-01-01"),
        ("/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies", "2020-01-01"),
        ("/providers/Microsoft.Security/regulatoryComplianceStandards", "2019-01-01-preview"),
        ("/providers/Microsoft.Security/iotSecuritySolutions", "2019-08-01"),
        ("/providers/Microsoft.Security/workspaceSettings", "2017-08-01-preview"),
        ("/providers/Microsoft.Insights/activityLogAlerts", "2020-10-01"),
        ("/providers/Microsoft.Insights/logprofiles", "2016-03-01"),
        ("/providers/Microsoft.Authorization/policyAssignments", "2022-06-01"),
        ("/providers/Microsoft.Authorization/locks", "2016-09-01"),
        ("/resourceGroups/rg-sec/providers/Microsoft.Authorization/denyAssignments", "2022-04-01"),
    ] {
        let found = read(&azure, rest, version).await;
        assert_eq!((found.status, &found.body), (200, &json!({ "value": [] })), "{rest}");
    }
    assert!(azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn what_is_listed_can_be_seeded() {
    let id = format!("/subscriptions/{SUB}/providers/Microsoft.Security/regulatoryComplianceStandards/CIS");
    let standard = json!({
        "id": id, "name": "CIS", "type": "Microsoft.Security/regulatoryComplianceStandards",
        "properties": { "state": "Failed", "passedControls": 3 },
    });
    let azure = MockAzure::seed().resource(standard.clone()).start().await;
    let rest = "/providers/Microsoft.Security/regulatoryComplianceStandards";
    let listed = read(&azure, rest, "2019-01-01-preview").await;
    assert_eq!(listed.body, json!({ "value": [standard] }));
    let one = read(&azure, &format!("{rest}/cis"), "2019-01-01-preview").await;
    assert_eq!((one.status, one.body), (200, standard));
}

#[tokio::test]
async fn regions_say_more_in_newer_versions_and_are_those_of_the_cloud() {
    let azure = double().await;
    let west = |answer: &Answer| {
        let all = answer.body["value"].as_array().unwrap();
        all.iter().find(|region| region["name"] == "westeurope").cloned().unwrap()
    };
    let new = west(&read(&azure, "/locations", "2022-12-01").await);
    assert_eq!(new["id"], format!("/subscriptions/{SUB}/locations/westeurope"));
    assert_eq!(
        (&new["type"], &new["regionalDisplayName"]),
        (&json!("Region"), &json!("(Europe) West Europe"))
    );
    assert_eq!(new["metadata"]["pairedRegion"][0]["name"], "northeurope");
    assert_eq!(
        new["availabilityZoneMappings"][2],
        json!({ "logicalZone": "3", "physicalZone": "westeurope-az3" })
    );
    let old = west(&read(&azure, "/locations", "2019-06-01").await);
    let names: Vec<&String> = old.as_object().unwrap().keys().collect();
    assert_eq!(names, ["displayName", "id", "latitude", "longitude", "name"]);
    let url =
        format!("https://management.usgovcloudapi.net/subscriptions/{SUB}/locations?api-version=2022-12-01");
    let scope = "https://management.usgovcloudapi.net/.default";
    let token = azure.credential().get_token(&[scope], None).await.unwrap();
    let gov = support::send_with(&azure, Get, &url, Value::Null, Some(token.token.secret())).await;
    assert_eq!(gov.body["value"][0]["name"], "usgovvirginia");
}

#[tokio::test]
async fn a_lock_keeps_from_deletion_what_lies_under_it_and_what_it_lies_in() {
    let azure = double().await;
    let vault = "/resourceGroups/rg-sec/providers/Microsoft.KeyVault/vaults/kv-prod";
    let lock = format!("{vault}/providers/Microsoft.Authorization/locks/keep");
    let body = json!({ "properties": { "level": "CanNotDelete", "notes": "audited" } });
    let made = send(&azure, Put, &arm(&lock, "2016-09-01"), body.clone()).await;
    assert_eq!((made.status, &made.body["properties"]), (201, &body["properties"]));
    for (rest, version) in [(vault, "2023-07-01"), ("/resourceGroups/rg-sec", "2021-04-01")] {
        let refused = send(&azure, Delete, &arm(rest, version), Value::Null).await;
        assert_eq!((refused.status, refused.code()), (409, "ScopeLocked"), "{rest}");
    }
    let tags = arm(&format!("{vault}/providers/Microsoft.Resources/tags/default"), "2021-04-01");
    let change = json!({ "operation": "Merge", "properties": { "tags": { "a": "1" } } });
    assert_eq!(send(&azure, Patch, &tags, change.clone()).await.status, 200);
    let read_only = json!({ "properties": { "level": "ReadOnly" } });
    assert_eq!(send(&azure, Put, &arm(&lock, "2016-09-01"), read_only).await.status, 200);
    let refused = send(&azure, Patch, &tags, change).await;
    assert_eq!((refused.status, refused.code()), (409, "ScopeLocked"));
    let listed = read(&azure, "/providers/Microsoft.Authorization/locks", "2016-09-01").await;
    assert_eq!(listed.body["value"][0]["name"], "keep");
    assert_eq!(send(&azure, Delete, &arm(&lock, "2016-09-01"), Value::Null).await.status, 200);
    assert_eq!(send(&azure, Delete, &arm(vault, "2023-07-01"), Value::Null).await.status, 200);
    let bad =
        send(&azure, Put, &arm("/providers/Microsoft.Authorization/locks/x", "2016-09-01"), json!({})).await;
    assert_eq!((bad.status, bad.code()), (400, "InvalidLockLevel"));
}

#[tokio::test]
async fn tags_are_merged_replaced_and_taken_away_at_every_scope() {
    let azure = double().await;
    let vault = "/resourceGroups/rg-sec/providers/Microsoft.KeyVault/vaults/kv-prod";
    for (scope, version) in
        [("", "2022-12-01"), ("/resourceGroups/rg-sec", "2021-04-01"), (vault, "2023-07-01")]
    {
        let url = arm(&format!("{scope}/providers/Microsoft.Resources/tags/default"), "2021-04-01");
        send(&azure, Put, &url, json!({ "properties": { "tags": { "a": "1", "b": "2" } } })).await;
        let merge = json!({ "operation": "Merge", "properties": { "tags": { "c": "3" } } });
        send(&azure, Patch, &url, merge).await;
        let minus = json!({ "operation": "Delete", "properties": { "tags": { "a": "1", "b": "other" } } });
        let left = send(&azure, Patch, &url, minus).await;
        assert_eq!(left.body["properties"]["tags"], json!({ "b": "2", "c": "3" }), "{scope}");
        assert_eq!(read(&azure, scope, version).await.body["tags"], json!({ "b": "2", "c": "3" }), "{scope}");
        assert_eq!(send(&azure, Delete, &url, Value::Null).await.status, 200);
        let none = send(&azure, Get, &url, Value::Null).await;
        assert_eq!(none.body["properties"]["tags"], json!({}), "{scope}");
    }
}

#[tokio::test]
async fn settings_of_defender_are_there_before_anyone_writes_them() {
    let azure = double().await;
    let settings = "/providers/Microsoft.Security/settings";
    let names = |answer: &Answer| -> Vec<String> {
        let all = answer.body["value"].as_array().unwrap();
        all.iter()
            .map(|one| format!("{}={}", one["name"].as_str().unwrap(), one["properties"]["enabled"]))
            .collect()
    };
    assert_eq!(names(&read(&azure, settings, "2019-01-01").await), ["MCAS=true", "WDATP=true"]);
    let url = arm(&format!("{settings}/WDATP"), "2022-05-01");
    let off =
        send(&azure, Put, &url, json!({ "kind": "DataExportSettings", "properties": { "enabled": false } }))
            .await;
    assert_eq!((off.status, &off.body["properties"]["enabled"]), (200, &json!(false)));
    let all = names(&read(&azure, settings, "2022-05-01").await);
    assert_eq!((all.len(), all[1].as_str(), all[2].as_str()), (5, "WDATP=false", "Sentinel=false"));
    let wrong =
        send(&azure, Put, &url, json!({ "kind": "AlertSyncSettings", "properties": { "enabled": true } }))
            .await;
    assert_eq!(wrong.status, 400);
    let provisioning = "/providers/Microsoft.Security/autoProvisioningSettings";
    let listed = read(&azure, provisioning, "2017-08-01-preview").await;
    assert_eq!(listed.body["value"][0]["properties"], json!({ "autoProvision": "Off" }));
    let url = arm(&format!("{provisioning}/default"), "2017-08-01-preview");
    send(&azure, Put, &url, json!({ "properties": { "autoProvision": "On" } })).await;
    assert_eq!(
        send(&azure, Get, &url, Value::Null).await.body["properties"],
        json!({ "autoProvision": "On" })
    );
}

#[tokio::test]
async fn an_activity_log_alert_and_a_policy_are_kept_as_the_service_shows_them() {
    let azure = double().await;
    let alert = "/resourceGroups/rg-sec/providers/microsoft.insights/activityLogAlerts/on-delete";
    let scope = format!("/subscriptions/{SUB}");
    let condition = json!({ "allOf": [{ "field": "category", "equals": "Administrative" }] });
    let properties = json!({ "scopes": [scope], "condition": condition, "enabled": true });
    let body = json!({ "location": "global", "properties": properties });
    let made = send(&azure, Put, &arm(alert, "2020-10-01"), body).await;
    assert_eq!(
        (made.status, &made.body["type"], made.body.get("tags")),
        (201, &json!("Microsoft.Insights/ActivityLogAlerts"), None)
    );
    let off = json!({ "properties": { "enabled": false } });
    assert_eq!(
        send(&azure, Patch, &arm(alert, "2020-10-01"), off).await.body["properties"]["enabled"],
        false
    );
    let empty = json!({ "location": "global", "properties": { "scopes": [scope] } });
    assert_eq!(send(&azure, Put, &arm(alert, "2020-10-01"), empty).await.status, 400);
    let listed = read(&azure, "/providers/Microsoft.Insights/activityLogAlerts", "2017-04-01").await;
    assert_eq!(listed.body["value"][0]["location"], "Global");

    let policy = "/resourceGroups/rg-sec/providers/Microsoft.Authorization/policyAssignments/audit";
    let definition =
        "/providers/Microsoft.Authorization/policyDefinitions/06a78e20-9358-41c9-923c-fb736d382a4d";
    let body = json!({ "properties": { "policyDefinitionId": definition } });
    let made = send(&azure, Put, &arm(policy, "2021-06-01"), body).await;
    assert_eq!((made.status, &made.body["properties"]["enforcementMode"]), (201, &json!("Default")));
    let vault = "/resourceGroups/rg-sec/providers/Microsoft.KeyVault/vaults/kv-prod";
    for at in ["", "/resourceGroups/rg-sec", vault] {
        let list = format!("{at}/providers/Microsoft.Authorization/policyAssignments");
        let found = read(&azure, &list, "2019-09-01").await;
        assert_eq!(found.body["value"][0]["name"], "audit", "{at}");
        assert_eq!(found.body["value"][0]["sku"]["name"], "A0", "{at}");
    }
    let gone = send(&azure, Delete, &arm(policy, "2021-06-01"), Value::Null).await;
    assert_eq!((gone.status, &gone.body["name"]), (200, &json!("audit")));
}

#[tokio::test]
async fn what_no_one_can_make_here_is_not_known() {
    let azure = double().await;
    let policy =
        "/resourceGroups/rg-sec/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/x";
    assert_eq!(send(&azure, Put, &arm(policy, "2020-01-01"), json!({})).await.status, 501);
    assert_eq!(
        send(&azure, Post, &arm(&format!("{policy}/initiate"), "2020-01-01"), json!({})).await.status,
        501
    );
    assert_eq!(read(&azure, policy, "2020-01-01").await.status, 501);
}

#[tokio::test]
async fn a_tenant_has_a_domain_and_an_organization() {
    let azure = double().await;
    let get = |path: &'static str| {
        let azure = &azure;
        async move { send(azure, Get, &format!("https://graph.microsoft.com/v1.0/{path}"), Value::Null).await }
    };
    let domains = get("domains").await;
    assert_eq!(
        (&domains.body["value"][0]["id"], &domains.body["value"][0]["isDefault"]),
        (&json!("contoso.example"), &json!(true))
    );
    let organization = get("organization").await;
    assert_eq!(organization.body["value"][0]["verifiedDomains"][0]["name"], "contoso.example");
    assert_eq!(get("domains/contoso.example").await.body["isVerified"], true);
    assert_eq!(get("domains/fabrikam.example").await.status, 404);
}

#[tokio::test]
async fn a_scope_may_come_with_its_slashes_encoded() {
    let azure = double().await;
    let scope = format!("%2Fsubscriptions%2F{SUB}%2FresourceGroups%2Frg-sec");
    let url = format!("{ARM}/{scope}/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01");
    let made = send(&azure, Put, &url, json!({ "properties": { "level": "CanNotDelete" } })).await;
    let id =
        format!("/subscriptions/{SUB}/resourceGroups/rg-sec/providers/Microsoft.Authorization/locks/keep");
    assert_eq!((made.status, &made.body["id"]), (201, &json!(id)));
}

#[tokio::test]
async fn a_vault_counts_how_often_it_was_asked() {
    let azure = MockAzure::seed()
        .vault(SUB, "rg-sec", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets User")
        .secret("kv-prod", "one", "x")
        .starts_at(time::macros::datetime!(2027-02-01 08:10:30 UTC))
        .start()
        .await;
    let secret = "https://kv-prod.vault.azure.net/secrets/one?api-version=7.5";
    send(&azure, Get, secret, Value::Null).await;
    azure.advance(std::time::Duration::from_secs(3600));
    send(&azure, Get, secret, Value::Null).await;
    send(&azure, Get, &secret.replace("one", "none"), Value::Null).await;
    azure.advance(std::time::Duration::from_secs(60));
    let metrics = |asked: &str| {
        let vault = "/resourceGroups/rg-sec/providers/Microsoft.KeyVault/vaults/kv-prod";
        arm(&format!("{vault}/providers/Microsoft.Insights/metrics"), "2018-01-01") + asked
    };
    let span = "&timespan=2027-02-01T08:00:00Z/2027-02-01T11:00:00Z&interval=PT1H";
    let asked = format!("&metricnames=ServiceApiHit,Availability&aggregation=Count,Average{span}");
    let found = send(&azure, Get, &metrics(&asked), Value::Null).await;
    assert_eq!(found.status, 200, "{}", found.body);
    let hits = &found.body["value"][0];
    assert_eq!((&hits["name"]["value"], &hits["unit"]), (&json!("ServiceApiHit"), &json!("Count")));
    assert_eq!(
        hits["timeseries"][0]["data"],
        json!([
            { "timeStamp": "2027-02-01T08:00:00Z", "count": 1.0, "average": 1.0 },
            { "timeStamp": "2027-02-01T09:00:00Z", "count": 2.0, "average": 1.0 },
            { "timeStamp": "2027-02-01T10:00:00Z" },
        ])
    );
    assert_eq!(found.body["value"][1]["timeseries"][0]["data"][0]["average"], 100.0);
    assert_eq!(found.body["resourceregion"], "westeurope");
    // How long the answers took is not known here; nor is what one caller did.
    for asked in
        ["&metricnames=ServiceApiLatency", "&$filter=ActivityName%20eq%20'secretget'", "&interval=PT1S"]
    {
        assert_eq!(send(&azure, Get, &metrics(asked), Value::Null).await.status, 501, "{asked}");
    }
}

#[tokio::test]
async fn the_first_version_of_a_contact_shows_the_one_contact_there_is() {
    let azure = double().await;
    let contact = "/providers/Microsoft.Security/securityContacts";
    let (first, newest) = ("2017-08-01-preview", "2023-12-01-preview");
    assert_eq!(read(&azure, contact, first).await.body, json!({ "value": [] }));
    assert_eq!(read(&azure, &format!("{contact}/default1"), first).await.status, 404);
    let properties = json!({
        "email": "soc@contoso.example", "phone": "1", "alertNotifications": "On", "alertsToAdmins": "Off",
    });
    let put = arm(&format!("{contact}/default1"), first);
    let made = send(&azure, Put, &put, json!({ "properties": properties })).await;
    assert_eq!((made.status, &made.body["properties"]), (200, &properties));
    let newer = read(&azure, &format!("{contact}/default"), newest).await;
    assert_eq!(newer.body["properties"]["emails"], "soc@contoso.example");
    assert_eq!(newer.body["properties"]["notificationsByRole"]["state"], "Off");

    let changed = json!({ "properties": {
        "isEnabled": true, "emails": "a@contoso.example;b@contoso.example", "phone": "",
        "notificationsByRole": { "state": "On", "roles": ["Owner"] },
        "notificationsSources": [{ "sourceType": "AttackPath", "minimalRiskLevel": "High" }],
    } });
    send(&azure, Put, &arm(&format!("{contact}/default"), newest), changed).await;
    let older = read(&azure, contact, first).await;
    assert_eq!(older.body["value"][0]["name"], "default1");
    assert_eq!(
        older.body["value"][0]["properties"],
        json!({ "email": "a@contoso.example", "phone": "", "alertNotifications": "Off", "alertsToAdmins": "On" })
    );
    assert_eq!(read(&azure, &format!("{contact}/default2"), first).await.status, 501);
}

#[tokio::test]
async fn the_clouds_endpoints_are_served_before_sign_in() {
    let azure = double().await;
    let url = format!("{ARM}/metadata/endpoints?api-version=2020-06-01");
    let found = support::send_with(&azure, Get, &url, Value::Null, None).await;
    let names: Vec<_> =
        found.body.as_array().unwrap().iter().map(|cloud| cloud["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["AzureCloud", "AzureChinaCloud", "AzureUSGovernment"]);
    assert_eq!(found.body[0]["resourceManager"], "https://management.azure.com/");
    assert_eq!(found.body[1]["suffixes"]["keyVaultDns"], "vault.azure.cn");
    let later = support::send_with(&azure, Get, &url.replace("2020-06", "2025-01"), Value::Null, None).await;
    assert_eq!(later.status, 501);
}
