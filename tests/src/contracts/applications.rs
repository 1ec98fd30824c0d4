//! Applications at Microsoft Graph.

use arm_core::ArmClient;
use keyvault_issuers::ApplicationsClient;
use serde_json::json;

use crate::{Contract, all, get, one, post};

const ID: &str = "00000000-0000-0000-0000-0000000000d1";
const KEY: &str = "00000000-0000-0000-0000-0000000000e1";

fn client(arm: &ArmClient) -> ApplicationsClient {
    ApplicationsClient::new(arm)
}

pub(super) fn contracts() -> Vec<Contract> {
    let graph = "https://graph.microsoft.com/v1.0";
    let application = format!("{graph}/applications/{ID}");
    vec![
        get("Applications_Get", &application, "")
            .answers("applications/get.json")
            .call(|arm| one(async move { client(&arm).get(ID).await })),
        post("Applications_AddPassword", format!("{application}/addPassword"), "")
            .sends(json!({
                "passwordCredential": { "displayName": "rotation r-1", "endDateTime": "2026-09-01T12:00:00Z" },
            }))
            .answers("applications/add_password.json")
            .call(|arm| {
                let until = time::macros::datetime!(2026-09-01 12:00 UTC);
                one(async move { client(&arm).add_password(ID, "rotation r-1", until).await })
            }),
        post("Applications_RemovePassword", format!("{application}/removePassword"), "")
            .sends(json!({ "keyId": KEY }))
            .statuses(&[204])
            .call(|arm| one(async move { client(&arm).remove_password(ID, KEY).await })),
        get("Policies_GetDefaultAppManagementPolicy", format!("{graph}/policies/defaultAppManagementPolicy"), "")
            .answers("applications/default_policy.json")
            .call(|arm| one(async move { client(&arm).default_policy().await })),
        get("Applications_ListAppManagementPolicies", format!("{application}/appManagementPolicies"), "")
            .answers("applications/policies.json")
            .pages()
            .call(|arm| all(client(&arm).policies(ID))),
    ]
}
