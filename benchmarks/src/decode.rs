//! Measures the decoding of each model.

use std::{hint::black_box, path::Path};

use arm_core::ArmError;
use azure_core::http::{RawResponse, headers::Headers};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::{
    runs::{each, rounds},
    table::{Bench, Row, Section},
};

pub(crate) const BENCH: Bench = Bench { name: "decode", measure };
const ROUNDS: usize = 9;
const TIMES: u32 = 2000;

fn measure() -> Section {
    Section {
        title: "Decoding, model by model",
        about: "One response of each kind, from the fixtures of the contract tests, decoded from text. The floor is the same as a \
                `serde_json::Value`; the first column also gives the time that it takes just to find the end of the text."
            .to_owned(),
        rows: vec![
            error(),
            model::<defender_automation::Automation>("Automation", "automations/get.json", ""),
            model::<defender_automation::Validation>("Validation", "automations/invalid.json", ""),
            model::<defender_pricing::Pricing>("Pricing", "pricings/get.json", ""),
            model::<defender_alerts::Alert>("Alert", "alerts/get.json", ""),
            model::<defender_alerts::Assessment>("Assessment", "assessments/get.json", ""),
            model::<defender_alerts::AssessmentMetadata>("AssessmentMetadata", "assessment_metadata/get.json", ""),
            model::<defender_alerts::AttackPath>("AttackPath", "attack_paths/row.json", ""),
            model::<defender_alerts::SubAssessment>("SubAssessment", "sub_assessments/get.json", ""),
            model::<defender_alerts::SuppressionRule>("SuppressionRule", "suppression_rules/get.json", ""),
            model::<defender_alerts::SecurityContact>("SecurityContact", "security_contacts/get.json", "/properties"),
            model::<defender_alerts::SecureScore>("SecureScore", "secure_scores/get.json", ""),
            model::<defender_alerts::SecureScoreControl>("SecureScoreControl", "secure_scores/controls.json", "/value/0"),
            model::<defender_alerts::SecureScoreControlDefinition>("SecureScoreControlDefinition", "secure_scores/definitions.json", "/value/0"),
            model::<keyvault_ops::Vault>("Vault", "vaults/get.json", ""),
            model::<keyvault_ops::DeletedVault>("DeletedVault", "vaults/get_deleted.json", ""),
            model::<keyvault_ops::VaultResource>("VaultResource", "vaults/list_resources.json", "/value/0"),
            model::<keyvault_ops::NameAvailability>("NameAvailability", "vaults/name_taken.json", ""),
            model::<keyvault_ops::SecretBundle>("Secret", "secrets/get.json", ""),
            model::<keyvault_ops::SecretProperties>("SecretProperties", "secrets/list.json", "/value/0"),
            model::<keyvault_ops::DeletedSecret>("DeletedSecret", "secrets/get_deleted.json", ""),
            model::<monitor_ops::ActionGroup>("ActionGroup", "action_groups/get.json", ""),
            model::<monitor_ops::AlertRule>("AlertRule", "alert_rules/get.json", ""),
            model::<monitor_ops::DataConnector>("DataConnector", "data_connectors/get.json", ""),
            model::<monitor_ops::DiagnosticCategory>("DiagnosticCategory", "diagnostic_categories/get.json", ""),
            model::<monitor_ops::DiagnosticSetting>("DiagnosticSetting", "diagnostic_settings/get.json", ""),
            model::<monitor_ops::Incident>("Incident", "incidents/get.json", ""),
            model::<monitor_ops::IncidentAlert>("IncidentAlert", "incidents/alerts.json", "/value/0"),
            model::<monitor_ops::Metadata>("Metadata", "log_queries/metadata.json", ""),
            model::<monitor_ops::OnboardingState>("OnboardingState", "onboarding_states/get.json", ""),
            model::<monitor_ops::QueryResults>("QueryResults", "log_queries/results.json", ""),
            model::<monitor_ops::QueryRule>("ScheduledQueryRule", "query_rules/get.json", ""),
            model::<monitor_ops::TestNotificationResult>("TestNotificationResult", "action_groups/notification.json", ""),
            model::<monitor_ops::Workspace>("Workspace", "workspaces/get.json", ""),
            model::<resource_ops::ResourceGroup>("ResourceGroup", "resource_groups/get.json", ""),
            model::<resource_ops::QueryResponse>("GraphQueryResponse", "resource_graph/objects.json", ""),
            model::<resource_ops::InstanceView>("InstanceView", "virtual_machines/instance_view.json", ""),
            model::<resource_ops::Provider>("Provider", "providers/get.json", ""),
            model::<resource_ops::RoleAssignment>("RoleAssignment", "role_assignments/get.json", ""),
            model::<resource_ops::RoleDefinition>("RoleDefinition", "role_definitions/get.json", ""),
            model::<resource_ops::Subscription>("Subscription", "subscriptions/get.json", ""),
            model::<resource_ops::VirtualMachine>("VirtualMachine", "virtual_machines/get.json", ""),
            model::<resource_ops::VirtualMachineRunCommand>("VirtualMachineRunCommand", "run_commands/get.json", ""),
            model::<resource_ops::RunCommandResult>("RunCommandResult", "virtual_machines/run_command.json", ""),
        ],
    }
}

fn error() -> Row {
    let refusal = r#"{"error":{"code":"AuthorizationFailed","message":"The client may not do this."}}"#;
    let response = RawResponse::from_bytes(403.into(), Headers::new(), refusal);
    row("ArmError", refusal, |_| !ArmError::of(black_box(&response)).code.is_empty())
}

/// Measures one model with the JSON at a JSON pointer in a fixture.
fn model<T: DeserializeOwned>(name: &str, fixture: &str, place: &str) -> Row {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(fixture);
    let answer: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let answer = answer.pointer(place).unwrap().to_string();
    row(name, &answer, |text| arm_core::wire::from_str::<T>(text).is_ok())
}

fn row(name: &str, answer: &str, decodes: impl Fn(&str) -> bool) -> Row {
    let scan = || serde_json::from_str::<IgnoredAny>(black_box(answer)).is_ok();
    let value = || serde_json::from_str::<Value>(black_box(answer)).is_ok();
    let ours = || decodes(black_box(answer));
    let [[scan], [value], [ours]] =
        rounds(ROUNDS, [&|| [each(TIMES, scan)], &|| [each(TIMES, value)], &|| [each(TIMES, ours)]]);
    let what = format!("`{name}`, {} bytes, scanned in {:.2} µs", answer.len(), scan.median());
    Row::ratio(what, &value, &ours, "µs").at_most(1.5, "×")
}
