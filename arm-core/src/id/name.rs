use std::str::FromStr;

use crate::id::{IdError, all_bytes, check_segment};

/// The name of a resource: one segment of a path.
///
/// Services have narrower rules. This type only ensures that a name cannot change the path, and has at most 260
/// characters.
#[derive(Clone)]
pub struct ResourceName {
    text: Box<str>,
}

crate::text_id!(ResourceName);

impl FromStr for ResourceName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        check_segment("resource name", text)?;
        if text.chars().count() > 260 {
            return Err(IdError::new("resource name", text, "is longer than 260 characters"));
        }
        Ok(Self { text: text.into() })
    }
}

/// The name of a resource group: 1 to 90 letters, digits, `-`, `_`, `.`, `(` or `)`, not ending with `.`.
#[derive(Clone)]
pub struct ResourceGroupName {
    text: Box<str>,
}

crate::text_id!(ResourceGroupName);

impl FromStr for ResourceGroupName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        check_group_name(text)?;
        Ok(Self { text: text.into() })
    }
}

/// Checks the rules for the name of a resource group.
pub(super) fn check_group_name(text: &str) -> Result<(), IdError> {
    let refuse = |rule| Err(IdError::new("resource group name", text, rule));
    if text.is_empty() || (text.len() > 90 && text.chars().count() > 90) {
        return refuse("must have 1 to 90 characters");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_');
    if !all_bytes(text, plain)
        && !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '(' | ')'))
    {
        return refuse("may contain only letters, digits, '-', '_', '.', '(' and ')'");
    }
    if text.ends_with('.') {
        return refuse("may not end with '.'");
    }
    Ok(())
}
