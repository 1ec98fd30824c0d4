//! Many subscriptions in one view: what each holds, and what could not be looked at.

use arm_core::SubscriptionId;
use defender_alerts::Severity;
use defender_playbooks::{
    findings::FindingKind,
    overview::{Overview, OverviewClient},
};
use defender_pricing::PlanName;
use mock_azure::{DEFAULT_TENANT, Fault, MockAzure, Seed};
use resource_ops::GraphScope;
use serde_json::Value;

use super::lab::{arm, subscription, writes};

const GROUP: &str = "mg-prod";
const HIDDEN: &str = "00000000-0000-0000-0000-0000000000ff";

fn other() -> SubscriptionId {
    "00000000-0000-0000-0000-000000000002".parse().unwrap()
}

/// Two subscriptions with a vault and its alerts each: in the first all plans are on, in the other none is.
fn seed() -> Seed {
    mock_azure::fast_forward();
    let vault = |id: &SubscriptionId, name: &str| {
        format!("/subscriptions/{id}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}")
    };
    MockAzure::seed()
        .subscription(subscription())
        .subscription(other())
        .plan(subscription(), "KeyVaults", "Standard")
        .plan(subscription(), "CloudPosture", "Standard")
        .plan_extension(subscription(), "CloudPosture", "AgentlessVmScanning", true)
        .vault(subscription(), "rg", "kv-one")
        .vault(other(), "rg", "kv-two")
        .key_vault_alerts(vault(&subscription(), "kv-one"))
        .key_vault_alerts(vault(&other(), "kv-two"))
}

fn group() -> GraphScope {
    GraphScope::ManagementGroups(vec![GROUP.parse().unwrap()])
}

async fn read(azure: &MockAzure, scope: GraphScope) -> Overview {
    OverviewClient::new(&arm(azure)).read(scope).await.unwrap()
}

/// What is not known, as lines.
fn not_known(overview: &Overview) -> Vec<String> {
    overview.not_known().iter().map(ToString::to_string).collect()
}

fn has(lines: &[String], about: &str, words: &str) -> bool {
    lines.iter().any(|line| line.contains(about) && line.contains(words))
}

#[tokio::test]
async fn each_subscription_has_its_findings_and_its_plans_and_nothing_is_written() {
    let azure = seed().management_group(GROUP, [subscription(), other()]).start().await;
    let overview = read(&azure, group()).await;
    assert!(writes(&azure).is_empty());
    assert_eq!((overview.subscriptions.len(), overview.read_count()), (2, 2));
    assert_eq!(overview.tenant.as_deref(), Some(azure.tenant()));
    let found = overview.findings();
    for id in [subscription(), other()] {
        let alerts = found
            .findings
            .iter()
            .filter(|it| it.kind == FindingKind::Alert && it.subscription.as_ref() == Some(&id));
        assert!(alerts.count() > 10, "{id}");
    }
    let gap = |finding: &&defender_playbooks::findings::Finding| {
        finding.rule == "plan-off" && finding.subscription == Some(other())
    };
    assert_eq!(found.findings.iter().filter(gap).count(), 1, "the other one's plan is off");
    let on = |id: &SubscriptionId| {
        overview.subscription(id).unwrap().seen.as_ref().unwrap().is_on(&PlanName::KeyVaults)
    };
    assert_eq!((on(&subscription()), on(&other())), (Some(true), Some(false)));
    let lines = not_known(&overview);
    assert!(has(&lines, other().as_str(), "alerts: Defender for Key Vault is off"), "{lines:?}");
    assert!(has(&lines, other().as_str(), "attack paths: Defender CSPM is off"), "{lines:?}");
    assert!(!has(&lines, subscription().as_str(), ""), "all of it was looked at: {lines:?}");
}

#[tokio::test]
async fn a_subscription_of_the_group_that_may_not_be_read_is_named_in_every_form() {
    let azure = seed().management_group(GROUP, [subscription().as_str(), HIDDEN]).start().await;
    let overview = read(&azure, group()).await;
    assert_eq!((overview.subscriptions.len(), overview.read_count()), (2, 1));
    assert_eq!(overview.not_listed, None);
    let found = overview.findings();
    let unknown: Vec<_> =
        found.not_known.iter().map(|it| it.subscription.as_ref().unwrap().as_str()).collect();
    assert_eq!(unknown, [HIDDEN]);
    let of_hidden = |event: &&Value| event["cloud"]["account"]["uid"] == HIDDEN;
    let events = found.to_ocsf();
    assert_eq!(events.iter().filter(of_hidden).count(), 1);
    let notice = &found.to_sarif()["runs"][0]["invocations"][0];
    assert_eq!(notice["executionSuccessful"], false);
    assert_eq!(notice["toolExecutionNotifications"][0]["properties"]["subscription"], HIDDEN);
    let csv = found.to_csv().unwrap();
    let row = csv.lines().find(|line| line.starts_with("notKnown")).unwrap();
    assert!(row.contains(&format!(",{HIDDEN},")), "{row}");
    assert!(found.fails(&Severity::Critical), "a gate fails on what could not be looked at");
}

#[tokio::test]
async fn a_named_subscription_that_does_not_exist_is_not_clean() {
    let azure = seed().start().await;
    let named = vec![subscription(), HIDDEN.parse().unwrap(), subscription()];
    let overview = read(&azure, GraphScope::Subscriptions(named)).await;
    assert_eq!((overview.subscriptions.len(), overview.read_count()), (2, 1), "each once");
    assert!(has(&not_known(&overview), HIDDEN, "does not exist, or is not visible"));
    let none = read(&azure, GraphScope::Subscriptions(vec![HIDDEN.parse().unwrap()])).await;
    let lines = not_known(&none);
    assert!(has(&lines, "alerts could not be read", "no subscription of the scope"), "{lines:?}");
    assert!(none.findings().fails(&Severity::Critical));
    let empty = OverviewClient::new(&arm(&azure)).read(GraphScope::Subscriptions(Vec::new())).await;
    assert!(empty.unwrap_err().to_string().contains("needs a subscription"));
}

#[tokio::test]
async fn if_the_descendants_of_a_group_cannot_be_read_the_report_says_that_some_may_be_missing() {
    let azure = seed().management_group(GROUP, [subscription().as_str(), HIDDEN]).start().await;
    azure.inject(Fault::status(403).code("AuthorizationFailed").on("GET", "/descendants").always());
    let overview = read(&azure, group()).await;
    assert_eq!((overview.subscriptions.len(), overview.read_count()), (1, 1));
    let lines = not_known(&overview);
    assert!(has(&lines, "subscriptions that the sign-in does not see may be missing", GROUP), "{lines:?}");
    let gone = OverviewClient::new(&arm(&azure));
    let none = gone.read(GraphScope::ManagementGroups(vec!["none".parse().unwrap()])).await;
    assert!(none.is_err(), "a group of which nothing is known is an error");
}

#[tokio::test]
async fn each_group_whose_members_could_not_be_listed_is_named() {
    let seed = seed().management_group(GROUP, [subscription()]).management_group("fabrikam", [other()]);
    let azure = seed.start().await;
    azure.inject(Fault::status(403).code("AuthorizationFailed").on("GET", "/descendants").always());
    let both = [GROUP, "fabrikam"].map(|group| group.parse().unwrap());
    let lines = not_known(&read(&azure, GraphScope::ManagementGroups(both.into())).await);
    for group in [GROUP, "fabrikam"] {
        assert!(has(&lines, "may be missing", &format!("'{group}'")), "{group}: {lines:?}");
    }
}

#[tokio::test]
async fn the_whole_tenant_is_every_subscription_below_its_root_group() {
    let azure = seed().management_group(GROUP, [HIDDEN]).start().await;
    let by_name = GraphScope::ManagementGroups(vec![DEFAULT_TENANT.parse().unwrap()]);
    for scope in [GraphScope::Tenant, by_name] {
        let overview = read(&azure, scope).await;
        assert_eq!((overview.subscriptions.len(), overview.read_count()), (3, 2));
        assert!(has(&not_known(&overview), HIDDEN, "not visible"));
    }
}

#[tokio::test]
async fn what_resource_graph_leaves_out_in_silence_is_named() {
    let azure = seed().start().await;
    let silent = serde_json::json!({ "value": [{ "actions": ["Microsoft.Resources/*/read", "Microsoft.KeyVault/*"],
        "notActions": [], "dataActions": [], "notDataActions": [] }] });
    let permissions = format!("/subscriptions/{}/providers/Microsoft.Authorization/permissions", other());
    azure.inject(Fault::body(200, silent.to_string()).on("GET", &permissions).always());
    let overview = read(&azure, GraphScope::Subscriptions(vec![subscription(), other()])).await;
    let lines = not_known(&overview);
    for what in ["alerts", "recommendations and exposed secrets", "attack paths"] {
        assert!(has(&lines, other().as_str(), &format!("{what}: the caller may not read them")), "{lines:?}");
        assert!(!has(&lines, subscription().as_str(), what), "{lines:?}");
    }
}

#[tokio::test]
async fn a_source_that_fails_hides_no_other() {
    let azure = seed().start().await;
    azure.inject(Fault::status(403).code("AuthorizationFailed").on("GET", "/pricings").always());
    let scope = GraphScope::Subscriptions(vec![subscription(), other()]);
    let overview = read(&azure, scope).await;
    let lines = not_known(&overview);
    assert!(has(&lines, subscription().as_str(), "the plans could not be read"), "{lines:?}");
    assert!(overview.findings().findings.len() > 20, "alerts are there all the same");
    azure.inject(
        Fault::status(400).code("BadRequest").on("POST", "/Microsoft.ResourceGraph/resources").always(),
    );
    let blind = read(&azure, GraphScope::Subscriptions(vec![subscription()])).await;
    let lines = not_known(&blind);
    for what in ["alerts", "attack paths", "exposed secrets", "recommendations"] {
        assert!(has(&lines, &format!("{what} could not be read"), ""), "{what}: {lines:?}");
    }
}
