use arm_core::wire::{self, UnknownFields};
use serde::{Deserialize, Serialize};

arm_core::open_enum! {
    /// How a property is compared. Texts are compared without regard to case.
    pub enum Operator {
        /// The same.
        Equals = "Equals",
        /// Another.
        NotEquals = "NotEquals",
        /// More.
        GreaterThan = "GreaterThan",
        /// As much or more.
        GreaterThanOrEqualTo = "GreaterThanOrEqualTo",
        /// Less.
        LesserThan = "LesserThan",
        /// As much or less.
        LesserThanOrEqualTo = "LesserThanOrEqualTo",
        /// Holds a text. Texts only.
        Contains = "Contains",
        /// Begins with a text. Texts only.
        StartsWith = "StartsWith",
        /// Ends with a text. Texts only.
        EndsWith = "EndsWith",
    }
}

arm_core::open_enum! {
    /// The type of a property.
    pub enum PropertyType {
        /// A text.
        String = "String",
        /// A whole number.
        Integer = "Integer",
        /// A number.
        Number = "Number",
        /// True or false.
        Boolean = "Boolean",
    }
}

arm_core::open_enum! {
    /// The severity of an alert.
    pub enum AlertSeverity {
        /// The worst. No documented Key Vault alert has it.
        High = "High",
        /// Bad.
        Medium = "Medium",
        /// Look when there is time.
        Low = "Low",
        /// For the record.
        Informational = "Informational",
    }
}

/// One condition on an event: a property, compared with a value.
///
/// ```
/// use defender_automation::{AlertSeverity, Rule};
///
/// let key_vault = Rule::alert_type().starts_with("KV_");
/// let bad = Rule::severity_is(AlertSeverity::Medium);
/// assert_eq!(key_vault.property_j_path, "AlertType");
/// assert_eq!(bad.expected_value, "Medium");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Rule {
    /// The path of the property in the event, such as `AlertType`.
    #[serde(rename = "propertyJPath", default, deserialize_with = "wire::null_as_default")]
    pub property_j_path: String,
    /// Its type.
    #[serde(default = "text_type")]
    pub property_type: PropertyType,
    /// The value, as a text whatever the type.
    #[serde(default, with = "wire::text")]
    pub expected_value: String,
    /// How they are compared.
    pub operator: Operator,
    #[serde(flatten)]
    unknown: UnknownFields,
}

fn text_type() -> PropertyType {
    PropertyType::String
}

impl Rule {
    fn new(path: String, kind: PropertyType, operator: Operator, value: String) -> Self {
        let unknown = UnknownFields::default();
        Self { property_j_path: path, property_type: kind, expected_value: value, operator, unknown }
    }

    /// The severity of an alert is this one.
    pub fn severity_is(severity: AlertSeverity) -> Self {
        Self::text("Severity").equals(severity.as_str())
    }

    /// About the type of an alert, such as `KV_ListGetAnomaly`.
    pub fn alert_type() -> TextRule {
        Self::text("AlertType")
    }

    /// About the severity of an assessment.
    pub fn assessment_severity() -> TextRule {
        Self::text("properties.metadata.severity")
    }

    /// About the status of an assessment: `Healthy`, `Unhealthy`, `NotApplicable`.
    pub fn assessment_status() -> TextRule {
        Self::text("properties.status.code")
    }

    /// About a text in the event.
    pub fn text(path: impl Into<String>) -> TextRule {
        TextRule(path.into())
    }

    /// About a number in the event.
    pub fn number(path: impl Into<String>) -> NumberRule {
        NumberRule(path.into(), PropertyType::Number)
    }

    /// About a whole number in the event.
    pub fn integer(path: impl Into<String>) -> NumberRule {
        NumberRule(path.into(), PropertyType::Integer)
    }

    /// About something true or false in the event.
    pub fn boolean(path: impl Into<String>) -> BooleanRule {
        BooleanRule(path.into())
    }
}

/// A rule about a text that lacks its comparison.
#[derive(Debug, Clone)]
#[must_use = "a rule needs a comparison"]
pub struct TextRule(String);

impl TextRule {
    fn with(self, operator: Operator, value: impl Into<String>) -> Rule {
        Rule::new(self.0, PropertyType::String, operator, value.into())
    }

    /// It is this.
    pub fn equals(self, value: impl Into<String>) -> Rule {
        self.with(Operator::Equals, value)
    }

    /// It is another.
    pub fn not_equals(self, value: impl Into<String>) -> Rule {
        self.with(Operator::NotEquals, value)
    }

    /// It holds this.
    pub fn contains(self, value: impl Into<String>) -> Rule {
        self.with(Operator::Contains, value)
    }

    /// It begins with this.
    pub fn starts_with(self, value: impl Into<String>) -> Rule {
        self.with(Operator::StartsWith, value)
    }

    /// It ends with this.
    pub fn ends_with(self, value: impl Into<String>) -> Rule {
        self.with(Operator::EndsWith, value)
    }
}

/// A rule about a number that lacks its comparison.
#[derive(Debug, Clone)]
#[must_use = "a rule needs a comparison"]
pub struct NumberRule(String, PropertyType);

impl NumberRule {
    fn with(self, operator: Operator, value: impl std::fmt::Display) -> Rule {
        Rule::new(self.0, self.1, operator, value.to_string())
    }

    /// It is this.
    pub fn equals(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::Equals, value)
    }

    /// It is more.
    pub fn greater_than(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::GreaterThan, value)
    }

    /// It is as much or more.
    pub fn at_least(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::GreaterThanOrEqualTo, value)
    }

    /// It is less.
    pub fn less_than(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::LesserThan, value)
    }

    /// It is as much or less.
    pub fn at_most(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::LesserThanOrEqualTo, value)
    }
}

/// A rule about something true or false that lacks its comparison.
#[derive(Debug, Clone)]
#[must_use = "a rule needs a comparison"]
pub struct BooleanRule(String);

impl BooleanRule {
    /// It is so.
    pub fn is(self, value: bool) -> Rule {
        Rule::new(self.0, PropertyType::Boolean, Operator::Equals, value.to_string())
    }
}
