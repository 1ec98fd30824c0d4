use arm_core::open_enum;
use serde::Deserialize;

/// Whether a vault name is free.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NameAvailability {
    /// Whether it is.
    pub name_available: bool,
    /// The reason, if not.
    #[serde(default)]
    pub reason: Option<UnavailableReason>,
    /// Why not, in the service's words.
    #[serde(default)]
    pub message: Option<String>,
}

open_enum! {
    /// Why a vault name cannot be used.
    pub enum UnavailableReason {
        /// It breaks the rule for names.
        AccountNameInvalid = "AccountNameInvalid",
        /// Someone has it, or it belongs to a soft-deleted vault.
        AlreadyExists = "AlreadyExists",
    }
}
