//! What the object types of a vault have in common, and the wording of each.

/// A type of object.
#[derive(Debug)]
pub(super) struct Kind {
    /// The collection, as it is spelled in paths, roles and access policies.
    pub(super) live: &'static str,
    /// The collection of deleted objects.
    pub(super) deleted: &'static str,
    /// The name of the member with the id.
    pub(super) id: &'static str,
    pub(super) word: &'static str,
    pub(super) missing: &'static str,
}

pub(super) const SECRETS: &Kind =
    &Kind { live: "secrets", deleted: "deletedsecrets", id: "id", word: "Secret", missing: "SecretNotFound" };

/// Recorded: like secrets, with this wording.
pub(super) const KEYS: &Kind =
    &Kind { live: "keys", deleted: "deletedkeys", id: "kid", word: "Key", missing: "KeyNotFound" };

/// Recorded: likewise.
pub(super) const CERTIFICATES: &Kind = &Kind {
    live: "certificates",
    deleted: "deletedcertificates",
    id: "id",
    word: "Certificate",
    missing: "CertificateNotFound",
};

const ALL: [&Kind; 3] = [SECRETS, KEYS, CERTIFICATES];

impl Kind {
    /// The object type of a path's first segment.
    pub(super) fn of(collection: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|kind| kind.live == collection || kind.deleted == collection)
    }
}
