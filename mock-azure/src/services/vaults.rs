//! Key vaults: the control plane.

use crate::{services::Surface, world::World};

pub(crate) const TYPE: &str = "Microsoft.KeyVault/vaults";

pub(crate) const SURFACE: Surface = Surface::EMPTY;

#[derive(Debug, Default)]
pub(crate) struct VaultState;

impl VaultState {
    pub(crate) fn open(&self, _name: &str) -> Option<()> {
        None
    }
}

pub(crate) fn soft_delete(_world: &mut World, _name: &str) {}
