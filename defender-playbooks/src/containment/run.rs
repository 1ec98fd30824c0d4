use arm_core::{ArmClient, Mode};
use azure_core::Result;
use keyvault_ops::{SecretsClient, VaultsClient};
use resource_ops::{DirectoryClient, LocksClient, RoleAssignmentsClient, SignInsClient};

use super::{
    ContainmentPlan, ContainmentReport, ContainmentsClient,
    access::{add_policy, not_oneself, remove_policy},
};

impl ContainmentsClient {
    /// Carries a plan out: network, roles, access policies, sign-in and sessions, secrets, the lock, in this order. A step
    /// that fails does not end the rest. It is refused when the plan is about whoever is signed in now, also if somebody
    /// else has made it. A role is left, and the step fails, when it is that of the last Owner, or of the last who can give access
    /// back, at its scope and above: an Owner, a User Access Administrator or a Role Based Access Control Administrator, without
    /// a condition. Whether a group that holds one has a member is not looked at.
    ///
    /// What a principal's token allows lives on: 60 to 90 minutes, up to 24 hours for a managed identity. **Stopped
    /// halfway**, the steps until there hold; running it again with the same plan finishes it, and writes nothing more.
    /// What somebody else has changed since the plan was made is left, and named.
    ///
    /// **Permissions**: Key Vault Contributor; to take roles away, or to lock, User Access Administrator; to disable secrets Key
    /// Vault Secrets Officer; at Microsoft Graph `User.EnableDisableAccount.All` and `User.RevokeSessions.All`, or
    /// `Application.ReadWrite.All`, for what is asked of a sign-in.
    pub fn contain(&self, plan: &ContainmentPlan) -> Contain {
        Contain { arm: self.arm.clone(), plan: plan.clone() }
    }

    /// Takes a containment back, in the opposite order. Only what the plan changed is changed back: what somebody else
    /// has done meanwhile stays. A secret that has a new version since stays disabled in its old ones, and sessions that were
    /// revoked stay so: [`ContainmentPlan::irreversible`].
    ///
    /// **Stopped halfway**, running it again finishes it. Permissions as for [`contain`](Self::contain).
    pub fn undo(&self, plan: &ContainmentPlan) -> Undo {
        Undo { arm: self.arm.clone(), plan: plan.clone() }
    }
}

/// Carries a plan out; made by [`ContainmentsClient::contain`](super::ContainmentsClient::contain).
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct Contain {
    arm: ArmClient,
    plan: ContainmentPlan,
}

/// Takes a plan back; made by [`ContainmentsClient::undo`](super::ContainmentsClient::undo).
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
            report.note(format!("narrow the network of {vault}"), network.apply(&vaults, vault, mode).await);
        }
        for role in &plan.roles {
            let what = format!("take the role {} of {} at {}", role.role, role.principal, role.scope);
            report.note(what, role.apply(&roles, mode).await);
        }
        for policy in &plan.policies {
            let what = format!("take the access policy of {}", policy.object_id);
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
        // Last, since a lock keeps role assignments from being taken.
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
            let what = format!("give the access policy of {} back", policy.object_id);
            report.note(what, add_policy(&vaults, vault, policy, mode).await);
        }
        for role in plan.roles.iter().rev() {
            let what = format!("give the role {} of {} at {} back", role.role, role.principal, role.scope);
            report.note(what, role.undo(&roles, mode).await);
        }
        if let Some(network) = &plan.network {
            report.note(format!("widen the network of {vault}"), network.undo(&vaults, vault, mode).await);
        }
        Ok(report)
    }
}
