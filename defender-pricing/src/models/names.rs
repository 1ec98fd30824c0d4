use arm_core::open_enum;

open_enum! {
    /// The name of a plan.
    pub enum PlanName {
        /// Servers.
        VirtualMachines = "VirtualMachines",
        /// Azure SQL databases.
        SqlServers = "SqlServers",
        /// App Service.
        AppServices = "AppServices",
        /// Storage accounts.
        StorageAccounts = "StorageAccounts",
        /// SQL servers on machines.
        SqlServerVirtualMachines = "SqlServerVirtualMachines",
        /// Kubernetes. Deprecated: use `Containers`.
        KubernetesService = "KubernetesService",
        /// Container registries. Deprecated: use `Containers`.
        ContainerRegistry = "ContainerRegistry",
        /// Key Vault.
        KeyVaults = "KeyVaults",
        /// DNS. Deprecated: use `VirtualMachines`.
        Dns = "Dns",
        /// Resource Manager.
        Arm = "Arm",
        /// Open-source relational databases.
        OpenSourceRelationalDatabases = "OpenSourceRelationalDatabases",
        /// Azure Cosmos DB.
        CosmosDbs = "CosmosDbs",
        /// Containers.
        Containers = "Containers",
        /// Cloud security posture management (Defender CSPM).
        CloudPosture = "CloudPosture",
        /// APIs.
        Api = "Api",
        /// AI services.
        Ai = "AI",
    }
}

open_enum! {
    /// The tier of a plan: whether it is on and billed.
    pub enum Tier {
        /// Off.
        Free = "Free",
        /// On, and billed.
        Standard = "Standard",
    }
}

open_enum! {
    /// A variant of a plan.
    pub enum SubPlan {
        /// Servers, plan 1.
        P1 = "P1",
        /// Servers, plan 2.
        P2 = "P2",
        /// APIs, plan 3.
        P3 = "P3",
        /// APIs, plan 4.
        P4 = "P4",
        /// APIs, plan 5.
        P5 = "P5",
        /// Key Vault at a fixed price for each vault: the current plan.
        PerKeyVault = "PerKeyVault",
        /// Resource Manager at a fixed price for each subscription.
        PerSubscription = "PerSubscription",
        /// Storage: the current plan.
        DefenderForStorageV2 = "DefenderForStorageV2",
        /// Key Vault and storage, billed by transaction. Closed to new subscriptions.
        PerTransaction = "PerTransaction",
        /// Resource Manager, billed by API call. Closed to new subscriptions.
        PerApiCall = "PerApiCall",
    }
}

open_enum! {
    /// An extension: a part of a plan that is turned on and off separately.
    pub enum ExtensionName {
        /// Scans the disks of machines without an agent. **Required for secret scanning of machines.**
        AgentlessVmScanning = "AgentlessVmScanning",
        /// Discovers Kubernetes clusters without an agent.
        AgentlessDiscoveryForKubernetes = "AgentlessDiscoveryForKubernetes",
        /// Finds sensitive data in data stores. It does not scan machines for secrets.
        SensitiveDataDiscovery = "SensitiveDataDiscovery",
        /// Scans container images in registries for vulnerabilities.
        ContainerRegistriesVulnerabilityAssessments = "ContainerRegistriesVulnerabilityAssessments",
        /// Adds permissions management in Microsoft Entra.
        EntraPermissionsManagement = "EntraPermissionsManagement",
        /// Assesses the posture of APIs.
        ApiPosture = "ApiPosture",
        /// Assesses the posture of serverless functions.
        AgentlessServerlessPosture = "AgentlessServerlessPosture",
        /// Assesses the posture of serverless containers.
        ServerlessContainers = "ServerlessContainers",
        /// Assesses the posture of Databricks.
        DatabricksSecurityPosture = "DatabricksSecurityPosture",
        /// Scans blobs for malware as they are uploaded. Billed by volume.
        OnUploadMalwareScanning = "OnUploadMalwareScanning",
        /// Makes this the subscription to which Defender for Endpoint reports.
        MdeDesignatedSubscription = "MdeDesignatedSubscription",
        /// Monitors the integrity of files.
        FileIntegrityMonitoring = "FileIntegrityMonitoring",
        /// Installs the sensor on Kubernetes nodes.
        ContainerSensor = "ContainerSensor",
        /// Includes prompts as evidence in alerts on AI services.
        AiPromptEvidence = "AIPromptEvidence",
    }
}

open_enum! {
    /// Whether all, some or none of the resources that the plan is meant for are covered. Independent of the tier; only
    /// for subscriptions.
    pub enum CoverageStatus {
        /// All resources are covered.
        FullyCovered = "FullyCovered",
        /// Some resources are covered: individual ones override the subscription.
        PartiallyCovered = "PartiallyCovered",
        /// No resource is covered.
        NotCovered = "NotCovered",
    }
}
