//! The double: a vault with twenty secrets of seven kinds, two applications that read them, and an attacker.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use defender_playbooks::{
    VaultReaders,
    arm_core::{ArmClient, ResourceId, Secret, refuse, wire::instant},
    defender_alerts::AlertId,
    keyvault_ops::{Consumers, Issuer, SecretId, SecretName, SecretsClient, VaultId},
    leaks,
    monitor_ops::WorkspaceId,
};
use keyvault_issuers::{EntraPasswordIssuer, ResourceKeyIssuer};
use mock_azure::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, MockAzure, Seed};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Done, answer::Case};

pub(crate) const STRANGER: &str = "00000000-0000-0000-0000-0000000000e1";
const APPLICATIONS: [&str; 2] =
    ["00000000-0000-0000-0000-0000000000a1", "00000000-0000-0000-0000-0000000000a2"];
/// The application whose own password is one of the secrets: its object id and client id.
const CLIENT: [&str; 2] = ["00000000-0000-0000-0000-0000000000d1", "00000000-0000-0000-0000-0000000000c9"];
const PASSWORD: &str = "old8Q~0123456789012345678901234567abcd";

const OWN_ADDRESS: &str = "203.0.113.7";
const APPLICATIONS_ADDRESS: &str = "198.51.100.10";
const STRANGERS_ADDRESS: &str = "192.0.2.66";

/// A resource type, its names, the name of its key, and the format in which applications store it.
const KEYED: [(&str, &[&str], &str, &str); 6] = [
    (
        "Microsoft.Storage/storageAccounts",
        &["stweb", "stlogs", "stmedia", "stjobs", "starchive", "stshop", "stcache", "sttemp"],
        "key1",
        "DefaultEndpointsProtocol=https;AccountName={name};AccountKey={key};EndpointSuffix=core.windows.net",
    ),
    (
        "Microsoft.ServiceBus/namespaces/authorizationRules",
        &["orders/send", "orders/listen", "mails/send"],
        "primaryKey",
        "Endpoint=sb://bus.servicebus.windows.net/;SharedAccessKeyName=rule;SharedAccessKey={key}",
    ),
    (
        "Microsoft.EventHub/namespaces/authorizationRules",
        &["clicks/send", "clicks/read"],
        "primaryKey",
        "{key}",
    ),
    ("Microsoft.DocumentDB/databaseAccounts", &["carts", "users", "stock"], "primaryMasterKey", "{key}"),
    ("Microsoft.CognitiveServices/accounts", &["chat", "speech"], "key1", "{key}"),
    ("Microsoft.Search/searchServices", &["search"], "primaryKey", "{\"key\":\"{key}\",\"index\":\"shop\"}"),
];

/// A secret in the vault, its credential, and the resource that issued the credential.
pub(crate) struct Planted {
    pub(crate) name: SecretName,
    pub(crate) credential: String,
    /// `None` for the password of the application.
    pub(crate) resource: Option<ResourceId>,
}

pub(crate) struct World {
    pub(crate) azure: MockAzure,
    pub(crate) planted: Vec<Planted>,
}

fn group() -> String {
    format!("/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-shop")
}

fn vault() -> Done<VaultId> {
    Ok(format!("{}/providers/Microsoft.KeyVault/vaults/kv-shop", group()).parse()?)
}

fn workspace() -> Done<WorkspaceId> {
    Ok(format!("{}/providers/Microsoft.OperationalInsights/workspaces/law-shop", group()).parse()?)
}

pub(crate) fn alert() -> Done<AlertId> {
    let alerts = format!(
        "/subscriptions/{DEFAULT_SUBSCRIPTION}/providers/Microsoft.Security/locations/westeurope/alerts"
    );
    Ok(format!("{alerts}/a1").parse()?)
}

/// The id of a resource. The name of a nested one has a part for each level.
fn id(kind: &str, name: &str) -> Done<ResourceId> {
    let (namespace, kinds) = kind.split_once('/').ok_or("a type has a namespace")?;
    let parts = kinds.split('/').zip(name.split('/'));
    let path: String = parts.map(|(kind, name)| format!("/{kind}/{name}")).collect();
    Ok(format!("{}/providers/{namespace}{path}", group()).parse()?)
}

fn seed(now: OffsetDateTime) -> Done<Seed> {
    let subscription = DEFAULT_SUBSCRIPTION;
    let vault = vault()?;
    let mut seed = MockAzure::seed()
        .starts_at(now)
        .workspace(subscription, "rg-shop", "law-shop")
        .vault(subscription, "rg-shop", "kv-shop")
        .vault_role("kv-shop", "Key Vault Secrets Officer")
        .diagnostic_setting(vault.as_str(), "audit", &workspace()?.to_string(), &["AuditEvent"])
        .application(CLIENT[0], CLIENT[1], "shop", PASSWORD)
        .user(STRANGER, "contractor@contoso.example")
        .role_assignment(STRANGER, "Key Vault Secrets User", vault.as_str())
        .alert_json(about_the_stranger(now)?);
    for (number, application) in APPLICATIONS.iter().enumerate() {
        seed = seed
            .service_principal(application, &format!("00000000-0000-0000-0000-0000000000b{number}"), "shop")
            .role_assignment(application, "Key Vault Secrets User", vault.as_str());
    }
    for (kind, names, ..) in KEYED {
        for name in names {
            seed = seed.keyed_resource(subscription, "rg-shop", kind, name);
        }
    }
    Ok(seed)
}

/// The alert that Defender raises for what the attacker does next. The double detects nothing, so the alert is part of
/// its seed.
fn about_the_stranger(now: OffsetDateTime) -> Done<Value> {
    let time = instant::format(now);
    Ok(json!({
        "id": alert()?.to_string(),
        "name": "a1",
        "type": "Microsoft.Security/Locations/alerts",
        "properties": {
            "status": "Active",
            "severity": "High",
            "alertType": "KV_ListGetAnomaly",
            "alertDisplayName": "Suspicious secret listing and query in a key vault",
            "startTimeUtc": time,
            "endTimeUtc": time,
            "resourceIdentifiers": [{ "type": "AzureResource", "azureResourceId": vault()?.as_str() }],
            "entities": [{ "type": "account", "name": "contractor", "aadUserId": STRANGER }],
        },
    }))
}

impl World {
    pub(crate) async fn build() -> Done<Self> {
        mock_azure::fast_forward();
        // Starts two hours ago, so that the log has arrived by now.
        let azure = seed(OffsetDateTime::now_utc() - Duration::from_secs(2 * 3600))?.start().await;
        let mut world = Self { azure, planted: Vec::new() };
        for (kind, names, listed, stored) in KEYED {
            for name in names {
                let resource = id(kind, name)?;
                let key = world.azure.resource_key(resource.as_str(), listed).ok_or("no such key")?;
                let value = stored.replace("{name}", name).replace("{key}", &key);
                world.plant(&name.replace('/', "-"), key, value, Some(resource)).await?;
            }
        }
        world.plant("shop-client", PASSWORD.to_owned(), PASSWORD.to_owned(), None).await?;
        for planted in &world.planted {
            read(&world.azure, reader_of(&planted.name), &planted.name).await?;
        }
        Ok(world)
    }

    async fn plant(
        &mut self,
        name: &str,
        credential: String,
        value: String,
        resource: Option<ResourceId>,
    ) -> Done<()> {
        let name: SecretName = name.parse()?;
        secrets(&self.arm()?)?.set(&name, value.into()).await?;
        self.planted.push(Planted { name, credential, resource });
        Ok(())
    }

    pub(crate) fn arm(&self) -> Done<ArmClient> {
        Ok(ArmClient::new(self.azure.credential(), Some(self.azure.client_options().into()))?)
    }

    /// The attacker reads three secrets, from an address of their own.
    pub(crate) async fn enumerate(&self) -> Done<()> {
        self.azure.set_caller_ip(STRANGERS_ADDRESS);
        for planted in self.planted.iter().step_by(7) {
            read(&self.azure, STRANGER, &planted.name).await?;
        }
        self.azure.set_caller_ip(OWN_ADDRESS);
        Ok(())
    }

    /// Whether the attacker can still read a secret.
    pub(crate) async fn stranger_reads(&self) -> bool {
        self.azure.set_caller_ip(STRANGERS_ADDRESS);
        let read = read(&self.azure, STRANGER, &self.planted[0].name).await;
        self.azure.set_caller_ip(OWN_ADDRESS);
        read.is_ok()
    }

    pub(crate) fn an_hour_passes(&self) {
        self.azure.advance(Duration::from_secs(3600));
    }

    /// Whether the old credential of a secret still works.
    pub(crate) fn is_alive(&self, planted: &Planted) -> bool {
        match &planted.resource {
            Some(resource) => self.azure.takes_key(resource.as_str(), &planted.credential),
            None => self.azure.application_takes(CLIENT[1], &planted.credential),
        }
    }

    /// The input for the response: what the scanner found, and who issues each credential.
    pub(crate) fn case(&self) -> Done<Case> {
        let arm = self.arm()?;
        let mut issuers: BTreeMap<SecretName, Arc<dyn Issuer>> = BTreeMap::new();
        for planted in &self.planted {
            let issuer: Arc<dyn Issuer> = match &planted.resource {
                Some(resource) => Arc::new(ResourceKeyIssuer::new(&arm, resource.clone())?),
                None => Arc::new(EntraPasswordIssuer::new(&arm, DEFAULT_TENANT, CLIENT[0])),
            };
            issuers.insert(planted.name.clone(), issuer);
        }
        let readers = VaultReaders::new(&arm, &vault()?, &workspace()?)?.ignore(STRANGER);
        Ok(Case {
            alert: alert()?,
            vault: vault()?,
            keep: [OWN_ADDRESS, APPLICATIONS_ADDRESS].map(str::to_owned).into(),
            first: leaks::read_in("shop/web", &self.scanned()),
            second: leaks::read_in("shop/web", &elsewhere().to_string()),
            issuers,
            consumers: Arc::new(Restarted { azure: self.azure.clone(), readers: readers.clone() }),
            readers,
            arm,
        })
    }

    /// A gitleaks report on the repository: every credential, and a token that is in no vault.
    fn scanned(&self) -> String {
        let found = self.planted.iter().enumerate().map(|(line, planted)| {
            json!({ "RuleID": "azure-key", "Secret": planted.credential, "File": "deploy/settings.env", "StartLine": line + 1,
                "Commit": "c0ffee", "Email": "dev@contoso.example" })
        });
        Value::from_iter(found.chain(elsewhere().as_array().cloned().unwrap_or_default())).to_string()
    }
}

/// What the scanner still finds after the file was removed: somebody else's token.
fn elsewhere() -> Value {
    json!([{ "RuleID": "npm-access-token", "Secret": "npm_0123456789abcdef", "File": ".npmrc", "StartLine": 1, "Commit": "c0ffee",
        "Email": "ops@contoso.example" }])
}

fn secrets(arm: &ArmClient) -> Done<SecretsClient> {
    Ok(SecretsClient::new(arm, &vault()?.name().parse()?)?)
}

/// The application that reads a secret: each reads about half of them.
fn reader_of(name: &SecretName) -> &'static str {
    APPLICATIONS[name.as_str().len() % 2]
}

/// Reads a secret as this principal, with a token of its own.
async fn read(azure: &MockAzure, who: &str, name: &SecretName) -> Done<Secret> {
    let credential = azure.credential_of(who).ok_or("no principal has this id")?;
    let arm = ArmClient::new(credential, Some(azure.client_options().into()))?;
    Ok(secrets(&arm)?.get(name).await?.value)
}

/// Consumers that move by a restart of the application, which reads its secret again. The vault's log then shows
/// whether it did.
struct Restarted {
    azure: MockAzure,
    readers: VaultReaders,
}

#[async_trait]
impl Consumers for Restarted {
    async fn wait_until_moved(&self, to: &SecretId) -> azure_core::Result<()> {
        if let Err(error) = read(&self.azure, reader_of(&to.name), &to.name).await {
            return refuse(format!("the application could not be restarted: {error}"));
        }
        self.readers.wait_until_moved(to).await
    }
}
