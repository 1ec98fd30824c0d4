//! The alert types that the double knows.

/// The information about the caller in alerts of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallerKind {
    User,
    /// A service principal, without a user principal name.
    Application,
    UserAndApplication,
    /// Traffic from outside Azure: an address, but no object id.
    AddressOnly,
}

/// An alert type, as its reference page describes it.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) intent: &'static str,
    pub(crate) caller: CallerKind,
    /// The caller's operations, by the service's names.
    pub(crate) operations: &'static [&'static str],
    /// The name of the plan, and of its bundle of samples.
    pub(crate) plan: &'static str,
}

/// The common properties of a plan's alerts.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) bundle: &'static str,
    pub(crate) component: &'static str,
    pub(crate) resource_type: &'static str,
    pub(crate) sample: &'static str,
}

pub(crate) const PLANS: &[Plan] = &[
    plan("KeyVaults", "KeyVault", "Microsoft.KeyVault/vaults", "Sample-KV"),
    plan("AppServices", "AppServices", "Microsoft.Web/sites", "Sample-app"),
    plan("DNS", "DNS", "Microsoft.Compute/virtualMachines", "Sample-VM"),
    plan("KubernetesService", "Kubernetes", "Microsoft.ContainerService/managedClusters", "Sample-AKS"),
    plan("ResourceManager", "ResourceManager", "Microsoft.Compute/virtualMachines", "Sample-VM"),
    plan("SqlServers", "SqlServers", "Microsoft.Sql/servers", "Sample-SQL"),
    plan("StorageAccounts", "Storage", "Microsoft.Storage/storageAccounts", "Sample-Storage"),
    plan("VirtualMachines", "Servers", "Microsoft.Compute/virtualMachines", "Sample-VM"),
    plan("CosmosDbs", "CosmosDb", "Microsoft.DocumentDB/databaseAccounts", "Sample-Cosmos"),
];

const fn plan(
    bundle: &'static str,
    component: &'static str,
    resource_type: &'static str,
    sample: &'static str,
) -> Plan {
    Plan { bundle, component, resource_type, sample }
}

impl Kind {
    pub(crate) fn plan(&self) -> &'static Plan {
        PLANS.iter().find(|plan| plan.bundle == self.plan).unwrap_or(&PLANS[0])
    }
}

/// Finds an alert type by its id, ignoring case.
pub(crate) fn find(id: &str) -> Option<&'static Kind> {
    KEY_VAULT.iter().chain(OTHERS).find(|kind| kind.id.eq_ignore_ascii_case(id))
}

const SUCCESS: &[&str] = &["SecretGet", "SecretList"];
const DENIED: &[&str] = &["VaultGet", "SecretList"];

const fn key_vault(
    id: &'static str,
    title: &'static str,
    text: &'static str,
    caller: CallerKind,
    operations: &'static [&'static str],
) -> Kind {
    let (severity, intent) = ("Medium", "CredentialAccess");
    Kind { id, title, text, severity, intent, caller, operations, plan: "KeyVaults" }
}

const fn low(mut kind: Kind, intent: &'static str) -> Kind {
    kind.severity = "Low";
    kind.intent = intent;
    kind
}

/// The documented alert types of Defender for Key Vault.
pub(crate) const KEY_VAULT: &[Kind] = &[
    key_vault(
        "KV_SuspiciousIPAccess",
        "Access from a suspicious IP address to a key vault",
        "A key vault was successfully accessed by an address that threat intelligence lists as suspicious.",
        CallerKind::AddressOnly,
        SUCCESS,
    ),
    key_vault(
        "KV_TORAccess",
        "Access from a TOR exit node to a key vault",
        "A key vault was accessed from a known TOR exit node, which hides where the caller is.",
        CallerKind::AddressOnly,
        SUCCESS,
    ),
    key_vault(
        "KV_OperationVolumeAnomaly",
        "High volume of operations in a key vault",
        "An unusual number of operations was performed by a user, an application, or in one vault.",
        CallerKind::User,
        &["SecretGet"],
    ),
    key_vault(
        "KV_PutGetAnomaly",
        "Suspicious policy change and secret query in a key vault",
        "A user or application changed the vault's policy and then read one or more secrets.",
        CallerKind::User,
        &["VaultPut", "SecretGet"],
    ),
    key_vault(
        "KV_ListGetAnomaly",
        "Suspicious secret listing and query in a key vault",
        "A user or application listed the secrets and then read many of them, as secret dumping does.",
        CallerKind::User,
        &["SecretList", "SecretGet"],
    ),
    low(
        key_vault(
            "KV_AccountVolumeAccessDeniedAnomaly",
            "Unusual access denied - User accessing high volume of key vaults denied",
            "A user or application tried an unusually high number of vaults in the last 24 hours, and was denied.",
            CallerKind::User,
            DENIED,
        ),
        "Discovery",
    ),
    low(
        key_vault(
            "KV_UserAccessDeniedAnomaly",
            "Unusual access denied - Unusual user accessing key vault denied",
            "A user who does not usually access this vault tried to, and was denied.",
            CallerKind::User,
            DENIED,
        ),
        "InitialAccess",
    ),
    key_vault(
        "KV_AppAnomaly",
        "Unusual application accessed a key vault",
        "A service principal that does not usually access this vault did so.",
        CallerKind::Application,
        &["SecretGet"],
    ),
    key_vault(
        "KV_OperationPatternAnomaly",
        "Unusual operation pattern in a key vault",
        "A user or application performed an unusual mix of operations in a vault.",
        CallerKind::Application,
        &["SecretGet", "SecretSet", "SecretDelete"],
    ),
    key_vault(
        "KV_UserAnomaly",
        "Unusual user accessed a key vault",
        "A user who does not usually access this vault did so.",
        CallerKind::User,
        &["SecretGet"],
    ),
    key_vault(
        "KV_UserAppAnomaly",
        "Unusual user-application pair accessed a key vault",
        "A user accessed this vault through an application that this pair does not usually use.",
        CallerKind::UserAndApplication,
        &["SecretGet"],
    ),
    key_vault(
        "KV_AccountVolumeAnomaly",
        "User accessed high volume of key vaults",
        "A user or application accessed an unusually high number of vaults.",
        CallerKind::User,
        SUCCESS,
    ),
    low(
        key_vault(
            "KV_SuspiciousIPAccessDenied",
            "Denied access from a suspicious IP to a key vault",
            "An address that threat intelligence lists as suspicious tried to access a vault, and was denied.",
            CallerKind::AddressOnly,
            DENIED,
        ),
        "CredentialAccess",
    ),
    key_vault(
        "KV_UnusualAccessSuspiciousIP",
        "Unusual access to the key vault from a suspicious IP (Non-Microsoft or external)",
        "A user or service principal accessed the vault in an anomalous way from an address outside Microsoft.",
        CallerKind::UserAndApplication,
        SUCCESS,
    ),
];

const fn other(
    plan: &'static str,
    id: &'static str,
    severity: &'static str,
    intent: &'static str,
    title: &'static str,
    text: &'static str,
) -> Kind {
    Kind { id, title, text, severity, intent, caller: CallerKind::AddressOnly, operations: &[], plan }
}

/// One alert type of each other plan that has samples.
pub(crate) const OTHERS: &[Kind] = &[
    other(
        "AppServices",
        "AppServices_AnomalousPageAccess",
        "Low",
        "InitialAccess",
        "Anomalous requests pattern",
        "The web app's log shows an unusual pattern of requests from one address.",
    ),
    other(
        "DNS",
        "AzureDNS_ThreatIntelSuspectDomain",
        "Medium",
        "InitialAccess",
        "Communication with suspicious domain identified by threat intelligence",
        "A resource asked for a domain that threat intelligence lists as malicious.",
    ),
    other(
        "KubernetesService",
        "K8S_ExposedDashboard",
        "High",
        "InitialAccess",
        "Exposed Kubernetes dashboard detected",
        "The cluster's dashboard is published by a load balancer and open to anyone.",
    ),
    other(
        "ResourceManager",
        "ARM_OperationFromSuspiciousIP",
        "Medium",
        "Execution",
        "Azure Resource Manager operation from suspicious IP address",
        "An operation came from an address that threat intelligence lists as suspicious.",
    ),
    other(
        "SqlServers",
        "SQL.VM_BruteForce",
        "High",
        "PreAttack",
        "Suspected successful brute force attack",
        "A successful login followed an apparent brute force attack on the server.",
    ),
    other(
        "StorageAccounts",
        "Storage.Blob_DataExfiltration.AmountOfDataAnomaly",
        "Low",
        "Exfiltration",
        "Unusual amount of data extracted from a storage account",
        "Compared with recent activity, unusually much data was read from the account.",
    ),
    other(
        "VirtualMachines",
        "VM_AmBroadFilesExclusion",
        "Informational",
        "DefenseEvasion",
        "Antimalware broad files exclusion in your virtual machine",
        "An exclusion with a broad rule was added to the antimalware extension.",
    ),
    other(
        "CosmosDbs",
        "CosmosDB_TorAnomaly",
        "High",
        "InitialAccess",
        "Access from a Tor exit node",
        "The database account was accessed from an address known as a Tor exit node.",
    ),
];
