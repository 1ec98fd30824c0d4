//! Checks of an automation before it is sent.

use std::fmt;

use arm_core::{ResourceName, refuse};
use azure_core::Result;

use crate::{
    Action, AutomationPatch, AutomationSpec, EventSource, KEY_VAULT_ALERTS, Operator, PropertyType, Rule,
    Source,
};

/// Why an automation cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The service allows exactly one scope; this many were given.
    NotOneScope(usize),
    /// An action lacks its secret, so the service would clear it.
    MissingSecret {
        /// The kind of action.
        kind: String,
        /// The target of the action.
        target: String,
        /// What is missing.
        what: &'static str,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOneScope(count) => write!(
                f,
                "it has {count} scopes, but the service allows exactly one: create an automation for each subscription"
            ),
            Self::MissingSecret { kind, target, what } => write!(
                f,
                "the {kind} action on {target} lacks {what}; the service never returns it, so it must be given again"
            ),
        }
    }
}

/// A part of an automation that does not do what one would expect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// No event, or no documented Key Vault alert, can match all rules of a set.
    NeverMatches {
        /// The number of the set in its source, counted from 1.
        set: usize,
        /// The reason.
        reason: String,
    },
    /// A rule on alerts uses this property path of assessments, which alerts do not have.
    AssessmentPathOnAlerts(String),
    /// A comparison that is for strings only is used on this property of another type.
    TextOperatorOnOtherType(String),
    /// This event hub is used with a key, which a trusted service does not need.
    KeyedEventHub(String),
    /// The automation will not be sent, for this reason.
    WillBeRefused(Problem),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverMatches { set, reason } => write!(f, "rule set {set} can never match: {reason}"),
            Self::AssessmentPathOnAlerts(path) => write!(
                f,
                "'{path}' is a property of assessments; alerts have Severity, AlertType, AlertDisplayName, .."
            ),
            Self::TextOperatorOnOtherType(path) => {
                write!(f, "'{path}' is compared in a way that only properties of type String support")
            }
            Self::KeyedEventHub(hub) => {
                write!(f, "{hub} is used with a connection string; a trusted service needs no key")
            }
            Self::WillBeRefused(problem) => write!(f, "it will not be sent: {problem}"),
        }
    }
}

impl AutomationSpec {
    /// Rejects a spec that would lose a secret or that the service would refuse.
    pub(crate) fn check(&self, name: &ResourceName) -> Result<()> {
        if let Some(problem) = self.problems().first() {
            return refuse(format!("the automation '{name}' is not sent: {problem}"));
        }
        Ok(())
    }

    /// Returns the problems for which [`create_or_update`](crate::AutomationsClient::create_or_update) would refuse it.
    pub fn problems(&self) -> Vec<Problem> {
        let scopes = (self.scopes.len() != 1).then_some(Problem::NotOneScope(self.scopes.len()));
        scopes.into_iter().chain(self.actions.iter().filter_map(lacks_secret)).collect()
    }

    /// Returns a warning for each problem, each rule that is known not to do what one would expect, and each event hub
    /// that is used with a key.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = self.problems().into_iter().map(Warning::WillBeRefused).collect();
        for source in &self.sources {
            of_source(source, &mut warnings);
        }
        for action in &self.actions {
            if let Action::EventHub(hub) = action
                && hub.is_trusted_service_enabled != Some(true)
                && hub.connection_string.is_some()
            {
                warnings.push(Warning::KeyedEventHub(hub.event_hub_resource_id.clone()));
            }
        }
        warnings
    }
}

impl AutomationPatch {
    pub(crate) fn check(&self, name: &ResourceName) -> Result<()> {
        let actions = self.properties.actions.iter().flatten();
        match actions.filter_map(lacks_secret).next() {
            Some(problem) => refuse(format!("the change of automation '{name}' is not sent: {problem}")),
            None => Ok(()),
        }
    }
}

fn lacks_secret(action: &Action) -> Option<Problem> {
    let what = action.missing_secret()?;
    Some(Problem::MissingSecret { kind: action.kind().to_owned(), target: action.target().to_owned(), what })
}

fn of_source(source: &Source, warnings: &mut Vec<Warning>) {
    for (index, set) in source.rule_sets.iter().enumerate() {
        for rule in &set.rules {
            let text_only =
                matches!(rule.operator, Operator::Contains | Operator::StartsWith | Operator::EndsWith);
            if text_only && rule.property_type != PropertyType::String {
                warnings.push(Warning::TextOperatorOnOtherType(rule.property_j_path.clone()));
            }
            let of_assessment = rule.property_j_path.to_ascii_lowercase().starts_with("properties.");
            if source.event_source == EventSource::Alerts && of_assessment {
                warnings.push(Warning::AssessmentPathOnAlerts(rule.property_j_path.clone()));
            }
        }
        let on_alerts = source.event_source == EventSource::Alerts;
        let reason = contradiction(&set.rules).or_else(|| {
            // A set that differs only by severity from one that can match is there for future alerts.
            let spare = source.rule_sets.iter().any(|other| {
                without_severity(&other.rules) == without_severity(&set.rules)
                    && no_key_vault_alert(&other.rules).is_none()
            });
            no_key_vault_alert(&set.rules).filter(|_| on_alerts && !spare)
        });
        if let Some(reason) = reason {
            warnings.push(Warning::NeverMatches { set: index + 1, reason });
        }
    }
}

/// Finds two rules that contradict each other, and describes them.
fn contradiction(rules: &[Rule]) -> Option<String> {
    let equals =
        |rule: &&Rule| rule.operator == Operator::Equals && rule.property_type == PropertyType::String;
    let contradicted = rules.iter().filter(equals).find(|rule| {
        let same_property = |other: &&Rule| other.property_j_path.eq_ignore_ascii_case(&rule.property_j_path);
        rules.iter().filter(same_property).any(|other| !holds(other, &rule.expected_value))
    })?;
    Some(format!(
        "all its rules must hold, but they require '{}' to be '{}' and something else",
        contradicted.property_j_path, contradicted.expected_value
    ))
}

fn without_severity(rules: &[Rule]) -> Vec<&Rule> {
    rules.iter().filter(|rule| !rule.property_j_path.eq_ignore_ascii_case("Severity")).collect()
}

/// Describes why no Key Vault alert can match rules that are meant for such alerts; `None` if one can.
fn no_key_vault_alert(rules: &[Rule]) -> Option<String> {
    let on =
        |path: &'static str| rules.iter().filter(move |rule| rule.property_j_path.eq_ignore_ascii_case(path));
    let names_key_vault = |rule: &Rule| {
        let value = rule.expected_value.to_ascii_uppercase();
        rule.operator != Operator::NotEquals && (value.starts_with("KV_") || value.contains("KEYVAULT"))
    };
    if !on("AlertType").any(names_key_vault) {
        return None;
    }
    let fitting: Vec<_> =
        KEY_VAULT_ALERTS.iter().filter(|(kind, _)| on("AlertType").all(|rule| holds(rule, kind))).collect();
    if fitting.is_empty() {
        // An exact type that is not documented may still exist.
        let exact = on("AlertType").any(|rule| {
            rule.operator == Operator::Equals && rule.expected_value.to_ascii_uppercase().starts_with("KV_")
        });
        return (!exact).then(|| {
            "no documented Key Vault alert has such a type; they start with KV_, such as KV_ListGetAnomaly".to_owned()
        });
    }
    let severity_fits = |severity: &str| on("Severity").all(|rule| holds(rule, severity));
    if fitting.iter().any(|(_, severity)| severity_fits(severity.as_str())) {
        return None;
    }
    Some(
        "all its rules must hold, but every documented Key Vault alert is Medium or Low; use Medium, or leave the \
         severity out"
            .to_owned(),
    )
}

/// Whether a string matches a rule; `true` if that is unknown.
fn holds(rule: &Rule, text: &str) -> bool {
    let (text, value) = (text.to_ascii_lowercase(), rule.expected_value.to_ascii_lowercase());
    match rule.operator {
        Operator::Equals => text == value,
        Operator::NotEquals => text != value,
        Operator::Contains => text.contains(&value),
        Operator::StartsWith => text.starts_with(&value),
        Operator::EndsWith => text.ends_with(&value),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AlertSeverity;

    fn never(rules: Vec<Rule>) -> bool {
        let mut warnings = Vec::new();
        of_source(&Source::alerts().when_all(rules), &mut warnings);
        warnings.iter().any(|warning| matches!(warning, Warning::NeverMatches { .. }))
    }

    #[test]
    fn key_vault_and_high_can_never_match_and_the_corrected_sets_can() {
        let with = |severity| vec![Rule::alert_type().contains("KV_"), Rule::severity_is(severity)];
        assert!(never(with(AlertSeverity::High)));
        assert!(never(with(AlertSeverity::Informational)));
        assert!(!never(with(AlertSeverity::Medium)) && !never(with(AlertSeverity::Low)));
        assert!(!never(vec![Rule::alert_type().starts_with("kv_")]));
        assert!(!never(vec![Rule::severity_is(AlertSeverity::High)]));
        assert!(never(vec![
            Rule::alert_type().equals("KV_TORAccess"),
            Rule::severity_is(AlertSeverity::Low)
        ]));
    }

    #[test]
    fn types_that_no_key_vault_alert_has_are_named_but_an_exact_unknown_type_may_exist() {
        assert!(never(vec![Rule::alert_type().contains("KeyVault")]));
        assert!(!never(vec![Rule::alert_type().equals("KV_NewAnomaly")]));
        assert!(!never(vec![Rule::alert_type().starts_with("VM_")]));
    }

    fn warned(source: Source) -> Vec<Warning> {
        let mut warnings = Vec::new();
        of_source(&source, &mut warnings);
        warnings
    }

    #[test]
    fn paths_of_assessments_on_alerts_and_text_comparisons_of_numbers_are_named() {
        let path = "Properties.metadata.severity";
        let rule = || [Rule::text(path).equals("High")];
        assert_eq!(
            warned(Source::alerts().when_all(rule())),
            [Warning::AssessmentPathOnAlerts(path.to_owned())]
        );
        assert_eq!(warned(Source::assessments().when_all(rule())), []);
        for operator in [Operator::Contains, Operator::StartsWith, Operator::EndsWith] {
            let mut rule = Rule::number("Score").equals(1);
            rule.operator = operator;
            let expected = [Warning::TextOperatorOnOtherType("Score".to_owned())];
            assert_eq!(warned(Source::assessments().when_all([rule.clone()])), expected);
            rule.property_type = PropertyType::String;
            assert_eq!(warned(Source::assessments().when_all([rule])), []);
        }
        assert_eq!(warned(Source::assessments().when_all([Rule::number("Score").at_least(1)])), []);
    }

    #[test]
    fn the_set_that_never_matches_is_counted_from_one_and_only_on_alerts() {
        let never = || [Rule::alert_type().contains("KeyVault")];
        let sets = |source: Source| source.when_all([Rule::alert_type().contains("KV_")]).when_all(never());
        let [Warning::NeverMatches { set: 2, .. }] = &*warned(sets(Source::alerts())) else { panic!() };
        assert_eq!(warned(sets(Source::of(EventSource::SecureScores))), []);
    }

    #[test]
    fn a_set_for_severities_to_come_is_spare_only_beside_one_that_can_match() {
        let set = |kind: &str, severity| [Rule::alert_type().contains(kind), Rule::severity_is(severity)];
        let (high, medium) = (AlertSeverity::High, AlertSeverity::Medium);
        let spare = Source::alerts().when_all(set("KV_", high.clone())).when_all(set("KV_", medium.clone()));
        assert_eq!(warned(spare), []);
        let other = Source::alerts().when_all(set("KV_T", high.clone())).when_all(set("KV_", medium));
        assert!(matches!(&*warned(other), [Warning::NeverMatches { set: 1, .. }]));
        let none =
            Source::alerts().when_all(set("KV_", high)).when_all(set("KV_", AlertSeverity::Informational));
        assert_eq!(warned(none).len(), 2);
    }

    #[test]
    fn what_names_no_key_vault_alert_is_not_judged_by_them() {
        let severity = || Rule::severity_is(AlertSeverity::High);
        assert!(!never(vec![Rule::alert_type().not_equals("KV_TORAccess"), severity()]));
        assert!(!never(vec![Rule::text("Other").contains("KV_"), severity()]));
        assert!(never(vec![Rule::alert_type().starts_with("AzureKeyVault")]));
        assert!(never(vec![Rule::alert_type().contains("KV_"), Rule::alert_type().ends_with("_Nothing")]));
        assert!(!never(vec![Rule::alert_type().contains("KV_"), Rule::alert_type().ends_with("Anomaly")]));
        assert!(never(vec![
            Rule::alert_type().equals("KV_TORAccess"),
            Rule::alert_type().not_equals("kv_toraccess"),
        ]));
    }

    #[test]
    fn numbers_and_booleans_are_not_compared_as_texts() {
        assert!(!never(vec![Rule::number("Score").equals(1), Rule::number("Score").equals("1.0")]));
        assert!(!never(vec![Rule::text("A").equals("5"), Rule::number("A").at_least(4)]));
    }

    #[test]
    fn an_event_hub_with_a_key_is_named_unless_it_is_trusted() {
        let hub = |trusted: Option<bool>, key: Option<&str>| {
            let mut action: Action = serde_json::from_value(serde_json::json!({
                "actionType": "EventHub", "eventHubResourceId": "/h", "connectionString": key,
            }))
            .unwrap();
            let Action::EventHub(hub) = &mut action else { panic!() };
            hub.is_trusted_service_enabled = trusted;
            let subscription = "00000000-0000-0000-0000-000000000001".parse().unwrap();
            AutomationSpec::key_vault_response("westeurope", &subscription, [action]).warnings()
        };
        let keyed = Warning::KeyedEventHub("/h".to_owned());
        assert_eq!(hub(Some(false), Some("k")), std::slice::from_ref(&keyed));
        assert_eq!(hub(None, Some("k")), std::slice::from_ref(&keyed));
        assert_eq!(hub(Some(true), Some("k")), []);
        assert!(matches!(&*hub(None, None), [Warning::WillBeRefused(Problem::MissingSecret { .. })]));
    }

    #[test]
    fn two_values_for_one_property_contradict_each_other() {
        let severity = Rule::severity_is;
        assert!(never(vec![severity(AlertSeverity::Medium), severity(AlertSeverity::Low)]));
        assert!(!never(vec![severity(AlertSeverity::Medium), Rule::text("severity").equals("MEDIUM")]));
        assert!(never(vec![Rule::text("A").starts_with("x"), Rule::text("a").equals("y")]));
        assert!(!never(vec![Rule::text("A").not_equals("x"), Rule::text("A").equals("y")]));
    }
}
