//! Paths made of typed segments, and queries.

use std::borrow::Cow;

use azure_core::http::Url;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    IdError, ManagementGroupId, ResourceGroupId, ResourceId, Scope, SubscriptionId,
    id::{all_bytes, check_segment},
};

/// The characters that are percent-encoded. `$` is not, since it is common in OData: `$batch`, `$filter`.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'$');

/// What most paths and queries have room in, so that they do not grow piece by piece.
const ROOM: usize = 160;

/// The path of a request, built of percent-encoded segments.
///
/// If a segment could change the path (`..`, a slash, a control character), the request fails before anything is sent.
///
/// ```
/// use arm_core::{ArmPath, SubscriptionId};
///
/// let subscription: SubscriptionId = "00000000-0000-0000-0000-000000000001".parse()?;
/// let path = ArmPath::from(&subscription).provider("Microsoft.Security").literal("pricings").segment("KeyVaults");
/// assert_eq!(
///     path.to_string(),
///     "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/pricings/KeyVaults"
/// );
/// # Ok::<(), arm_core::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmPath {
    encoded: String,
    refused: Option<IdError>,
}

impl ArmPath {
    /// Returns the empty path.
    pub fn root() -> Self {
        Self { encoded: String::with_capacity(ROOM), refused: None }
    }

    /// Returns a path for which every request fails with this error before anything is sent.
    pub fn refused(error: IdError) -> Self {
        Self { refused: Some(error), ..Self::root() }
    }

    /// Appends literal segments from the program's source code, such as `providers/Microsoft.Security`.
    pub fn literal(self, text: &'static str) -> Self {
        text.split('/').fold(self, ArmPath::segment)
    }

    /// Appends `providers/{namespace}`.
    pub fn provider(self, namespace: &'static str) -> Self {
        self.literal("providers").literal(namespace)
    }

    /// Appends one segment, percent-encoded.
    pub fn segment(mut self, segment: impl AsRef<str>) -> Self {
        let segment = segment.as_ref();
        if let Err(error) = check_segment("path segment", segment) {
            self.refused.get_or_insert(error);
        }
        self.encoded.push('/');
        push_encoded(&mut self.encoded, segment);
        self
    }

    fn segments(self, id: &str) -> Self {
        id.split('/').skip(1).fold(self, ArmPath::segment)
    }

    /// Returns the full URL at an endpoint.
    #[expect(
        clippy::disallowed_methods,
        reason = "all segments are typed, and whether any was changed is checked"
    )]
    pub(crate) fn to_url(&self, endpoint: &Url, query: &Query) -> azure_core::Result<Url> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone().into());
        }
        let path = match endpoint.path().trim_end_matches('/') {
            "" => Cow::Borrowed(self.encoded.as_str()),
            base => Cow::Owned([base, &self.encoded].concat()),
        };
        // A clone, so that scheme and host are not parsed again.
        let mut url = endpoint.clone();
        url.set_path(&path);
        url.set_query(Some(query.0.as_str()).filter(|text| !text.is_empty()));
        let kept = url.path() == if path.is_empty() { "/" } else { &path };
        if !kept {
            let message =
                format!("the path '{self}' would be changed by URL normalization; nothing was sent");
            return Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::DataConversion,
                message,
            ));
        }
        Ok(url)
    }
}

/// Appends a text, percent-encoded.
fn push_encoded(encoded: &mut String, text: &str) {
    // To see that a text needs no encoding, as most do, is quicker than to encode it.
    if all_bytes(text, |byte| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'.')) {
        encoded.push_str(text);
    } else {
        encoded.extend(utf8_percent_encode(text, PLAIN));
    }
}

/// The query of a request, percent-encoded as it is built.
#[derive(Clone, Default)]
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        match self.0.is_empty() {
            true => self.0.reserve(ROOM),
            false => self.0.push('&'),
        }
        push_encoded(&mut self.0, name);
        self.0.push('=');
        push_encoded(&mut self.0, value);
    }
}

impl std::fmt::Display for ArmPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.encoded.is_empty() { "/" } else { &self.encoded })
    }
}

impl From<&SubscriptionId> for ArmPath {
    fn from(id: &SubscriptionId) -> Self {
        Self::root().literal("subscriptions").segment(id)
    }
}

impl From<&ResourceGroupId> for ArmPath {
    fn from(id: &ResourceGroupId) -> Self {
        Self::from(id.subscription()).literal("resourceGroups").segment(id.name())
    }
}

impl From<&ResourceId> for ArmPath {
    fn from(id: &ResourceId) -> Self {
        let mut path = Self::root().segments(id.as_str());
        if let Err(error) = id.as_str().parse::<ResourceId>() {
            path.refused.get_or_insert(error);
        }
        path
    }
}

impl From<&ManagementGroupId> for ArmPath {
    fn from(id: &ManagementGroupId) -> Self {
        Self::root().segments(&id.to_path())
    }
}

impl From<&Scope> for ArmPath {
    fn from(scope: &Scope) -> Self {
        match scope {
            Scope::Subscription(id) => id.into(),
            Scope::ResourceGroup(id) => id.into(),
            Scope::Resource(id) => id.into(),
            Scope::ManagementGroup(id) => id.into(),
        }
    }
}
