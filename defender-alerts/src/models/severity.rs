//! The severity, status and tactics of alerts and recommendations.

arm_core::open_enum! {
    /// The severity of an alert or a recommendation.
    pub enum Severity {
        /// For information only.
        Informational = "Informational",
        /// Look into it when there is time.
        Low = "Low",
        /// Look into it soon.
        Medium = "Medium",
        /// Look into it now.
        High = "High",
        /// Fix it now. Only recommendations have this severity.
        Critical = "Critical",
    }
}

impl Severity {
    /// Whether this severity is at least `least`. A missing severity, or one that this version does not model, counts
    /// as the highest, so that it is never filtered out.
    pub fn at_least(&self, least: &Self) -> bool {
        self.rank() >= least.rank()
    }

    fn rank(&self) -> usize {
        Self::KNOWN.iter().position(|known| known == self).unwrap_or(Self::KNOWN.len())
    }
}

arm_core::open_enum! {
    /// The status of an alert.
    pub enum AlertStatus {
        /// Nobody is working on it yet.
        Active = "Active",
        /// Somebody is working on it.
        InProgress = "InProgress",
        /// It was real, and has been dealt with.
        Resolved = "Resolved",
        /// It was a false positive, or is accepted.
        Dismissed = "Dismissed",
    }
}

arm_core::open_enum! {
    /// The tactic behind an alert.
    pub enum Intent {
        /// Looking for a way in.
        PreAttack = "PreAttack",
        /// Gaining a foothold.
        InitialAccess = "InitialAccess",
        /// Keeping the foothold.
        Persistence = "Persistence",
        /// Gaining higher privileges.
        PrivilegeEscalation = "PrivilegeEscalation",
        /// Avoiding detection.
        DefenseEvasion = "DefenseEvasion",
        /// Stealing credentials.
        CredentialAccess = "CredentialAccess",
        /// Exploring the environment.
        Discovery = "Discovery",
        /// Moving to other resources.
        LateralMovement = "LateralMovement",
        /// Running code.
        Execution = "Execution",
        /// Gathering data.
        Collection = "Collection",
        /// Stealing data.
        Exfiltration = "Exfiltration",
        /// Controlling compromised systems.
        CommandAndControl = "CommandAndControl",
        /// Disrupting or destroying resources.
        Impact = "Impact",
        /// Trying to access a resource, without success.
        Probing = "Probing",
        /// Trying to exploit a weakness.
        Exploitation = "Exploitation",
    }
}

arm_core::open_enum! {
    /// A plan for which to create sample alerts.
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
