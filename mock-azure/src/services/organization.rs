//! The tenant and its domains, in Graph.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    services::directory,
    state::{At, Surface, World},
};

pub(crate) const SURFACE: Surface = Surface { at: At::Graph, answer, ..Surface::EMPTY };

const DOMAIN: &str = "contoso.example";
const SERVICES: &[&str] = &["Email", "OfficeCommunicationsOnline"];

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if call.query("$select").is_some() {
        return None;
    }
    let path = call.path();
    let [version @ ("v1.0" | "beta"), kind @ ("organization" | "domains"), rest @ ..] = path.as_slice()
    else {
        return None;
    };
    if call.method != Method::Get || rest.len() > 1 {
        return None;
    }
    if let Some(refusal) = directory::forbidden(world) {
        return Some(refusal);
    }
    let one = if *kind == "organization" { organization(world) } else { domain() };
    let context = format!("https://{}/{version}/$metadata#{kind}", call.authority);
    Some(match rest {
        [] => Reply::ok(json!({ "@odata.context": context, "value": [one] })),
        [id] if one["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)) => {
            let mut shown = one;
            shown["@odata.context"] = json!(format!("{context}/$entity"));
            Reply::ok(shown)
        }
        [id, ..] => directory::not_found(id),
    })
}

/// Documented: the members, and that every tenant has an initial domain.
fn domain() -> Value {
    json!({
        "id": DOMAIN,
        "authenticationType": "Managed",
        "availabilityStatus": null,
        "isAdminManaged": true,
        "isDefault": true,
        "isInitial": true,
        "isRoot": true,
        "isVerified": true,
        "supportedServices": SERVICES,
        "passwordValidityPeriodInDays": 2_147_483_647,
        "passwordNotificationWindowInDays": 14,
        "state": null,
    })
}

fn organization(world: &World) -> Value {
    json!({
        "id": world.tenant,
        "displayName": "Contoso",
        "tenantType": "AAD",
        "countryLetterCode": "US",
        "createdDateTime": "2020-01-01T00:00:00Z",
        "defaultUsageLocation": null,
        "deletedDateTime": null,
        "onPremisesSyncEnabled": null,
        "securityComplianceNotificationMails": [],
        "securityComplianceNotificationPhones": [],
        "technicalNotificationMails": [],
        "assignedPlans": [],
        "provisionedPlans": [],
        "verifiedDomains": [{
            "capabilities": SERVICES.join(", "),
            "isDefault": true,
            "isInitial": true,
            "name": DOMAIN,
            "type": "Managed",
        }],
    })
}
