use arm_core::{ArmClient, Mode};
use azure_core::Result;
use keyvault_ops::{SecretsClient, VaultsClient};
use resource_ops::{DirectoryClient, LocksClient, RoleAssignmentsClient, SignInsClient};

use super::{
    ContainmentPlan, ContainmentReport, ContainmentsClient,
    access::{add_policy, not_oneself, remove_policy},
};

impl ContainmentsClient {
    /// Carries out a plan in this order: network, roles, access policies, sign-in and sessions, secrets, lock. A step
    /// that fails does not stop the others. A plan against the signed-in caller, or against a group through which the
    /// caller has access, is refused, even if somebody else made it. A role is kept, and its step fails, if its holder
    /// is the last Owner at or above the role's scope, or the last principal there that can restore access: an Owner,
    /// User Access Administrator or Role Based Access Control Administrator without a condition. Whether a group that
    /// holds such a role has members is not checked.
    ///
    /// Tokens that the principal already has remain valid: for 60 to 90 minutes, or up to 24 hours for a managed
    /// identity.
    ///
    /// **If it stops halfway**, the completed steps remain in place; running it again with the same plan finishes it.
    /// After that, another run writes nothing. A firewall, access policy or lock that somebody else has changed since
    /// the plan was made is left alone and reported.
    ///
    /// # Permissions
    ///
    /// Key Vault Contributor; to remove roles or to lock, User Access Administrator; to disable secrets, Key Vault
    /// Secrets Officer; in Microsoft Graph, to disable sign-in or revoke sessions, `User.Read.All` with
    /// `User.EnableDisableAccount.All` or `User.RevokeSessions.All`, or, for an application,
    /// `Application.ReadWrite.All`.
    pub fn contain(&self, plan: &ContainmentPlan) -> Contain {
        Contain { arm: self.arm.clone(), plan: plan.clone() }
    }

    /// Undoes a containment, in reverse order. Reverts only what the plan changed, and keeps what somebody else has
    /// changed since, except that a sign-in is enabled even if somebody else has disabled it too. The old versions of a
    /// secret that has a new version stay disabled, and revoked sessions stay revoked: see
    /// [`ContainmentPlan::irreversible`].
    ///
    /// **If it stops halfway**, running it again finishes it. Requires the same permissions as
    /// [`contain`](Self::contain).
    pub fn undo(&self, plan: &ContainmentPlan) -> Undo {
        Undo { arm: self.arm.clone(), plan: plan.clone() }
    }
}

/// Carries out a plan; returned by [`ContainmentsClient::contain`](super::ContainmentsClient::contain).
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct Contain {
    arm: ArmClient,
    plan: ContainmentPlan,
}

/// Undoes a plan; returned by [`ContainmentsClient::undo`](super::ContainmentsClient::undo).
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct Undo {
    arm: ArmClient,
    plan: ContainmentPlan,
}

arm_core::task!(Contain => ContainmentReport);
arm_core::task!(Undo => ContainmentReport);

impl Contain {
    async fn run(self, mode: Mode) -> Result<ContainmentReport> {
        let Self { arm, plan } = self;
        let (vaults, roles) = (VaultsClient::new(&arm), RoleAssignmentsClient::new(&arm));
        let vault = &plan.vault;
        let secrets = SecretsClient::of(&arm, &vaults.get(vault).await?)?;
        if let Some(principal) = plan.principal() {
            not_oneself(&DirectoryClient::new(&arm), &roles, vault, principal).await?;
        }
        let (sign_ins, locks) = (SignInsClient::new(&arm), LocksClient::new(&arm));
        let mut report = ContainmentReport {
            irreversible: plan.irreversible(),
            stays: plan.stays.clone(),
            dry_run: mode.is_dry_run(),
            ..ContainmentReport::default()
        };
        if let Some(network) = &plan.network {
            report
                .note(format!("restrict the network of {vault}"), network.apply(&vaults, vault, mode).await);
        }
        for role in &plan.roles {
            let what = format!("remove the role {} of {} at {}", role.role, role.principal, role.scope);
            report.note(what, role.apply(&roles, mode).await);
        }
        for policy in &plan.policies {
            let what = format!("remove the access policy of {}", policy.object_id);
            report.note(what, remove_policy(&vaults, vault, policy, mode).await);
        }
        if let Some(ended) = &plan.sign_in {
            if ended.disable {
                let what = format!("disable the sign-in of {}", ended.principal);
                report.note(what, ended.disable(&sign_ins, mode).await);
            }
            if ended.revoke_sessions {
                let what = format!("revoke the sessions of {}", ended.principal);
                report.note(what, ended.revoke(&sign_ins, mode).await);
            }
        }
        for secret in &plan.secrets {
            report.note(format!("disable the secret {}", secret.name), secret.apply(&secrets, mode).await);
        }
        // Last, since a lock prevents the removal of role assignments.
        if let Some(lock) = &plan.lock {
            report.note(format!("lock {vault}"), lock.apply(&locks, vault, mode).await);
        }
        Ok(report)
    }
}

impl Undo {
    async fn run(self, mode: Mode) -> Result<ContainmentReport> {
        let Self { arm, plan } = self;
        let (vaults, roles) = (VaultsClient::new(&arm), RoleAssignmentsClient::new(&arm));
        let vault = &plan.vault;
        let secrets = SecretsClient::of(&arm, &vaults.get(vault).await?)?;
        let (sign_ins, locks) = (SignInsClient::new(&arm), LocksClient::new(&arm));
        let mut report = ContainmentReport { dry_run: mode.is_dry_run(), ..ContainmentReport::default() };
        if let Some(lock) = &plan.lock {
            report.note(format!("unlock {vault}"), lock.undo(&locks, vault, mode).await);
        }
        for secret in plan.secrets.iter().rev() {
            report.note(format!("enable the secret {}", secret.name), secret.undo(&secrets, mode).await);
        }
        if let Some(ended) = plan.sign_in.as_ref().filter(|ended| ended.disable) {
            let what = format!("enable the sign-in of {}", ended.principal);
            report.note(what, ended.undo(&sign_ins, mode).await);
        }
        for policy in plan.policies.iter().rev() {
            let what = format!("restore the access policy of {}", policy.object_id);
            report.note(what, add_policy(&vaults, vault, policy, mode).await);
        }
        for role in plan.roles.iter().rev() {
            let what = format!("restore the role {} of {} at {}", role.role, role.principal, role.scope);
            report.note(what, role.undo(&roles, mode).await);
        }
        if let Some(network) = &plan.network {
            report.note(format!("restore the network of {vault}"), network.undo(&vaults, vault, mode).await);
        }
        Ok(report)
    }
}
