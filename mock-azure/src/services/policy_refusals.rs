//! Refusals by Azure Policy. Only one policy is enforced: "Not allowed resource types".

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    services::policy_assignments,
    state::{Seed, World},
};

/// Documented: the built-in policy that denies types of resources.
const DEFINITION: &str =
    "/providers/Microsoft.Authorization/policyDefinitions/6c112d4e-5bc7-47ae-a041-ea2d9dccd749";
const DISPLAY_NAME: &str = "Not allowed resource types";
const TYPES: &str = "listOfResourceTypesNotAllowed";

impl Seed {
    /// Forbids resources of this type, such as `Microsoft.KeyVault/vaults`, at a scope through Azure Policy: creating
    /// or changing one is refused with `RequestDisallowedByPolicy` until the policy assignment named `assignment` is
    /// deleted.
    ///
    /// A request can create the same assignment, with the built-in policy "Not allowed resource types".
    pub fn resource_type_not_allowed(self, scope: impl ToString, assignment: &str, kind: &str) -> Self {
        let scope = scope.to_string();
        let assigned = json!({
            "id": format!("{scope}/providers/{}/{assignment}", policy_assignments::TYPE),
            "name": assignment,
            "type": policy_assignments::TYPE,
            "properties": {
                "displayName": assignment,
                "policyDefinitionId": DEFINITION,
                "scope": scope,
                "parameters": { TYPES: { "value": [kind] } },
                "enforcementMode": "Default",
            },
        });
        self.step(move |world| world.resources.put(assigned))
    }
}

/// Documented: a policy with the effect `deny` refuses to create or change a forbidden resource, with 403 and the names
/// of the assignment and the definition.
pub(crate) fn refusal(world: &World, call: &Call, kind: &str) -> Option<Reply> {
    if !matches!(call.method, Method::Put | Method::Patch) || call.subscription().is_none() {
        return None;
    }
    let target = call.key();
    let assignment = world
        .resources
        .of_type(&call.id(2), policy_assignments::TYPE)
        .find(|assignment| denies(&assignment["properties"], &target, kind))?;
    Some(Reply::json(403, json!({ "error": disallowed(assignment, call, kind) })))
}

fn denies(policy: &Value, target: &str, kind: &str) -> bool {
    let covers = |scope: &Value| {
        let scope = scope.as_str().unwrap_or_default().to_ascii_lowercase();
        target.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is = |value: &Value, word: &str| value.as_str().is_none_or(|it| it.eq_ignore_ascii_case(word));
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    policy["policyDefinitionId"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(DEFINITION))
        && is(&policy["enforcementMode"], "Default")
        && is(&policy["parameters"]["effect"]["value"], "Deny")
        && covers(&policy["scope"])
        && !list(&policy["notScopes"]).iter().any(covers)
        && list(&policy["parameters"][TYPES]["value"])
            .iter()
            .any(|denied| denied.as_str().is_some_and(|it| it.eq_ignore_ascii_case(kind)))
}

/// Documented: the message contains the names as JSON, and `additionalInfo` repeats them.
fn disallowed(assignment: &Value, call: &Call, kind: &str) -> Value {
    let (name, policy) = (call.name(), &assignment["properties"]);
    let shown = if policy["displayName"].is_string() { &policy["displayName"] } else { &assignment["name"] };
    let identifiers = json!([{
        "policyAssignment": { "name": shown, "id": assignment["id"] },
        "policyDefinition": { "name": DISPLAY_NAME, "id": DEFINITION },
    }]);
    json!({
        "code": "RequestDisallowedByPolicy",
        "target": name,
        "message": format!("Resource '{name}' was disallowed by policy. Policy identifiers: '{identifiers}'."),
        "additionalInfo": [{
            "type": "PolicyViolation",
            "info": {
                "policyDefinitionDisplayName": DISPLAY_NAME,
                "evaluationDetails": { "evaluatedExpressions": [{
                    "result": "True",
                    "expressionKind": "Field",
                    "expression": "type",
                    "path": "type",
                    "expressionValue": kind,
                    "targetValue": policy["parameters"][TYPES]["value"],
                    "operator": "In",
                }] },
                "policyDefinitionId": DEFINITION,
                "policyDefinitionName": DEFINITION.rsplit('/').next(),
                "policyDefinitionEffect": "Deny",
                "policyAssignmentId": assignment["id"],
                "policyAssignmentName": assignment["name"],
                "policyAssignmentDisplayName": shown,
                "policyAssignmentScope": policy["scope"],
                "policyAssignmentParameters": policy["parameters"],
            },
        }],
    })
}
