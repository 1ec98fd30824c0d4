//! Exempts findings of a policy.

use arm_core::{Change, Mode, is_at_or_below, refuse};
use azure_core::{Result, time::OffsetDateTime};
use futures::TryStreamExt as _;
use resource_ops::{PolicyAssignmentsClient, PolicyExemption, PolicyExemptionSpec, PolicyExemptionsClient};

use super::{Exempt, Exemption, Judge, WISH, scope_of, title};
use crate::Assessment;

impl Exempt {
    /// Checks an assignment. Without a reference, an exemption from an initiative would apply to all of its policies.
    pub(super) async fn check_judge(&self, judge: &Judge, policy: &str) -> Result<()> {
        let found = PolicyAssignmentsClient::new(&self.arm).get(&judge.assignment).await?;
        let assigned = &found.properties.policy_definition_id;
        match &judge.reference {
            Some(reference) if reference.trim().is_empty() => {
                refuse("the reference of the policy in its initiative is empty")
            }
            Some(_) if !found.is_initiative() => {
                refuse(format!("{} assigns a policy, not an initiative: name it with `policy`", found.id))
            }
            None if found.is_initiative() => refuse(format!(
                "{} assigns an initiative: name the policy's reference too, with `initiative`",
                found.id
            )),
            None if !assigned.eq_ignore_ascii_case(policy) => {
                refuse(format!("{} assigns {assigned}, not {policy}", found.id))
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn by_policy(
        &self,
        finding: &Assessment,
        judge: &Judge,
        mode: Mode,
    ) -> Result<Change<Exemption>> {
        let client = PolicyExemptionsClient::new(&self.arm);
        let by = format!("{}|{}", judge.assignment, judge.reference.as_deref().unwrap_or_default());
        let (scope, name) = (self.finding.scope(), self.name(&by).to_string());
        let before = client.get_opt(scope, &name).await?;
        if let Some(found) = &before {
            if !is_about(&found.spec, judge) {
                return refuse(format!(
                    "{} is not an exemption of {}, so it is left unchanged",
                    found.id, self.finding
                ));
            }
            if self.covers(found, judge) && self.tells_it(&found.spec) {
                return Ok(Change::Unchanged(Exemption::Policy(found.clone())));
            }
        }
        let mut all = client.list(scope);
        while let Some(other) = all.try_next().await? {
            if !other.name.eq_ignore_ascii_case(&name) && self.covers(&other, judge) {
                return Ok(Change::Unchanged(Exemption::Policy(other)));
            }
        }
        let mut spec = before.as_ref().map_or_else(
            || {
                PolicyExemptionSpec::builder()
                    .policy_assignment_id(judge.assignment.as_str())
                    .policy_definition_reference_ids(judge.reference.clone())
                    .exemption_category(self.reason.category.clone())
                    .display_name(title(finding))
                    .build()
            },
            |before| before.spec.clone(),
        );
        spec.exemption_category = self.reason.category.clone();
        spec.description = Some(self.reason.text());
        spec.expires_on = Some(self.until());
        if mode.is_dry_run() {
            return Ok(changed(before, PolicyExemption::planned(scope, &name, spec)));
        }
        client.create_or_update(scope, &name, &spec).await?;
        let after = client.get(scope, &name).await?;
        WISH.verify(format_args!("the exemption {}", after.id), &spec, &after.spec)?;
        if !self.covers(&after, judge) {
            return refuse(format!(
                "the exemption {} exists, but does not exempt {}",
                after.id, self.finding
            ));
        }
        Ok(changed(before, after))
    }

    /// Whether an exemption exempts the finding from this assignment now.
    fn covers(&self, found: &PolicyExemption, judge: &Judge) -> bool {
        let scope = scope_of(&found.id, "Microsoft.Authorization/policyExemptions");
        is_about(&found.spec, judge)
            && found.spec.is_in_force(OffsetDateTime::now_utc())
            && !found.spec.has_selectors()
            && scope.is_some_and(|scope| is_at_or_below(&self.finding.scope().to_string(), scope))
    }

    fn tells_it(&self, spec: &PolicyExemptionSpec) -> bool {
        spec.description.as_deref() == Some(self.reason.text().as_str())
            && spec.expires_on == Some(self.until())
            && spec.exemption_category == self.reason.category
    }
}

fn is_about(spec: &PolicyExemptionSpec, judge: &Judge) -> bool {
    let references = &spec.policy_definition_reference_ids;
    let named = |wanted: &String| references.iter().any(|found| found.eq_ignore_ascii_case(wanted));
    spec.policy_assignment_id.eq_ignore_ascii_case(judge.assignment.as_str())
        && (references.is_empty() || judge.reference.as_ref().is_some_and(named))
}

fn changed(before: Option<PolicyExemption>, after: PolicyExemption) -> Change<Exemption> {
    let after = Exemption::Policy(after);
    match before {
        Some(before) => Change::Updated { before: Exemption::Policy(before), after },
        None => Change::Created(after),
    }
}
