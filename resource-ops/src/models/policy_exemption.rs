use arm_core::{
    open_enum,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use typed_builder::TypedBuilder;

open_enum! {
    /// The kind of reason for an exemption.
    pub enum ExemptionCategory {
        /// The risk is accepted.
        Waiver = "Waiver",
        /// The requirement is met in another way.
        Mitigated = "Mitigated",
    }
}

/// An exemption of a scope from a policy.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PolicyExemption {
    /// The id, which contains the scope and the name.
    #[serde(default, with = "wire::text")]
    pub id: String,
    /// The name.
    #[serde(default, with = "wire::text")]
    pub name: String,
    /// The settings. To change the exemption, modify a clone and write it: fields that this version does not model are
    /// kept.
    #[serde(rename = "properties")]
    pub spec: PolicyExemptionSpec,
}

/// The settings of a policy exemption.
///
/// ```
/// use resource_ops::{ExemptionCategory, PolicyExemptionSpec};
///
/// let assignment = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization\
///                   /policyAssignments/audit-vaults";
/// let spec = PolicyExemptionSpec::builder()
///     .policy_assignment_id(assignment)
///     .exemption_category(ExemptionCategory::Waiver)
///     .description("a vault for tests, which holds nothing")
///     .build();
/// # assert_eq!(serde_json::to_value(&spec).unwrap()["exemptionCategory"], "Waiver");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TypedBuilder)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct PolicyExemptionSpec {
    /// The id of the policy assignment from which the scope is exempt.
    #[builder(setter(into))]
    #[serde(default, with = "wire::text")]
    pub policy_assignment_id: String,
    /// The reference ids of the policies in an initiative from which the scope is exempt. **Default: all of them.**
    #[builder(default, setter(transform = |ids: impl IntoIterator<Item = impl Into<String>>| ids.into_iter().map(Into::into).collect()))]
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub policy_definition_reference_ids: Vec<String>,
    /// The kind of reason.
    #[serde(default = "no_category")]
    pub exemption_category: ExemptionCategory,
    /// When the exemption expires. Default: never.
    #[builder(default, setter(strip_option))]
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<OffsetDateTime>,
    /// The display name.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The reason, as free text.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[builder(default, setter(skip))]
    #[serde(flatten)]
    unknown: UnknownFields,
    #[builder(default, setter(skip))]
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(PolicyExemptionSpec);

fn no_category() -> ExemptionCategory {
    ExemptionCategory::Unknown(String::new())
}

impl PolicyExemptionSpec {
    /// Returns JSON pointers to the parts of the response that could not be read. These parts are written back
    /// unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }

    /// Whether the exemption is in force at this time.
    pub fn is_in_force(&self, at: OffsetDateTime) -> bool {
        self.expires_on.is_none_or(|end| at < end)
    }

    /// Whether selectors limit the exemption to some of the resources in its scope.
    pub fn has_selectors(&self) -> bool {
        let some = |found: &serde_json::Value| found.as_array().is_none_or(|selectors| !selectors.is_empty());
        self.unknown.get("resourceSelectors").is_some_and(|found| !found.is_null() && some(found))
    }
}

impl PolicyExemption {
    /// Returns the exemption that would result from creating it now.
    pub fn planned(scope: &arm_core::Scope, name: &str, spec: PolicyExemptionSpec) -> Self {
        let id = format!("{scope}/providers/Microsoft.Authorization/policyExemptions/{name}");
        Self { id, name: name.to_owned(), spec }
    }
}
