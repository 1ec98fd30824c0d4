//! Task 5: respond automatically: mail, an alert rule, an automation, Sentinel.

use arm_core::Change;
use azure_core::Result;
use defender_automation::{Action, Automation, AutomationSpec, AutomationsClient};
use defender_playbooks::plan::{PlanAction, PlannedChange};
use futures::TryStreamExt as _;
use monitor_ops::{
    ActionGroup, ActionGroupsClient, AlertRule, DataConnector, Incident, IncidentFilter, OnboardingState,
    QueryRule, QueryRulesClient, SentinelClient,
};
use serde_json::json;

use crate::{
    Lab,
    state::Made,
    tasks::{task1, task2},
};

pub(crate) const ACTION_GROUP: &str = "ag-soc";
pub(crate) const RULES: [&str; 2] = ["kv-refused-requests", "kv-secrets-in-bulk"];
pub(crate) const AUTOMATION: &str = "respond-to-key-vault-alerts";

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    let group = action_group(lab).await?;
    rules(lab, &group).await?;
    automation(lab).await?;
    sentinel(lab).await
}

async fn action_group(lab: &Lab) -> Result<ActionGroup> {
    let addresses =
        lab.options.mail.iter().map(|mail| mail.parse()).collect::<std::result::Result<Vec<_>, _>>()?;
    let (client, group, name) =
        (ActionGroupsClient::new(&lab.azure.arm), lab.group()?, ACTION_GROUP.parse()?);
    let step = "task5: the action group";
    let change = lab.change(step, || client.ensure_mail(&group, &name, "soc", &addresses)).await?;
    if !lab.dry_run() && change.is_change() {
        note_group(lab, &change, &client.get(&group, &name).await?)?;
    }
    let what = format!("action group {ACTION_GROUP}");
    lab.screen.about(&change.current().id).step(what, lab.verb(&change), lab.options.mail.join(", "));
    Ok(change.into_current())
}

/// Records the action group as the lab's if the lab created it and nobody else has changed it since.
fn note_group(lab: &Lab, change: &Change<ActionGroup>, read: &ActionGroup) -> Result<()> {
    let (id, properties) = (read.id.clone(), super::json(&read.properties)?);
    match change {
        Change::Updated { before, .. } => {
            let was =
                Made::ActionGroup { id: before.id.clone(), properties: super::json(&before.properties)? };
            if !lab.state().made.contains(&was) {
                return lab.changed(&id, "its receivers: the lab's mail addresses were added");
            }
        }
        Change::Created(_) | Change::Unchanged(_) => {}
    }
    lab.made(Made::ActionGroup { id, properties })
}

async fn rules(lab: &Lab, group: &ActionGroup) -> Result<()> {
    let (client, workspace) = (QueryRulesClient::new(&lab.azure.arm), lab.workspace()?);
    let notify = group.id.parse().ok();
    let wanted = [
        QueryRule::refused_requests(&workspace, &lab.options.location, 10),
        QueryRule::mass_secret_reading(&workspace, &lab.options.location, 10),
    ];
    for (name, rule) in RULES.into_iter().zip(wanted) {
        let mut rule = rule.notifying(&notify);
        let (group, name) = (lab.group()?, name.parse()?);
        let found = client.get_opt(&group, &name).await?;
        rule.tags.extend(lab.tags_for(found.as_ref().map(|found| &found.tags))?);
        let step = format!("task5: the alert rule {name}");
        let change = lab.change(&step, || client.ensure(&group, &name, &rule)).await?;
        lab.tagged(&change.current().id, found.is_some(), &change)?;
        let unchecked = change.current().properties.skip_query_validation == Some(true);
        let detail =
            if unchecked { "its table does not exist yet: query not checked by the service" } else { "" };
        let what = format!("alert rule {name}");
        lab.screen.about(&change.current().id).step(what, lab.verb(&change), detail);
    }
    lab.screen.difference(
        "a window of five minutes",
        "delivers vault logs up to ten minutes late",
        "look back half an hour every five minutes",
    );
    lab.screen.difference(
        "to write the query into --condition",
        "expects a placeholder there and the query elsewhere, and the failure is hidden",
        "write the rule's own resource",
    );
    Ok(())
}

async fn automation(lab: &Lab) -> Result<()> {
    let (client, group, name) = (AutomationsClient::new(&lab.azure.arm), lab.group()?, AUTOMATION.parse()?);
    let action = Action::workspace(lab.workspace()?.as_resource());
    let mut spec = AutomationSpec::key_vault_response(&lab.options.location, lab.subscription(), [action]);
    lab.screen.difference(
        "AlertType contains KV_ and Severity is High",
        "has no Key Vault alert above Medium, so that would never run",
        "use Medium or High",
    );
    let groups = resource_ops::ResourceGroupsClient::new(&lab.azure.arm);
    let is_to_come = lab.dry_run() && !groups.exists(&group).await?;
    if is_to_come && !lab.is_planning() {
        lab.screen.step(format!("automation {AUTOMATION}"), "would change", "once the resource group exists");
        return Ok(());
    }
    let found = if is_to_come { None } else { client.get_opt(&group, &name).await? };
    spec.tags = lab.tags_for(found.as_ref().map(|found| &found.tags))?;
    if !is_to_come {
        let validation = client.validate(&group, &name, &spec).await?;
        let outcome = if validation.is_valid { "valid" } else { "failed" };
        lab.screen.step(
            format!("automation {AUTOMATION} checked by the service"),
            outcome,
            validation.message.clone(),
        );
    }
    let id = format!("{group}/providers/Microsoft.Security/automations/{AUTOMATION}");
    let declared = PlannedChange::of::<Automation>(PlanAction::Create, id).with(&spec)?;
    let ensure = || client.ensure(&group, &name, &spec);
    let Some(done) = lab.change_after("task5: the automation", task1::GROUP_STEP, [declared], ensure).await?
    else {
        return Ok(());
    };
    lab.tagged(&done.change.current().id.to_string(), found.is_some(), &done.change)?;
    for warning in &done.warnings {
        lab.screen.note(&warning.to_string());
    }
    lab.screen.about(&done.change.current().id).step(
        format!("automation {AUTOMATION}"),
        lab.verb(&done.change),
        "Key Vault alerts to the workspace",
    );
    Ok(())
}

async fn sentinel(lab: &Lab) -> Result<()> {
    let (client, workspace) = (SentinelClient::new(&lab.azure.arm), lab.workspace()?);
    if lab.dry_run() && !lab.is_planning() {
        lab.screen.step("Sentinel", "would change", "onboarded, Defender connected, two analytics rules");
        return Ok(());
    }
    let below = format!("{workspace}/providers/Microsoft.SecurityInsights");
    let state = format!("{below}/onboardingStates/default");
    let declared = PlannedChange::of::<OnboardingState>(PlanAction::Create, state)
        .with(&json!({ "properties": { "customerManagedKey": false } }))?;
    let onboard = "task5: Sentinel on the workspace";
    let change = lab.change_after(onboard, task2::WORKSPACE_STEP, [declared], || client.onboard(&workspace));
    let onboarded = lab.screen.wait("Sentinel", change).await?;

    let declared =
        PlannedChange::create_below::<DataConnector>(format!("{below}/dataConnectors")).with(&json!({
            "kind": "AzureSecurityCenter",
            "properties": {
                "subscriptionId": lab.subscription().as_str(),
                "dataTypes": { "alerts": { "state": "enabled" } },
            },
        }))?;
    let connect = || client.connect_defender(&workspace, lab.subscription());
    let connected = lab.change_after("task5: Defender into Sentinel", onboard, [declared], connect).await?;

    let rules = SentinelClient::vault_rules(&workspace)?;
    let declared = rules
        .iter()
        .map(|rule| PlannedChange::of::<AlertRule>(PlanAction::Create, &rule.id).with(rule))
        .collect::<Result<Vec<_>>>()?;
    let install = || client.install_vault_rules(&workspace);
    let rules = lab.change_after("task5: the analytics rules", onboard, declared, install).await?;

    let (Some(onboarded), Some(connected), Some(rules)) = (onboarded, connected, rules) else {
        return Ok(());
    };
    let mut writes = onboarded.is_change() || connected.is_change();
    lab.screen.about(&onboarded.current().id).step("Sentinel on the workspace", onboarded.verb(), "");
    let connector = &connected.current().id;
    lab.screen.about(connector).step(
        "Defender for Cloud alerts into Sentinel",
        connected.verb(),
        "by subscription",
    );
    for rule in rules {
        writes |= rule.change.is_change();
        let what = format!("analytics rule '{}'", rule.display_name);
        lab.screen.about(&rule.change.current().id).step(what, rule.change.verb(), "");
    }
    if lab.dry_run() {
        return Ok(());
    }
    if writes {
        lab.changed(
            workspace.as_resource().as_str(),
            "Sentinel, its Defender connector, two analytics rules",
        )?;
    }
    let incidents: Vec<Incident> =
        client.list_incidents(&workspace, &IncidentFilter::new().newest_first()).try_collect().await?;
    lab.screen.counted("incidents", "read", incidents.len(), format!("{} there", incidents.len()));
    Ok(())
}
