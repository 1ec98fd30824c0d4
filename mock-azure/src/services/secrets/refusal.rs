//! Refusals in the data plane's format. Recorded: the format, and the codes for secrets that do not exist, are deleted
//! or are being deleted. Documented: the others.

use serde_json::json;

use super::kind::Kind;
use crate::http::Reply;

pub(super) fn plain(status: u16, code: &str, message: impl Into<String>) -> Reply {
    Reply::arm_error(status, code, message)
}

/// A refusal whose `innererror` contains the reason.
pub(super) fn inner(status: u16, code: &str, why: &str, message: impl Into<String>) -> Reply {
    let error = json!({ "code": code, "message": message.into(), "innererror": { "code": why } });
    Reply::json(status, json!({ "error": error }))
}

pub(super) fn bad_parameter(message: impl Into<String>) -> Reply {
    plain(400, "BadParameter", message)
}

pub(super) fn not_found(kind: &Kind, name_or_id: &str) -> Reply {
    plain(
        404,
        kind.missing,
        format!(
            "A {0} with (name/id) {name_or_id} was not found in this key vault. If you recently deleted this {0} \
             you may be able to recover it using the correct recovery command. For help resolving this issue, please \
             see https://go.microsoft.com/fwlink/?linkid=2125182",
            kind.word.to_ascii_lowercase()
        ),
    )
}

pub(super) fn deleted_not_found(kind: &Kind, name: &str) -> Reply {
    plain(404, kind.missing, format!("Deleted {} not found: {name}", kind.word))
}

pub(super) fn being_deleted(kind: &Kind, name: &str) -> Reply {
    inner(
        409,
        "Conflict",
        "ObjectIsBeingDeleted",
        format!("{} {name} is currently being deleted.", kind.word),
    )
}

pub(super) fn being_recovered(kind: &Kind, name: &str) -> Reply {
    inner(
        409,
        "Conflict",
        "ObjectIsBeingRecovered",
        format!("{} {name} is currently being recovered.", kind.word),
    )
}

pub(super) fn deleted_but_recoverable(kind: &Kind, name: &str) -> Reply {
    inner(
        409,
        "Conflict",
        "ObjectIsDeletedButRecoverable",
        format!(
            "{} {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this \
             state, the {} can only be recovered or purged.",
            kind.word,
            kind.word.to_ascii_lowercase()
        ),
    )
}

pub(super) fn managed(name: &str) -> Reply {
    inner(
        403,
        "Forbidden",
        "SecretManagedByKeyVault",
        format!("Operation is not allowed on the secret {name}: it is managed by Key Vault."),
    )
}

pub(super) fn throttled() -> Reply {
    plain(
        429,
        "Throttled",
        "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
    )
    .header("retry-after", "1")
}
