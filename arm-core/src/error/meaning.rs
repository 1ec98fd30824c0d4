//! What an error means, as decided by the service's codes and rarely by the status alone.

use serde_json::Value;

use super::{ArmError, arm_error::folded};

/// Prefixes, folded, of codes that end in `NotFound` but do not refer to the requested resource.
const OF_SOMETHING_ELSE: &[&str] = &[
    "subscription",
    "tenant",
    "directory",
    "provider",
    "resourceprovider",
    "resourcetype",
    "parentresource",
    "apiversion",
    "operation",
    "endpoint",
    "host",
    "linked",
];

/// The codes of temporary conflicts.
const PASSING: &[&str] = &[
    "AnotherOperationInProgress",
    "OperationInProgress",
    "ConcurrentOperation",
    "ConcurrentUpdateError",
    "ConcurrentModification",
    "ConflictingConcurrentWriteNotAllowed",
    "ConflictingOperationInProgress",
    "ExclusiveOperationInProgress",
    "RetryableError",
    "ResourceGroupBeingDeleted",
    "ResourceBeingDeleted",
    "ObjectIsBeingDeleted",
    "ObjectIsBeingPurged",
    "ObjectIsBeingRecovered",
];

/// Phrases in the messages of temporary conflicts that have no specific code.
const PASSING_WORDS: &[&str] =
    &["in progress", "is currently being", "try again later", "retry in", "retry later", "retry after"];

/// The codes of errors that a role resolves.
const ROLE_MISSING: &[&str] =
    &["AuthorizationFailed", "Authorization_RequestDenied", "InsufficientPermissions", "ForbiddenByRbac"];

/// The codes of a provider that is not registered for the subscription.
const UNREGISTERED: &[&str] = &["SubscriptionNotRegistered", "MissingSubscriptionRegistration"];

/// A refusal by Azure Policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyRefusal {
    /// The policies that refused the request, each by the display name of its assignment or, if the service does not
    /// give that, by another name; empty if the service names none.
    pub policies: Vec<String>,
}

impl ArmError {
    /// See [`ArmErrorExt::is_resource_not_found`](super::ArmErrorExt::is_resource_not_found).
    pub fn is_resource_not_found(&self) -> bool {
        let code = folded(&self.code);
        let absent = ["notfound", "doesnotexist", "notexist"].iter().any(|end| code.ends_with(end));
        let nothing_said = code.is_empty() && self.message.is_empty();
        self.status == 404
            && (absent || nothing_said)
            && !OF_SOMETHING_ELSE.iter().any(|of| code.starts_with(of))
    }

    /// See [`ArmErrorExt::is_in_progress`](super::ArmErrorExt::is_in_progress).
    pub fn is_in_progress(&self) -> bool {
        let message = self.message.to_lowercase();
        let says_so = || {
            matches!(folded(&self.code).as_str(), "conflict" | "operationnotallowed" | "")
                && PASSING_WORDS.iter().any(|words| message.contains(words))
        };
        self.status == 409 && !self.has_code("ScopeLocked") && (self.has_one_of(PASSING) || says_so())
    }

    /// See [`ArmErrorExt::is_precondition_failed`](super::ArmErrorExt::is_precondition_failed).
    pub fn is_precondition_failed(&self) -> bool {
        // In HTTP, 412 has no other meaning, and some services send it without a code.
        self.status == 412 || (self.status == 409 && self.message.contains("Etag does not match"))
    }

    /// See [`ArmErrorExt::is_role_missing`](super::ArmErrorExt::is_role_missing).
    pub fn is_role_missing(&self) -> bool {
        self.has_one_of(ROLE_MISSING) && self.policy_refusal().is_none()
    }

    /// See [`ArmErrorExt::is_registration_missing`](super::ArmErrorExt::is_registration_missing).
    pub fn is_registration_missing(&self) -> bool {
        self.has_one_of(UNREGISTERED)
    }

    /// See [`ArmErrorExt::policy_refusal`](super::ArmErrorExt::policy_refusal).
    pub fn policy_refusal(&self) -> Option<PolicyRefusal> {
        self.has_code("RequestDisallowedByPolicy").then(|| {
            let mut policies: Vec<String> =
                self.additional_info.iter().filter_map(|info| policy_in(&info["info"])).collect();
            if policies.is_empty() {
                policies = policies_in_message(&self.message);
            }
            policies.dedup();
            PolicyRefusal { policies }
        })
    }

    fn has_one_of(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.has_code(code))
    }
}

fn policy_in(info: &Value) -> Option<String> {
    let names = [
        "policyAssignmentDisplayName",
        "policyDefinitionDisplayName",
        "policyAssignmentName",
        "policyDefinitionName",
    ];
    names.iter().find_map(|name| info[*name].as_str().filter(|name| !name.is_empty())).map(str::to_owned)
}

/// Returns the names in `Policy identifiers: '[{"policyAssignment":{"name":"..","id":".."},..}]'`.
fn policies_in_message(message: &str) -> Vec<String> {
    let list = message.split_once("identifiers: '").and_then(|(_, behind)| behind.split_once("'."));
    let list = list.map(|(list, _)| list).or_else(|| {
        message.split_once("identifiers: '").map(|(_, behind)| behind.trim_end_matches(['\'', '.']))
    });
    let read: Vec<Value> = list.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    read.iter().filter_map(|it| it["policyAssignment"]["name"].as_str()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use azure_core::{
        base64,
        http::{RawResponse, headers::Headers},
    };

    use super::*;
    use crate::ArmErrorExt as _;

    fn error(status: u16, code: &str, message: &str) -> azure_core::Error {
        let body = serde_json::json!({ "error": { "code": code, "message": message } });
        refusal(status, &body)
    }

    fn refusal(status: u16, body: &Value) -> azure_core::Error {
        super::super::of_response(RawResponse::from_bytes(status.into(), Headers::new(), body.to_string()))
    }

    #[test]
    fn a_resource_is_absent_only_when_its_own_404_says_so() {
        for code in [
            "ResourceNotFound",
            "NotFound",
            "resource not found",
            "SecretNotFound",
            "RoleDefinitionDoesNotExist",
        ] {
            assert!(error(404, code, "m").is_resource_not_found(), "{code}");
            assert!(!error(400, code, "m").is_resource_not_found(), "{code}");
        }
        let bare = serde_json::json!({ "HttpStatusCode": 404, "ErrorCode": "Not Found", "Message": "m" });
        assert!(refusal(404, &bare).is_resource_not_found());
        assert!(error(404, "ResourceGroupNotFound", "m").is_resource_not_found(), "nothing in it exists");
        for code in [
            "Subscription Not Registered",
            "SubscriptionNotFound",
            "InvalidResourceNamespace",
            "InvalidResourceType",
            "ParentResourceNotFound",
            "MissingSubscription",
            "",
        ] {
            assert!(!error(404, code, "m").is_resource_not_found(), "{code}");
        }
        let text = |text: &'static str| {
            super::super::of_response(RawResponse::from_bytes(404.into(), Headers::new(), text))
        };
        assert!(text("").is_resource_not_found());
        assert!(!text("<html>not here</html>").is_resource_not_found(), "a proxy's page");
    }

    #[test]
    fn only_a_conflict_that_passes_by_itself_is_in_progress() {
        let passing = "Another update operation is in progress. Please retry in a few minutes.";
        assert!(error(409, "Conflict", passing).is_in_progress());
        assert!(error(409, "AnotherOperationInProgress", "m").is_in_progress());
        assert!(!error(400, "AnotherOperationInProgress", "m").is_in_progress());
        for (code, message) in [
            (
                "Conflict",
                "The plan is enforced by the subscription and cannot be changed on a single resource.",
            ),
            ("ScopeLocked", "The scope is locked; remove the lock and try again later."),
            ("RoleAssignmentExists", "The role assignment already exists. Retry later."),
            ("VaultAlreadyExists", "The vault name is in use."),
            ("MissingSubscriptionRegistration", "not registered"),
            ("RequestDisallowedByPolicy", "Disallowed by policy while another operation is in progress"),
        ] {
            assert!(!error(409, code, message).is_in_progress(), "{code}");
        }
    }

    #[test]
    fn a_change_since_the_read_is_distinguished_from_other_conflicts() {
        let of_sentinel =
            "Newer instance of 'r' exists for workspace 'w' (Etag does not match). Data was not saved.";
        assert!(error(412, "", "").is_precondition_failed());
        assert!(error(409, "Conflict", of_sentinel).is_precondition_failed());
        assert!(!error(409, "Conflict", "The name is taken.").is_precondition_failed());
        assert!(!error(400, "Conflict", of_sentinel).is_precondition_failed());
    }

    #[test]
    fn refusals_are_distinguished_by_meaning() {
        assert!(error(403, "AuthorizationFailed", "m").is_role_missing());
        for code in ["RequestDisallowedByPolicy", "LinkedAuthorizationFailed", "ForbiddenByFirewall", ""] {
            assert!(!error(403, code, "m").is_role_missing(), "{code}");
        }
        assert!(error(403, "LinkedAuthorizationFailed", "m").is_linked_authorization_failed());
        assert!(error(409, "ScopeLocked", "m").is_scope_locked());
        assert!(error(404, "Subscription Not Registered", "m").is_registration_missing());
        assert!(error(409, "MissingSubscriptionRegistration", "m").is_registration_missing());
    }

    #[test]
    fn a_policy_that_refuses_is_named_wherever_its_name_stands() {
        let info = serde_json::json!({ "error": { "code": "RequestDisallowedByPolicy", "message": "Disallowed.",
            "additionalInfo": [{ "type": "PolicyViolation", "info": {
                "policyDefinitionName": "6a0f", "policyAssignmentDisplayName": "Allowed locations" } }] } });
        let error = refusal(403, &info);
        assert_eq!(error.policy_refusal().unwrap().policies, ["Allowed locations"]);
        assert!(error.to_string().contains("by policy 'Allowed locations'"), "{error}");
        let message = "Resource 'kv' was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":\
            {\"name\":\"No vaults\",\"id\":\"/x\"},\"policyDefinition\":{\"name\":\"d\",\"id\":\"/y\"}}]'.";
        let error = super::tests::error(403, "RequestDisallowedByPolicy", message);
        assert_eq!(error.policy_refusal().unwrap().policies, ["No vaults"]);
        let unnamed = super::tests::error(403, "RequestDisallowedByPolicy", "Disallowed.");
        assert_eq!(unnamed.policy_refusal().unwrap().policies, Vec::<String>::new());
        assert_eq!(super::tests::error(403, "Forbidden", "Disallowed.").policy_refusal(), None);
    }

    #[test]
    fn a_claims_challenge_says_to_sign_in_again_and_what_was_asked_for() {
        let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
        let encoded = base64::encode(claims);
        let mut headers = Headers::new();
        headers.insert(
            "www-authenticate",
            format!("Bearer realm=\"\", error=\"insufficient_claims\", claims=\"{encoded}\""),
        );
        let error = super::super::of_response(RawResponse::from_bytes(401.into(), headers, "{}"));
        let challenge = error.claims_challenge().unwrap();
        assert_eq!((challenge.claims.as_str(), challenge.encoded), (claims, encoded));
        assert!(
            error.to_string().contains("sign in again: the service requires more claims: {\"access_token\""),
            "{error}"
        );
        assert_eq!(super::tests::error(401, "InvalidAuthenticationToken", "m").claims_challenge(), None);
    }
}
