use arm_core::{ArmClient, refuse};
use azure_core::Result;
use keyvault_ops::{AccessPolicy, SecretName, SecretsClient, VaultId, VaultsClient};
use resource_ops::{DirectoryClient, PrincipalId, RoleAssignmentsClient, SignInsClient};
use serde::{Deserialize, Serialize};

use super::{
    DisabledSecret, EndedSignIn, NarrowedNetwork, RemovedRole, VaultLock,
    access::{self, not_oneself},
};

/// Contains attacks on vaults: plans a containment, carries it out, and undoes it.
#[derive(Debug, Clone)]
pub struct ContainmentsClient {
    pub(super) arm: ArmClient,
}

/// The changes of a containment, and the state before it: **the record for the undo**. Store it before calling
/// [`contain`](ContainmentsClient::contain). It contains no secret values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContainmentPlan {
    /// The vault.
    pub vault: VaultId,
    /// The firewall change.
    pub network: Option<NarrowedNetwork>,
    /// Role assignments to remove.
    pub roles: Vec<RemovedRole>,
    /// Access policies to remove.
    pub policies: Vec<AccessPolicy>,
    /// The sign-in to disable and the sessions to revoke.
    #[serde(default)]
    pub sign_in: Option<EndedSignIn>,
    /// Secrets to disable.
    pub secrets: Vec<DisabledSecret>,
    /// The lock to put on the vault.
    #[serde(default)]
    pub lock: Option<VaultLock>,
    /// Access that the principal keeps, through groups or from assignments at other scopes.
    pub stays: Vec<String>,
}

/// Plans a containment; returned by [`ContainmentsClient::plan`]. It only reads.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct PlanContainment {
    arm: ArmClient,
    vault: VaultId,
    keep: Option<Vec<String>>,
    own: Option<String>,
    against_oneself: bool,
    principal: Option<PrincipalId>,
    wider: bool,
    spared: Vec<PrincipalId>,
    sign_in: bool,
    sessions: bool,
    secrets: Vec<SecretName>,
    lock: Option<String>,
}

impl ContainmentsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Plans the containment of an attack on this vault. Writes nothing.
    ///
    /// ```
    /// # async fn f(arm: &arm_core::ArmClient, vault: &keyvault_ops::VaultId, stranger: resource_ops::PrincipalId)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// use defender_playbooks::containment::ContainmentsClient;
    ///
    /// let containments = ContainmentsClient::new(arm);
    /// let plan =
    ///     containments.plan(vault).narrow_network(["198.51.100.0/24"]).own_address("203.0.113.7").principal(stranger).await?;
    /// std::fs::write("containment.json", serde_json::to_string_pretty(&plan)?)?;
    /// println!("{}", containments.contain(&plan).dry_run().await?);
    /// let done = containments.contain(&plan).await?;
    /// # if done.is_complete() {
    /// containments.undo(&plan).await?; // when it is over
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Permissions
    ///
    /// Reader on the vault and, for [`also_above`](PlanContainment::also_above), on the scopes above it; Key Vault
    /// Reader to include secrets; in Microsoft Graph, `User.Read.All` and `Application.Read.All` to include sign-in or
    /// sessions. [`contain`](Self::contain) requires more.
    pub fn plan(&self, vault: &VaultId) -> PlanContainment {
        PlanContainment {
            arm: self.arm.clone(),
            vault: vault.clone(),
            keep: None,
            own: None,
            against_oneself: false,
            principal: None,
            wider: false,
            spared: Vec::new(),
            sign_in: false,
            sessions: false,
            secrets: Vec::new(),
            lock: None,
        }
    }
}

impl ContainmentPlan {
    /// Returns the steps that cannot be undone. Show them before asking for confirmation; a dry run lists them too.
    pub fn irreversible(&self) -> Vec<String> {
        self.sign_in.iter().filter_map(EndedSignIn::irreversible).collect()
    }

    /// The principal whose access the plan removes.
    pub(super) fn principal(&self) -> Option<PrincipalId> {
        let of_role = self.roles.first().map(|role| role.principal);
        let of_policy = || self.policies.first().and_then(|policy| policy.object_id.parse().ok());
        self.sign_in.as_ref().map(|ended| ended.principal).or(of_role).or_else(of_policy)
    }
}

impl PlanContainment {
    /// Restricts the vault's firewall to these addresses and trusted Azure services; subnets lose their access.
    /// Requires [`own_address`](Self::own_address) or [`even_against_oneself`](Self::even_against_oneself).
    pub fn narrow_network<S: Into<String>>(mut self, keep: impl IntoIterator<Item = S>) -> Self {
        self.keep = Some(keep.into_iter().map(Into::into).collect());
        self
    }

    /// Also allows this address, from which this program and the undo reach the vault.
    pub fn own_address(mut self, address: impl Into<String>) -> Self {
        self.own = Some(address.into());
        self
    }

    /// Restricts the network even if the caller can then no longer reach the secrets. The firewall's settings can still
    /// be changed.
    pub fn even_against_oneself(mut self) -> Self {
        self.against_oneself = true;
        self
    }

    /// Removes the roles assigned directly to this principal on the vault and in it, such as on a secret, and its access
    /// policies.
    pub fn principal(mut self, principal: PrincipalId) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Also removes the principal's roles on the vault's resource group, its subscription and above, which affects much
    /// more than the vault.
    pub fn also_above(mut self) -> Self {
        self.wider = true;
        self
    }

    /// Refuses a plan against any of these principals, such as a break-glass account.
    pub fn spare(mut self, principals: impl IntoIterator<Item = PrincipalId>) -> Self {
        self.spared.extend(principals);
        self
    }

    /// Disables the sign-in of the principal, which must be a user or an application but not a managed identity, in
    /// Microsoft Graph. Disabling an application affects everyone who uses it.
    pub fn disable_sign_in(mut self) -> Self {
        self.sign_in = true;
        self
    }

    /// Revokes the sessions of the principal, which must be a user. **This cannot be undone.**
    pub fn revoke_sessions(mut self) -> Self {
        self.sessions = true;
        self
    }

    /// Locks the vault and its role assignments against deletion, with this note for people. Secrets are not protected:
    /// anyone with access to them can still delete them.
    pub fn lock(mut self, notes: impl Into<String>) -> Self {
        self.lock = Some(notes.into());
        self
    }

    /// Disables all versions of these secrets. From then on, reads of them are refused.
    pub fn disable_secrets(mut self, names: impl IntoIterator<Item = SecretName>) -> Self {
        self.secrets.extend(names);
        self
    }

    async fn run(self) -> Result<ContainmentPlan> {
        let found = VaultsClient::new(&self.arm).get(&self.vault).await?;
        let mut plan = ContainmentPlan {
            vault: self.vault.clone(),
            network: None,
            roles: Vec::new(),
            policies: Vec::new(),
            sign_in: None,
            secrets: Vec::new(),
            lock: self.lock.map(VaultLock::plan),
            stays: Vec::new(),
        };
        if let Some(mut keep) = self.keep {
            if self.own.is_none() && !self.against_oneself {
                return refuse(
                    "the firewall would block this program too: set own_address, or call even_against_oneself",
                );
            }
            keep.extend(self.own);
            plan.network = Some(NarrowedNetwork::plan(found.properties.network_acls.as_ref(), &keep));
        }
        if let Some(principal) = self.principal {
            if self.spared.contains(&principal) {
                return refuse(format!(
                    "{principal} is spared: it was named as a principal that is never contained"
                ));
            }
            let roles = RoleAssignmentsClient::new(&self.arm);
            not_oneself(&DirectoryClient::new(&self.arm), &roles, &self.vault, principal).await?;
            (plan.roles, plan.stays) = access::roles_of(&roles, &self.vault, principal, self.wider).await?;
            if self.sign_in || self.sessions {
                let client = SignInsClient::new(&self.arm);
                plan.sign_in =
                    Some(EndedSignIn::plan(&client, principal, self.sign_in, self.sessions).await?);
            }
            let own = principal.to_string();
            let policies = found.properties.access_policies.iter();
            plan.policies =
                policies.filter(|policy| policy.object_id.eq_ignore_ascii_case(&own)).cloned().collect();
        }
        if self.principal.is_none() && (self.sign_in || self.sessions) {
            return refuse("set the principal whose sign-in to disable or whose sessions to revoke");
        }
        let client = SecretsClient::of(&self.arm, &found)?;
        for name in self.secrets {
            plan.secrets.push(DisabledSecret::plan(&client, name).await?);
        }
        Ok(plan)
    }
}

arm_core::awaited!(PlanContainment => Result<ContainmentPlan>);
