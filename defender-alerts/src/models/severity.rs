//! Words that alerts and recommendations share.

arm_core::open_enum! {
    /// How bad it is.
    pub enum Severity {
        /// For the record.
        Informational = "Informational",
        /// Look when there is time.
        Low = "Low",
        /// Look soon.
        Medium = "Medium",
        /// Look now.
        High = "High",
        /// Of recommendations only.
        Critical = "Critical",
    }
}

impl Severity {
    /// Whether it is this bad or worse. One that this version does not model counts as worse than any: what cannot
    /// be ranked is not hidden.
    pub fn at_least(&self, least: &Self) -> bool {
        self.rank() >= least.rank()
    }

    fn rank(&self) -> usize {
        Self::KNOWN.iter().position(|known| known == self).unwrap_or(Self::KNOWN.len())
    }
}

arm_core::open_enum! {
    /// Where an alert stands.
    pub enum AlertStatus {
        /// Nobody has taken it up.
        Active = "Active",
        /// Someone works on it.
        InProgress = "InProgress",
        /// It was real, and was dealt with.
        Resolved = "Resolved",
        /// It was nothing.
        Dismissed = "Dismissed",
    }
}

arm_core::open_enum! {
    /// What an attacker is after: the tactic behind an alert.
    pub enum Intent {
        /// Looks for a way in.
        PreAttack = "PreAttack",
        /// Gets a foothold.
        InitialAccess = "InitialAccess",
        /// Stays.
        Persistence = "Persistence",
        /// Gets higher rights.
        PrivilegeEscalation = "PrivilegeEscalation",
        /// Hides.
        DefenseEvasion = "DefenseEvasion",
        /// Takes credentials.
        CredentialAccess = "CredentialAccess",
        /// Looks around.
        Discovery = "Discovery",
        /// Moves to other resources.
        LateralMovement = "LateralMovement",
        /// Runs code.
        Execution = "Execution",
        /// Gathers what it wants.
        Collection = "Collection",
        /// Takes it out.
        Exfiltration = "Exfiltration",
        /// Steers from outside.
        CommandAndControl = "CommandAndControl",
        /// Breaks something.
        Impact = "Impact",
        /// Tries a resource without success.
        Probing = "Probing",
        /// Tries to use a weakness.
        Exploitation = "Exploitation",
    }
}

arm_core::open_enum! {
    /// The plan whose alerts a simulation makes.
    pub enum AlertBundle {
        /// App Service.
        AppServices = "AppServices",
        /// DNS.
        Dns = "DNS",
        /// Key Vault.
        KeyVaults = "KeyVaults",
        /// Kubernetes.
        KubernetesService = "KubernetesService",
        /// Resource Manager.
        ResourceManager = "ResourceManager",
        /// SQL.
        SqlServers = "SqlServers",
        /// Storage.
        StorageAccounts = "StorageAccounts",
        /// Servers.
        VirtualMachines = "VirtualMachines",
        /// Cosmos DB.
        CosmosDbs = "CosmosDbs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_severity_is_never_filtered_out() {
        let new = Severity::from("Apocalyptic");
        assert!(Severity::KNOWN.iter().all(|least| new.at_least(least)));
        assert!(Severity::High.at_least(&Severity::Medium) && !Severity::Low.at_least(&Severity::Medium));
    }
}
