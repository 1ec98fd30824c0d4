use arm_core::{ArmClient, refuse};
use azure_core::Result;
use keyvault_ops::{AccessPolicy, SecretName, SecretsClient, VaultId, VaultsClient};
use resource_ops::{DirectoryClient, PrincipalId, RoleAssignmentsClient};
use serde::{Deserialize, Serialize};

use super::{DisabledSecret, NarrowedNetwork, RemovedRole, access};

/// Containment of an attack on a vault: plan, carry out, undo.
#[derive(Debug, Clone)]
pub struct ContainmentsClient {
    pub(super) arm: ArmClient,
}

/// What is to be contained, and how everything was before: **the record for the undo**. Store it before
/// [`contain`](ContainmentsClient::contain). It holds no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContainmentPlan {
    /// The vault.
    pub vault: VaultId,
    /// Its firewall.
    pub network: Option<NarrowedNetwork>,
    /// Role assignments that are taken away.
    pub roles: Vec<RemovedRole>,
    /// Access policies that are taken away.
    pub policies: Vec<AccessPolicy>,
    /// Secrets that are disabled.
    pub secrets: Vec<DisabledSecret>,
    /// Access that the principal keeps: through groups, and above the vault.
    pub stays: Vec<String>,
}

/// Plans a containment; made by [`ContainmentsClient::plan`]. It only reads.
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
    secrets: Vec<SecretName>,
}

impl ContainmentsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Plans to contain an attack on this vault: reads everything, and writes nothing.
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
    /// **Permissions**: Reader on the vault; to disable secrets also Key Vault Secrets Officer.
    pub fn plan(&self, vault: &VaultId) -> PlanContainment {
        PlanContainment {
            arm: self.arm.clone(),
            vault: vault.clone(),
            keep: None,
            own: None,
            against_oneself: false,
            principal: None,
            wider: false,
            secrets: Vec::new(),
        }
    }
}

impl PlanContainment {
    /// Lets only these addresses and trusted services of Azure pass the vault's firewall. Needs
    /// [`own_address`](Self::own_address) or [`even_against_oneself`](Self::even_against_oneself).
    pub fn narrow_network<S: Into<String>>(mut self, keep: impl IntoIterator<Item = S>) -> Self {
        self.keep = Some(keep.into_iter().map(Into::into).collect());
        self
    }

    /// The address from which this program, and whoever undoes it, reaches the vault. It is kept too.
    pub fn own_address(mut self, address: impl Into<String>) -> Self {
        self.own = Some(address.into());
        self
    }

    /// Narrows the network although the caller may then not reach the secrets. The firewall itself stays in reach.
    pub fn even_against_oneself(mut self) -> Self {
        self.against_oneself = true;
        self
    }

    /// Takes the roles that this principal itself holds at the vault, and its access policies.
    pub fn principal(mut self, principal: PrincipalId) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Takes the roles of the principal at the vault's group, subscription and above too: they count for much more than
    /// the vault.
    pub fn also_above(mut self) -> Self {
        self.wider = true;
        self
    }

    /// Disables all versions of these secrets. Their readers are refused from then on.
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
            secrets: Vec::new(),
            stays: Vec::new(),
        };
        if let Some(mut keep) = self.keep {
            if self.own.is_none() && !self.against_oneself {
                return refuse(
                    "the firewall would shut this program out too: name own_address, or say even_against_oneself",
                );
            }
            keep.extend(self.own);
            plan.network = Some(NarrowedNetwork::plan(found.properties.network_acls.as_ref(), &keep));
        }
        if let Some(principal) = self.principal {
            if DirectoryClient::new(&self.arm).signed_in().await?.id == principal {
                return refuse(
                    "this principal is the one that is signed in: nobody takes their own access here",
                );
            }
            let roles = RoleAssignmentsClient::new(&self.arm);
            (plan.roles, plan.stays) = access::roles_of(&roles, &self.vault, principal, self.wider).await?;
            let own = principal.to_string();
            let policies = found.properties.access_policies.iter();
            plan.policies =
                policies.filter(|policy| policy.object_id.eq_ignore_ascii_case(&own)).cloned().collect();
        }
        let client = SecretsClient::of(&self.arm, &found)?;
        for name in self.secrets {
            plan.secrets.push(DisabledSecret::plan(&client, name).await?);
        }
        Ok(plan)
    }
}

arm_core::awaited!(PlanContainment => Result<ContainmentPlan>);
