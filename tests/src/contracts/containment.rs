//! What a containment asks besides roles and vaults: locks, and who may sign in.

use arm_core::ArmClient;
use resource_ops::{LockLevel, LockSpec, LocksClient, PrincipalId, SignInsClient};
use serde_json::json;

use super::common::{VAULT, resource};
use crate::{Contract, all, delete, get, one, patch, post, put};

const VERSION: &str = "2020-05-01";
const PRINCIPAL: &str = "00000000-0000-0000-0000-000000000003";

fn who() -> PrincipalId {
    PRINCIPAL.parse().unwrap()
}

fn sign_ins(arm: &ArmClient) -> SignInsClient {
    SignInsClient::new(arm)
}

pub(super) fn contracts() -> Vec<Contract> {
    [locks(), accounts()].concat()
}

fn locks() -> Vec<Contract> {
    let locks = format!("{VAULT}/providers/Microsoft.Authorization/locks");
    let the_one = format!("{locks}/investigation");
    vec![
        get("ManagementLocks_ListByScope", &locks, VERSION)
            .answers("locks/list.json")
            .pages()
            .model("Lock")
            .call(|arm| all(LocksClient::new(&arm).list(resource(VAULT)))),
        get("ManagementLocks_GetByScope", &the_one, VERSION).answers("locks/get.json").model("Lock").call(
            |arm| one(async move { LocksClient::new(&arm).get(resource(VAULT), "investigation").await }),
        ),
        put("ManagementLocks_CreateOrUpdateByScope", &the_one, VERSION)
            .sends(json!({ "properties": { "level": "CanNotDelete", "notes": "an investigation" } }))
            .answers("locks/get.json")
            .statuses(&[200, 201])
            .model("Lock")
            .call(|arm| {
                let notes = Some("an investigation".to_owned());
                let spec = LockSpec { level: LockLevel::CanNotDelete, notes };
                one(async move {
                    LocksClient::new(&arm).create_or_update(resource(VAULT), "investigation", &spec).await
                })
            }),
        delete("ManagementLocks_DeleteByScope", &the_one, VERSION).statuses(&[200, 204]).call(|arm| {
            one(async move { LocksClient::new(&arm).delete(resource(VAULT), "investigation").await })
        }),
    ]
}

fn accounts() -> Vec<Contract> {
    let graph = "https://graph.microsoft.com/v1.0";
    let user = format!("{graph}/users/{PRINCIPAL}");
    let application = format!("{graph}/servicePrincipals/{PRINCIPAL}");
    let of_user = "id,displayName,userPrincipalName,accountEnabled,signInSessionsValidFromDateTime";
    let of_application = "id,displayName,accountEnabled,servicePrincipalType,appOwnerOrganizationId";
    vec![
        get("Users_Get", format!("{user}?$select={of_user}"), "")
            .answers("sign_ins/user.json")
            .model("SignIn")
            .call(|arm| one(async move { sign_ins(&arm).user(who()).await })),
        get("ServicePrincipals_Get", format!("{application}?$select={of_application}"), "")
            .answers("sign_ins/application.json")
            .model("SignIn")
            .call(|arm| one(async move { sign_ins(&arm).application(who()).await })),
        patch("Users_Update", &user, "")
            .sends(json!({ "accountEnabled": false }))
            .statuses(&[204])
            .call(|arm| one(async move { sign_ins(&arm).set_user_enabled(who(), false).await })),
        patch("ServicePrincipals_Update", &application, "")
            .sends(json!({ "accountEnabled": true }))
            .statuses(&[204])
            .call(|arm| one(async move { sign_ins(&arm).set_application_enabled(who(), true).await })),
        post("Users_RevokeSignInSessions", format!("{user}/revokeSignInSessions"), "")
            .answers("sign_ins/revoked.json")
            .call(|arm| one(async move { sign_ins(&arm).revoke_sessions(who()).await })),
    ]
}
