use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure, Seed};
use serde_json::{Value, json};

use crate::caller::{Caller, MACHINE, VAULT};

const TITLE: &str = "Internet exposed VM can read secrets of a key vault";

async fn rows(caller: &Caller, query: &str) -> Vec<Value> {
    let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
    let answer = caller.send("POST", path, Some(json!({ "query": query }))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["data"].as_array().unwrap().clone()
}

fn with_cspm(seed: Seed) -> Seed {
    let seed = seed.plan(DEFAULT_SUBSCRIPTION, "CloudPosture", "Standard");
    seed.plan_extension(DEFAULT_SUBSCRIPTION, "CloudPosture", "AgentlessVmScanning", true)
}

#[tokio::test]
async fn attack_paths_are_rows_in_the_shape_of_the_tenant_while_defender_cspm_is_on() {
    let query = "securityresources | where type =~ 'microsoft.security/attackpaths'";
    let seed = || MockAzure::seed().attack_path(MACHINE, VAULT, TITLE);

    let off = Caller::new(seed().start().await).await;
    let documented = Caller::new(with_cspm(seed()).start().await).await;
    let exposure = Caller::new(with_cspm(seed()).exposure_management().start().await).await;

    assert_eq!(rows(&off, query).await, Vec::<Value>::new());
    let (old, new) = (rows(&documented, query).await, rows(&exposure, query).await);
    assert_eq!((old.len(), new.len()), (1, 1));
    let (old, new) = (&old[0]["properties"], &new[0]["properties"]);
    assert!(old["potentialImpact"].is_string() && old["entryPointEntityInternalID"].is_string());
    assert!(old["riskLevel"].is_null() && old["entryPoint"].is_null());
    assert!(new["riskLevel"].is_string() && new["potentialImpact"].is_null());
    assert_eq!(new["target"]["entityIdentifiers"]["azureResourceId"], VAULT);
    assert_eq!(old["graphComponent"], new["graphComponent"]);
}

#[tokio::test]
async fn findings_and_grouped_assessments_are_rows_with_their_metadata() {
    let seed = MockAzure::seed().exposed_secret(MACHINE, "password").grouped_secret_assessment(MACHINE);
    let caller = Caller::new(with_cspm(seed).start().await).await;

    let by_category = "securityresources | where type =~ 'microsoft.security/assessments' \
                       | where properties.metadata.recommendationCategory =~ 'ExposedSecrets'";
    let by_key = "securityresources | where type =~ 'microsoft.security/assessments' \
                  | where name =~ '17618b1a-ed14-49bb-b37f-9f8ba967be8b'";
    let (found, grouped) = (rows(&caller, by_category).await, rows(&caller, by_key).await);

    assert_eq!((found.len(), grouped.len()), (1, 1));
    assert_eq!(found[0]["properties"]["metadata"]["severity"], "Medium");
    assert!(found[0]["properties"]["status"]["severity"].is_null());
    assert_eq!(grouped[0]["properties"]["status"]["severity"], "High");
}

#[tokio::test]
async fn alerts_and_served_sub_assessments_are_rows() {
    let seed = MockAzure::seed().key_vault_alerts(VAULT).vulnerability(MACHINE, "CVE-2026-0001");
    let caller = Caller::new(seed.sub_assessments_served().start().await).await;

    let alerts = "securityresources | where type =~ 'microsoft.security/locations/alerts' \
                  | where properties.AlertType startswith 'KV_' and properties.Status == 'Active' \
                  | where tostring(properties.ResourceIdentifiers) contains '/vaults/kv-prod'";
    let findings = "securityresources | where type =~ 'microsoft.security/assessments/subassessments'";

    assert_eq!(rows(&caller, alerts).await.len(), 14);
    assert_eq!(rows(&caller, findings).await.len(), 1);
}
