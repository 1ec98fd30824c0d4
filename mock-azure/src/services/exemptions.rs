//! The effects of exemptions on Defender's findings.

use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    policy_exemptions::{self, is_in_force},
    standard_assignments,
};
use crate::{
    http::timestamp,
    state::{World, tracked::is_in},
};

/// Documented: up to 24 hours. The double always takes all of them.
const UNTIL_SEEN: Duration = Duration::hours(24);

/// An exemption that Defender has applied to an assessment.
pub(crate) struct Seen {
    /// Whether the resource counts as healthy. Otherwise, it is not part of the secure score.
    pub(crate) is_mitigated: bool,
    /// When it was applied.
    pub(crate) since: String,
}

/// Finds the exemption of an assessment, given its key and the policy behind it, if any.
pub(crate) fn of(world: &World, resource: &str, key: &str, policy: Option<&str>) -> Option<Seen> {
    let resource = resource.to_ascii_lowercase();
    // The resource's scope and all its parents, each a prefix of the id.
    let scopes = resource.match_indices('/').skip(2).map(|(end, _)| &resource[..end]);
    let mut scopes = scopes.chain([resource.as_str()]);
    scopes.find_map(|scope| {
        let at = |kind: &str| format!("{scope}/providers/{kind}");
        let (standards, policies) = (at(standard_assignments::TYPE), at(policy_exemptions::TYPE));
        let mut standards = world.resources.below(&standards);
        let by_standard = standards.find_map(|found| by_standard(world, found, &resource, key));
        by_standard.or_else(|| {
            let mut exempt = world.resources.below(&policies);
            exempt.find_map(|found| by_policy(world, found, policy?))
        })
    })
}

fn by_standard(world: &World, found: &Value, resource: &str, key: &str) -> Option<Seen> {
    let properties = &found["properties"];
    let data = &properties["exemptionData"];
    let is_it = data["assignedAssessment"]["assessmentKey"].as_str()?.eq_ignore_ascii_case(key);
    let excluded = properties["excludedScopes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_excluded = excluded.map(str::to_ascii_lowercase).any(|scope| is_in(resource, &scope));
    if properties["effect"] != "Exempt" || !is_it || is_excluded {
        return None;
    }
    seen(world, found, &data["exemptionCategory"], &properties["metadata"]["createdOn"])
}

/// An exemption from an initiative has no effect here: the double does not know which reference stands for which
/// policy.
fn by_policy(world: &World, found: &Value, policy: &str) -> Option<Seen> {
    let properties = &found["properties"];
    let assignment = world.resources.get(properties["policyAssignmentId"].as_str()?)?;
    let is_it = assignment["properties"]["policyDefinitionId"].as_str()?.eq_ignore_ascii_case(policy);
    is_it
        .then(|| seen(world, found, &properties["exemptionCategory"], &found["systemData"]["createdAt"]))
        .flatten()
}

fn seen(world: &World, found: &Value, category: &Value, created: &Value) -> Option<Seen> {
    let since = OffsetDateTime::parse(created.as_str()?, &Rfc3339).ok()?.saturating_add(UNTIL_SEEN);
    let now = world.now();
    if since > now || !is_in_force(found, &timestamp::precise(now)) {
        return None;
    }
    let is_mitigated = category.as_str().is_some_and(|word| word.eq_ignore_ascii_case("Mitigated"));
    Some(Seen { is_mitigated, since: timestamp::precise(since) })
}
