use arm_core::{ArmErrorExt as _, ManagementGroupId, ResourceType, Secret};
use defender_alerts::{
    AdditionalData, AssessmentCode, AssessmentFilter, AssessmentId, AssessmentKey, AssessmentMetadataClient,
    AssessmentMetadataProperties, AssessmentSpec, AssessmentStatus, AssessmentType, AssessmentsClient,
    Expand, KnownRecommendation, PartnersData, ResourceDetails, ResourceSource, RiskLevel, Severity,
    SubAssessmentKind, SubAssessmentsClient,
};
use mock_azure::MockAzure;
use serde_json::json;
use time::macros::datetime;

use crate::{all, arm, calls, machine, subscription, vault};

const V: &str = "api-version=2025-05-04";

fn custom() -> AssessmentKey {
    "00000000-0000-0000-0000-0000000000c1".parse().unwrap()
}

#[tokio::test]
async fn severity_is_known_only_when_metadata_was_asked_for() {
    let azure = MockAzure::seed().assessment(vault(), AssessmentKey::KV_FIREWALL.as_str(), "Unhealthy");
    let azure = azure.start().await;
    let client = AssessmentsClient::new(&arm(&azure));
    let id = AssessmentId::new(vault(), AssessmentKey::KV_FIREWALL);

    let plain = client.get(&id, Expand::Nothing).await.unwrap();
    let full = client.get(&id, Expand::All).await.unwrap();
    let listed = all(client.list(subscription(), Expand::Metadata)).await.remove(0);

    assert_eq!((plain.severity(), plain.azure_portal_uri), (None, None));
    assert_eq!(full.severity(), Some(Severity::Medium));
    assert!(full.azure_portal_uri.unwrap().starts_with("portal.azure.com"));
    assert_eq!((&listed.id, listed.severity()), (&id, Some(Severity::Medium)));
    assert_eq!(listed.resource_details.resource_id(), Some(vault()));
    let path = format!(
        "GET /resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-prod/assessments/{}",
        AssessmentKey::KV_FIREWALL
    );
    assert_eq!(
        calls(&azure),
        [
            format!("{path}?{V} -> 200"),
            format!("{path}?{V}&$expand=links,metadata -> 200"),
            format!("GET /assessments?{V}&$expand=metadata -> 200"),
        ]
    );
}

/// Recorded: details in capitals at 2020-01-01, dates as HTTP writes them at 2021-06-01.
#[tokio::test]
async fn capitalized_details_and_http_dates_are_read() {
    let id = AssessmentId::new(vault(), custom());
    let odd = json!({
        "id": id.to_string(), "name": custom().as_str(), "type": "Microsoft.Security/assessments",
        "properties": {
            "resourceDetails": { "Source": "Azure", "Id": vault() },
            "displayName": "x",
            "status": { "code": "Healthy", "statusChangeDate": "Mon, 12 Oct 2026 09:07:18 GMT" },
        },
    });
    let azure =
        MockAzure::seed().vault(subscription(), "rg-app", "kv-prod").assessment_json(odd).start().await;
    let read = AssessmentsClient::new(&arm(&azure)).get(&id, Expand::Nothing).await.unwrap();
    assert_eq!(read.status.status_change_date, Some(datetime!(2026-10-12 09:07:18 UTC)));
    assert_eq!(read.resource_details.resource_id(), Some(vault()));
    assert_eq!(read.resource_details.source(), ResourceSource::Azure);
}

/// Recorded: metadata has categories, and says what is a preview.
#[tokio::test]
async fn every_member_of_a_recommendation_is_typed() {
    let azure = MockAzure::seed().start().await;
    let client = AssessmentMetadataClient::new(&arm(&azure));
    let secrets = client.get(&AssessmentKey::MACHINE_SECRETS).await.unwrap().properties;
    assert!(!secrets.categories.is_empty() && secrets.preview == Some(true), "{secrets:?}");
}

#[tokio::test]
async fn recommendations_are_found_by_words_resources_keys_and_severity() {
    let azure = MockAzure::seed()
        .key_vault_assessments(vault())
        .assessment(machine(), AssessmentKey::MACHINE_SECRETS.as_str(), "Unhealthy")
        .start()
        .await;
    let client = AssessmentsClient::new(&arm(&azure));
    let found = async |filter: AssessmentFilter| all(client.find(subscription(), filter)).await;

    let words = found(AssessmentFilter::new().any_word(["FIREWALL", "secrets findings"])).await;
    let vaults = found(AssessmentFilter::new().resource_type(ResourceType::VAULT)).await;
    let one = found(AssessmentFilter::new().resource(machine())).await;
    let keys =
        found(AssessmentFilter::new().keys([AssessmentKey::KV_SOFT_DELETE, AssessmentKey::KV_FIREWALL]))
            .await;
    let open = AssessmentFilter::new().code(AssessmentCode::Unhealthy).at_least(Severity::High);
    let open = found(open).await;

    assert_eq!((words.len(), vaults.len(), one.len(), keys.len()), (2, 9, 1, 2));
    assert!(open.iter().all(|found| found.severity() == Some(Severity::High)) && !open.is_empty());
    let root: ManagementGroupId = azure.tenant().parse().unwrap();
    assert_eq!(all(client.find(root, AssessmentFilter::new())).await.len(), 10);
}

#[tokio::test]
async fn the_known_keys_are_those_of_the_service() {
    let azure = MockAzure::seed().start().await;
    let client = AssessmentMetadataClient::new(&arm(&azure));

    for known in KnownRecommendation::KEY_VAULT.iter().chain(KnownRecommendation::SECRETS) {
        let metadata = client.get(&known.key).await.unwrap();
        assert_eq!(metadata.properties.display_name, known.title);
        assert_eq!(metadata.properties.severity, known.severity);
        let policy = metadata.properties.policy_definition_id;
        assert_eq!(policy.as_deref().and_then(|id| id.rsplit('/').next()), known.policy_definition);
    }
}

#[tokio::test]
async fn a_custom_recommendation_is_described_written_changed_and_deleted() {
    let azure = MockAzure::seed().resource_group(subscription(), "rg-app", "westeurope").start().await;
    let arm = arm(&azure);
    let (client, metadata) = (AssessmentsClient::new(&arm), AssessmentMetadataClient::new(&arm));
    let id = AssessmentId::new(vault(), custom());
    let described = AssessmentMetadataProperties::builder()
        .display_name("Vaults should have an owner")
        .severity(Severity::Low)
        .assessment_type(AssessmentType::CustomerManaged)
        .description("An owner is asked first.")
        .build();

    let created = metadata.create_in_subscription(&subscription(), &custom(), &described).await.unwrap();
    let spec = AssessmentSpec::builder()
        .status(AssessmentStatus::new(AssessmentCode::Unhealthy))
        .resource_details(ResourceDetails::azure(&vault()))
        .additional_data([("owner", "nobody")].into_iter().collect::<AdditionalData>())
        .partners_data(
            PartnersData::builder().partner_name("Contoso").secret(Secret::new("REDACTED")).build(),
        )
        .build();
    assert!(!format!("{spec:?}").contains("REDACTED"));
    let written = client.create_or_update(&id, &spec).await.unwrap();
    let mut changed = AssessmentSpec::from(&written);
    changed.status = AssessmentStatus::new(AssessmentCode::Healthy);
    let changed = client.create_or_update(&id, &changed).await.unwrap();

    assert_eq!((&created.name, &created.properties.display_name), (&custom(), &described.display_name));
    assert_eq!(
        (&written.status.code, &changed.status.code),
        (&AssessmentCode::Unhealthy, &AssessmentCode::Healthy)
    );
    assert_eq!(changed.additional_data.text("owner").as_deref(), Some("nobody"));
    let put = azure
        .requests()
        .into_iter()
        .find(|request| request.path.ends_with(&format!("assessments/{}", custom())))
        .unwrap();
    assert_eq!(
        put.body["properties"]["partnersData"],
        json!({ "partnerName": "Contoso", "secret": "REDACTED" })
    );
    assert_eq!(
        metadata.get_in_subscription(&subscription(), &custom()).await.unwrap().properties,
        created.properties
    );
    let listed = all(metadata.list_by_subscription(&subscription())).await.len();
    assert_eq!(listed, all(metadata.list()).await.len() + 1);

    client.delete(&id).await.unwrap();
    client.delete(&id).await.unwrap();
    assert!(client.get_opt(&id, Expand::Nothing).await.unwrap().is_none());
    metadata.delete_in_subscription(&subscription(), &custom()).await.unwrap();
    let gone = metadata.get_in_subscription(&subscription(), &custom()).await.unwrap_err();
    assert!(gone.is_not_found());
}

#[tokio::test]
async fn fields_that_this_version_does_not_name_are_written_back() {
    let properties = json!({
        "status": { "code": "Unhealthy", "cause": "x", "invented": 1, "firstEvaluationDate": "2026-01-01T00:00:00Z" },
        "resourceDetails": { "source": "OnPremise", "machineName": "m", "invented": 2 },
        "additionalData": { "a": "b" },
        "displayName": "d",
        "invented": { "kept": true },
    });
    let read = serde_json::from_value(
        json!({ "id": AssessmentId::new(vault(), custom()), "properties": properties }),
    )
    .unwrap();

    let written = serde_json::to_value(AssessmentSpec::from(&read)).unwrap();

    let mut expected = properties;
    expected.as_object_mut().unwrap().remove("displayName");
    expected["status"].as_object_mut().unwrap().remove("firstEvaluationDate");
    assert_eq!(written, expected);
}

#[tokio::test]
async fn risk_names_the_attack_paths_that_a_resource_is_on() {
    let azure = MockAzure::seed()
        .assessment(vault(), AssessmentKey::KV_FIREWALL.as_str(), "Unhealthy")
        .attack_path(machine(), vault(), "Internet exposed VM can read a key vault")
        .plan(subscription(), "CloudPosture", "Standard")
        .start()
        .await;
    let id = AssessmentId::new(vault(), AssessmentKey::KV_FIREWALL);

    let risk = AssessmentsClient::new(&arm(&azure)).get(&id, Expand::Nothing).await.unwrap().risk.unwrap();

    assert_eq!((risk.level, risk.is_contextual_risk), (RiskLevel::Critical, true));
    assert_eq!(
        (risk.attack_paths_references.len(), risk.paths[0].nodes.len(), risk.paths[0].edges.len()),
        (1, 3, 2)
    );
}

#[tokio::test]
async fn sub_assessments_of_documented_and_other_kinds_are_read_while_they_are_served() {
    let seed =
        || MockAzure::seed().vulnerability(machine(), "CVE-2026-0001").grouped_secret(machine(), "SSH key");
    let (served, retired) = (seed().sub_assessments_served().start().await, seed().start().await);
    let client = SubAssessmentsClient::new(&arm(&served));

    let found = all(client.list_all(subscription())).await;

    assert_eq!(found.len(), 2);
    for finding in &found {
        assert_eq!(client.get(&finding.id).await.unwrap().id, finding.id);
        let siblings = all(client.list(finding.id.assessment())).await;
        assert_eq!(siblings.len(), 1);
    }
    let kinds: Vec<SubAssessmentKind> = found.iter().map(|finding| finding.kind()).collect();
    assert!(kinds.contains(&SubAssessmentKind::Other("MachineSecret".to_owned())), "{kinds:?}");
    let weakness = kinds.iter().find_map(|kind| match kind {
        SubAssessmentKind::ServerVulnerability(weakness) => Some(weakness),
        _ => None,
    });
    let weakness = weakness.unwrap();
    assert_eq!((weakness.cve[0].title.as_str(), weakness.cvss["3.0"].base), ("CVE-2026-0001", 7.8));
    assert!(all(SubAssessmentsClient::new(&arm(&retired)).list_all(subscription())).await.is_empty());
}
