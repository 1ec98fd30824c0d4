//! One vault, as a row.

use monitor_ops::{Gap, VaultCoverage};

use crate::report::page::VaultRow;

pub(crate) fn row(vault: &VaultCoverage) -> VaultRow {
    let id = &vault.facts.id;
    let logged = vault.gaps.iter().find_map(|gap| match gap {
        Gap::NotLogged => Some(Some(false)),
        Gap::LoggingUnknown(_) => Some(None),
        _ => None,
    });
    VaultRow {
        name: id.name().to_owned(),
        group: id.resource_group().map(|group| group.name().to_string()).unwrap_or_default(),
        covered: vault.is_covered(),
        logged: logged.unwrap_or(Some(true)),
        gaps: vault.gaps.iter().map(|gap| (gap.to_string(), gap.fix().to_owned())).collect(),
        advice: vault.advice.iter().map(|advice| (*advice).to_owned()).collect(),
    }
}
