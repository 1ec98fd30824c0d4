use std::time::Duration;

use arm_core::{
    ResourceId,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::Value;
use time::OffsetDateTime;
use typed_builder::TypedBuilder;

use crate::{CoverageStatus, Extension, ExtensionName, PlanName, SubPlan, Tier};

/// A Defender plan of a subscription or resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
#[non_exhaustive]
pub struct Pricing {
    /// The id, such as `/subscriptions/{guid}/providers/Microsoft.Security/pricings/{plan}`.
    pub id: ResourceId,
    /// The name of the plan.
    pub name: PlanName,
    /// The tier, which tells whether the plan is on.
    pub tier: Tier,
    /// The sub-plan; `None` if the plan has none, or was turned on without one.
    pub sub_plan: Option<SubPlan>,
    /// The remaining time of the free trial; zero once it is used up.
    pub free_trial_remaining: Option<Duration>,
    /// When the plan was last set to Standard.
    pub enabled_at: Option<OffsetDateTime>,
    /// Whether individual resources are prevented from overriding the plan. Subscriptions only.
    pub enforce: Option<bool>,
    /// Whether the plan is inherited from a higher scope. Individual resources only.
    pub inherited: Option<bool>,
    /// The scope from which the plan is inherited.
    pub inherited_from: Option<String>,
    /// How much of the subscription is covered. Subscriptions only.
    pub coverage: Option<CoverageStatus>,
    /// The extensions of the plan.
    pub extensions: Vec<Extension>,
    /// Whether the plan is deprecated: it can be kept, but no longer turned on.
    pub deprecated: bool,
    /// The plans that replace this one.
    pub replaced_by: Vec<PlanName>,
    /// The manager of the plan, if it is not the subscription itself. Documented only for api-versions newer than
    /// [`API_VERSION`](crate::API_VERSION).
    pub managed_by: Option<String>,
    /// The origin of the plan, such as `M365`. Documented only for api-versions newer than
    /// [`API_VERSION`](crate::API_VERSION).
    pub originated_from: Option<String>,
    /// The security operator that acts for the plan. Documented only for api-versions newer than
    /// [`API_VERSION`](crate::API_VERSION).
    pub security_operator_resource_id: Option<String>,
    kind: String,
    unknown: UnknownFields,
    unknown_properties: UnknownFields,
    as_sent: AsSent,
}

impl Pricing {
    /// Whether the plan is on.
    pub fn is_standard(&self) -> bool {
        self.tier == Tier::Standard
    }

    /// Returns JSON pointers to the parts of the response that could not be read. These parts are written back
    /// unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }

    /// Returns the external manager of the plan, such as a Microsoft 365 license of the tenant, which may undo a change
    /// made here. `None` if the plan is managed in Defender for Cloud, or if the service does not say.
    pub fn managed_elsewhere(&self) -> Option<&str> {
        let named = [&self.managed_by, &self.originated_from].into_iter().flatten();
        let own = ["", "None", "Self", "Subscription", "User", "Azure", "MDC", "DefenderForCloud"];
        named.map(String::as_str).find(|name| !own.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }

    /// Returns the extension with this name; `None` if the plan does not have it.
    pub fn extension(&self, name: &ExtensionName) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.name == *name)
    }

    /// Whether an extension is on, and its last change has not failed.
    pub fn has(&self, name: &ExtensionName) -> bool {
        self.extension(name).is_some_and(|extension| extension.is_enabled && !extension.has_failed())
    }
}

/// A plan to write: the body of a PUT.
///
/// A spec created from a [`Pricing`] keeps members that this crate does not model.
#[derive(Debug, Clone, PartialEq, TypedBuilder)]
pub struct PricingSpec {
    /// The tier, which tells whether the plan is on.
    pub tier: Tier,
    /// The sub-plan. `None` leaves the choice to the service.
    #[builder(default, setter(into, strip_option))]
    pub sub_plan: Option<SubPlan>,
    /// Whether individual resources are prevented from overriding the plan. Subscriptions only.
    #[builder(default, setter(strip_option))]
    pub enforce: Option<bool>,
    /// All extensions, which replace the existing list. `None` leaves the choice to the service. The Free tier has
    /// none.
    #[builder(default, setter(into, strip_option))]
    pub extensions: Option<Vec<Extension>>,
    #[builder(default, setter(skip))]
    unknown: UnknownFields,
    #[builder(default, setter(skip))]
    as_sent: AsSent,
}

impl PricingSpec {
    /// Removes the list of extensions, which leaves the choice to the service.
    pub fn without_extensions(mut self) -> Self {
        self.extensions = None;
        self
    }
}

impl From<&Pricing> for PricingSpec {
    fn from(pricing: &Pricing) -> Self {
        Self {
            tier: pricing.tier.clone(),
            sub_plan: pricing.sub_plan.clone(),
            enforce: pricing.enforce,
            extensions: Some(pricing.extensions.clone()).filter(|list| !list.is_empty()),
            unknown: pricing.unknown_properties.clone(),
            as_sent: pricing.as_sent.clone(),
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
struct Wire {
    id: ResourceId,
    name: PlanName,
    #[serde(rename = "type", default)]
    kind: String,
    properties: Properties,
    #[serde(flatten)]
    unknown: UnknownFields,
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(Wire);

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    pricing_tier: Tier,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub_plan: Option<SubPlan>,
    #[serde(default, with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
    free_trial_remaining_time: Option<Duration>,
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    enablement_time: Option<OffsetDateTime>,
    #[serde(default, with = "wire::bool_text::option", skip_serializing_if = "Option::is_none")]
    enforce: Option<bool>,
    #[serde(default, with = "wire::bool_text::option", skip_serializing_if = "Option::is_none")]
    inherited: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inherited_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resources_coverage_status: Option<CoverageStatus>,
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "Vec::is_empty")]
    extensions: Vec<Extension>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    deprecated: bool,
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "Vec::is_empty")]
    replaced_by: Vec<PlanName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    managed_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    originated_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    security_operator_resource_id: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl From<Wire> for Pricing {
    fn from(wire: Wire) -> Self {
        let Wire { id, name, kind, properties, unknown, as_sent } = wire;
        Self {
            id,
            name,
            tier: properties.pricing_tier,
            sub_plan: properties.sub_plan,
            free_trial_remaining: properties.free_trial_remaining_time,
            enabled_at: properties.enablement_time,
            enforce: properties.enforce,
            inherited: properties.inherited,
            inherited_from: properties.inherited_from,
            coverage: properties.resources_coverage_status,
            extensions: properties.extensions,
            deprecated: properties.deprecated,
            replaced_by: properties.replaced_by,
            managed_by: properties.managed_by,
            originated_from: properties.originated_from,
            security_operator_resource_id: properties.security_operator_resource_id,
            kind,
            unknown,
            unknown_properties: properties.unknown,
            as_sent,
        }
    }
}

impl From<Pricing> for Wire {
    fn from(pricing: Pricing) -> Self {
        Self {
            id: pricing.id,
            name: pricing.name,
            kind: pricing.kind,
            properties: Properties {
                pricing_tier: pricing.tier,
                sub_plan: pricing.sub_plan,
                free_trial_remaining_time: pricing.free_trial_remaining,
                enablement_time: pricing.enabled_at,
                enforce: pricing.enforce,
                inherited: pricing.inherited,
                inherited_from: pricing.inherited_from,
                resources_coverage_status: pricing.coverage,
                extensions: pricing.extensions,
                deprecated: pricing.deprecated,
                replaced_by: pricing.replaced_by,
                managed_by: pricing.managed_by,
                originated_from: pricing.originated_from,
                security_operator_resource_id: pricing.security_operator_resource_id,
                unknown: pricing.unknown_properties,
            },
            unknown: pricing.unknown,
            as_sent: pricing.as_sent,
        }
    }
}

#[derive(Serialize)]
struct SpecWire {
    properties: SpecProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpecProperties {
    pricing_tier: Tier,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_plan: Option<SubPlan>,
    #[serde(with = "wire::bool_text::option", skip_serializing_if = "Option::is_none")]
    enforce: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Vec<Extension>>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl Serialize for PricingSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = |spec: &Self| serde_json::to_value(SpecWire::from(spec.clone()));
        let before = |wire: Wire| body(&Self::from(&Pricing::from(wire)));
        let over = |now| self.as_sent.over(now, before, never_sent);
        body(self).and_then(over).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// Removes the members that a PUT must not contain: those that the service sets, and the settings of extensions that
/// are off.
fn never_sent(plan: &mut Value) {
    if let Some(plan) = plan.as_object_mut() {
        plan.retain(|name, _| name.eq_ignore_ascii_case("properties"));
    }
    let Some(properties) = plan.get_mut("properties").and_then(Value::as_object_mut) else { return };
    properties.retain(|name, _| !OF_THE_SERVICE.iter().any(|it| it.eq_ignore_ascii_case(name)));
    let extensions = properties.get_mut("extensions").and_then(Value::as_array_mut);
    for extension in extensions.into_iter().flatten().filter_map(Value::as_object_mut) {
        extension.remove("operationStatus");
        let on = extension.get("isEnabled").is_some_and(|on| match on {
            Value::String(text) => text.eq_ignore_ascii_case("true"),
            on => *on == Value::Bool(true),
        });
        if !on {
            extension.remove("additionalExtensionProperties");
        }
    }
}

const OF_THE_SERVICE: &[&str] = &[
    "deprecated",
    "enablementTime",
    "freeTrialRemainingTime",
    "inherited",
    "inheritedFrom",
    "managedBy",
    "originatedFrom",
    "replacedBy",
    "resourcesCoverageStatus",
    "securityOperatorResourceId",
];

impl From<PricingSpec> for SpecWire {
    fn from(spec: PricingSpec) -> Self {
        let extensions = spec.extensions.map(|list| list.iter().map(Extension::for_writing).collect());
        let PricingSpec { tier, sub_plan, enforce, unknown, .. } = spec;
        Self { properties: SpecProperties { pricing_tier: tier, sub_plan, enforce, extensions, unknown } }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_response_is_read_and_written_back_completely() {
        let wire = json!({
            "id": "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/pricings/Quantum",
            "name": "Quantum",
            "type": "Microsoft.Security/pricings",
            "invented": [1, 2],
            "properties": {
                "pricingTier": "Platinum",
                "subPlan": "PerQubit",
                "freeTrialRemainingTime": "P29DT12H",
                "enablementTime": "2026-03-01T12:42:42.1921106Z",
                "enforce": "False",
                "resourcesCoverageStatus": "FullyCovered",
                "extensions": [{
                    "name": "Entangle", "isEnabled": "True", "invented": {"x": null},
                    "additionalExtensionProperties": {"ExclusionTags": "[]"},
                    "operationStatus": {"code": "Failed", "message": "no role"},
                }],
                "deprecated": true,
                "replacedBy": ["Containers"],
                "invented": "kept",
            },
        });
        let pricing: Pricing = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(pricing.name, PlanName::Unknown("Quantum".into()));
        assert!(pricing.extensions[0].is_enabled && pricing.extensions[0].has_failed());
        assert!(!pricing.has(&"Entangle".into()));
        assert_eq!(pricing.free_trial_remaining, Some(Duration::from_secs(29 * 86_400 + 12 * 3_600)));
        assert_eq!(serde_json::to_value(&pricing).unwrap(), wire);
    }

    #[test]
    fn a_spec_keeps_unknown_properties_and_sends_neither_status_nor_settings_of_what_is_off() {
        let pricing: Pricing = serde_json::from_value(json!({
            "id": "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/pricings/CloudPosture",
            "name": "CloudPosture",
            "properties": {
                "pricingTier": "Standard",
                "freeTrialRemainingTime": "PT0S",
                "invented": "kept",
                "extensions": [
                    {"name": "A", "isEnabled": "False", "additionalExtensionProperties": {"x": 1}, "invented": 1},
                    {"name": "B", "isEnabled": "True", "additionalExtensionProperties": {"x": 1},
                     "operationStatus": {"code": "Succeeded"}},
                    {"name": "C", "isEnabled": true, "additionalExtensionProperties": {"x": 1}},
                    {"name": "D", "isEnabled": false, "additionalExtensionProperties": {"x": 1}},
                ],
            },
        }))
        .unwrap();
        let body: Value = serde_json::to_value(PricingSpec::from(&pricing)).unwrap();
        assert_eq!(
            body,
            json!({ "properties": {
                "pricingTier": "Standard",
                "invented": "kept",
                "extensions": [
                    {"name": "A", "isEnabled": "False", "invented": 1},
                    {"name": "B", "isEnabled": "True", "additionalExtensionProperties": {"x": 1}},
                    {"name": "C", "isEnabled": true, "additionalExtensionProperties": {"x": 1}},
                    {"name": "D", "isEnabled": false},
                ],
            }})
        );
    }
}
