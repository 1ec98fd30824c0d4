//! Pricings.

use crate::{Contract, all, delete, get, one, put};
use defender_pricing::{Extension, ExtensionName, PlanName, PricingClient, PricingSpec, SubPlan, Tier};
use serde_json::json;

use super::common::{MACHINE, SUBSCRIPTION, resource, subscription};

const VERSION: &str = "2024-01-01";

pub(super) fn contracts() -> Vec<Contract> {
    let plans = format!("{SUBSCRIPTION}/providers/Microsoft.Security/pricings");
    vec![
        get("Pricings_List", &plans, VERSION)
            .answers("pricings/list.json")
            .pages()
            .model("Pricing")
            .call(|arm| all(PricingClient::new(&arm).list(subscription()))),
        get("Pricings_List", format!("{plans}?$filter=name+in+(KeyVaults,CloudPosture)"), VERSION)
            .variant("named")
            .answers("pricings/list.json")
            .pages()
            .call(|arm| {
                let plans = [PlanName::KeyVaults, PlanName::CloudPosture];
                all(PricingClient::new(&arm).list_named(subscription(), &plans))
            }),
        get("Pricings_Get", format!("{plans}/CloudPosture"), VERSION)
            .answers("pricings/get.json")
            .model("Pricing")
            .call(|arm| {
                one(async move { PricingClient::new(&arm).get(subscription(), &PlanName::CloudPosture).await })
            }),
        put("Pricings_Update", format!("{plans}/CloudPosture"), VERSION)
            .sends(json!({ "properties": {
                "pricingTier": "Standard",
                "subPlan": "P2",
                "enforce": "True",
                "extensions": [{ "name": "ApiPosture", "isEnabled": "True" }],
            }}))
            .answers("pricings/get.json")
            .model("Pricing")
            .call(|arm| one(async move {
                let spec = PricingSpec::builder()
                    .tier(Tier::Standard)
                    .sub_plan(SubPlan::P2)
                    .enforce(true)
                    .extensions([Extension::on(ExtensionName::ApiPosture)])
                    .build();
                PricingClient::new(&arm).update(subscription(), &PlanName::CloudPosture, &spec).await
            })),
        delete("Pricings_Delete", format!("{MACHINE}/providers/Microsoft.Security/pricings/VirtualMachines"), VERSION)
            .call(|arm| one(async move {
                PricingClient::new(&arm).delete(&resource(MACHINE), &PlanName::VirtualMachines).await
            })),
    ]
}
