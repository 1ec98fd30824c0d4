//! The access of one principal.

use arm_core::{ArmErrorExt as _, Mode, Scope, Wish, is_at_or_below, refuse};
use azure_core::Result;
use futures::TryStreamExt as _;
use keyvault_ops::{AccessPolicy, AccessPolicyUpdateKind, VaultId, VaultsClient};
use resource_ops::{
    DirectoryClient, PrincipalId, PrincipalType, RoleAssignment, RoleAssignmentFilter, RoleAssignmentId,
    RoleAssignmentSpec, RoleAssignmentsClient, RoleId,
};
use serde::{Deserialize, Serialize};

use super::report::Step;

/// A role assignment that a containment removes, with everything needed to restore it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RemovedRole {
    /// The role assignment's id.
    pub id: RoleAssignmentId,
    /// The scope of the assignment: the vault, something in it such as a secret, its resource group, its subscription, or
    /// above.
    pub scope: String,
    /// The role.
    pub role: RoleId,
    /// The principal that had it.
    pub principal: PrincipalId,
    principal_type: Option<PrincipalType>,
    description: Option<String>,
    condition: Option<String>,
    delegated_managed_identity_resource_id: Option<String>,
}

/// Compares role assignments. The principal type is not compared, since the service determines it.
const SAME: Wish = Wish::new().exact(&["description", "condition"]).ignoring(&["principalType"]);

impl RemovedRole {
    fn of(held: RoleAssignment) -> Self {
        Self {
            id: held.id,
            scope: held.scope,
            role: held.role,
            principal: held.principal,
            principal_type: held.principal_type,
            description: held.description,
            condition: held.condition,
            delegated_managed_identity_resource_id: held.delegated_managed_identity_resource_id,
        }
    }

    /// Whether the assignment is as it was when it was read for the plan.
    fn is_still(&self, now: &RoleAssignment) -> bool {
        SAME.verify("the role assignment", self, &Self::of(now.clone())).is_ok()
    }

    fn spec(&self) -> RoleAssignmentSpec {
        let mut spec = RoleAssignmentSpec::builder().role(self.role).principal(self.principal).build();
        spec.principal_type = self.principal_type.clone();
        spec.description = self.description.clone();
        spec.condition = self.condition.clone();
        spec.delegated_managed_identity_resource_id = self.delegated_managed_identity_resource_id.clone();
        spec
    }

    pub(super) async fn apply(&self, roles: &RoleAssignmentsClient, mode: Mode) -> Result<Step> {
        match roles.get_opt(&self.id).await? {
            None => return Ok(Step::Unchanged),
            Some(now) if !self.is_still(&now) => {
                return Ok(Step::Left("it was changed after the plan was made: make a new plan"));
            }
            Some(_) => not_the_last(roles, self).await?,
        }
        if !mode.is_dry_run() {
            roles.delete(&self.id).await?;
            if roles.get_opt(&self.id).await?.is_some() {
                return refuse("the assignment is still there");
            }
        }
        Ok(Step::Done)
    }

    pub(super) async fn undo(&self, roles: &RoleAssignmentsClient, mode: Mode) -> Result<Step> {
        match roles.get_opt(&self.id).await? {
            Some(now) if self.is_still(&now) => return Ok(Step::Unchanged),
            Some(_) => return Ok(Step::Left("it exists again, with other settings")),
            None if mode.is_dry_run() => return Ok(Step::Done),
            None => {}
        }
        match roles.create(&self.id, &self.spec()).await {
            Ok(_) => match roles.get_opt(&self.id).await? {
                Some(now) => {
                    SAME.verify("the role assignment", self, &Self::of(now))?;
                    Ok(Step::Done)
                }
                None => refuse("the assignment does not exist"),
            },
            // Somebody has restored it under another name.
            Err(error) if error.is_code("RoleAssignmentExists") => Ok(Step::Unchanged),
            Err(error) => Err(error),
        }
    }
}

/// The role assignments of a principal that are removed, and descriptions of those that remain.
pub(super) async fn roles_of(
    roles: &RoleAssignmentsClient,
    vault: &VaultId,
    principal: PrincipalId,
    wider: bool,
) -> Result<(Vec<RemovedRole>, Vec<String>)> {
    // Direct assignments are queried by principal id, because `assignedTo` is documented only for users and
    // applications, and may find nothing for a group. `assignedTo` then adds assignments held through groups.
    let mut held: Vec<RoleAssignment> =
        roles.list_filtered(vault, RoleAssignmentFilter::Principal(principal)).try_collect().await?;
    let mut all = roles.list_filtered(vault, RoleAssignmentFilter::AssignedTo(principal));
    while let Some(assignment) = all.try_next().await? {
        if assignment.principal != principal {
            held.push(assignment);
        }
    }
    // The lists also contain assignments below the vault, such as on one of its secrets: they are access to the vault.
    let at = Scope::from(vault).to_string();
    let (mut taken, mut stays) = (Vec::new(), Vec::new());
    for held in held {
        let what = format!("role {} at {}", held.role, held.scope);
        if held.principal != principal {
            stays.push(format!("{what}, through the group {}", held.principal));
        } else if is_at_or_below(&held.scope, &at) || wider {
            taken.push(RemovedRole::of(held));
        } else {
            stays.push(format!("{what}, which is assigned above the vault"));
        }
    }
    for role in &taken {
        not_the_last(roles, role).await?;
    }
    Ok((taken, stays))
}

/// Refuses to remove the caller's own access, whether direct or through a group.
pub(super) async fn not_oneself(
    directory: &DirectoryClient,
    roles: &RoleAssignmentsClient,
    vault: &VaultId,
    principal: PrincipalId,
) -> Result<()> {
    let own = directory.signed_in().await?.id;
    if own == principal {
        return refuse("this principal is the signed-in caller: removing your own access is refused");
    }
    let mut held = roles.list_filtered(vault, RoleAssignmentFilter::AssignedTo(own));
    while let Some(role) = held.try_next().await? {
        if role.principal == principal {
            return refuse(format!(
                "the signed-in caller holds the role {} at {} through the group {principal}: removing your own \
                 access is refused",
                role.role, role.scope
            ));
        }
    }
    Ok(())
}

/// The built-in roles that allow their holder to restore access.
const GIVE_ACCESS: [RoleId; 3] =
    [RoleId::OWNER, RoleId::USER_ACCESS_ADMINISTRATOR, RoleId::ROLE_BASED_ACCESS_CONTROL_ADMINISTRATOR];

/// Refuses to remove the last principal that can restore access. Only an Owner can replace an Owner: the other two
/// roles can assign every role, but can do nothing else. Assignments with a condition do not count, since the condition
/// may allow only a few roles; nor do custom roles.
async fn not_the_last(roles: &RoleAssignmentsClient, taken: &RemovedRole) -> Result<()> {
    if !GIVE_ACCESS.contains(&taken.role) {
        return Ok(());
    }
    let (role, followers) = match taken.role {
        RoleId::OWNER => ("Owner", &GIVE_ACCESS[..1]),
        _ => ("principal that can restore access", &GIVE_ACCESS[..]),
    };
    let scope: Scope = match taken.scope.parse() {
        Ok(scope) => scope,
        Err(_) => {
            return refuse(format!(
                "the role {} at '{}' cannot be removed: its scope is not supported",
                taken.role, taken.scope
            ));
        }
    };
    let mut held = roles.list_filtered(&scope, RoleAssignmentFilter::AtScope);
    while let Some(other) = held.try_next().await? {
        if followers.contains(&other.role) && other.condition.is_none() && other.principal != taken.principal
        {
            return Ok(());
        }
    }
    refuse(format!("{} is the last {role} at {scope}: nobody could undo this", taken.principal))
}

/// Removes an access policy, if it is unchanged since it was read.
pub(super) async fn remove_policy(
    vaults: &VaultsClient,
    vault: &VaultId,
    policy: &AccessPolicy,
    mode: Mode,
) -> Result<Step> {
    match current(vaults, vault, policy).await? {
        None => Ok(Step::Unchanged),
        Some(now) if now != *policy => {
            Ok(Step::Left("it was changed after the plan was made: make a new plan"))
        }
        Some(_) if mode.is_dry_run() => Ok(Step::Done),
        Some(_) => {
            let policies = std::slice::from_ref(policy);
            vaults.update_access_policy(vault, &AccessPolicyUpdateKind::Remove, policies).await?;
            match current(vaults, vault, policy).await? {
                None => Ok(Step::Done),
                Some(_) => refuse("the vault still has the access policy"),
            }
        }
    }
}

/// Restores an access policy, if the principal has none.
pub(super) async fn add_policy(
    vaults: &VaultsClient,
    vault: &VaultId,
    policy: &AccessPolicy,
    mode: Mode,
) -> Result<Step> {
    match current(vaults, vault, policy).await? {
        Some(now) if now == *policy => Ok(Step::Unchanged),
        Some(_) => Ok(Step::Left("the principal has been given another one since")),
        None if mode.is_dry_run() => Ok(Step::Done),
        None => {
            let policies = std::slice::from_ref(policy);
            vaults.update_access_policy(vault, &AccessPolicyUpdateKind::Add, policies).await?;
            match current(vaults, vault, policy).await? {
                Some(now) if now == *policy => Ok(Step::Done),
                Some(_) => refuse("the vault has a different access policy for it"),
                None => refuse("the vault does not have it"),
            }
        }
    }
}

async fn current(
    vaults: &VaultsClient,
    vault: &VaultId,
    policy: &AccessPolicy,
) -> Result<Option<AccessPolicy>> {
    let policies = vaults.get(vault).await?.properties.access_policies;
    Ok(policies.into_iter().find(|now| {
        now.object_id.eq_ignore_ascii_case(&policy.object_id) && now.application_id == policy.application_id
    }))
}
