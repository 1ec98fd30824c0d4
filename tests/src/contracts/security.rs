//! Secure scores, security contacts, suppression rules.

use crate::{Contract, all, delete, get, one, one_or_none, put};
use defender_alerts::{
    NotificationsByRole, NotificationsSource, RiskLevel, ScopeElement, SecureScoresClient, SecurityContact,
    SecurityContactsClient, Severity, SuppressionRuleSpec, SuppressionRulesClient,
};
use serde_json::json;

use super::common::{SUBSCRIPTION, name, subscription};

const NAMESPACE: &str = "/providers/Microsoft.Security";

pub(super) fn contracts() -> Vec<Contract> {
    [secure_scores(), security_contacts(), suppression_rules()].concat()
}

fn secure_scores() -> Vec<Contract> {
    let version = "2020-01-01";
    let here = format!("{SUBSCRIPTION}{NAMESPACE}");
    let controls = |contract: Contract| {
        contract.answers("secure_scores/controls.json").pages().model("SecureScoreControl")
    };
    let definitions = |contract: Contract| {
        contract.answers("secure_scores/definitions.json").pages().model("SecureScoreControlDefinition")
    };
    vec![
        get("SecureScores_List", format!("{here}/secureScores"), version)
            .answers("secure_scores/list.json")
            .pages()
            .model("SecureScore")
            .call(|arm| all(SecureScoresClient::new(&arm).list(&subscription()))),
        get("SecureScores_Get", format!("{here}/secureScores/ascScore"), version)
            .answers("secure_scores/get.json")
            .model("SecureScore")
            .call(|arm| {
                one(async move {
                    SecureScoresClient::new(&arm).get(&subscription(), &name("ascScore")).await
                })
            }),
        controls(get(
            "SecureScoreControls_ListBySecureScore",
            format!("{here}/secureScores/ascScore/secureScoreControls?$expand=definition"),
            version,
        ))
        .call(|arm| all(SecureScoresClient::new(&arm).list_controls_of(&subscription(), &name("ascScore")))),
        controls(get(
            "SecureScoreControls_List",
            format!("{here}/secureScoreControls?$expand=definition"),
            version,
        ))
        .call(|arm| all(SecureScoresClient::new(&arm).list_controls(&subscription()))),
        definitions(get(
            "SecureScoreControlDefinitions_List",
            format!("{NAMESPACE}/secureScoreControlDefinitions"),
            version,
        ))
        .call(|arm| all(SecureScoresClient::new(&arm).list_definitions())),
        definitions(get(
            "SecureScoreControlDefinitions_ListBySubscription",
            format!("{here}/secureScoreControlDefinitions"),
            version,
        ))
        .call(|arm| all(SecureScoresClient::new(&arm).list_definitions_by_subscription(&subscription()))),
    ]
}

fn security_contacts() -> Vec<Contract> {
    let version = "2023-12-01-preview";
    let all_of_them = format!("{SUBSCRIPTION}{NAMESPACE}/securityContacts");
    let the_one = format!("{all_of_them}/default");
    let roles = json!({ "state": "On", "roles": ["Owner"] });
    vec![
        get("SecurityContacts_List", &all_of_them, version)
            .answers("security_contacts/list.json")
            .pages()
            .model("SecurityContact")
            .call(|arm| all(SecurityContactsClient::new(&arm).list(&subscription()))),
        get("SecurityContacts_Get", &the_one, version)
            .answers("security_contacts/get.json")
            .model("SecurityContact")
            .call(|arm| {
                one_or_none(async move { SecurityContactsClient::new(&arm).get_opt(&subscription()).await })
            }),
        put("SecurityContacts_Create", &the_one, version)
            .sends(json!({ "properties": {
                "emails": "soc@example.com",
                "isEnabled": true,
                "notificationsSources": [
                    { "sourceType": "Alert", "minimalSeverity": "High" },
                    { "sourceType": "AttackPath", "minimalRiskLevel": "Critical" },
                ],
                "notificationsByRole": roles,
            }}))
            .answers("security_contacts/get.json")
            .model("SecurityContact")
            .call(|arm| {
                let contact = SecurityContact::builder()
                    .emails("soc@example.com")
                    .notifications_sources(vec![
                        NotificationsSource::Alert { minimal_severity: Severity::High },
                        NotificationsSource::AttackPath { minimal_risk_level: RiskLevel::Critical },
                    ])
                    .notifications_by_role(NotificationsByRole::on(["Owner"]))
                    .build();
                one(async move {
                    SecurityContactsClient::new(&arm).create_or_update(&subscription(), &contact).await
                })
            }),
        delete("SecurityContacts_Delete", &the_one, version)
            .call(|arm| one(async move { SecurityContactsClient::new(&arm).delete(&subscription()).await })),
    ]
}

fn suppression_rules() -> Vec<Contract> {
    let version = "2019-01-01-preview";
    let rules = format!("{SUBSCRIPTION}{NAMESPACE}/alertsSuppressionRules");
    let rule = format!("{rules}/quiet-scanner");
    let list =
        |contract: Contract| contract.answers("suppression_rules/list.json").pages().model("SuppressionRule");
    vec![
        list(get("AlertsSuppressionRules_List", &rules, version))
            .call(|arm| all(SuppressionRulesClient::new(&arm).list(&subscription()))),
        list(get("AlertsSuppressionRules_List", format!("{rules}?AlertType=KV_SuspiciousIPAccess"), version))
            .variant("by_alert_type")
            .call(|arm| {
                let client = SuppressionRulesClient::new(&arm);
                all(client.list_by_alert_type(&subscription(), "KV_SuspiciousIPAccess"))
            }),
        get("AlertsSuppressionRules_Get", &rule, version)
            .answers("suppression_rules/get.json")
            .model("SuppressionRule")
            .call(|arm| {
                one(async move {
                    SuppressionRulesClient::new(&arm).get(&subscription(), &name("quiet-scanner")).await
                })
            }),
        put("AlertsSuppressionRules_Update", &rule, version)
            .statuses(&[200])
            .sends(json!({ "properties": {
                "alertType": "KV_SuspiciousIPAccess",
                "reason": "FalsePositive",
                "state": "Enabled",
                "suppressionAlertsScope": { "allOf": [
                    { "field": "entities.ip.address", "in": ["192.0.2.7"] },
                    { "field": "entities.process.commandline", "contains": "curl" },
                ]},
            }}))
            .answers("suppression_rules/get.json")
            .model("SuppressionRule")
            .call(|arm| {
                let spec = SuppressionRuleSpec::builder()
                    .alert_type("KV_SuspiciousIPAccess")
                    .reason("FalsePositive")
                    .only_when([
                        ScopeElement::is_one_of("entities.ip.address", ["192.0.2.7"]),
                        ScopeElement::contains("entities.process.commandline", "curl"),
                    ])
                    .build();
                one(async move {
                    let client = SuppressionRulesClient::new(&arm);
                    client.create_or_update(&subscription(), &name("quiet-scanner"), &spec).await
                })
            }),
        delete("AlertsSuppressionRules_Delete", &rule, version).statuses(&[204]).call(|arm| {
            one(async move {
                SuppressionRulesClient::new(&arm).delete(&subscription(), &name("quiet-scanner")).await
            })
        }),
    ]
}
