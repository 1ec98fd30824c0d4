//! Key vaults: the control plane.

use crate::{call::Call, services::Surface, world::World};

pub(crate) const TYPE: &str = "Microsoft.KeyVault/vaults";

pub(crate) const SURFACE: Surface = Surface::EMPTY;

#[derive(Debug, Default)]
pub(crate) struct VaultState {
    caller_ip: Option<String>,
}

impl VaultState {
    pub(crate) fn open(&self, _name: &str) -> Option<()> {
        None
    }

    /// The address that all requests come from.
    pub(crate) fn caller_ip(&self) -> &str {
        self.caller_ip.as_deref().unwrap_or("203.0.113.7")
    }
}

/// The id of the vault that a request is about, and whether role assignments decide about it.
pub(crate) fn audited(_world: &World, _call: &Call) -> Option<(String, bool)> {
    None
}

pub(crate) fn soft_delete(_world: &mut World, _name: &str) {}
