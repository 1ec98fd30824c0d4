use crate::caller::*;

const VERSION: &str = "2025-09-01";
const ID: &str = "00000000-0000-0000-0000-0000000000f1";

fn path(rest: &str) -> String {
    format!("{}/providers/Microsoft.SecurityInsights/{rest}", workspace())
}

async fn double() -> mock_azure::MockAzure {
    seed().sentinel(&workspace()).incident(&workspace(), ID, "A secret was read", "High").start().await
}

fn automation(name: &str) -> Value {
    json!({ "properties": {
        "displayName": name, "order": 1,
        "triggeringLogic": { "isEnabled": true, "triggersOn": "Incidents", "triggersWhen": "Created" },
        "actions": [{ "order": 1, "actionType": "ModifyProperties", "actionConfiguration": { "severity": "High" } }],
    } })
}

#[tokio::test]
async fn an_automation_rule_is_made_changed_listed_and_deleted() {
    let azure = double().await;
    let at = path("automationRules/escalate");
    let made = arm(&azure, Put, VERSION, &at, automation("one")).await;
    assert_eq!(
        (made.status, &made.body["type"]),
        (201, &json!("Microsoft.SecurityInsights/AutomationRules"))
    );
    let properties = &made.body["properties"];
    assert_eq!(properties["triggeringLogic"]["conditions"], json!([]));
    let configuration = &properties["actions"][0]["actionConfiguration"];
    assert_eq!(
        (&configuration["severity"], configuration.get("owner")),
        (&json!("High"), Some(&Value::Null))
    );
    assert!(properties["createdBy"]["objectId"].is_string(), "{properties}");

    azure.advance(std::time::Duration::from_secs(60));
    let mut changed = automation("two");
    changed["etag"] = made.body["etag"].clone();
    let second = arm(&azure, Put, VERSION, &at, changed.clone()).await;
    assert_eq!((second.status, &second.body["properties"]["displayName"]), (200, &json!("two")));
    assert_eq!(second.body["properties"]["createdTimeUtc"], properties["createdTimeUtc"]);
    assert_eq!(arm(&azure, Put, VERSION, &at, changed).await.status, 409);
    let listed = arm(&azure, Get, VERSION, &path("automationRules"), Value::Null).await;
    assert_eq!(listed.body["value"], json!([second.body]));
    let bad = json!({ "properties": { "displayName": "x" } });
    assert_eq!(arm(&azure, Put, VERSION, &at, bad).await.status, 400);
    assert_eq!(arm(&azure, Delete, VERSION, &at, Value::Null).await.status, 200);
    assert_eq!(arm(&azure, Get, VERSION, &at, Value::Null).await.status, 404);
}

#[tokio::test]
async fn an_incident_counts_its_comments_and_relates_to_bookmarks() {
    let azure = double().await;
    let incident = format!("incidents/{ID}");
    let comment = path(&format!("{incident}/comments/c1"));
    let made = arm(&azure, Put, VERSION, &comment, json!({ "properties": { "message": "seen" } })).await;
    assert_eq!((made.status, &made.body["properties"]["message"]), (201, &json!("seen")), "{}", made.body);
    let count = async || {
        let found = arm(&azure, Get, VERSION, &path(&incident), Value::Null).await;
        found.body["properties"]["additionalData"]["commentsCount"].clone()
    };
    assert_eq!(count().await, 1);
    let listed = arm(&azure, Get, VERSION, &path(&format!("{incident}/comments")), Value::Null).await;
    assert_eq!(listed.body["value"][0]["name"], "c1");
    assert_eq!(arm(&azure, Delete, VERSION, &comment, Value::Null).await.status, 200);
    assert_eq!(count().await, 0);
    let elsewhere = path("incidents/none/comments/c1");
    assert_eq!(
        arm(&azure, Put, VERSION, &elsewhere, json!({ "properties": { "message": "x" } })).await.status,
        404
    );

    let bookmark = json!({ "properties": { "displayName": "b", "query": "SecurityEvent" } });
    let bookmark = arm(&azure, Put, VERSION, &path("bookmarks/b1"), bookmark).await;
    assert_eq!((bookmark.status, &bookmark.body["properties"]["labels"]), (200, &json!([])));
    let relation = json!({ "properties": { "relatedResourceId": bookmark.body["id"] } });
    let related = arm(&azure, Put, VERSION, &path(&format!("{incident}/relations/r1")), relation).await;
    assert_eq!(related.body["properties"]["relatedResourceType"], "Microsoft.SecurityInsights/Bookmarks");
    let nothing = json!({ "properties": { "relatedResourceId": format!("{}x", path("bookmarks/b1")) } });
    let unknown = arm(&azure, Put, VERSION, &path(&format!("{incident}/relations/r2")), nothing).await;
    assert_eq!(unknown.status, 501);
}

#[tokio::test]
async fn metadata_and_watchlists_are_filled_in_and_kept() {
    let azure = double().await;
    let body = json!({ "properties": { "parentId": path("alertRules/r"), "kind": "AnalyticsRule" } });
    let made = arm(&azure, Put, VERSION, &path("metadata/m"), body).await;
    assert_eq!((made.status, &made.body["properties"]["source"]["name"]), (201, &json!("law-sec")));
    assert_eq!(made.body["properties"]["source"]["sourceId"], json!(customer_id(&azure).await));
    assert!(made.body["systemData"]["createdAt"].is_string() && made.body.get("etag").is_none());

    let body =
        json!({ "properties": { "displayName": "w", "provider": "Microsoft", "itemsSearchKey": "host" } });
    let first = arm(&azure, Put, VERSION, &path("watchlists/w"), body.clone()).await;
    let second = arm(&azure, Put, VERSION, &path("watchlists/w"), body.clone()).await;
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.body["properties"]["watchlistId"], second.body["properties"]["watchlistId"]);
    assert_eq!(first.body["properties"]["watchlistAlias"], "w");
    let mut with_items = body;
    with_items["properties"]["rawContent"] = json!("host\na");
    assert_eq!(arm(&azure, Put, VERSION, &path("watchlists/w2"), with_items).await.status, 501);
}

#[tokio::test]
async fn a_workspace_keeps_data_sources_by_kind() {
    let azure = double().await;
    let source = |kind: &str| json!({ "kind": kind, "properties": { "state": "Enabled" } });
    let at = |name: &str| format!("{}/dataSources/{name}", workspace());
    let version = "2020-08-01";
    let made = arm(&azure, Put, version, &at("a"), source("LinuxSyslogCollection")).await;
    assert_eq!((made.status, &made.body["properties"]["state"]), (200, &json!("Enabled")), "{}", made.body);
    arm(&azure, Put, version, &at("b"), source("LinuxPerformanceCollection")).await;
    let list = format!("{}/dataSources", workspace());
    let of_kind = format!("{list}?$filter=kind%20eq%20'LinuxSyslogCollection'");
    assert_eq!(arm(&azure, Get, version, &of_kind, Value::Null).await.body["value"], json!([made.body]));
    assert_eq!(arm(&azure, Get, version, &list, Value::Null).await.status, 501);
    assert_eq!(arm(&azure, Put, version, &at("c"), json!({ "kind": "x" })).await.status, 400);
}
