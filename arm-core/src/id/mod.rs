//! Typed ids: validated once, compared ignoring case, written into URLs segment by segment.

mod management_group;
mod name;
mod resource;
mod resource_group;
mod resource_type;
mod scope;
mod subscription;
mod text_id;

use std::fmt;

pub use management_group::ManagementGroupId;
pub use name::{ResourceGroupName, ResourceName};
pub use resource::ResourceId;
pub use resource_group::ResourceGroupId;
pub use resource_type::ResourceType;
pub use scope::{Scope, is_at_or_below};
pub use subscription::SubscriptionId;

/// The error of a string that is not a valid id: the invalid segment, and the rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    what: &'static str,
    segment: String,
    rule: &'static str,
}

impl IdError {
    /// Creates the error of an id or name of kind `what` (such as "vault name") whose `segment` breaks `rule`, a phrase
    /// such as "must have 3 to 24 characters".
    pub fn new(what: &'static str, segment: impl Into<String>, rule: &'static str) -> Self {
        Self { what, segment: segment.into(), rule }
    }

    /// Returns the invalid segment.
    pub fn segment(&self) -> &str {
        &self.segment
    }

    /// Returns the rule that the segment breaks.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {}: '{}' {}", self.what, self.segment.escape_debug(), self.rule)
    }
}

impl std::error::Error for IdError {}

impl From<IdError> for azure_core::Error {
    fn from(error: IdError) -> Self {
        let message = error.to_string();
        Self::with_error(azure_core::error::ErrorKind::DataConversion, error, message)
    }
}

/// Whether all bytes of a text are such. It looks at all of them, which is quick: many at a time.
pub(crate) fn all_bytes(text: &str, is: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & is(byte))
}

/// Whether a segment may contain this byte; of the others, characters decide.
pub(crate) fn is_plain(byte: u8) -> bool {
    (b' '..0x7f).contains(&byte) & (byte != b'/') & (byte != b'\\')
}

/// Checks the rules that every segment of a path must meet.
pub(crate) fn check_segment(what: &'static str, segment: &str) -> Result<(), IdError> {
    let refuse = |rule| Err(IdError::new(what, segment, rule));
    if segment.is_empty() {
        return refuse("is empty: a path segment must not be empty");
    }
    if segment == "." || segment == ".." {
        return refuse("must not be '.' or '..'");
    }
    let bad = |c: char| c.is_control() || c == '/' || c == '\\';
    if !all_bytes(segment, is_plain) && segment.chars().any(bad) {
        return refuse("contains a slash, backslash or control character");
    }
    if segment.len() > 1024 {
        return refuse("is longer than 1024 bytes");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::{ArmPath, path::Query};

    const SUB: &str = "00000000-0000-0000-0000-000000000001";

    #[test]
    fn ids_compare_and_hash_without_regard_to_case_and_keep_their_spelling() {
        let lower: ResourceId =
            format!("/subscriptions/{SUB}/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv")
                .parse()
                .unwrap();
        let mixed: ResourceId =
            format!("/subscriptions/{SUB}/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/KV")
                .parse()
                .unwrap();
        assert_eq!(lower, mixed);
        assert_eq!(HashSet::from([lower.clone(), mixed.clone()]).len(), 1);
        assert!(mixed.to_string().contains("resourceGroups/RG"));
        assert_eq!(lower.resource_group(), mixed.resource_group());
    }

    #[test]
    fn nested_and_extension_resources_know_type_name_and_parent() {
        let id: ResourceId = format!(
            "/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Sql/servers/s/databases/d\
             /providers/Microsoft.Security/assessments/a"
        )
        .parse()
        .unwrap();
        assert_eq!(id.resource_type().to_string(), "Microsoft.Security/assessments");
        assert_eq!(id.name(), "a");
        let database = id.parent().unwrap();
        assert_eq!(database.resource_type().to_string(), "Microsoft.Sql/servers/databases");
        let server = database.parent().unwrap();
        assert_eq!((server.name(), server.parent()), ("s", None));
        assert_eq!(id.subscription().unwrap().as_str(), SUB);
        let tenant_level: ResourceId = "/providers/Microsoft.Security/assessmentMetadata/m".parse().unwrap();
        assert_eq!(tenant_level.subscription(), None);
    }

    #[test]
    fn a_resource_or_type_named_providers_is_no_boundary() {
        let id = |text: &str| text.parse::<ResourceId>().unwrap();
        let child = id("/providers/A.B/c/providers/d/e");
        assert_eq!((child.resource_type().to_string().as_str(), child.name()), ("A.B/c/d", "e"));
        assert_eq!(child.parent(), Some(id("/providers/A.B/c/providers")));
        let kind = id("/providers/A.B/providers/x");
        assert_eq!((kind.resource_type().to_string().as_str(), kind.parent()), ("A.B/providers", None));
    }

    #[test]
    fn a_bad_id_names_the_segment_and_the_rule() {
        let message = |text: &str| text.parse::<ResourceId>().unwrap_err().to_string();
        assert_eq!(
            message("/subscriptions/no-guid/resourceGroups/rg/providers/A.B/c/d"),
            "invalid resource id: 'no-guid' must be a GUID such as 00000000-0000-0000-0000-000000000001"
        );
        assert!(
            message(&format!("/subscriptions/{SUB}"))
                .contains("has no '/providers/{namespace}/{type}/{name}'")
        );
        assert!(message("subscriptions").contains("must begin with '/'"));
        assert!(message(&format!("/subscriptions/{SUB}/providers/A.B/c")).contains("type without a name"));
        assert!(message(&format!("/subscriptions/{SUB}/providers/A.B/c/..")).contains("'..'"));
        assert_eq!(
            "rg.".parse::<ResourceGroupName>().unwrap_err().to_string(),
            "invalid resource group name: 'rg.' may not end with '.'"
        );
    }

    #[test]
    fn a_segment_has_at_most_1024_bytes_and_an_error_tells_it_and_its_rule() {
        assert!(check_segment("name", &"é".repeat(512)).is_ok());
        let long = "a".repeat(1025);
        let error = check_segment("name", &long).unwrap_err();
        assert_eq!((error.segment(), error.rule()), (&*long, "is longer than 1024 bytes"));
    }

    #[test]
    fn names_have_a_length_that_the_service_takes() {
        let fits = |length: usize| {
            let name = "a".repeat(length);
            let group = name.parse::<ResourceGroupName>().is_ok();
            (name.parse::<ResourceName>().is_ok(), group, name.parse::<ManagementGroupId>().is_ok())
        };
        assert_eq!(fits(0), (false, false, false));
        assert_eq!(fits(90), (true, true, true));
        assert_eq!(fits(91), (true, false, false));
        assert_eq!((fits(260).0, fits(261).0), (true, false));
    }

    #[test]
    fn a_management_group_is_read_by_name_or_whole_and_written_whole() {
        let whole = "/providers/Microsoft.Management/managementGroups/mg";
        for text in ["mg", whole, "/providers/microsoft.management/MANAGEMENTGROUPS/mg"] {
            let id: ManagementGroupId = text.parse().unwrap();
            assert_eq!((id.as_str(), id.to_path()), ("mg", whole.to_owned()));
        }
        let other = "/providers/Microsoft.Management/otherGroupsxxx/mg";
        assert!(other.parse::<ManagementGroupId>().is_err());
    }

    #[test]
    fn a_resource_tells_its_group_and_whether_it_is_of_a_type() {
        let id: ResourceId =
            format!("/subscriptions/{SUB}/resourceGroups/rg/providers/microsoft.keyvault/Vaults/kv")
                .parse()
                .unwrap();
        assert_eq!(
            id.resource_group().unwrap().to_string(),
            format!("/subscriptions/{SUB}/resourceGroups/rg")
        );
        assert!(id.is(&ResourceType::VAULT) && !id.is(&"Microsoft.Web/sites".parse().unwrap()));
        let kind: ResourceType = "Microsoft.Sql/servers/databases".parse().unwrap();
        assert_eq!((kind.namespace(), kind.kind()), ("Microsoft.Sql", "servers/databases"));
        for bad in ["Microsoft.Sql", "servers/databases", "Microsoft.Sql/"] {
            assert!(bad.parse::<ResourceType>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scope_knows_its_subscription_and_takes_nothing_for_what_it_is_not() {
        let scope = |text: &str| text.parse::<Scope>();
        let group = format!("/subscriptions/{SUB}/resourceGroups/rg");
        assert_eq!(scope(&group).unwrap().subscription().unwrap().as_str(), SUB);
        assert_eq!(
            scope("/providers/Microsoft.Management/managementGroups/mg").unwrap().subscription(),
            None
        );
        for bad in [
            format!("/tenants/{SUB}"),
            format!("/tenants/{SUB}/resourceGroups/rg"),
            format!("/subscriptions/{SUB}/groups/rg"),
            "/providers/Microsoft.Management/otherGroups/mg".to_owned(),
        ] {
            assert!(bad.parse::<ResourceGroupId>().is_err(), "{bad}");
            assert!(!matches!(scope(&bad), Ok(Scope::Subscription(_) | Scope::ResourceGroup(_))), "{bad}");
            assert!(!matches!(scope(&bad), Ok(Scope::ManagementGroup(_))), "{bad}");
        }
        let almost = SUB.replacen('-', "0", 1);
        assert!(almost.parse::<SubscriptionId>().is_err() && SUB[1..].parse::<SubscriptionId>().is_err());
        assert_eq!(SUB.parse::<SubscriptionId>().unwrap().to_path(), format!("/subscriptions/{SUB}"));
    }

    #[test]
    fn every_kind_of_scope_is_read_and_written() {
        for text in [
            format!("/subscriptions/{SUB}"),
            format!("/subscriptions/{SUB}/resourceGroups/rg"),
            format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"),
            "/providers/Microsoft.Management/managementGroups/mg".to_owned(),
        ] {
            let scope: Scope = text.parse().unwrap();
            assert_eq!(scope.to_string(), text);
        }
        let scope: Scope = format!("/subscriptions/{SUB}/resourcegroups/rg").parse().unwrap();
        assert!(matches!(scope, Scope::ResourceGroup(_)));
    }

    proptest! {
        #[test]
        fn parse_and_display_are_inverse(
            group in "[a-zA-Z0-9_()-]{1,20}",
            name in "[^/\\\\\\x00-\\x1f\\x7f-\\x9f]{1,20}",
        ) {
            prop_assume!(name != "." && name != "..");
            let text = format!("/subscriptions/{SUB}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{name}");
            let id: ResourceId = text.parse().unwrap();
            prop_assert_eq!(id.to_string(), text);
            prop_assert_eq!(id.name(), name);
        }

        #[test]
        fn a_hostile_segment_never_changes_the_path(segment in any::<String>()) {
            let path = ArmPath::root().literal("providers/Microsoft.Security/pricings").segment(&segment);
            if let Ok(url) = path.to_url(&"https://management.azure.com".parse().unwrap(), &Query::default()) {
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 4);
                let decoded = percent_encoding::percent_decode_str(segments[3]).decode_utf8().unwrap();
                prop_assert_eq!(decoded, segment);
                prop_assert_eq!(url.host_str(), Some("management.azure.com"));
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            } else {
                prop_assert!(check_segment("name", &segment).is_err());
            }
        }
    }

    #[test]
    fn known_tricks_are_refused_or_encoded() {
        let url = |segment: &str| {
            let path = ArmPath::root().literal("providers").segment(segment);
            path.to_url(&"https://management.azure.com".parse().unwrap(), &Query::default())
                .map(|url| url.to_string())
        };
        for hostile in ["", ".", "..", "a/b", "a\\b", "a\0b"] {
            assert!(url(hostile).is_err(), "{hostile:?}");
        }
        assert_eq!(url("a?b#c%2Fd").unwrap(), "https://management.azure.com/providers/a%3Fb%23c%252Fd");
        assert_eq!(url("%2e%2e").unwrap(), "https://management.azure.com/providers/%252e%252e");
        assert_eq!(url("é").unwrap(), "https://management.azure.com/providers/%C3%A9");
    }

    #[test]
    fn a_url_keeps_its_endpoint_and_a_value_adds_no_parameter() {
        let endpoint = "https://example.com:8443/base/".parse().unwrap();
        let url = |path: ArmPath, pairs: &[(&str, &str)]| {
            let mut query = Query::default();
            pairs.iter().for_each(|(name, value)| query.push(name, value));
            path.to_url(&endpoint, &query).unwrap().to_string()
        };
        assert_eq!(
            url(
                ArmPath::root().literal("a/b"),
                &[("api-version", "2026-01-01"), ("$filter", "x eq 'y&z=1#?'")]
            ),
            "https://example.com:8443/base/a/b?api-version=2026-01-01&$filter=x%20eq%20%27y%26z%3D1%23%3F%27"
        );
        assert_eq!(url(ArmPath::root(), &[]), "https://example.com:8443/base");
    }
}
