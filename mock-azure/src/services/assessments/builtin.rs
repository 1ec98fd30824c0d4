//! Built-in recommendations for vaults and for secrets, and a few others.

use serde_json::{Value, json};

/// One built-in recommendation.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) policy: Option<&'static str>,
    pub(crate) category: &'static str,
    /// Whether it is in preview. The service omits the member for all others.
    pub(crate) preview: bool,
}

impl BuiltIn {
    /// The recommendation's metadata, including the fields that only the metadata resource has.
    pub(crate) fn metadata(&self) -> Value {
        let mut metadata = self.properties();
        metadata["publishDates"] = json!({ "GA": "06/01/2021", "public": "06/01/2021" });
        metadata["tactics"] = json!(["Credential Access"]);
        metadata["techniques"] = json!(["Unsecured Credentials"]);
        json!({
            "id": format!("/providers/Microsoft.Security/assessmentMetadata/{}", self.key),
            "name": self.key,
            "type": "Microsoft.Security/assessmentMetadata",
            "properties": metadata,
        })
    }

    /// The metadata as it is expanded in an assessment.
    pub(crate) fn properties(&self) -> Value {
        let mut metadata = json!({
            "displayName": self.title,
            "description": format!("{}. Defender for Cloud checks this on each resource.", self.title),
            "remediationDescription": self.remedy,
            "categories": [self.category],
            "severity": self.severity,
            "userImpact": "Low",
            "implementationEffort": "Low",
            "threats": ["accountBreach", "dataExfiltration"],
            "assessmentType": "BuiltIn",
        });
        if self.preview {
            metadata["preview"] = json!(true);
        }
        if let Some(policy) = self.policy {
            metadata["policyDefinitionId"] =
                json!(format!("/providers/Microsoft.Authorization/policyDefinitions/{policy}"));
        }
        metadata
    }
}

pub(crate) fn find(key: &str) -> Option<&'static BuiltIn> {
    all().find(|built_in| built_in.key.eq_ignore_ascii_case(key))
}

pub(crate) fn all() -> impl Iterator<Item = &'static BuiltIn> {
    KEY_VAULT.iter().chain(SECRETS).chain(OTHERS)
}

const fn vault(
    key: &'static str,
    policy: &'static str,
    severity: &'static str,
    title: &'static str,
    remedy: &'static str,
) -> BuiltIn {
    BuiltIn { key, title, remedy, severity, policy: Some(policy), category: "Data", preview: false }
}

/// For vaults, and for the vaults' plan.
pub(crate) const KEY_VAULT: &[BuiltIn] = &[
    vault(
        "88bbc99c-e5af-ddd7-6105-6150b2bfa519",
        "cf820ca0-f99e-4f3e-84fb-66e913812d21",
        "Low",
        "Diagnostic logs in Key Vault should be enabled",
        "Create a diagnostic setting that sends the audit category to a workspace.",
    ),
    vault(
        "52f7826a-ace7-3107-dd0d-4875853c1576",
        "55615ac9-af46-4a59-874e-391cc3dfb490",
        "Medium",
        "Firewall should be enabled on Key Vault",
        "Set the vault's network rules to deny by default and list the networks to allow.",
    ),
    vault(
        "2e96bc2f-1972-e471-9e70-ae58d41e9d2a",
        "5f0bc445-3935-4915-9981-011aa2b46147",
        "Medium",
        "Private endpoint should be configured for Key Vault",
        "Create a private endpoint in the network that uses the vault.",
    ),
    vault(
        "4ed62ae4-5072-f9e7-8d94-51c76c48159a",
        "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53",
        "Medium",
        "Key vaults should have purge protection enabled",
        "Turn purge protection on. It cannot be turned off again.",
    ),
    vault(
        "78211c00-15a9-336e-17c4-0b48613dadf4",
        "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d",
        "High",
        "Key vaults should have soft delete enabled",
        "Turn soft delete on. It cannot be turned off again.",
    ),
    vault(
        "14257785-9437-97fa-11ae-898cfb24302b",
        "98728c90-32c7-4049-8429-847dc0f4fe37",
        "High",
        "Key Vault secrets should have an expiration date",
        "Set an expiration date on each secret.",
    ),
    vault(
        "1aabfa0d-7585-f9f5-1d92-ecb40291d9f2",
        "152b15f7-8e1f-4c1f-ab71-8c010ba5dbc0",
        "High",
        "Key Vault keys should have an expiration date",
        "Set an expiration date on each key.",
    ),
    vault(
        "fc84abc0-eee6-4758-8372-a7681965ca44",
        "0a075868-4c26-42ef-914c-5bc007359560",
        "Medium",
        "Validity period of certificates stored in Azure Key Vault should not exceed 12 months",
        "Issue certificates for at most twelve months.",
    ),
    vault(
        "b1af52e4-e968-4e2b-b6d0-6736c9651f0a",
        "0e6763cc-5078-4e64-889d-ff4d9a839047",
        "High",
        "Microsoft Defender for Key Vault should be enabled",
        "Set the plan KeyVaults to Standard.",
    ),
];

const fn secrets(key: &'static str, category: &'static str, title: &'static str) -> BuiltIn {
    let remedy =
        "Rotate each secret that was found, move it to a vault, and remove it from where it was found.";
    BuiltIn { key, title, remedy, severity: "High", policy: None, category, preview: true }
}

/// For secrets in the grouped model: one assessment for each machine or repository.
pub(crate) const SECRETS: &[BuiltIn] = &[
    secrets(MACHINE_SECRETS, "Compute", "Machines should have secrets findings resolved"),
    secrets(
        "490d3be5-0abd-485c-bcd7-b8d6c6f443c8",
        "Compute",
        "EC2 instances should have secrets findings resolved",
    ),
    secrets(
        "17b615fd-ce09-494b-a3fa-5937a137a571",
        "Compute",
        "VM instances should have secrets findings resolved",
    ),
    secrets(
        "dd98425c-1407-40cc-8a2c-da5d0a2f80da",
        "Data",
        "GitHub repositories should have secret scanning findings resolved",
    ),
    secrets(
        "b5ef903f-8655-473b-9784-4f749eeb25c6",
        "Data",
        "Azure DevOps repositories should have secret scanning findings resolved",
    ),
    secrets(
        "867001c3-2d01-4db7-b513-5cb97638f23d",
        "Data",
        "GitLab projects should have secrets scanning findings resolved",
    ),
    secrets(
        "4e07c7d0-e06c-47d7-a4a9-8c7b748d1b27",
        "Data",
        "Code repositories should have secret scanning findings resolved",
    ),
    secrets(
        "774dd8dd-234d-4581-8dcc-376a53e58a5d",
        "Data",
        "Azure Resource Manager deployments should have secrets findings resolved",
    ),
];

pub(crate) const MACHINE_SECRETS: &str = "17618b1a-ed14-49bb-b37f-9f8ba967be8b";

const fn other(
    key: &'static str,
    category: &'static str,
    severity: &'static str,
    title: &'static str,
    remedy: &'static str,
) -> BuiltIn {
    BuiltIn { key, title, remedy, severity, policy: None, category, preview: false }
}

const OTHERS: &[BuiltIn] = &[
    other(
        "1195afff-c881-495e-9bc5-1486211ae03f",
        "Compute",
        "High",
        "Machines should have vulnerability findings resolved",
        "Install the updates that close the vulnerabilities found.",
    ),
    other(
        "805651bc-6ecd-4c73-9b55-97a19d0582d0",
        "Networking",
        "High",
        "Management ports of virtual machines should be protected with just-in-time network access control",
        "Turn just-in-time access on.",
    ),
    other(
        "21300918-b2e3-0346-785f-c77ff57d243b",
        "Compute",
        "Medium",
        "Endpoint protection should be installed on virtual machine scale sets",
        "Install an endpoint protection solution.",
    ),
    other(
        "cdc78c07-02b0-4af0-1cb2-cb7c672a8b0a",
        "Data",
        "Medium",
        "Storage account should use a private link connection",
        "Create a private endpoint in the network that uses the account.",
    ),
];
