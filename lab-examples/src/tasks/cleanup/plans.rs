//! Determines which plans can be restored to their state before the lab.

use azure_core::Result;
use defender_pricing::{PlanName, Pricing, PricingClient, Tier};

use crate::Lab;

/// A plan to restore.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PutBack {
    pub(crate) name: PlanName,
    pub(crate) before: Pricing,
    pub(crate) after: Pricing,
}

/// Returns the plans to restore, and the state in which the others stay.
pub(crate) async fn read(lab: &Lab) -> Result<(Vec<PutBack>, Vec<[String; 2]>)> {
    let pricing = PricingClient::new(&lab.azure.arm);
    let (mut put_back, mut stays) = (Vec::new(), Vec::new());
    let noted = lab.state().plans.clone();
    for row in pricing.coverage(lab.subscription()).await? {
        let Some(known) = noted.get(row.plan.as_str()) else {
            if row.tier == Tier::Standard {
                stays.push([
                    format!("plan {}", row.plan),
                    "Standard, and billed; not turned on by the lab".to_owned(),
                ]);
            }
            continue;
        };
        let now = pricing.get(lab.subscription(), &row.plan).await?;
        if now.has_settings_of(&known.before) {
            if now.is_standard() {
                stays.push([
                    format!("plan {}", row.plan),
                    "Standard, and billed, as before the lab".to_owned(),
                ]);
            }
            continue;
        }
        let was = &known.before.tier;
        let how = match &known.after {
            Some(after) if !known.shared && now.has_settings_of(after) => {
                if lab.options.plans_off {
                    let (before, after) = (known.before.clone(), after.clone());
                    put_back.push(PutBack { name: row.plan, before, after });
                    continue;
                }
                format!("{}, and billed: --plans-off restores it to what it was, {was}", now.tier)
            }
            Some(_) => format!(
                "{}; it was {was} before the lab, and somebody else has changed it since: restore it yourself",
                now.tier
            ),
            None => format!(
                "{}; it was {was} before the lab, which stopped while writing it: restore it yourself",
                now.tier
            ),
        };
        stays.push([format!("plan {}", row.plan), how]);
    }
    Ok((put_back, stays))
}
