//! An alert as the service writes it.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::catalog::{CallerKind, Kind};
use crate::{http::timestamp, state::stable_id};

/// The region in which Defender stores the data of the double's subscriptions, which is not the region of the resource.
pub(crate) const LOCATION: &str = "westeurope";

/// The inputs of an alert.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'a> {
    pub(crate) kind: &'static Kind,
    pub(crate) tenant: &'a str,
    pub(crate) subscription: &'a str,
    /// The group in the alert's id. `None` for an alert at the subscription.
    pub(crate) group: Option<&'a str>,
    pub(crate) location: &'a str,
    pub(crate) resource: &'a str,
    /// Distinguishes alerts of the same type on the same resource.
    pub(crate) number: u64,
    pub(crate) started: OffsetDateTime,
    pub(crate) sample: bool,
}

impl Draft<'_> {
    /// The name: ticks that count down, so that the newest alert is first, and a GUID.
    pub(crate) fn name(&self) -> String {
        const LAST_TICK: i128 = 3_155_378_975_999_999_999;
        const UNIX_EPOCH: i128 = 621_355_968_000_000_000;
        let ticks = LAST_TICK - UNIX_EPOCH - self.started.unix_timestamp_nanos() / 100;
        let guid = stable_id(&format!("alert/{}/{}/{}", self.kind.id, self.resource, self.number));
        format!("{ticks}_{guid}")
    }

    fn id(&self, name: &str) -> String {
        let group = self.group.map(|group| format!("/resourceGroups/{group}")).unwrap_or_default();
        let (subscription, location) = (self.subscription, self.location);
        format!(
            "/subscriptions/{subscription}{group}/providers/Microsoft.Security/locations/{location}/alerts/{name}"
        )
    }

    pub(crate) fn into_alert(self) -> Value {
        let mut alert = self.whole();
        if self.sample
            && let Some(properties) = alert["properties"].as_object_mut()
        {
            // Recorded: samples lack these.
            properties.insert("intent".to_owned(), json!("Unknown"));
            properties.retain(|name, _| {
                !["extendedLinks", "techniques", "subTechniques", "supportingEvidence"]
                    .contains(&name.as_str())
            });
        }
        alert
    }

    fn whole(&self) -> Value {
        let (kind, plan, name) = (self.kind, self.kind.plan(), self.name());
        let resource_name = self.resource.rsplit('/').next().unwrap_or_default();
        let (mark, note) =
            if self.sample { ("[SAMPLE ALERT] ", "THIS IS A SAMPLE ALERT: ") } else { ("", "") };
        let ended = self.started + Duration::minutes(12);
        let generated = ended + Duration::minutes(21);
        json!({
            "id": self.id(&name),
            "name": name,
            "type": "Microsoft.Security/Locations/alerts",
            "properties": {
                "version": "2022-01-01",
                "alertType": format!("{}{}", if self.sample { "SIMULATED_" } else { "" }, kind.id),
                "systemAlertId": name,
                "productComponentName": plan.component,
                "alertDisplayName": format!("{mark}{}", kind.title),
                "description": format!("{note}{} The resource is '{resource_name}'.", kind.text),
                "severity": kind.severity,
                "intent": kind.intent,
                "startTimeUtc": timestamp::precise(self.started),
                "endTimeUtc": timestamp::precise(ended),
                "resourceIdentifiers": self.resource_identifiers(),
                "remediationSteps": [
                    "Find out who the caller is and whether it belongs to your tenant. Its credentials may be stolen.",
                    "Close the firewall to networks that you do not know; narrow the access of a caller that you do not know.",
                    "List what was read and when, rotate it, and ask the owners to look for its use.",
                ],
                "vendorName": "Microsoft",
                "status": "Active",
                "extendedLinks": [{
                    "Category": "threat_reports",
                    "Label": "Report: Credential access in cloud services",
                    "Href": format!("https://portal.azure.com/reports/{}", stable_id(kind.id)),
                    "Type": "webLink",
                }],
                "alertUri": format!(
                    "https://portal.azure.com/#blade/Microsoft_Azure_Security/AlertBlade/alertId/{name}/subscriptionId/{}/location/{}",
                    self.subscription, self.location
                ),
                "timeGeneratedUtc": timestamp::precise(generated),
                "productName": "Microsoft Defender for Cloud",
                "processingEndTimeUtc": timestamp::precise(generated + Duration::seconds(4)),
                "entities": self.entities(),
                "isIncident": false,
                "correlationKey": stable_id(&format!("correlation/{}", self.resource)),
                "extendedProperties": self.extended_properties(),
                "compromisedEntity": resource_name,
                "techniques": ["T1555"],
                "subTechniques": ["T1555.006"],
                "supportingEvidence": self.evidence(),
            },
        })
    }

    fn resource_identifiers(&self) -> Value {
        let mut all = vec![json!({
            "azureResourceId": self.resource,
            "azureResourceTenantId": self.tenant,
            "type": "AzureResource",
        })];
        if !self.sample {
            all.push(json!({
                "workspaceId": stable_id(&format!("workspace/{}", self.subscription)),
                "workspaceSubscriptionId": self.subscription,
                "workspaceResourceGroup": self.group.unwrap_or("DefaultResourceGroup-WEU"),
                "agentId": "00000000-0000-0000-0000-000000000000",
                "type": "LogAnalytics",
            }));
        }
        // A type that the published contract does not name.
        if self.has_user() {
            all.push(json!({ "aadTenantId": self.tenant, "type": "AAD" }));
        }
        Value::Array(all)
    }

    fn has_user(&self) -> bool {
        matches!(self.kind.caller, CallerKind::User | CallerKind::UserAndApplication)
    }

    fn has_application(&self) -> bool {
        matches!(self.kind.caller, CallerKind::Application | CallerKind::UserAndApplication)
    }

    /// An address in the ranges reserved for documentation.
    fn address(&self) -> String {
        if self.sample {
            return "00.00.00.00".to_owned();
        }
        let net = if self.number.is_multiple_of(2) { "203.0.113" } else { "198.51.100" };
        format!("{net}.{}", 7 + self.number % 200)
    }

    fn user(&self) -> (String, String) {
        let name = if self.sample { "sample-user".to_owned() } else { format!("user{}", self.number % 50) };
        let object_id = stable_id(&format!("user/{name}"));
        (name, object_id)
    }

    fn application_id(&self) -> String {
        stable_id(&format!("application/{}", self.number % 20))
    }

    fn entities(&self) -> Value {
        let mut all = vec![
            json!({
                "$id": format!("{}_1", self.location),
                "resourceId": self.resource,
                "type": "azure-resource",
            }),
            json!({
                "$id": format!("{}_2", self.location),
                "address": self.address(),
                "location": {
                    "countryCode": "NL",
                    "countryName": "Netherlands",
                    "state": "Noord-Holland",
                    "city": "Amsterdam",
                    "longitude": 4.889,
                    "latitude": 52.373,
                    "asn": 64_500 + self.number % 10,
                    "organization": "Example Hosting",
                },
                "type": "ip",
            }),
        ];
        if self.has_user() {
            let (name, object_id) = self.user();
            all.push(json!({
                "$id": format!("{}_3", self.location),
                "name": name,
                "upnSuffix": "contoso.example",
                "aadTenantId": self.tenant,
                "aadUserId": object_id,
                "isDomainJoined": false,
                "type": "account",
            }));
        }
        if self.has_application() {
            all.push(json!({
                "$id": format!("{}_4", self.location),
                "aadTenantId": self.tenant,
                "aadUserId": stable_id(&format!("principal/{}", self.application_id())),
                "appId": self.application_id(),
                "host": { "$ref": format!("{}_2", self.location) },
                "type": "account",
            }));
        }
        Value::Array(all)
    }

    /// Recorded: the properties of a sample, whose keys differ from those in the reference.
    fn properties_of_sample(&self) -> Value {
        let vault = self.resource.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let version = stable_id(self.kind.id).replace('-', "");
        json!({
            "resourceType": "Key Vault",
            "suspicious Operations": "[SecretGet:2, VaultGet:2]",
            "attacker IP Address": self.address(),
            "attacker Object ID": self.user().1,
            "target": format!("https://{vault}.vault.azure.net/secrets/sample-secret/{version}"),
        })
    }

    fn extended_properties(&self) -> Value {
        if self.sample && self.kind.plan == "KeyVaults" {
            return self.properties_of_sample();
        }
        let mut properties = json!({
            "resourceType": self.kind.plan().component,
            "client IP address": self.address(),
            "operations": self.kind.operations.join(", "),
            "operation count": (20 + self.number % 300).to_string(),
            "potential causes": "A stolen credential, or a new job or tool with good reason.",
            "investigation steps": r#"{"displayValue":"See the activity in the resource's log","kind":"Link","value":"https:\/\/learn.microsoft.com\/azure\/key-vault\/general\/howto-logging"}"#,
        });
        if self.has_user() {
            let (name, object_id) = self.user();
            properties["user principal name"] = json!(format!("{name}@contoso.example"));
            properties["user object id"] = json!(object_id);
        }
        if self.has_application() {
            properties["application id"] = json!(self.application_id());
        }
        properties
    }

    fn evidence(&self) -> Value {
        let at = |minutes: i64| timestamp::precise(self.started + Duration::minutes(minutes));
        let operation = |index: usize| self.kind.operations.get(index).or(self.kind.operations.first());
        let outcome = if self.kind.id.contains("Denied") { "Forbidden" } else { "OK" };
        json!({
            "type": "tabularEvidences",
            "title": "Operations behind this alert",
            "columns": ["Date", "Operation", "Result", "Count", "Unusual"],
            "rows": [
                [at(0), operation(0), outcome, 3, false],
                [at(5), operation(1), outcome, 14 + self.number % 40, true],
            ],
        })
    }
}
