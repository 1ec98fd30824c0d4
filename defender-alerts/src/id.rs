//! The ids of resources in this crate.

use std::{borrow::Cow, fmt, str::FromStr};

use arm_core::{ArmPath, IdError, ResourceGroupId, ResourceGroupName, ResourceName, Scope, SubscriptionId};

const NAMESPACE: &str = "Microsoft.Security";

/// The id of an alert. It contains the location, which every request for the alert needs.
///
/// ```
/// use defender_alerts::AlertId;
///
/// let id: AlertId = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app\
///                    /providers/Microsoft.Security/locations/westeurope/alerts/2518_0001".parse()?;
/// assert_eq!((id.location(), id.name()), ("westeurope", "2518_0001"));
/// # Ok::<(), arm_core::IdError>(())
/// ```
#[derive(Clone)]
pub struct AlertId {
    text: Box<str>,
    subscription: SubscriptionId,
}

arm_core::text_id!(AlertId);

const ALERT: &str = "alert id";
const ALERT_RULE: &str = "must end with '/providers/Microsoft.Security/locations/{location}/alerts/{name}'";

impl AlertId {
    /// Returns the subscription.
    pub fn subscription(&self) -> &SubscriptionId {
        &self.subscription
    }

    /// Returns the resource group; `None` if the id contains none.
    pub fn resource_group(&self) -> Option<ResourceGroupId> {
        let mut segments = self.text.split('/').skip(3);
        let is_group = segments.next()?.eq_ignore_ascii_case("resourceGroups");
        is_group.then(|| self.subscription.resource_group(segments.next()?).ok()).flatten()
    }

    /// Returns the location where Defender stores the alert, which may differ from that of the resource.
    pub fn location(&self) -> &str {
        self.nth_last(2)
    }

    /// Returns the last segment, which requests use as the name. The `name` field of an alert may differ.
    pub fn name(&self) -> &str {
        self.nth_last(0)
    }

    /// Returns the id of the same alert without the resource group. Use it for a sample alert, whose id contains a
    /// resource group that does not exist.
    pub fn at_subscription(&self) -> Self {
        let (scope, location, name) = (self.subscription.to_path(), self.location(), self.name());
        let text = format!("{scope}/providers/{NAMESPACE}/locations/{location}/alerts/{name}");
        Self { text: text.into(), subscription: self.subscription.clone() }
    }

    pub(crate) fn path(&self) -> ArmPath {
        let scope = match self.resource_group() {
            Some(group) => ArmPath::from(&group),
            None => ArmPath::from(&self.subscription),
        };
        let scope = scope.provider(NAMESPACE).literal("locations").segment(self.location());
        scope.literal("alerts").segment(self.name())
    }

    fn nth_last(&self, index: usize) -> &str {
        self.text.rsplit('/').nth(index).unwrap_or_default()
    }
}

/// Returns what stands after a prefix, whose case does not matter.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(prefix.len())?;
    // Nearly all have the usual case, which is quicker to see.
    (begin == prefix || begin.eq_ignore_ascii_case(prefix)).then_some(rest)
}

/// Splits a path before its first slash.
fn segment_of(path: &str) -> (&str, &str) {
    path.split_at(path.bytes().position(|byte| byte == b'/').unwrap_or(path.len()))
}

impl FromStr for AlertId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = |segment: &str, rule| Err(IdError::new(ALERT, segment, rule));
        if !text.starts_with('/') {
            return refuse(text, "must begin with '/'");
        }
        let Some(rest) = after(text, "/subscriptions/") else {
            return refuse(text, "must begin with '/subscriptions/{subscription}'");
        };
        let (subscription, rest) = segment_of(rest);
        let subscription: SubscriptionId = subscription.parse()?;
        let (group, rest) = match after(rest, "/resourceGroups/").map(segment_of) {
            Some((group, rest)) => (Some(group), rest),
            None => (None, rest),
        };
        let in_provider = after(rest, "/providers/Microsoft.Security/locations/").map(segment_of);
        let found = in_provider.and_then(|(location, rest)| Some((location, after(rest, "/alerts/")?)));
        let Some((location, name)) = found.filter(|(_, name)| !name.is_empty() && !name.contains('/')) else {
            return refuse(text, ALERT_RULE);
        };
        // Nearly all segments are short and plain; the others are looked at closely.
        let plain = |text: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_');
            (1..=90).contains(&text.len()) && text.bytes().fold(true, |all, byte| all & plain(byte))
        };
        if let Some(group) = group.filter(|group| !plain(group)) {
            group.parse::<ResourceGroupName>()?;
        }
        for segment in [location, name].into_iter().filter(|segment| !plain(segment)) {
            segment.parse::<ResourceName>()?;
        }
        Ok(Self { text: text.into(), subscription })
    }
}

/// A region that stores Defender's data, such as `westeurope`; it may differ from the region of the resource.
#[derive(Clone)]
pub struct Location {
    text: Box<str>,
}

arm_core::text_id!(Location);

impl FromStr for Location {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let rule = "must be letters and digits, such as westeurope";
            return Err(IdError::new("location", text, rule));
        }
        Ok(Self { text: text.into() })
    }
}

/// The name of an assessment, which is the key of its recommendation. Built-in recommendations have the same key
/// everywhere. An exception: where Defender reports each secret as a recommendation of its own, instead of grouping
/// them by resource, every finding has its own key.
///
/// Its constants are the keys of known recommendations about vaults and secrets.
#[derive(Clone)]
pub struct AssessmentKey {
    text: Cow<'static, str>,
}

arm_core::text_id!(AssessmentKey);

impl AssessmentKey {
    pub(crate) const fn known(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text) }
    }
}

impl FromStr for AssessmentKey {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse::<ResourceName>()?;
        Ok(Self { text: text.to_owned().into() })
    }
}

/// The id of an assessment, which is the result of a recommendation on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AssessmentId {
    scope: Scope,
    key: AssessmentKey,
}

const ASSESSMENTS: &str = "/providers/microsoft.security/assessments/";

impl AssessmentId {
    /// Creates the id of the assessment of a scope, such as a resource or subscription, by a recommendation.
    pub fn new(scope: impl Into<Scope>, key: AssessmentKey) -> Self {
        Self { scope: scope.into(), key }
    }

    /// Returns the assessed scope, such as a resource or subscription.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the key of the recommendation.
    pub fn key(&self) -> &AssessmentKey {
        &self.key
    }

    pub(crate) fn path(&self) -> ArmPath {
        ArmPath::from(&self.scope).provider(NAMESPACE).literal("assessments").segment(&self.key)
    }
}

impl fmt::Display for AssessmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/providers/{NAMESPACE}/assessments/{}", self.scope, self.key)
    }
}

impl FromStr for AssessmentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let Some(at) = text.to_ascii_lowercase().rfind(ASSESSMENTS) else {
            let rule = "must end with '/providers/Microsoft.Security/assessments/{name}'";
            return Err(IdError::new("assessment id", text, rule));
        };
        let (scope, key) = (&text[..at], &text[at + ASSESSMENTS.len()..]);
        Ok(Self { scope: scope.parse()?, key: key.parse()? })
    }
}

/// The id of a single finding of a grouped recommendation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubAssessmentId {
    assessment: AssessmentId,
    name: ResourceName,
}

const SUB_ASSESSMENTS: &str = "/subassessments/";

impl SubAssessmentId {
    /// Creates the id of the finding with this name in an assessment.
    pub fn new(assessment: AssessmentId, name: ResourceName) -> Self {
        Self { assessment, name }
    }

    /// Returns the assessment to which the finding belongs.
    pub fn assessment(&self) -> &AssessmentId {
        &self.assessment
    }

    /// Returns the name of the finding.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    pub(crate) fn path(&self) -> ArmPath {
        self.assessment.path().literal("subAssessments").segment(&self.name)
    }
}

impl fmt::Display for SubAssessmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/subAssessments/{}", self.assessment, self.name)
    }
}

impl FromStr for SubAssessmentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let Some(at) = text.to_ascii_lowercase().rfind(SUB_ASSESSMENTS) else {
            let rule = "must end with '/subAssessments/{name}'";
            return Err(IdError::new("sub-assessment id", text, rule));
        };
        let (assessment, name) = (&text[..at], &text[at + SUB_ASSESSMENTS.len()..]);
        Ok(Self { assessment: assessment.parse()?, name: name.parse()? })
    }
}

arm_core::as_text!(AssessmentId, SubAssessmentId);

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "00000000-0000-0000-0000-000000000001";

    #[test]
    fn an_alert_id_knows_its_parts_at_both_levels() {
        let tail = "providers/Microsoft.Security/locations/westeurope/alerts/2518_A";
        let in_group: AlertId = format!("/subscriptions/{SUB}/resourcegroups/RG/{tail}").parse().unwrap();
        let at_subscription: AlertId = format!("/subscriptions/{SUB}/{tail}").parse().unwrap();
        assert_eq!(in_group.subscription().as_str(), SUB);
        assert_eq!(in_group.resource_group().unwrap().name().as_str(), "RG");
        assert_eq!(at_subscription.resource_group(), None);
        assert_eq!(in_group.at_subscription(), at_subscription);
        assert_eq!(in_group.path().to_string(), format!("/subscriptions/{SUB}/resourceGroups/RG/{tail}"));
        assert_eq!(at_subscription.path().to_string(), at_subscription.to_string());
    }

    #[test]
    fn a_bad_alert_id_says_what_is_wrong() {
        let message = |text: &str| text.parse::<AlertId>().unwrap_err().to_string();
        assert!(message("alerts/a").contains("must begin with '/'"));
        assert!(message("/subscriptions/x/y").contains("must be a GUID"));
        for tail in [
            "providers/Microsoft.Security/alerts/a",
            "providers/Microsoft.Compute/locations/we/alerts/a",
            "providers/Microsoft.Security/regions/we/alerts/a",
            "provider/Microsoft.Security/locations/we/alerts/a",
            "providers/Microsoft.Security/locations/we/tasks/a",
            "providers/Microsoft.Security/locations/we/alerts",
            "providers/Microsoft.Security/locations/we/alerts/",
            "providers/Microsoft.Security/locations/we/alerts/a/b",
        ] {
            assert!(message(&format!("/subscriptions/{SUB}/{tail}")).contains("locations/{location}/alerts"));
        }
        let hostile = format!("/subscriptions/{SUB}/providers/Microsoft.Security/locations/we/alerts/..");
        assert!(message(&hostile).contains("'..'"));
    }

    #[test]
    fn each_segment_of_an_alert_id_is_as_long_and_as_odd_as_azure_allows() {
        let parsed = |group: &str, location: &str, name: &str| {
            let provider = "providers/Microsoft.Security/locations";
            format!("/subscriptions/{SUB}/resourceGroups/{group}/{provider}/{location}/alerts/{name}")
                .parse::<AlertId>()
                .is_ok()
        };
        let long = |length: usize| "a".repeat(length);
        for (group, allowed) in [
            ("rg-app_1".to_owned(), true),
            ("rg.(app)".to_owned(), true),
            (long(90), true),
            (long(91), false),
            ("rg.".to_owned(), false),
            ("rg?x".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(parsed(&group, "we", "a"), allowed, "{group}");
        }
        for (segment, allowed) in [
            ("2518_a-b".to_owned(), true),
            ("a b".to_owned(), true),
            (long(260), true),
            (long(261), false),
            ("..".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(parsed("rg", &segment, "a"), allowed, "as the location: {segment}");
            assert_eq!(parsed("rg", "we", &segment), allowed, "as the name: {segment}");
        }
    }

    #[test]
    fn a_location_is_letters_and_digits_and_shown_as_it_came() {
        let location: Location = "WestEurope2".parse().unwrap();
        assert_eq!((location.as_str(), location.to_string().as_str()), ("WestEurope2", "WestEurope2"));
        for bad in ["", "west europe", "west-europe", "../x"] {
            assert!(bad.parse::<Location>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_assessment_id_is_of_any_scope() {
        for scope in [
            format!("/subscriptions/{SUB}"),
            format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"),
        ] {
            let text = format!("{scope}/providers/Microsoft.Security/assessments/k");
            let id: AssessmentId = text.parse().unwrap();
            assert_eq!((id.to_string(), id.path().to_string()), (text.clone(), text));
            assert_eq!(id.scope().to_string(), scope);
        }
        assert!(format!("/subscriptions/{SUB}").parse::<AssessmentId>().is_err());
    }
}
