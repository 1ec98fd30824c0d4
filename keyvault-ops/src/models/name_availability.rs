use arm_core::open_enum;
use serde::Deserialize;

/// Whether a vault name is available.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NameAvailability {
    /// Whether the name is available.
    pub name_available: bool,
    /// The reason, if it is not available.
    pub reason: Option<UnavailableReason>,
    /// The service's message.
    pub message: Option<String>,
}

open_enum! {
    /// Why a vault name is not available.
    pub enum UnavailableReason {
        /// It breaks the naming rules.
        AccountNameInvalid = "AccountNameInvalid",
        /// Another vault has it, possibly a soft-deleted one.
        AlreadyExists = "AlreadyExists",
    }
}
