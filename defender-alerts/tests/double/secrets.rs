use defender_alerts::{
    AssessmentKey, PlanState, SecretFindings, SecretFindingsClient, SecretSource, Severity, SourceState,
};
use mock_azure::{Fault, MockAzure, Seed};

use crate::{arm, machine, subscription};

async fn found(seed: Seed) -> SecretFindings {
    let azure = seed.start().await;
    SecretFindingsClient::new(&arm(&azure)).find(&subscription()).await.unwrap()
}

fn scanned(seed: Seed) -> Seed {
    let seed = seed.plan(subscription(), "CloudPosture", "Standard");
    seed.plan_extension(subscription(), "CloudPosture", "AgentlessVmScanning", true)
}

fn secrets() -> Seed {
    MockAzure::seed().exposed_secret(machine(), "SSH private key").exposed_secret(machine(), "password")
}

#[tokio::test]
async fn findings_of_the_newer_model_are_read_whatever_case_and_nesting_they_have() {
    let found = found(scanned(secrets())).await;

    let [camel, pascal] = &*found.findings else { panic!("{found:?}") };
    let (camel, pascal) = if camel.expires.is_none() { (camel, pascal) } else { (pascal, camel) };
    for finding in [camel, pascal] {
        assert_eq!(finding.source, SecretSource::ExposedSecrets);
        assert_eq!(finding.resource_id, Some(machine()));
        assert_eq!(finding.subscription, Some(subscription()));
        assert_eq!(finding.resource_type.as_deref(), Some("microsoft.compute/virtualmachines"));
        assert!(finding.file_path.is_some() && finding.last_access.is_some());
    }
    assert_eq!(camel.secret_type.as_deref(), Some("SSH private key"));
    assert_eq!((camel.target_exists, camel.severity.clone()), (Some(true), Some(Severity::High)));
    assert_eq!(pascal.secret_type.as_deref(), Some("password"));
    assert_eq!((pascal.target_exists, pascal.severity.clone()), (None, Some(Severity::Medium)));
    assert!(matches!(found.source(SecretSource::ExposedSecrets), Some(SourceState::Answered(2))));
    assert!(matches!(found.source(SecretSource::GroupedRecommendation), Some(SourceState::Retired)));
    assert!(matches!(found.source(SecretSource::SubAssessment), Some(SourceState::Retired)));
    assert!(!found.is_clean());
}

#[tokio::test]
async fn the_three_models_are_one_list_and_each_finding_says_which() {
    let seed = scanned(secrets()).grouped_secret(machine(), "token").sub_assessments_served();

    let found = found(seed).await;

    let count = |source| found.findings.iter().filter(|finding| finding.source == source).count();
    let counts =
        [SecretSource::ExposedSecrets, SecretSource::GroupedRecommendation, SecretSource::SubAssessment];
    assert_eq!(counts.map(count), [2, 1, 1]);
    let single = found.findings.iter().find(|finding| finding.source == SecretSource::SubAssessment).unwrap();
    assert_eq!(single.secret_type.as_deref(), Some("token"));
    assert_eq!(single.resource_id, Some(machine()));
}

#[tokio::test]
async fn an_empty_answer_with_the_plan_off_is_not_clean() {
    let found = found(secrets()).await;
    assert!(found.findings.is_empty());
    assert!(matches!(found.source(SecretSource::ExposedSecrets), Some(SourceState::PlanOff)));
    assert_eq!(found.coverage[0].machine_scanning, PlanState::Off);
    assert!(!found.is_clean());
}

#[tokio::test]
async fn an_empty_answer_is_clean_only_while_machines_are_scanned_too() {
    let plan_only = MockAzure::seed().plan(subscription(), "CloudPosture", "Standard").plan_extension(
        subscription(),
        "CloudPosture",
        "AgentlessVmScanning",
        false,
    );
    let (plan_only, all) = (found(plan_only).await, found(scanned(MockAzure::seed())).await);

    assert_eq!(plan_only.not_covered().count(), 1);
    assert!(matches!(all.source(SecretSource::ExposedSecrets), Some(SourceState::Answered(0))));
    assert_eq!((plan_only.is_clean(), all.is_clean()), (false, true));
}

#[tokio::test]
async fn a_resource_that_is_healthy_in_the_grouped_model_has_no_finding() {
    let key = AssessmentKey::MACHINE_SECRETS;
    let found = found(scanned(MockAzure::seed()).assessment(machine(), key.as_str(), "Healthy")).await;
    assert!(matches!(found.source(SecretSource::GroupedRecommendation), Some(SourceState::Answered(0))));
    assert!(found.is_clean());
}

#[tokio::test]
async fn a_source_that_fails_hides_no_other_and_is_not_clean() {
    let azure = scanned(secrets()).start().await;
    azure
        .inject(Fault::status(403).code("AuthorizationFailed").on("POST", "Microsoft.ResourceGraph").skip(2));

    let found = SecretFindingsClient::new(&arm(&azure)).find(&subscription()).await.unwrap();

    assert_eq!(found.findings.len(), 2);
    assert!(matches!(found.source(SecretSource::GroupedRecommendation), Some(SourceState::Failed(_))));

    let azure = scanned(MockAzure::seed()).start().await;
    azure
        .inject(Fault::status(403).code("AuthorizationFailed").on("POST", "Microsoft.ResourceGraph").skip(2));
    let nothing = SecretFindingsClient::new(&arm(&azure)).find(&subscription()).await.unwrap();
    assert!(nothing.findings.is_empty() && !nothing.is_clean());
}

#[tokio::test]
async fn a_scope_whose_every_source_fails_is_an_error() {
    let azure = scanned(secrets()).start().await;
    azure.inject(
        Fault::status(403).code("AuthorizationFailed").on("POST", "Microsoft.ResourceGraph").always(),
    );
    let error = SecretFindingsClient::new(&arm(&azure)).find(&subscription()).await.unwrap_err();
    assert!(error.to_string().contains("AuthorizationFailed"), "{error}");
}
