//! Classification of Key Vault errors.

use std::{error::Error as _, fmt};

use arm_core::{ArmError, ArmErrorExt as _};
use azure_core::Error;

mod sealed {
    pub trait Sealed {}
    impl Sealed for azure_core::Error {}
}

/// Methods that classify control-plane errors.
pub trait VaultErrorExt: sealed::Sealed {
    /// Whether another vault has the name: a live one anywhere in the cloud, or a soft-deleted one, which must be
    /// recovered or purged first.
    fn is_vault_name_taken(&self) -> bool;
}

impl VaultErrorExt for Error {
    fn is_vault_name_taken(&self) -> bool {
        self.is_conflict() && (self.is_code("VaultAlreadyExists") || self.is_code("ConflictError"))
    }
}

/// Why a vault refused a request on a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretRefusal {
    /// The version is disabled. This is not a permission problem.
    Disabled,
    /// The caller has no role that allows it, or the role assignment has not propagated yet, which can take minutes.
    ForbiddenByRbac,
    /// No access policy allows it.
    ForbiddenByPolicy,
    /// The vault's firewall, or its disabled public network access, blocks the caller's address.
    ForbiddenByFirewall,
    /// Refused for another reason, such as purge protection.
    Forbidden,
    /// The secret belongs to a certificate: only Key Vault itself can change it.
    ManagedByKeyVault,
    /// There is no such secret or version. Only [`get`](crate::SecretsClient::get) also looks for a deleted secret, if
    /// the caller may see it.
    NotFound,
    /// The secret is soft-deleted. Its name cannot be reused until it is recovered or purged.
    SoftDeleted,
    /// A delete or purge is in progress, even if a read says otherwise. Try again soon.
    BeingDeleted,
    /// A recovery is in progress, even if a read says otherwise. Try again soon.
    BeingRecovered,
    /// The request conflicts with the state of the secret for another reason.
    Conflict,
    /// A request limit of the vault is exceeded, such as that of 4,000 reads in 10 seconds.
    Throttled,
}

/// The inner error codes of the data plane.
const INNER_CODES: &[(&str, SecretRefusal)] = &[
    ("SecretDisabled", SecretRefusal::Disabled),
    ("ForbiddenByRbac", SecretRefusal::ForbiddenByRbac),
    ("ForbiddenByPolicy", SecretRefusal::ForbiddenByPolicy),
    ("AccessDenied", SecretRefusal::ForbiddenByPolicy),
    ("ForbiddenByFirewall", SecretRefusal::ForbiddenByFirewall),
    ("ForbiddenByConnection", SecretRefusal::ForbiddenByFirewall),
    ("SecretManagedByKeyVault", SecretRefusal::ManagedByKeyVault),
    ("ObjectIsDeletedButRecoverable", SecretRefusal::SoftDeleted),
    ("ObjectIsBeingDeleted", SecretRefusal::BeingDeleted),
    ("ObjectIsBeingPurged", SecretRefusal::BeingDeleted),
    ("ObjectIsBeingRecovered", SecretRefusal::BeingRecovered),
];

/// Methods that classify data-plane errors.
///
/// ```
/// use keyvault_ops::{SecretErrorExt as _, SecretRefusal};
///
/// fn advice(error: &azure_core::Error) -> &'static str {
///     match error.secret_refusal() {
///         Some(SecretRefusal::Disabled) => "enable the version, or read another",
///         Some(SecretRefusal::SoftDeleted) => "recover or purge it first",
///         Some(SecretRefusal::ForbiddenByFirewall) => "ask from an allowed network",
///         _ => "see the message",
///     }
/// }
/// ```
pub trait SecretErrorExt: sealed::Sealed {
    /// Returns why the vault refused the request; `None` if it did not respond, or for any other error.
    fn secret_refusal(&self) -> Option<SecretRefusal>;

    /// Whether the request may have been carried out despite the error. Same as
    /// [`may_have_been_applied`](arm_core::ArmErrorExt::may_have_been_applied).
    fn may_have_acted(&self) -> bool;
}

impl SecretErrorExt for Error {
    fn secret_refusal(&self) -> Option<SecretRefusal> {
        if is_soft_deleted(self) {
            return Some(SecretRefusal::SoftDeleted);
        }
        let error = self.arm_error()?;
        let inner = INNER_CODES.iter().find(|(code, _)| error.has_code(code)).map(|(_, refusal)| *refusal);
        inner.or(match error.status {
            403 => Some(SecretRefusal::Forbidden),
            404 => Some(SecretRefusal::NotFound),
            409 => Some(SecretRefusal::Conflict),
            429 => Some(SecretRefusal::Throttled),
            _ => None,
        })
    }

    fn may_have_acted(&self) -> bool {
        self.may_have_been_applied()
    }
}

/// Marks the error of a request after which the secret was found among the deleted ones.
#[derive(Debug)]
pub(crate) struct IsSoftDeleted {
    source: Error,
}

impl IsSoftDeleted {
    pub(crate) fn around(source: Error, advice: &str) -> Error {
        let message = format!("{source}; {advice}");
        Self::marking(source, message)
    }

    /// Marks an error whose message says everything already.
    pub(crate) fn marking(source: Error, message: String) -> Error {
        let kind = source.kind().clone();
        // Its text is already part of the message.
        let source = source.reworded("the refusal");
        Error::with_error(kind, Self { source }, message)
    }
}

impl fmt::Display for IsSoftDeleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the secret was found among the deleted secrets")
    }
}

impl std::error::Error for IsSoftDeleted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

fn is_soft_deleted(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<IsSoftDeleted>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Rewords the error as the attempted operation and the service's reason, on one line.
pub(crate) fn attempted(what: impl fmt::Display, error: Error) -> Error {
    let said = error.to_string();
    let read = error.arm_error().as_ref().map(ArmError::to_string);
    let reason = read.filter(|read| !said.contains(read)).unwrap_or(said);
    let message = format!("{what}: {}", reason.split_whitespace().collect::<Vec<_>>().join(" "));
    error.reworded(message)
}
