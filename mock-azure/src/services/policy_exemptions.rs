//! Policy exemptions: scopes that a policy does not evaluate, and why. `exemptions` has their effects on Defender's
//! findings.

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::policy_assignments;
use crate::{
    http::{Call, Reply, filter::quoted, paging, timestamp},
    state::{
        Accepts, Place, Surface, Tracked, World, system_data,
        tracked::{is_in, scope_of},
    },
};

pub(crate) const TYPE: &str = "Microsoft.Authorization/policyExemptions";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, &["2020-07-01-preview", "2022-07-01-preview"])],
    options: &[("$filter", Accepts::Read)],
    answer: |world, call| EXEMPTIONS.answer(world, call),
    ..Surface::EMPTY
};

const EXEMPTIONS: Tracked = Tracked {
    kind: TYPE,
    place: Place::Resource,
    list,
    put,
    missing: |_, call| {
        let name = call.name();
        let message = format!("The policy exemption '{name}' is not found.");
        Reply::arm_error(404, "PolicyExemptionNotFound", message)
    },
    ..Tracked::ROW
};

/// Documented: a list contains the exemptions at the scope, above it and below it, unless the filter says otherwise.
fn list(row: &Tracked, world: &World, call: &Call, at: usize) -> Reply {
    const FILTERS: [&str; 4] =
        ["atScope()", "atExactScope()", "excludeExpired()", "policyAssignmentId eq '{id}'"];
    let (scope, filter) = (call.id(at).to_ascii_lowercase(), call.query("$filter").unwrap_or_default());
    let of_assignment = filter.strip_prefix("policyAssignmentId eq ").and_then(quoted);
    if !filter.is_empty() && !FILTERS[..3].contains(&filter) && of_assignment.is_none() {
        return Reply::unknown("$filter", filter, &FILTERS);
    }
    let now = timestamp::precise(world.now());
    let owner = call.id(at.min(2));
    let all = world.resources.of_type(&owner, row.kind).filter(|one| {
        let Some(own) = scope_of(one) else { return false };
        let (above, below) = (is_in(&scope, &own), is_in(&own, &scope));
        let of = one["properties"]["policyAssignmentId"].as_str().unwrap_or_default();
        match filter {
            "atScope()" => above,
            "atExactScope()" => above && below,
            "excludeExpired()" => (above || below) && is_in_force(one, &now),
            _ => {
                let wanted = of_assignment.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(of));
                (above || below) && wanted
            }
        }
    });
    paging::page(&world.paging, call, 100, all)
}

fn put(world: &mut World, call: &Call) -> Reply {
    let properties = &call.json()["properties"];
    let assignment = properties["policyAssignmentId"].as_str().unwrap_or_default();
    // Documented: both members are required, and these are the categories.
    let category = properties["exemptionCategory"].as_str().unwrap_or_default();
    if assignment.is_empty() || !["Waiver", "Mitigated"].contains(&category) {
        return Reply::bad_request(
            "A policy exemption needs a 'policyAssignmentId' and an 'exemptionCategory': Waiver or Mitigated.",
        );
    }
    let Some(assigned) =
        world.resources.get(assignment).filter(|found| is_assignment(found)).and_then(scope_of)
    else {
        return Reply::not_implemented(format!(
            "the response to an exemption from an assignment that does not exist: '{assignment}'"
        ));
    };
    // Documented: the exemption must be at or below the scope of the assignment, unless validation is turned off.
    let scope = call.id(call.len() - 4).to_ascii_lowercase();
    if properties["assignmentScopeValidation"] != "DoNotValidate" && !is_in(&scope, &assigned) {
        return Reply::bad_request(format!(
            "The policy exemption's scope '{scope}' is not at or under the scope of its assignment, '{assigned}'."
        ));
    }
    let before = world.resources.get(&call.id(call.len()));
    let body = json!({ "properties": properties, "systemData": system_data(world, call, before) });
    EXEMPTIONS.store(world, call, body)
}

fn is_assignment(found: &Value) -> bool {
    found["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(policy_assignments::TYPE))
}

/// Whether it has not expired.
pub(crate) fn is_in_force(found: &Value, now: &str) -> bool {
    let end = found["properties"]["expiresOn"].as_str();
    let end = end.and_then(|end| OffsetDateTime::parse(end, &Rfc3339).ok());
    end.is_none_or(|end| timestamp::precise(end).as_str() > now)
}
