//! What the objects of a vault have in common, and in what words each kind says it.

/// A kind of object.
#[derive(Debug)]
pub(super) struct Kind {
    /// The collection, as paths, roles and access policies spell it.
    pub(super) live: &'static str,
    /// The collection of what is deleted.
    pub(super) deleted: &'static str,
    /// What its id is called.
    pub(super) id: &'static str,
    pub(super) word: &'static str,
    pub(super) missing: &'static str,
}

pub(super) const SECRETS: &Kind =
    &Kind { live: "secrets", deleted: "deletedsecrets", id: "id", word: "Secret", missing: "SecretNotFound" };

/// Recorded: as with secrets, in these words.
pub(super) const KEYS: &Kind =
    &Kind { live: "keys", deleted: "deletedkeys", id: "kid", word: "Key", missing: "KeyNotFound" };

/// Recorded: as well.
pub(super) const CERTIFICATES: &Kind = &Kind {
    live: "certificates",
    deleted: "deletedcertificates",
    id: "id",
    word: "Certificate",
    missing: "CertificateNotFound",
};

const ALL: [&Kind; 3] = [SECRETS, KEYS, CERTIFICATES];

impl Kind {
    /// The kind that the first word of a path speaks of.
    pub(super) fn of(collection: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|kind| kind.live == collection || kind.deleted == collection)
    }
}
