//! Task 5: mail, an alert rule that can fire, an automation that can match, Sentinel.
//!
//! `cargo run -p lab-examples --example task5_automate_response` (offline; `-- --help` explains real Azure)

use defender_automation::{Action, AutomationSpec, AutomationsClient};
use monitor_ops::{
    ActionGroupsClient, QueryRule, QueryRulesClient, SentinelClient, WorkspaceId, WorkspaceSpec,
    WorkspacesClient,
};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let azure = lab_examples::connect().await?;
    let (arm, subscription) = (&azure.arm, &azure.subscription);
    let group = subscription.resource_group(&azure.group)?;
    let workspace = WorkspaceId::new(&group, "law-contoso")?;
    WorkspacesClient::new(arm)
        .ensure(&workspace, &WorkspaceSpec::builder().location("westeurope").build())
        .await?;

    // 1. Who is notified.
    let mail = ["soc@contoso.example".parse()?, "oncall@contoso.example".parse()?];
    let soc = ActionGroupsClient::new(arm).ensure_mail(&group, &"ag-soc".parse()?, "soc", &mail).await?;
    println!("action group: {}", soc.verb());

    // 2. More than ten refused requests in half an hour; a shorter window would miss logs that arrive late.
    let rule =
        QueryRule::refused_requests(&workspace, "westeurope", 10).notifying(&soc.current().id.parse().ok());
    assert!(!rule.misses_late_logs());
    let change = QueryRulesClient::new(arm).ensure(&group, &"kv-refused-requests".parse()?, &rule).await?;
    println!("alert rule: {}", change.verb());

    // 3. Key Vault alerts of severity Medium or High: "KV_ and High" alone would never match.
    let automations = AutomationsClient::new(arm);
    let name = "respond-to-key-vault-alerts".parse()?;
    let action = Action::workspace(workspace.as_resource());
    let spec = AutomationSpec::key_vault_response("westeurope", subscription, [action]);
    for warning in spec.warnings() {
        println!("warning: {warning}");
    }
    let validation = automations.validate(&group, &name, &spec).await?;
    println!("valid: {} {}", validation.is_valid, validation.message);
    let done = automations.ensure(&group, &name, &spec).await?;
    println!("automation: {}", done.change.verb());

    // 4. Sentinel: turned on, connected, with two analytics rules. Each call can be repeated.
    let sentinel = SentinelClient::new(arm);
    println!("Sentinel: {}", sentinel.onboard(&workspace).await?.verb());
    println!("connector: {}", sentinel.connect_defender(&workspace, subscription).await?.verb());
    for rule in sentinel.install_vault_rules(&workspace).await? {
        println!("analytics rule '{}': {}", rule.display_name, rule.change.verb());
    }
    Ok(())
}
