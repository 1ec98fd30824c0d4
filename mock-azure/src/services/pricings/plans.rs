//! The documented plans, their sub-plans and their extensions.

/// A plan in a new subscription.
pub(super) struct Plan {
    pub(super) name: &'static str,
    /// The sub-plans. The first is the full plan, which a request without a sub-plan gets.
    pub(super) sub_plans: &'static [&'static str],
    /// Retired sub-plans, which only subscriptions that already have them may keep.
    pub(super) retired_sub_plans: &'static [&'static str],
    pub(super) extensions: &'static [Extension],
    /// The plans that replaced a deprecated plan.
    pub(super) replaced_by: &'static [&'static str],
}

/// An extension of a plan.
pub(super) struct Extension {
    pub(super) name: &'static str,
    /// Whether the plan turns it on by itself.
    pub(super) by_default: bool,
    /// Whether only the full plan turns it on by itself.
    pub(super) full_plan_only: bool,
    /// Whether turning it on requires the permission to assign roles.
    pub(super) assigns_roles: bool,
    /// The properties with which it is turned on, as JSON.
    pub(super) properties: Option<&'static str>,
}

impl Extension {
    const fn on(name: &'static str) -> Self {
        Self { name, by_default: true, full_plan_only: false, assigns_roles: true, properties: None }
    }

    const fn off(name: &'static str) -> Self {
        Self { by_default: false, ..Self::on(name) }
    }

    const fn for_anyone(self) -> Self {
        Self { assigns_roles: false, ..self }
    }

    const fn of_full_plan(self) -> Self {
        Self { full_plan_only: true, ..self }
    }

    const fn with(self, properties: &'static str) -> Self {
        Self { properties: Some(properties), ..self }
    }
}

impl Plan {
    const fn new(name: &'static str) -> Self {
        Self { name, sub_plans: &[], retired_sub_plans: &[], extensions: &[], replaced_by: &[] }
    }

    const fn deprecated(name: &'static str, replaced_by: &'static [&'static str]) -> Self {
        Self { replaced_by, ..Self::new(name) }
    }

    /// Finds a plan by its name, ignoring case.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        PLANS.iter().find(|plan| plan.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn extension(&self, name: &str) -> Option<&'static Extension> {
        self.extensions.iter().find(|extension| extension.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_deprecated(&self) -> bool {
        !self.replaced_by.is_empty()
    }
}

const NO_TAGS: &str = r#"{"ExclusionTags":"[]"}"#;
const MALWARE_CAP: &str = r#"{"CapGBPerMonthPerStorageAccount":"10000"}"#;

/// The plans in the order of the service's list.
pub(super) const PLANS: &[Plan] = &[
    Plan {
        sub_plans: &["P2", "P1"],
        extensions: &[
            Extension::off("MdeDesignatedSubscription").for_anyone(),
            Extension::on("AgentlessVmScanning").of_full_plan().with(NO_TAGS),
            Extension::off("FileIntegrityMonitoring").of_full_plan(),
        ],
        ..Plan::new("VirtualMachines")
    },
    Plan::new("SqlServers"),
    Plan::new("AppServices"),
    Plan {
        sub_plans: &["DefenderForStorageV2", "PerStorageAccount", "PerTransaction"],
        extensions: &[
            Extension::on("OnUploadMalwareScanning").of_full_plan().with(MALWARE_CAP),
            Extension::on("SensitiveDataDiscovery").of_full_plan(),
        ],
        ..Plan::new("StorageAccounts")
    },
    Plan::new("SqlServerVirtualMachines"),
    Plan::deprecated("KubernetesService", &["Containers"]),
    Plan::deprecated("ContainerRegistry", &["Containers"]),
    Plan { sub_plans: &["PerKeyVault"], retired_sub_plans: &["PerTransaction"], ..Plan::new("KeyVaults") },
    Plan::deprecated("Dns", &["VirtualMachines"]),
    Plan { sub_plans: &["PerSubscription"], retired_sub_plans: &["PerApiCall"], ..Plan::new("Arm") },
    Plan::new("OpenSourceRelationalDatabases"),
    Plan::new("CosmosDbs"),
    Plan {
        extensions: &[
            Extension::on("ContainerRegistriesVulnerabilityAssessments").for_anyone(),
            Extension::on("AgentlessDiscoveryForKubernetes"),
            Extension::on("AgentlessVmScanning").with(NO_TAGS),
            Extension::on("ContainerSensor"),
        ],
        ..Plan::new("Containers")
    },
    Plan {
        extensions: &[
            Extension::on("AgentlessVmScanning").with(NO_TAGS),
            Extension::on("AgentlessDiscoveryForKubernetes"),
            Extension::on("SensitiveDataDiscovery"),
            Extension::on("ContainerRegistriesVulnerabilityAssessments").for_anyone(),
            Extension::on("EntraPermissionsManagement"),
            Extension::off("ApiPosture"),
            Extension::off("AgentlessServerlessPosture"),
            Extension::off("ServerlessContainers"),
            Extension::off("DatabricksSecurityPosture"),
        ],
        ..Plan::new("CloudPosture")
    },
    Plan { sub_plans: &["P1", "P2", "P3", "P4", "P5"], ..Plan::new("Api") },
    Plan { extensions: &[Extension::on("AIPromptEvidence")], ..Plan::new("AI") },
];
