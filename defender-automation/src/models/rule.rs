use arm_core::wire::{self, UnknownFields};
use serde::{Deserialize, Serialize};

arm_core::open_enum! {
    /// How a property is compared with a value. Strings are compared ignoring case.
    pub enum Operator {
        /// Equal.
        Equals = "Equals",
        /// Not equal.
        NotEquals = "NotEquals",
        /// Greater than.
        GreaterThan = "GreaterThan",
        /// Greater than or equal to.
        GreaterThanOrEqualTo = "GreaterThanOrEqualTo",
        /// Less than.
        LesserThan = "LesserThan",
        /// Less than or equal to.
        LesserThanOrEqualTo = "LesserThanOrEqualTo",
        /// Contains. Strings only.
        Contains = "Contains",
        /// Starts with. Strings only.
        StartsWith = "StartsWith",
        /// Ends with. Strings only.
        EndsWith = "EndsWith",
    }
}

arm_core::open_enum! {
    /// The type of a property.
    pub enum PropertyType {
        /// A string.
        String = "String",
        /// An integer.
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
        /// High. No documented Key Vault alert has this severity.
        High = "High",
        /// Medium.
        Medium = "Medium",
        /// Low.
        Low = "Low",
        /// Informational.
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
    /// The type of the property.
    #[serde(default = "text_type")]
    pub property_type: PropertyType,
    /// The value to compare with, as a string regardless of its type.
    #[serde(default, with = "wire::text")]
    pub expected_value: String,
    /// How the property and the value are compared.
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

    /// Matches alerts of this severity.
    pub fn severity_is(severity: AlertSeverity) -> Self {
        Self::text("Severity").equals(severity.as_str())
    }

    /// Starts a rule on the type of an alert, such as `KV_ListGetAnomaly`.
    pub fn alert_type() -> TextRule {
        Self::text("AlertType")
    }

    /// Starts a rule on the severity of an assessment.
    pub fn assessment_severity() -> TextRule {
        Self::text("properties.metadata.severity")
    }

    /// Starts a rule on the status of an assessment: `Healthy`, `Unhealthy`, `NotApplicable`.
    pub fn assessment_status() -> TextRule {
        Self::text("properties.status.code")
    }

    /// Starts a rule on a string in the event.
    pub fn text(path: impl Into<String>) -> TextRule {
        TextRule(path.into())
    }

    /// Starts a rule on a number in the event.
    pub fn number(path: impl Into<String>) -> NumberRule {
        NumberRule(path.into(), PropertyType::Number)
    }

    /// Starts a rule on an integer in the event.
    pub fn integer(path: impl Into<String>) -> NumberRule {
        NumberRule(path.into(), PropertyType::Integer)
    }

    /// Starts a rule on a Boolean in the event.
    pub fn boolean(path: impl Into<String>) -> BooleanRule {
        BooleanRule(path.into())
    }
}

/// A rule on a string, whose comparison is not chosen yet.
#[derive(Debug, Clone)]
#[must_use = "a rule needs a comparison"]
pub struct TextRule(String);

impl TextRule {
    fn with(self, operator: Operator, value: impl Into<String>) -> Rule {
        Rule::new(self.0, PropertyType::String, operator, value.into())
    }

    /// Matches if the property equals this string.
    pub fn equals(self, value: impl Into<String>) -> Rule {
        self.with(Operator::Equals, value)
    }

    /// Matches if the property does not equal this string.
    pub fn not_equals(self, value: impl Into<String>) -> Rule {
        self.with(Operator::NotEquals, value)
    }

    /// Matches if the property contains this string.
    pub fn contains(self, value: impl Into<String>) -> Rule {
        self.with(Operator::Contains, value)
    }

    /// Matches if the property starts with this string.
    pub fn starts_with(self, value: impl Into<String>) -> Rule {
        self.with(Operator::StartsWith, value)
    }

    /// Matches if the property ends with this string.
    pub fn ends_with(self, value: impl Into<String>) -> Rule {
        self.with(Operator::EndsWith, value)
    }
}

/// A rule on a number, whose comparison is not chosen yet.
#[derive(Debug, Clone)]
#[must_use = "a rule needs a comparison"]
pub struct NumberRule(String, PropertyType);

impl NumberRule {
    fn with(self, operator: Operator, value: impl std::fmt::Display) -> Rule {
        Rule::new(self.0, self.1, operator, value.to_string())
    }

    /// Matches if the property equals this number.
    pub fn equals(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::Equals, value)
    }

    /// Matches if the property is greater than this number.
    pub fn greater_than(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::GreaterThan, value)
    }

    /// Matches if the property is at least this number.
    pub fn at_least(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::GreaterThanOrEqualTo, value)
    }

    /// Matches if the property is less than this number.
    pub fn less_than(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::LesserThan, value)
    }

    /// Matches if the property is at most this number.
    pub fn at_most(self, value: impl std::fmt::Display) -> Rule {
        self.with(Operator::LesserThanOrEqualTo, value)
    }
}

/// A rule on a Boolean, whose comparison is not chosen yet.
#[derive(Debug, Clone)]
#[must_use = "a rule needs a comparison"]
pub struct BooleanRule(String);

impl BooleanRule {
    /// Matches if the property has this value.
    pub fn is(self, value: bool) -> Rule {
        Rule::new(self.0, PropertyType::Boolean, Operator::Equals, value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_comparison_is_written_with_its_path_type_and_operator() {
        let text = || Rule::text("P");
        let (number, integer) = (|| Rule::number("P"), || Rule::integer("P"));
        for (rule, kind, operator, value) in [
            (text().equals("x"), "String", "Equals", "x"),
            (text().not_equals("x"), "String", "NotEquals", "x"),
            (text().contains("x"), "String", "Contains", "x"),
            (text().starts_with("x"), "String", "StartsWith", "x"),
            (text().ends_with("x"), "String", "EndsWith", "x"),
            (number().equals(1.5), "Number", "Equals", "1.5"),
            (number().greater_than(1.5), "Number", "GreaterThan", "1.5"),
            (number().at_least(1.5), "Number", "GreaterThanOrEqualTo", "1.5"),
            (number().less_than(1.5), "Number", "LesserThan", "1.5"),
            (integer().at_most(7), "Integer", "LesserThanOrEqualTo", "7"),
            (Rule::boolean("P").is(false), "Boolean", "Equals", "false"),
        ] {
            let expected = json!({ "propertyJPath": "P", "propertyType": kind, "operator": operator, "expectedValue": value });
            assert_eq!(serde_json::to_value(&rule).unwrap(), expected);
        }
        let paths = [
            Rule::severity_is(AlertSeverity::High),
            Rule::alert_type().equals("x"),
            Rule::assessment_severity().equals("x"),
            Rule::assessment_status().equals("x"),
        ]
        .map(|rule| rule.property_j_path);
        assert_eq!(
            paths,
            ["Severity", "AlertType", "properties.metadata.severity", "properties.status.code"]
        );
        assert_eq!(Rule::severity_is(AlertSeverity::High).expected_value, "High");
    }

    #[test]
    fn a_rule_without_a_type_compares_texts() {
        let rule: Rule = serde_json::from_value(json!({ "operator": "Equals", "expectedValue": 7 })).unwrap();
        assert_eq!((rule.property_type, rule.expected_value.as_str()), (PropertyType::String, "7"));
    }
}
