//! Task 5: respond by itself: mail, an alert rule, an automation, Sentinel.

use arm_core::Change;
use azure_core::Result;
use defender_automation::{Action, AutomationSpec, AutomationsClient};
use futures::TryStreamExt as _;
use monitor_ops::{
    ActionGroup, ActionGroupsClient, Incident, IncidentFilter, QueryRule, QueryRulesClient, SentinelClient,
};

use crate::{Lab, state::Made};

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
    let ensure = client.ensure_mail(&group, &name, "soc", &addresses);
    let change = if lab.dry_run() { ensure.dry_run().await? } else { ensure.await? };
    if !lab.dry_run() && change.is_change() {
        note_group(lab, &change, &client.get(&group, &name).await?)?;
    }
    lab.screen.step(format!("action group {ACTION_GROUP}"), lab.verb(&change), lab.options.mail.join(", "));
    Ok(change.into_current())
}

/// The lab's is a group that it made, and that no one else has changed since.
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
        let ensure = client.ensure(&group, &name, &rule);
        let change = if lab.dry_run() { ensure.dry_run().await? } else { ensure.await? };
        lab.tagged(&change.current().id, found.is_some(), &change)?;
        let unchecked = change.current().properties.skip_query_validation == Some(true);
        let detail =
            if unchecked { "its table does not exist yet: query not checked by the service" } else { "" };
        lab.screen.step(format!("alert rule {name}"), lab.verb(&change), detail);
    }
    lab.screen.difference(
        "a window of five minutes",
        "brings vault logs up to ten minutes late",
        "look back half an hour every five minutes",
    );
    lab.screen.difference(
        "to write the query into --condition",
        "wants a placeholder there and the query elsewhere, and the failure is hidden",
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
        "take Medium or High",
    );
    if lab.dry_run() && !resource_ops::ResourceGroupsClient::new(&lab.azure.arm).exists(&group).await? {
        lab.screen.step(
            format!("automation {AUTOMATION}"),
            "would change",
            "once the resource group is there",
        );
        return Ok(());
    }
    let found = client.get_opt(&group, &name).await?;
    spec.tags = lab.tags_for(found.as_ref().map(|found| &found.tags))?;
    let validation = client.validate(&group, &name, &spec).await?;
    let outcome = if validation.is_valid { "valid" } else { "failed" };
    lab.screen.step(
        format!("automation {AUTOMATION} checked by the service"),
        outcome,
        validation.message.clone(),
    );
    let ensure = client.ensure(&group, &name, &spec);
    let ensure = ensure.in_mode(lab.mode());
    let done = ensure.await?;
    lab.tagged(&done.change.current().id.to_string(), found.is_some(), &done.change)?;
    for warning in &done.warnings {
        lab.screen.note(&warning.to_string());
    }
    lab.screen.step(
        format!("automation {AUTOMATION}"),
        lab.verb(&done.change),
        "Key Vault alerts to the workspace",
    );
    Ok(())
}

async fn sentinel(lab: &Lab) -> Result<()> {
    let (client, workspace) = (SentinelClient::new(&lab.azure.arm), lab.workspace()?);
    if lab.dry_run() {
        lab.screen.step("Sentinel", "would change", "onboarded, Defender connected, two analytics rules");
        return Ok(());
    }
    let change = lab.screen.wait("Sentinel", client.onboard(&workspace).into_future()).await?;
    let mut writes = change.is_change();
    lab.screen.step("Sentinel on the workspace", change.verb(), "");
    let change = client.connect_defender(&workspace, lab.subscription()).await?;
    lab.screen.step("Defender for Cloud alerts into Sentinel", change.verb(), "by subscription");
    writes |= change.is_change();
    for rule in client.install_vault_rules(&workspace).await? {
        writes |= rule.change.is_change();
        lab.screen.step(format!("analytics rule '{}'", rule.display_name), rule.change.verb(), "");
    }
    if writes {
        lab.changed(
            workspace.as_resource().as_str(),
            "Sentinel, its Defender connector, two analytics rules",
        )?;
    }
    let incidents: Vec<Incident> =
        client.list_incidents(&workspace, &IncidentFilter::new().newest_first()).try_collect().await?;
    lab.screen.step("incidents", "read", format!("{} there", incidents.len()));
    Ok(())
}
