//! Reads rotations from the ledger.

use std::{fs, io};

use defender_playbooks::findings::Finding;
use keyvault_ops::{LedgerAction, LedgerEntry};

use crate::{
    Lab,
    report::page::{Rotation, RotationEntry, Rotations, Section},
};

/// Reads the ledger: the file if live, the lab's memory if offline.
pub(crate) fn of(lab: &Lab) -> Section<Rotations> {
    if !lab.options.live {
        return Section::Read(read("this run", &lab.kept_ledger()));
    }
    let place = lab.options.ledger.display().to_string();
    match fs::read(&lab.options.ledger) {
        Ok(text) => Section::Read(read(&place, &text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Section::NotRead(format!("there is no ledger at '{place}': give its path with --ledger"))
        }
        Err(error) => Section::NotRead(format!("cannot read the ledger '{place}': {error}")),
    }
}

/// Parses a ledger with one JSON line for each step. Unreadable lines are counted, and do not hide others.
pub(crate) fn read(place: &str, text: &[u8]) -> Rotations {
    let mut found = Rotations { place: place.to_owned(), ..Rotations::default() };
    let mut keys: Vec<(String, String, Option<String>)> = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let Ok(entry) = serde_json::from_slice::<LedgerEntry>(line) else {
            found.unreadable += 1;
            continue;
        };
        let key = (entry.vault.clone(), entry.secret.to_string(), entry.rotation.clone());
        let at = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            let (vault, secret) = (key.0.clone(), key.1.clone());
            keys.push(key);
            // Old versions that were disabled later, outside a rotation, need no further steps.
            found.rotations.push(Rotation { vault, secret, finished: true, entries: Vec::new() });
            found.rotations.len() - 1
        });
        let rotation = &mut found.rotations[at];
        match entry.action {
            LedgerAction::Begun | LedgerAction::Stopped => rotation.finished = false,
            // Overtaken: somebody else's version is current, so nothing is left to do.
            LedgerAction::Finished | LedgerAction::Overtaken => rotation.finished = true,
            _ => {}
        }
        rotation.entries.push(RotationEntry {
            time: entry.time,
            action: words(entry.action).to_owned(),
            version: entry.version.map(|version| version.to_string()).unwrap_or_default(),
            detail: entry.detail.or(entry.credential).unwrap_or_default(),
        });
    }
    found.rotations.reverse();
    found
}

/// Findings for the rotations that were started but not finished.
pub(crate) fn unfinished(found: &Rotations) -> impl Iterator<Item = Finding> {
    found.rotations.iter().filter(|rotation| !rotation.finished).filter_map(|rotation| {
        let (first, last) = (rotation.entries.first()?, rotation.entries.last()?);
        let secret = rotation.secret.parse().ok()?;
        Some(Finding::of_unfinished_rotation(&rotation.vault, &secret, first.time, last.time))
    })
}

fn words(action: LedgerAction) -> &'static str {
    match action {
        LedgerAction::Begun => "begun",
        LedgerAction::Creating => "credential to be created",
        LedgerAction::CredentialCreated => "credential created at the issuer",
        LedgerAction::Verified => "new credential verified",
        LedgerAction::Setting => "new version to be set",
        LedgerAction::Set => "new version set",
        LedgerAction::ConsumersMoved => "consumers moved",
        LedgerAction::Revoking => "credential to be revoked",
        LedgerAction::CredentialRevoked => "credential revoked at the issuer",
        LedgerAction::Retiring => "old versions to be disabled",
        LedgerAction::Disabled => "old version disabled",
        LedgerAction::Finished => "finished",
        LedgerAction::Stopped => "stopped",
        LedgerAction::Overtaken => "overtaken by somebody else",
        _ => "another step",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(secret: &str, rotation: &str, action: &str) -> String {
        format!(
            r#"{{"time":"2026-11-24T10:00:00Z","vault":"kv.vault.azure.net","secret":"{secret}",{rotation}"action":"{action}"}}"#
        )
    }

    #[test]
    fn a_rotation_is_finished_only_if_the_ledger_says_so() {
        let one = r#""rotation":"r1","#;
        let two = r#""rotation":"r2","#;
        let text = [
            line("a", one, "begun"),
            line("a", one, "set"),
            line("a", one, "finished"),
            line("b", two, "begun"),
            line("b", two, "set"),
            line("a", "", "disabled"),
        ];
        let found = read("here", text.join("\n").as_bytes());
        let told: Vec<_> = found.rotations.iter().map(|it| (it.secret.as_str(), it.finished)).collect();
        assert_eq!(told, [("a", true), ("b", false), ("a", true)]);
        let open: Vec<Finding> = unfinished(&found).collect();
        assert_eq!(
            open.iter().map(|it| it.title.as_str()).collect::<Vec<_>>(),
            ["The rotation of b is not finished"]
        );
        assert_eq!(open[0].resources, ["https://kv.vault.azure.net/secrets/b"]);
    }

    #[test]
    fn a_damaged_line_is_counted_and_hides_no_other() {
        let text = format!("{}\n{{\"time\":\n\n", line("a", r#""rotation":"r","#, "begun"));
        let found = read("here", text.as_bytes());
        assert_eq!((found.unreadable, found.rotations.len()), (1, 1));
    }
}
