//! The declarations: one for each REST operation.

mod alerts;
mod applications;
mod assessments;
mod automations;
mod common;
mod containment;
mod governance;
mod ground;
mod keys;
mod machines;
mod monitor;
mod pricings;
mod secrets;
mod security;
mod sentinel;
mod vaults;

use crate::Contract;

/// All contracts, by the part of Azure that they are of.
pub fn all_contracts() -> Vec<(&'static str, Vec<Contract>)> {
    vec![
        ("alerts", alerts::contracts()),
        ("applications", applications::contracts()),
        ("assessments", assessments::contracts()),
        ("automations", automations::contracts()),
        ("containment", containment::contracts()),
        ("governance", governance::contracts()),
        ("ground", ground::contracts()),
        ("keys", keys::contracts()),
        ("machines", machines::contracts()),
        ("monitor", monitor::contracts()),
        ("pricings", pricings::contracts()),
        ("secrets", secrets::contracts()),
        ("security", security::contracts()),
        ("sentinel", sentinel::contracts()),
        ("vaults", vaults::contracts()),
    ]
}
