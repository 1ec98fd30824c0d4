use std::str::FromStr;

use crate::{IdError, id::all_bytes};

pub(crate) const GUID_RULE: &str = "must be a GUID such as 00000000-0000-0000-0000-000000000001";

/// The id of a subscription, a GUID.
#[derive(Clone)]
pub struct SubscriptionId {
    text: Box<str>,
}

crate::text_id!(SubscriptionId);

impl SubscriptionId {
    /// Returns `/subscriptions/{guid}`, the form used in ids and scopes.
    pub fn to_path(&self) -> String {
        format!("/subscriptions/{self}")
    }
}

impl FromStr for SubscriptionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_guid(text) {
            Ok(Self { text: text.into() })
        } else {
            Err(IdError::new("subscription id", text, GUID_RULE))
        }
    }
}

/// Whether a string is a GUID in its usual form, 8-4-4-4-12 hexadecimal digits.
pub(crate) fn is_guid(text: &str) -> bool {
    let dash = |at: usize| text.as_bytes()[at] == b'-';
    text.len() == 36
        && [8, 13, 18, 23].into_iter().all(dash)
        && all_bytes(text, |byte| byte.is_ascii_hexdigit() | (byte == b'-'))
        && text.bytes().filter(|byte| *byte == b'-').count() == 4
}
