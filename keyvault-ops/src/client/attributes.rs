//! The attributes of a version of a secret, and their limits.

use std::collections::BTreeMap;

use azure_core::{Error, Result, error::ErrorKind};
use serde::{Serialize, Serializer};
use time::OffsetDateTime;

const CONTENT_TYPE_LIMIT: usize = 255;
pub(crate) const TAG_LIMIT: usize = 15;
pub(crate) const TAG_LENGTH: usize = 512;

/// The attributes of a set or update request; only those that are `Some` are sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) enabled: Option<bool>,
    pub(crate) not_before: Option<OffsetDateTime>,
    pub(crate) expires: Option<OffsetDateTime>,
    pub(crate) content_type: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

/// Checks the limits that the service enforces.
pub(crate) fn check(attributes: &Attributes) -> Result<()> {
    let refuse = |message: String| Err(Error::with_message(ErrorKind::DataConversion, message));
    if let Some(content_type) = &attributes.content_type
        && content_type.chars().count() > CONTENT_TYPE_LIMIT
    {
        return refuse(format!("the content type is longer than {CONTENT_TYPE_LIMIT} characters"));
    }
    let tags = attributes.tags.as_ref().into_iter().flatten();
    if tags.clone().count() > TAG_LIMIT {
        return refuse(format!("there are more than {TAG_LIMIT} tags"));
    }
    let long = |text: &str| text.chars().count() > TAG_LENGTH;
    if let Some((name, _)) = tags.into_iter().find(|(name, value)| long(name) || long(value)) {
        let beginning: String = name.chars().take(40).collect();
        return refuse(format!("the tag '{beginning}' or its value is longer than {TAG_LENGTH} characters"));
    }
    match (attributes.not_before, attributes.expires) {
        (Some(from), Some(to)) if from >= to => {
            refuse("the secret would expire before it becomes valid".to_owned())
        }
        _ => Ok(()),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Times {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let unix = |instant: Option<OffsetDateTime>| instant.map(OffsetDateTime::unix_timestamp);
        let times = Times { enabled: self.enabled, nbf: unix(self.not_before), exp: unix(self.expires) };
        let given = times.enabled.is_some() || times.nbf.is_some() || times.exp.is_some();
        Body {
            content_type: self.content_type.as_deref(),
            attributes: given.then_some(times),
            tags: self.tags.as_ref(),
        }
        .serialize(serializer)
    }
}
