use std::str::FromStr;

use crate::{IdError, ResourceName};

/// A management group, identified by its name, the last segment of its id.
#[derive(Clone)]
pub struct ManagementGroupId {
    text: Box<str>,
}

crate::text_id!(ManagementGroupId);

impl ManagementGroupId {
    /// Returns `/providers/Microsoft.Management/managementGroups/{name}`.
    pub fn to_path(&self) -> String {
        format!("{PREFIX}{self}")
    }
}

pub(crate) const PREFIX: &str = "/providers/Microsoft.Management/managementGroups/";

impl FromStr for ManagementGroupId {
    type Err = IdError;

    /// Parses the name alone, or the whole id.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let name = match text.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
            _ => text,
        };
        let name: ResourceName = name.parse()?;
        if name.as_str().len() > 90 {
            return Err(IdError::new("management group", text, "must have at most 90 characters"));
        }
        Ok(Self { text: name.as_str().into() })
    }
}
