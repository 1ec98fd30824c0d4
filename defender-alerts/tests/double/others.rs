use arm_core::ResourceName;
use defender_alerts::{
    NotificationState, NotificationsByRole, NotificationsSource, RiskLevel, RuleState, ScopeElement,
    SecureScoresClient, SecurityContact, SecurityContactsClient, Severity, SuppressionRule,
    SuppressionRuleSpec, SuppressionRulesClient,
};
use mock_azure::{Fault, MockAzure};
use serde_json::json;

use crate::{all, arm, calls, subscription, vault};

fn name(text: &str) -> ResourceName {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_suppression_rule_is_written_read_changed_and_deleted() {
    let azure = MockAzure::seed().start().await;
    let client = SuppressionRulesClient::new(&arm(&azure));
    let (sub, scanner) = (subscription(), name("scanner"));
    let spec = SuppressionRuleSpec::builder()
        .alert_type("KV_TORAccess")
        .reason("FalsePositive")
        .comment("our own scanner")
        .only_when([ScopeElement::is_one_of("entities.ip.address", ["203.0.113.7"])])
        .build();

    let created = client.create_or_update(&sub, &scanner, &spec).await.unwrap();
    let mut changed = client.get(&sub, &scanner).await.unwrap().spec;
    changed.state = RuleState::Disabled;
    client.create_or_update(&sub, &scanner, &changed).await.unwrap();

    assert!(created.last_modified.is_some());
    assert!(
        created.spec.expiration_date > created.last_modified,
        "the service gives an end to a rule without one"
    );
    let mut as_asked = created.spec;
    as_asked.expiration_date = None;
    assert_eq!(as_asked, spec);
    assert_eq!(
        azure.requests()[0].body,
        json!({ "properties": {
        "alertType": "KV_TORAccess", "reason": "FalsePositive", "state": "Enabled", "comment": "our own scanner",
        "suppressionAlertsScope": { "allOf": [{ "field": "entities.ip.address", "in": ["203.0.113.7"] }] },
    } })
    );
    assert_eq!(all(client.list(&sub)).await.remove(0).spec.state, RuleState::Disabled);
    assert_eq!(all(client.list_by_alert_type(&sub, "KV_AppAnomaly")).await.len(), 0);
    assert_eq!(all(client.list_by_alert_type(&sub, "KV_TORAccess")).await.len(), 1);
    client.delete(&sub, &scanner).await.unwrap();
    client.delete(&sub, &scanner).await.unwrap();
    assert!(client.get_opt(&sub, &scanner).await.unwrap().is_none());
}

#[test]
fn a_suppression_rule_keeps_what_this_version_does_not_name() {
    let spec = json!({
        "alertType": "*", "reason": "Other", "state": "Snoozed", "invented": [1],
        "suppressionAlertsScope": { "allOf": [{ "field": "a", "matches": "b" }], "invented": true },
    });
    let mut properties = spec.clone();
    properties["lastModifiedUtc"] = json!("2026-01-01T00:00:00.0000000Z");
    let rule: SuppressionRule =
        serde_json::from_value(json!({ "name": "r", "properties": properties })).unwrap();
    assert_eq!(rule.spec.state, RuleState::Unknown("Snoozed".to_owned()));
    assert_eq!(serde_json::to_value(&rule.spec).unwrap(), spec);
}

#[tokio::test]
async fn the_secure_score_and_its_controls_are_read() {
    let azure = MockAzure::seed().key_vault_assessments(vault()).start().await;
    let client = SecureScoresClient::new(&arm(&azure));
    let sub = subscription();

    let score = client.get(&sub, &name("ascScore")).await.unwrap();
    let controls = all(client.list_controls(&sub)).await;

    assert_eq!(all(client.list(&sub)).await.first(), Some(&score));
    assert!(score.score.max > score.score.current && score.score.percentage < 1.0);
    assert_eq!(all(client.list_controls_of(&sub, &name("ascScore"))).await, controls);
    let definitions = all(client.list_definitions()).await;
    assert_eq!(all(client.list_definitions_by_subscription(&sub)).await, definitions);
    assert_eq!(controls[0].definition.as_ref(), Some(&definitions[0]));
    assert!(!definitions[0].assessments.is_empty());
    assert!(calls(&azure).iter().all(|call| call.ends_with("-> 200")));
}

#[tokio::test]
async fn the_security_contact_is_written_and_kept_completely() {
    let azure = MockAzure::seed().start().await;
    let client = SecurityContactsClient::new(&arm(&azure));
    let sub = subscription();
    let contact = SecurityContact::builder()
        .emails("soc@contoso.example")
        .notifications_sources(vec![
            NotificationsSource::Alert { minimal_severity: Severity::Medium },
            NotificationsSource::AttackPath { minimal_risk_level: RiskLevel::Critical },
        ])
        .notifications_by_role(NotificationsByRole::on(["Owner"]))
        .build();

    assert!(client.get_opt(&sub).await.unwrap().is_none());
    let written = client.create_or_update(&sub, &contact).await.unwrap();

    let mut contact = contact;
    (contact.etag, contact.location) = (written.etag.clone(), written.location.clone());
    assert_eq!(written, contact);
    assert_eq!(written.notifications_by_role.as_ref().unwrap().state, Some(NotificationState::On));
    assert_eq!(all(client.list(&sub)).await.first(), Some(&contact));
    assert_eq!(client.get_opt(&sub).await.unwrap(), Some(contact));
    client.delete(&sub).await.unwrap();
    client.delete(&sub).await.unwrap();
    assert_eq!(all(client.list(&sub)).await, []);
}

/// Recorded: a contact has an etag and a place.
#[tokio::test]
async fn every_member_of_a_contact_is_typed() {
    let azure = MockAzure::seed().start().await;
    let client = SecurityContactsClient::new(&arm(&azure));
    let contact = SecurityContact::builder().emails("soc@contoso.example").build();
    let written = client.create_or_update(&subscription(), &contact).await.unwrap();
    assert!(written.etag.is_some() && written.location.as_deref() == Some("West Europe"), "{written:?}");
}

#[test]
fn a_security_contact_keeps_what_this_version_does_not_name() {
    let text = json!({
        "emails": "", "invented": 1,
        "notificationsSources": [
            { "sourceType": "Alert", "minimalSeverity": "Low", "invented": 2 },
            { "sourceType": "AttackPath", "minimalRiskLevel": "High", "invented": 2 },
            { "sourceType": "New" },
            { "sourceType": "Alert", "minimalSeverities": ["High"] },
            { "sourceType": "AttackPath", "minimalRiskLevel": 3 },
        ],
        "notificationsByRole": { "state": "Sometimes", "roles": [], "invented": 3 },
    });
    let contact: SecurityContact = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(serde_json::to_value(&contact).unwrap(), text);
    let kept = |source: &NotificationsSource| matches!(source, NotificationsSource::Other(_));
    assert!(contact.notifications_sources.iter().all(kept), "{contact:?}");

    let mut stateless = text;
    stateless["notificationsByRole"] = json!({ "roles": ["Owner"] });
    let contact: SecurityContact = serde_json::from_value(stateless.clone()).unwrap();
    assert_eq!(serde_json::to_value(&contact).unwrap(), stateless);
}

/// The service answers so at 2020-01-01-preview.
#[tokio::test]
async fn contacts_without_an_envelope_are_read() {
    let azure = MockAzure::seed().start().await;
    let contact = json!({
        "id": "/x", "name": "default", "etag": "\"1\"", "location": "West Europe",
        "properties": { "emails": "soc@example.com", "phone": "1" },
    });
    azure
        .inject(Fault::body(200, json!([contact, null]).to_string()).on("GET", "/securityContacts").times(1));

    let contacts = all(SecurityContactsClient::new(&arm(&azure)).list(&subscription())).await;

    assert_eq!(contacts.len(), 1);
    assert_eq!(
        (contacts[0].emails.as_str(), contacts[0].etag.as_deref()),
        ("soc@example.com", Some("\"1\""))
    );
    assert_eq!(contacts[0].location.as_deref(), Some("West Europe"));
}
