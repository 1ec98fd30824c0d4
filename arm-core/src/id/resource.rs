use std::str::FromStr;

use wide::u8x16;

use crate::{
    IdError, ResourceGroupId, ResourceType, SubscriptionId,
    id::{
        all_bytes, check_segment, is_plain,
        name::check_group_name,
        subscription::{GUID_RULE, is_guid},
    },
};

const WHAT: &str = "resource id";

/// The id of any ARM resource: top-level, nested, or an extension of another resource.
///
/// Some services send malformed ids. These are kept unchanged when a response is decoded, and fail only when they are
/// used for a request or another id: see [`is_valid`](Self::is_valid).
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
    /// Where the last `/providers/` begins; `None` if the text is not a valid id.
    provider: Option<usize>,
}

crate::text_id!(own deserialize: ResourceId);

impl<'de> serde::Deserialize<'de> for ResourceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::as_answered(&String::deserialize(deserializer)?))
    }
}

impl ResourceId {
    /// Whether the id is well-formed. A parsed id always is; one from a response may not be. A malformed id has an
    /// empty type and no parent or children, and a request to it fails before it is sent.
    pub fn is_valid(&self) -> bool {
        self.provider.is_some()
    }

    /// Wraps an id as the service sent it, even if it is malformed.
    pub fn as_answered(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self { text: text.into(), provider: None })
    }

    /// Returns the name of the resource, which is the last segment.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the type of the resource itself; for an extension resource, the type of the extension.
    pub fn resource_type(&self) -> ResourceType {
        let own = self.provider.map_or("", |provider| &self.text[provider + "/providers/".len()..]);
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

    /// Returns the subscription; `None` for a tenant-level resource.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        let mut segments = self.text.split('/').skip(1);
        segments.next().filter(|first| first.eq_ignore_ascii_case("subscriptions"))?;
        segments.next()?.parse().ok()
    }

    /// Returns the resource group; `None` for a subscription-level or tenant-level resource.
    pub fn resource_group(&self) -> Option<ResourceGroupId> {
        let end = self.text.match_indices('/').nth(4)?.0;
        self.text[..end].parse().ok()
    }

    /// Returns the resource that contains this one, or that this one extends; `None` if there is none, as for a
    /// top-level resource.
    pub fn parent(&self) -> Option<ResourceId> {
        let provider = self.provider?;
        let own = self.text[provider..].split('/').skip(1).count();
        let cut = if own > 4 { self.text.rmatch_indices('/').nth(1).map(|(at, _)| at)? } else { provider };
        self.text[..cut].parse().ok()
    }

    /// Returns the id of a resource nested in this one.
    ///
    /// # Errors
    ///
    /// The kind or name is not a valid path segment, or this id is malformed.
    pub fn child(&self, kind: &str, name: &str) -> Result<ResourceId, IdError> {
        check_segment(WHAT, kind)?;
        check_segment(WHAT, name)?;
        format!("{self}/{kind}/{name}").parse()
    }

    /// Returns the id of a resource that extends this one, such as a diagnostic setting. `kind` is
    /// `{namespace}/{type}`.
    ///
    /// # Errors
    ///
    /// `kind` does not have that form, the name is not a valid path segment, or this id is malformed.
    pub fn extension(&self, kind: &str, name: &str) -> Result<ResourceId, IdError> {
        let kind: ResourceType = kind.parse()?;
        check_segment(WHAT, name)?;
        format!("{self}/providers/{kind}/{name}").parse()
    }
}

impl ResourceGroupId {
    /// Returns the id of a top-level resource in this group.
    ///
    /// # Errors
    ///
    /// The name is not a valid path segment, or the id would not be valid, as with a nested type.
    pub fn resource(&self, kind: &ResourceType, name: &str) -> Result<ResourceId, IdError> {
        check_segment("resource name", name)?;
        format!("{self}/providers/{kind}/{name}").parse()
    }
}

impl FromStr for ResourceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = |segment: &str, rule| Err(IdError::new(WHAT, segment, rule));
        let is = |segment: Option<&str>, word: &str| segment.is_some_and(|it| it.eq_ignore_ascii_case(word));
        let Some(rest) = text.strip_prefix('/') else { return refuse(text, "must begin with '/'") };
        let mut segments = Segments::new(WHAT, rest);
        let mut segment = segments.next()?;
        if is(segment, "subscriptions") {
            let subscription = segments.next()?.unwrap_or_default();
            if !is_guid(subscription) {
                return refuse(subscription, GUID_RULE);
            }
            segment = segments.next()?;
            if is(segment, "resourceGroups") {
                check_group_name(segments.next()?.unwrap_or_default())?;
                segment = segments.next()?;
            }
        }
        if segment.is_none() {
            return refuse(text, "has no '/providers/{namespace}/{type}/{name}'");
        }
        let mut provider = 0;
        while let Some(word) = segment {
            if !is(segment, "providers") {
                return refuse(word, "must be 'providers'");
            }
            provider = segments.begin_of(word);
            let namespace = segments.next()?.unwrap_or_default();
            if !namespace.contains('.') {
                return refuse(namespace, "must be a namespace such as Microsoft.KeyVault");
            }
            let Some(mut kind) = segments.next()? else {
                return refuse(text, "names a provider without a type and a name");
            };
            // A type may also be called 'providers', but only right after the namespace.
            segment = loop {
                if segments.next()?.is_none() {
                    return refuse(kind, "is a type without a name");
                }
                match segments.next()? {
                    Some(next) if !is(Some(next), "providers") => kind = next,
                    end => break end,
                }
            };
        }
        Ok(Self { text: text.into(), provider: Some(provider) })
    }
}

/// The segments of a path, each checked as it is taken.
struct Segments<'a> {
    what: &'static str,
    path: &'a str,
    /// Whether all its segments consist of plain bytes.
    plain: bool,
    /// Where the next segment begins; beyond the end of the path if there is none.
    at: usize,
}

impl<'a> Segments<'a> {
    fn new(what: &'static str, path: &'a str) -> Self {
        Self { what, path, plain: all_bytes(path, |byte| is_plain(byte) | (byte == b'/')), at: 0 }
    }

    fn next(&mut self) -> Result<Option<&'a str>, IdError> {
        let Some(rest) = self.path.get(self.at..) else { return Ok(None) };
        let length = before_slash(rest.as_bytes());
        let segment = &rest[..length];
        self.at += length + 1;
        if !self.plain || segment.is_empty() || segment.starts_with('.') || length > 90 {
            check_segment(self.what, segment)?;
        }
        Ok(Some(segment))
    }

    /// Returns the position, in the path with its leading slash, of the slash before the segment that was taken last.
    fn begin_of(&self, last: &str) -> usize {
        self.at - 1 - last.len()
    }
}

/// Returns the length of the first segment, in less time than `str::find`, which is made for long texts.
#[inline]
fn before_slash(bytes: &[u8]) -> usize {
    let (mut length, mut rest) = (0, bytes);
    while let Some((block, behind)) = rest.split_first_chunk::<16>() {
        let slashes = u8x16::new(*block).cmp_eq(u8x16::splat(b'/')).move_mask();
        if slashes != 0 {
            return length + slashes.trailing_zeros() as usize;
        }
        (length, rest) = (length + block.len(), behind);
    }
    length + rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_ends_before_the_first_slash_wherever_that_is() {
        for length in 0..70 {
            let segment = "s".repeat(length);
            for behind in ["", "/", "//", "/vaults", "/vaults/a-name-of-more-than-a-block"] {
                assert_eq!(
                    before_slash(format!("{segment}{behind}").as_bytes()),
                    length,
                    "before '{behind}'"
                );
            }
        }
    }
}
