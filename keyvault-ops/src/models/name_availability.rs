use arm_core::open_enum;
use serde::Deserialize;

/// Whether a vault name is free.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NameAvailability {
    /// Whether the name is free.
    pub name_available: bool,
    /// The reason, if not.
    pub reason: Option<UnavailableReason>,
    /// The service's message.
    pub message: Option<String>,
}

open_enum! {
    /// Why a vault name cannot be used.
    pub enum UnavailableReason {
        /// It breaks the naming rules.
        AccountNameInvalid = "AccountNameInvalid",
        /// Another vault has it, perhaps a soft-deleted one.
        AlreadyExists = "AlreadyExists",
    }
}
