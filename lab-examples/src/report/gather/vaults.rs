//! Converts a vault to a row.

use defender_playbooks::VaultCoverage;

use crate::report::page::VaultRow;

pub(crate) fn row(vault: &VaultCoverage) -> VaultRow {
    let id = vault.vault.id.resource_id();
    VaultRow {
        name: id.name().to_owned(),
        group: id.resource_group().map(|group| group.name().to_string()).unwrap_or_default(),
        covered: vault.is_covered(),
        logged: vault.is_logged(),
        gaps: vault.gaps().iter().map(|gap| (gap.to_string(), gap.remedy().to_owned())).collect(),
        advice: vault.advice.iter().map(ToString::to_string).collect(),
    }
}
