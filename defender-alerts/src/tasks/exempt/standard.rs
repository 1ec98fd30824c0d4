//! Exempts findings without a policy.

use arm_core::{Change, Mode, Scope, is_at_or_below, refuse};
use azure_core::{Result, time::OffsetDateTime};
use futures::TryStreamExt as _;

use super::{Exempt, Exemption, WISH, scope_of, title};
use crate::{
    Assessment, AssignmentEffect, ExemptionData, StandardAssignment, StandardAssignmentSpec,
    StandardAssignmentsClient,
};

impl Exempt {
    pub(super) async fn standard(&self, finding: &Assessment, mode: Mode) -> Result<Change<Exemption>> {
        let client = StandardAssignmentsClient::new(&self.arm);
        let (scope, name) = (self.finding.scope(), self.name(""));
        let before = client.get_opt(scope, name).await?;
        if let Some(found) = &before {
            let key = self.finding.key();
            let own = found.spec.exemption_data.as_ref().is_some_and(|data| data.is_about(key));
            if !own || found.spec.effect != AssignmentEffect::Exempt {
                return refuse(format!(
                    "{} is not an exemption of {}, so it is left unchanged",
                    found.id, self.finding
                ));
            }
            if self.holds(found) && self.says_it(&found.spec) {
                return Ok(Change::Unchanged(Exemption::Standard(found.clone())));
            }
        }
        // The assignments of a resource are listed at its subscription.
        let at = scope.subscription().map_or_else(|| scope.clone(), Scope::Subscription);
        let mut all = client.list(at);
        while let Some(other) = all.try_next().await? {
            if !other.name.eq_ignore_ascii_case(&name.to_string()) && self.holds(&other) {
                return Ok(Change::Unchanged(Exemption::Standard(other)));
            }
        }
        let spec = self.standard_spec(finding, before.as_ref());
        if mode.is_dry_run() {
            return Ok(changed(before, StandardAssignment::planned(scope, name, spec)));
        }
        client.create_or_update(scope, name, &spec).await?;
        let after = client.get(scope, name).await?;
        WISH.verify(format_args!("the exemption {}", after.id), &spec, &after.spec)?;
        if !self.holds(&after) {
            return refuse(format!(
                "the exemption {} exists, but does not exempt {}",
                after.id, self.finding
            ));
        }
        Ok(changed(before, after))
    }

    fn standard_spec(
        &self,
        finding: &Assessment,
        before: Option<&StandardAssignment>,
    ) -> StandardAssignmentSpec {
        let mut spec = before.map_or_else(
            || {
                StandardAssignmentSpec::builder()
                    .effect(AssignmentEffect::Exempt)
                    .display_name(title(finding))
                    .exemption_data(ExemptionData::new(self.reason.category.clone(), self.finding.key()))
                    .build()
            },
            |before| before.spec.clone(),
        );
        if let Some(data) = &mut spec.exemption_data {
            data.category = self.reason.category.clone();
        }
        spec.description = Some(self.reason.text());
        spec.expires_on = Some(self.until());
        spec.excluded_scopes.retain(|excluded| !is_at_or_below(&self.finding.scope().to_string(), excluded));
        spec
    }

    /// Whether an assignment exempts the finding now.
    fn holds(&self, found: &StandardAssignment) -> bool {
        let resource = self.finding.scope().to_string();
        let (spec, scope) = (&found.spec, scope_of(&found.id, "Microsoft.Security/standardAssignments"));
        spec.effect == AssignmentEffect::Exempt
            && spec.is_in_force(OffsetDateTime::now_utc())
            && spec.exemption_data.as_ref().is_some_and(|data| data.is_about(self.finding.key()))
            && scope.is_some_and(|scope| is_at_or_below(&resource, scope))
            && !spec.excluded_scopes.iter().any(|excluded| is_at_or_below(&resource, excluded))
    }

    fn says_it(&self, spec: &StandardAssignmentSpec) -> bool {
        spec.description.as_deref() == Some(self.reason.text().as_str())
            && spec.expires_on == Some(self.until())
            && spec.exemption_data.as_ref().is_some_and(|data| data.category == self.reason.category)
    }
}

fn changed(before: Option<StandardAssignment>, after: StandardAssignment) -> Change<Exemption> {
    let after = Exemption::Standard(after);
    match before {
        Some(before) => Change::Updated { before: Exemption::Standard(before), after },
        None => Change::Created(after),
    }
}
