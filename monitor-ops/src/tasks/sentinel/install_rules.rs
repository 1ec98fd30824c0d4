use std::time::Duration;

use arm_core::{ArmErrorExt as _, Change, Mode, Task, Wish, refuse};
use azure_core::Result;

use super::stable_name;
use crate::{
    AlertRule, EntityMapping, RuleKind, ScheduledRule, SentinelClient, SentinelSeverity, WorkspaceId, kql,
};

/// A rule of [`SentinelClient::install_vault_rules`], and what was done to it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InstalledRule {
    /// The display name.
    pub display_name: String,
    /// The change.
    pub change: Change<AlertRule>,
}

impl SentinelClient {
    /// Ensures that two analytics rules on vault logs exist: many refused requests from one caller, and bulk reads of
    /// secrets.
    ///
    /// The rules read both tables that can contain vault logs, and can be written before either exists. Every ten
    /// minutes, they look back half an hour, so that late logs are included. Of existing rules, only the query, the
    /// schedule, the trigger, the tactics and the entity mappings are changed.
    ///
    /// **If it stops halfway**, the first rule may exist without the second; their ids are the same in every run, so
    /// running it again finishes it. After that, another run writes nothing.
    ///
    /// # Permissions
    ///
    /// Microsoft Sentinel Contributor.
    ///
    /// # Errors
    ///
    /// [`is_not_onboarded`](crate::is_not_onboarded): call [`onboard`](Self::onboard) first.
    #[inline]
    pub fn install_vault_rules(&self, workspace: &WorkspaceId) -> Task<Vec<InstalledRule>> {
        let (client, workspace) = (self.clone(), workspace.clone());
        Task::new(move |mode| async move {
            let mut done: Vec<InstalledRule> = Vec::new();
            for (purpose, rule) in rules() {
                let display_name = rule.display_name.clone();
                let (of, at) = (client.clone(), workspace.clone());
                let one = Task::deciding(move |mode| {
                    let (client, workspace, rule) = (of.clone(), at.clone(), rule.clone());
                    async move { client.install(&workspace, purpose, rule, mode).await }
                });
                match one.in_mode(mode).await {
                    Ok(change) => done.push(InstalledRule { display_name, change }),
                    Err(error) => {
                        let before =
                            done.iter().map(|rule| format!("'{}' {}", rule.display_name, rule.change.verb()));
                        let before: Vec<String> = before.collect();
                        let before = if before.is_empty() { "none".to_owned() } else { before.join(", ") };
                        let message = format!("rule '{display_name}': {error} (rules done before: {before})");
                        return Err(error.reworded(message));
                    }
                }
            }
            Ok(done)
        })
    }

    /// Returns the rules that [`install_vault_rules`](Self::install_vault_rules) creates in this workspace, with their
    /// ids. Sends no request.
    ///
    /// # Errors
    ///
    /// None in practice: the names of the rules can be derived from every valid workspace id.
    pub fn vault_rules(workspace: &WorkspaceId) -> Result<Vec<AlertRule>> {
        rules().into_iter().map(|(purpose, rule)| planned(workspace, purpose, rule)).collect()
    }

    async fn install(
        &self,
        workspace: &WorkspaceId,
        purpose: &str,
        rule: ScheduledRule,
        mode: Mode,
    ) -> Result<Change<AlertRule>> {
        let name = stable_name(workspace, purpose)?;
        let before = self.get_rule_opt(workspace, &name).await?;
        let wanted = match &before {
            None => AlertRule::new(RuleKind::Scheduled(Box::new(rule.clone()))),
            Some(before) => onto(&rule, before)?,
        };
        if let Some(before) = &before
            && *before == wanted
        {
            return Ok(Change::Unchanged(wanted));
        }
        let after = match mode {
            Mode::DryRun if before.is_none() => planned(workspace, purpose, rule)?,
            Mode::DryRun => wanted,
            Mode::Write => {
                let written = self.create_or_update_rule(workspace, &name, &wanted).await;
                let found = self.get_rule_opt(workspace, &name).await;
                match (written, found) {
                    // The first response may have been lost, and the retry refused.
                    (Err(_), Ok(Some(found))) if onto(&rule, &found).is_ok_and(|same| same == found) => found,
                    (Err(error), _) | (Ok(_), Err(error)) => return Err(error),
                    (Ok(_), Ok(None)) => {
                        return refuse("the service accepted the rule but does not show it");
                    }
                    (Ok(_), Ok(Some(found))) => {
                        WISH.verify(format_args!("the rule '{name}'"), &wanted, &found)?;
                        found
                    }
                }
            }
        };
        Ok(match before {
            Some(before) => Change::Updated { before, after },
            None => Change::Created(after),
        })
    }
}

/// The rules, each with its purpose.
fn rules() -> [(&'static str, ScheduledRule); 2] {
    [("refused-requests", refused()), ("mass-reading", mass_reading())]
}

/// A rule that does not exist yet, with the id and name that it will have.
fn planned(workspace: &WorkspaceId, purpose: &str, rule: ScheduledRule) -> Result<AlertRule> {
    let name = stable_name(workspace, purpose)?;
    let mut planned = AlertRule::new(RuleKind::Scheduled(Box::new(rule)));
    planned.id = format!("{workspace}/providers/Microsoft.SecurityInsights/alertRules/{name}");
    planned.name = name.to_string();
    Ok(planned)
}

/// Members that the service sets are not compared.
const WISH: Wish = Wish::new().exact(&["query", "displayName", "description"]).ignoring(&[
    "id",
    "name",
    "type",
    "etag",
    "systemData",
    "lastModifiedUtc",
]);

/// The existing rule with the specified members applied.
fn onto(rule: &ScheduledRule, before: &AlertRule) -> Result<AlertRule> {
    let mut wanted = before.clone();
    let RuleKind::Scheduled(old) = &mut wanted.rule else {
        return refuse(format!("the rule '{}' exists but is not a scheduled one", before.name));
    };
    old.query.clone_from(&rule.query);
    old.query_frequency = rule.query_frequency;
    old.query_period = rule.query_period;
    old.trigger_operator.clone_from(&rule.trigger_operator);
    old.trigger_threshold = rule.trigger_threshold;
    old.tactics.clone_from(&rule.tactics);
    old.entity_mappings.clone_from(&rule.entity_mappings);
    Ok(wanted)
}

fn scheduled(name: &str, description: &str, severity: SentinelSeverity, steps: &str) -> ScheduledRule {
    let query = format!("{}\n{steps}", kql::vault_operations_or_nothing());
    let (every, back) = (Duration::from_secs(600), Duration::from_secs(1800));
    let mut rule = ScheduledRule::new(name, severity, query, every, back);
    rule.description = Some(description.to_owned());
    rule.entity_mappings = vec![
        EntityMapping::new("Account", "AadUserId", "ObjectId"),
        EntityMapping::new("IP", "Address", "CallerIp"),
        EntityMapping::new("AzureResource", "ResourceId", "_ResourceId"),
    ];
    rule
}

fn refused() -> ScheduledRule {
    let steps = format!(
        "{}\n| summarize Refused = count(), First = min(TimeGenerated), Last = max(TimeGenerated) \
         by _ResourceId, ObjectId, CallerIp\n| where Refused > 10",
        kql::REFUSED
    );
    let mut rule = scheduled(
        "Key vault: one caller refused many times",
        "A key vault denied more than ten requests from one caller within half an hour.",
        SentinelSeverity::Low,
        &steps,
    );
    rule.tactics = vec!["Discovery".to_owned(), "CredentialAccess".to_owned()];
    rule
}

fn mass_reading() -> ScheduledRule {
    let mut rule = scheduled(
        "Key vault: secrets read in bulk",
        "One caller read ten different secrets of a key vault within half an hour, or five after listing them.",
        SentinelSeverity::Medium,
        &kql::mass_reading(10),
    );
    rule.tactics = vec!["CredentialAccess".to_owned()];
    rule
}
