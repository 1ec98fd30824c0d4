use std::str::FromStr;

use crate::{
    IdError, ResourceGroupId, ResourceType, SubscriptionId,
    id::{
        check_segment,
        subscription::{GUID_RULE, is_guid},
        text_id,
    },
};

const WHAT: &str = "resource id";

/// The id of any ARM resource: top-level, nested, or an extension of another.
///
/// ```
/// use arm_core::ResourceId;
///
/// let vault: ResourceId = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app\
///                          /providers/Microsoft.KeyVault/vaults/kv-prod".parse()?;
/// assert_eq!(vault.name(), "kv-prod");
/// let setting = vault.extension("Microsoft.Insights/diagnosticSettings", "to-law")?;
/// assert_eq!(setting.parent().as_ref(), Some(&vault));
/// # Ok::<(), arm_core::IdError>(())
/// ```
#[derive(Clone)]
pub struct ResourceId {
    text: Box<str>,
    /// Where the last `/providers/` begins.
    provider: usize,
}

text_id!(ResourceId);

impl ResourceId {
    /// The name: the last segment.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// The type of the resource itself; for an extension resource, the type of the extension.
    pub fn resource_type(&self) -> ResourceType {
        let own = &self.text[self.provider + "/providers/".len()..];
        let mut segments = own.split('/');
        let mut kind = segments.next().unwrap_or_default().to_owned();
        for segment in segments.step_by(2) {
            kind.push('/');
            kind.push_str(segment);
        }
        ResourceType::of_checked(kind)
    }

    /// Whether the resource is of this type.
    pub fn is(&self, kind: &ResourceType) -> bool {
        self.resource_type() == *kind
    }

    /// The subscription; nothing for a resource of the tenant.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        let mut segments = self.text.split('/').skip(1);
        segments.next().filter(|first| first.eq_ignore_ascii_case("subscriptions"))?;
        segments.next()?.parse().ok()
    }

    /// The resource group; nothing for a resource of a subscription or the tenant.
    pub fn resource_group(&self) -> Option<ResourceGroupId> {
        let end = self.text.match_indices('/').nth(4)?.0;
        self.text[..end].parse().ok()
    }

    /// The resource that this one is nested in or extends; nothing for a top-level resource.
    pub fn parent(&self) -> Option<ResourceId> {
        let own = self.text[self.provider..].split('/').skip(1).count();
        let cut =
            if own > 4 { self.text.rmatch_indices('/').nth(1).map(|(at, _)| at)? } else { self.provider };
        self.text[..cut].parse().ok()
    }

    /// A resource nested in this one.
    pub fn child(&self, kind: &str, name: &str) -> Result<ResourceId, IdError> {
        check_segment(WHAT, kind)?;
        check_segment(WHAT, name)?;
        format!("{self}/{kind}/{name}").parse()
    }

    /// A resource that extends this one, such as a diagnostic setting. `kind` is `{namespace}/{type}`.
    pub fn extension(&self, kind: &str, name: &str) -> Result<ResourceId, IdError> {
        let kind: ResourceType = kind.parse()?;
        check_segment(WHAT, name)?;
        format!("{self}/providers/{kind}/{name}").parse()
    }
}

impl FromStr for ResourceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = |segment: &str, rule| Err(IdError::new(WHAT, segment, rule));
        let Some(rest) = text.strip_prefix('/') else { return refuse(text, "must begin with '/'") };
        let segments: Vec<&str> = rest.split('/').collect();
        segments.iter().try_for_each(|segment| check_segment(WHAT, segment))?;
        let is = |at: usize, word: &str| {
            segments.get(at).is_some_and(|segment| segment.eq_ignore_ascii_case(word))
        };

        let (mut at, mut provider) = (0, 0);
        if is(0, "subscriptions") {
            match segments.get(1) {
                Some(subscription) if is_guid(subscription) => at = 2,
                other => return refuse(other.unwrap_or(&""), GUID_RULE),
            }
            if is(2, "resourceGroups") {
                segments.get(3).unwrap_or(&"").parse::<crate::ResourceGroupName>()?;
                at = 4;
            }
        }
        if segments.len() == at {
            return refuse(text, "has no '/providers/{namespace}/{type}/{name}'");
        }
        while at < segments.len() {
            if !is(at, "providers") {
                return refuse(segments[at], "must be 'providers'");
            }
            provider = at;
            match segments.get(at + 1) {
                Some(namespace) if namespace.contains('.') => at += 2,
                other => {
                    return refuse(other.unwrap_or(&""), "must be a namespace such as Microsoft.KeyVault");
                }
            }
            let begin = at;
            while at < segments.len() && (at == begin || !is(at, "providers")) {
                if at + 1 >= segments.len() {
                    return refuse(segments[at], "is a type without a name");
                }
                at += 2;
            }
            if at == begin {
                return refuse(text, "names a provider without a type and a name");
            }
        }
        let provider = segments[..provider].iter().map(|segment| segment.len() + 1).sum();
        Ok(Self { text: text.into(), provider })
    }
}
