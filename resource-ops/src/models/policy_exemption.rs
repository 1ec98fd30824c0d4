use arm_core::{
    open_enum,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use typed_builder::TypedBuilder;

open_enum! {
    /// Why a resource is exempt.
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
    /// The id: the scope and the name.
    #[serde(default, with = "wire::text")]
    pub id: String,
    /// The name.
    #[serde(default, with = "wire::text")]
    pub name: String,
    /// The settings. To change the exemption, modify a clone and write that: fields that this version does not
    /// model are kept.
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
    /// The id of the policy assignment that does not apply.
    #[builder(setter(into))]
    #[serde(default, with = "wire::text")]
    pub policy_assignment_id: String,
    /// The policies of an initiative that do not apply, by their reference ids. **Default: all of them.**
    #[builder(default, setter(transform = |ids: impl IntoIterator<Item = impl Into<String>>| ids.into_iter().map(Into::into).collect()))]
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub policy_definition_reference_ids: Vec<String>,
    /// The category of the reason.
    #[serde(default = "no_category")]
    pub exemption_category: ExemptionCategory,
    /// When it expires. Default: never.
    #[builder(default, setter(strip_option))]
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<OffsetDateTime>,
    /// The display name.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The reason, for people.
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
    /// JSON pointers to the parts of the response that could not be read. They are written back unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }

    /// Whether it is in force at this time.
    pub fn is_in_force(&self, at: OffsetDateTime) -> bool {
        self.expires_on.is_none_or(|end| at < end)
    }

    /// Whether selectors limit it to some of the resources in its scope.
    pub fn has_selectors(&self) -> bool {
        let some = |found: &serde_json::Value| found.as_array().is_none_or(|selectors| !selectors.is_empty());
        self.unknown.get("resourceSelectors").is_some_and(|found| !found.is_null() && some(found))
    }
}

impl PolicyExemption {
    /// The exemption that would result from creating it now.
    pub fn planned(scope: &arm_core::Scope, name: &str, spec: PolicyExemptionSpec) -> Self {
        let id = format!("{scope}/providers/Microsoft.Authorization/policyExemptions/{name}");
        Self { id, name: name.to_owned(), spec }
    }
}
