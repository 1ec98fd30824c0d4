//! A resource that the lab may have created: whether it belongs to the lab, and how it is deleted.

use std::collections::BTreeMap;

use arm_core::{ArmErrorExt as _, ResourceId, ResourceName};
use azure_core::Result;
use defender_automation::AutomationsClient;
use keyvault_ops::{VaultId, VaultsClient};
use monitor_ops::{ActionGroupsClient, DiagnosticsClient, QueryRulesClient, WorkspacesClient};
use resource_ops::{ResourceGroupsClient, RoleAssignmentId, RoleAssignmentsClient};
use serde_json::Value;

use crate::{
    Lab,
    state::Made,
    tasks::{json, task5},
};

/// A resource that the lab may have created.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Thing {
    Group,
    Vault(VaultId),
    Workspace,
    Rule(&'static str),
    Automation,
    ActionGroup,
    Assignment(RoleAssignmentId),
    Setting { resource: ResourceId, name: ResourceName },
}

/// The current owner of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    Absent,
    Ours,
    /// It is or may be somebody else's; with the reason why it is kept.
    Kept(String),
}

impl Thing {
    /// The full id.
    pub(crate) fn id(&self, lab: &Lab) -> Result<String> {
        let group = lab.group()?;
        let within = |provider: &str, name: &str| format!("{group}/providers/{provider}/{name}");
        Ok(match self {
            Self::Group => group.to_string(),
            Self::Vault(vault) => vault.to_string(),
            Self::Workspace => lab.workspace()?.to_string(),
            Self::Rule(name) => within("Microsoft.Insights/scheduledQueryRules", name),
            Self::Automation => within("Microsoft.Security/automations", task5::AUTOMATION),
            Self::ActionGroup => within("Microsoft.Insights/actionGroups", task5::ACTION_GROUP),
            Self::Assignment(id) => id.to_string(),
            Self::Setting { resource, name } => {
                format!("{resource}/providers/Microsoft.Insights/diagnosticSettings/{name}")
            }
        })
    }

    pub(crate) fn label(&self, lab: &Lab) -> Result<String> {
        Ok(match self {
            Self::Group => format!("resource group {}", lab.group()?.name()),
            Self::Vault(vault) => format!("vault {}", vault.name()),
            Self::Workspace => format!("workspace {}", lab.workspace()?.name()),
            Self::Rule(name) => format!("alert rule {name}"),
            Self::Automation => format!("automation {}", task5::AUTOMATION),
            Self::ActionGroup => format!("action group {}", task5::ACTION_GROUP),
            Self::Assignment(id) => {
                format!("role assignment {}", id.to_string().rsplit('/').next().unwrap_or_default())
            }
            Self::Setting { resource, name } => format!("diagnostic setting {name} of {}", resource.name()),
        })
    }

    /// Reads the resource and determines its owner, for the plan and again immediately before it is deleted.
    pub(crate) async fn look(&self, lab: &Lab) -> Result<Look> {
        let (arm, group) = (&lab.azure.arm, lab.group()?);
        let named = |name: &str| name.parse::<ResourceName>();
        let tags = match self {
            Self::Group => ResourceGroupsClient::new(arm).get_opt(&group).await?.map(|found| found.tags),
            Self::Vault(vault) => VaultsClient::new(arm).get_opt(vault).await?.map(|found| found.tags),
            Self::Workspace => {
                WorkspacesClient::new(arm).get_opt(&lab.workspace()?).await?.map(|found| found.tags)
            }
            Self::Rule(name) => {
                QueryRulesClient::new(arm).get_opt(&group, &named(name)?).await?.map(|found| found.tags)
            }
            Self::Automation => {
                let name = named(task5::AUTOMATION)?;
                AutomationsClient::new(arm).get_opt(&group, &name).await?.map(|found| found.tags)
            }
            Self::ActionGroup => {
                let name = named(task5::ACTION_GROUP)?;
                let found = ActionGroupsClient::new(arm).get_opt(&group, &name).await?;
                return self.by_note(lab, found.map(|found| json(&found.properties)).transpose()?);
            }
            Self::Assignment(id) => {
                // The name is derived from scope, role and principal, so an assignment with this id is the one that was
                // created.
                let found = RoleAssignmentsClient::new(arm).get_opt(id).await?;
                return self.by_note(lab, found.map(|_| Value::Null));
            }
            Self::Setting { resource, name } => {
                let found = match DiagnosticsClient::new(arm).get(resource, name).await {
                    Ok(found) => Some(found),
                    Err(error) if error.is_resource_not_found() => None,
                    Err(error) => return Err(error),
                };
                return self.by_note(lab, found.map(|found| json(&found.properties)).transpose()?);
            }
        };
        self.by_tags(lab, tags)
    }

    fn by_tags(&self, lab: &Lab, tags: Option<BTreeMap<String, String>>) -> Result<Look> {
        let Some(tags) = tags else { return Ok(Look::Absent) };
        let id = self.id(lab)?;
        let doubtful = lab.state().doubtful.contains(&id.to_ascii_lowercase());
        Ok(match lab.has_tag(&tags) {
            true if !doubtful => Look::Ours,
            true => Look::Kept(
                "it appeared while the lab was about to create it, and may be somebody else's".to_owned(),
            ),
            false => Look::Kept(
                "it does not have this lab's tag, so it is not known to belong to the lab".to_owned(),
            ),
        })
    }

    /// Compares the current resource, `found`, with the one that the lab recorded.
    fn by_note(&self, lab: &Lab, found: Option<Value>) -> Result<Look> {
        let Some(found) = found else { return Ok(Look::Absent) };
        let id = self.id(lab)?;
        let state = lab.state();
        let noted = state.made.iter().find(|made| made.id().eq_ignore_ascii_case(&id));
        Ok(match noted {
            None => Look::Kept(
                "the lab did not record creating it, so it is not known to belong to the lab".to_owned(),
            ),
            Some(Made::RoleAssignment { .. }) => Look::Ours,
            Some(Made::ActionGroup { properties, .. } | Made::DiagnosticSetting { properties, .. })
                if *properties == found =>
            {
                Look::Ours
            }
            Some(_) => Look::Kept("the lab created it, but somebody has changed it since".to_owned()),
        })
    }

    /// Deletes the resource. Call [`look`](Self::look) immediately before.
    pub(crate) async fn delete(&self, lab: &Lab) -> Result<()> {
        let (arm, group) = (&lab.azure.arm, lab.group()?);
        let named = |name: &str| name.parse::<ResourceName>();
        match self {
            Self::Group => ResourceGroupsClient::new(arm).delete(&group).await.map(drop),
            Self::Vault(vault) => VaultsClient::new(arm).delete(vault).await,
            Self::Workspace => WorkspacesClient::new(arm).delete(&lab.workspace()?).await.map(drop),
            Self::Rule(name) => QueryRulesClient::new(arm).delete(&group, &named(name)?).await,
            Self::Automation => AutomationsClient::new(arm).delete(&group, &named(task5::AUTOMATION)?).await,
            Self::ActionGroup => {
                ActionGroupsClient::new(arm).delete(&group, &named(task5::ACTION_GROUP)?).await
            }
            Self::Assignment(id) => RoleAssignmentsClient::new(arm).delete(id).await.map(drop),
            Self::Setting { resource, name } => DiagnosticsClient::new(arm).delete(resource, name).await,
        }
    }

    /// Converts the state's record of a resource without tags.
    pub(crate) fn noted(made: &Made) -> Result<Self> {
        Ok(match made {
            Made::ActionGroup { .. } => Self::ActionGroup,
            Made::RoleAssignment { id } => Self::Assignment(id.parse()?),
            Made::DiagnosticSetting { resource, name, .. } => {
                Self::Setting { resource: resource.parse()?, name: name.parse()? }
            }
        })
    }
}
