//! The secure score and its controls.

use arm_core::wire::{self, SentText};
use serde::Deserialize;

use crate::AssessmentKey;

/// Points and their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Score {
    /// The maximum points.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub max: f64,
    /// The current points.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub current: f64,
    /// The current share of the maximum, from 0 to 1.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub percentage: f64,
}

/// A score of how well a subscription follows recommendations.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SecureScore {
    /// The name; that of the built-in score is `ascScore`.
    pub name: String,
    /// The display name.
    pub display_name: String,
    /// The points.
    pub score: Score,
    /// The weight relative to other subscriptions.
    pub weight: i64,
    sent: SentText,
}

arm_core::kept!(SecureScore from Resource<Scored>);

/// A control, which is a group of recommendations that are scored together.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SecureScoreControl {
    /// The name, a GUID.
    pub name: String,
    /// The display name.
    pub display_name: String,
    /// The points.
    pub score: Score,
    /// The weight relative to other subscriptions.
    pub weight: i64,
    /// The number of resources that follow the recommendations.
    pub healthy_resource_count: u64,
    /// The number of resources that do not follow the recommendations.
    pub unhealthy_resource_count: u64,
    /// The number of resources that were not assessed.
    pub not_applicable_resource_count: u64,
    /// The definition of the control; `None` if the service omits it.
    pub definition: Option<SecureScoreControlDefinition>,
    sent: SentText,
}

arm_core::kept!(SecureScoreControl from Resource<Scored>);

arm_core::open_enum! {
    /// The origin of a control.
    pub enum ControlType {
        /// Microsoft.
        BuiltIn = "BuiltIn",
        /// Somebody other than Microsoft.
        Custom = "Custom",
    }
}

/// The definition of a control.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SecureScoreControlDefinition {
    /// The name, a GUID.
    pub name: String,
    /// The display name.
    pub display_name: String,
    /// The description.
    pub description: String,
    /// The maximum points of the control.
    pub max_score: u32,
    /// The origin; `None` if the service does not say.
    pub source: Option<ControlType>,
    /// The recommendations that count for the control.
    pub assessments: Vec<AssessmentKey>,
    sent: SentText,
}

arm_core::kept!(SecureScoreControlDefinition from Resource<Defined>);

#[derive(Debug, Deserialize)]
pub struct Resource<P: Default> {
    #[serde(default, with = "wire::text")]
    name: String,
    #[serde(default, deserialize_with = "wire::null_as_default", bound = "P: Default + Deserialize<'de>")]
    properties: P,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Scored {
    #[serde(with = "wire::text")]
    display_name: String,
    #[serde(deserialize_with = "wire::null_as_default")]
    score: Score,
    #[serde(deserialize_with = "wire::null_as_default")]
    weight: i64,
    #[serde(deserialize_with = "wire::null_as_default")]
    healthy_resource_count: u64,
    #[serde(deserialize_with = "wire::null_as_default")]
    unhealthy_resource_count: u64,
    #[serde(deserialize_with = "wire::null_as_default")]
    not_applicable_resource_count: u64,
    definition: Option<SecureScoreControlDefinition>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Defined {
    #[serde(with = "wire::text")]
    display_name: String,
    #[serde(with = "wire::text")]
    description: String,
    #[serde(deserialize_with = "wire::null_as_default")]
    max_score: u32,
    source: Option<Source>,
    #[serde(deserialize_with = "wire::without_nulls")]
    assessment_definitions: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Source {
    #[serde(rename = "sourceType")]
    kind: Option<ControlType>,
}

#[derive(Debug, Deserialize)]
struct Link {
    #[serde(default, with = "wire::text")]
    id: String,
}

impl From<Resource<Scored>> for SecureScore {
    fn from(Resource { name, properties: it }: Resource<Scored>) -> Self {
        let sent = SentText::default();
        Self { name, display_name: it.display_name, score: it.score, weight: it.weight, sent }
    }
}

impl From<Resource<Scored>> for SecureScoreControl {
    fn from(Resource { name, properties: it }: Resource<Scored>) -> Self {
        Self {
            name,
            display_name: it.display_name,
            score: it.score,
            weight: it.weight,
            healthy_resource_count: it.healthy_resource_count,
            unhealthy_resource_count: it.unhealthy_resource_count,
            not_applicable_resource_count: it.not_applicable_resource_count,
            definition: it.definition,
            sent: SentText::default(),
        }
    }
}

impl From<Resource<Defined>> for SecureScoreControlDefinition {
    fn from(Resource { name, properties: it }: Resource<Defined>) -> Self {
        let key = |link: Link| link.id.rsplit('/').next()?.parse().ok();
        Self {
            name,
            display_name: it.display_name,
            description: it.description,
            max_score: it.max_score,
            source: it.source.and_then(|source| source.kind),
            assessments: it.assessment_definitions.into_iter().filter_map(key).collect(),
            sent: SentText::default(),
        }
    }
}
