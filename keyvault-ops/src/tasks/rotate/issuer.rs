use std::time::Duration;

use arm_core::Secret;
use async_trait::async_trait;
use azure_core::Result;

use crate::SecretId;

/// Where a credential is issued: a database, a storage account, an application registration.
///
/// A rotation calls [`create`](Self::create), tests the new credential with [`verify`](Self::verify), and only then
/// sets it in the vault. When the consumers have moved, it revokes the old credentials, but only those that
/// [`identify`](Self::identify) found by their value.
///
/// ```
/// use arm_core::Secret;
/// use azure_core::Result;
/// use keyvault_ops::{Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, random_value};
///
/// struct Database;
///
/// # impl Database {
/// #     async fn add_password(&self, _: &str, _: &Secret) -> Result<()> { Ok(()) }
/// #     async fn passwords(&self, _: &str) -> Result<Vec<String>> { Ok(Vec::new()) }
/// #     async fn sign_in(&self, _: &Secret) -> Result<Option<String>> { Ok(None) }
/// #     async fn drop_password(&self, _: &str) -> Result<()> { Ok(()) }
/// # }
/// #[async_trait::async_trait]
/// impl Issuer for Database {
///     fn kind(&self) -> IssuerKind {
///         IssuerKind::Many
///     }
///
///     async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential> {
///         let value = random_value()?;
///         self.add_password(request.rotation, &value).await?;
///         Ok(Credential { id: request.rotation.to_owned(), value })
///     }
///
///     async fn find(&self, rotation: &str) -> Result<Vec<FoundCredential>> {
///         let ids = self.passwords(rotation).await?;
///         Ok(ids.into_iter().map(|id| FoundCredential { id, value: None }).collect())
///     }
///
///     async fn identify(&self, value: &Secret) -> Result<Option<String>> {
///         self.sign_in(value).await
///     }
///
///     async fn verify(&self, value: &Secret) -> Result<()> {
///         self.sign_in(value).await.map(drop)
///     }
///
///     async fn revoke(&self, id: &str) -> Result<()> {
///         self.drop_password(id).await
///     }
/// }
/// ```
#[async_trait]
pub trait Issuer: Send + Sync {
    /// How many credentials it has at a time, which decides how a rotation goes about it.
    fn kind(&self) -> IssuerKind;

    /// How long a new credential may take until it works. A failing [`verify`](Self::verify) is repeated for that
    /// long. Default: none.
    fn settle_time(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether [`verify`](Self::verify) uses the credential. `false`: it is only seen among those of the issuer, and a
    /// rotation is never complete. Asked after a `verify`. Default: `true`.
    fn proves(&self) -> bool {
        true
    }

    /// Creates a new credential beside the one in use, and labels it with the rotation's id where the service has a
    /// place for that. [`IssuerKind::TwoSlots`]: regenerates the slot that is not `in_use`.
    async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential>;

    /// The credentials that were created for this rotation and exist: an earlier run may have stopped right after
    /// [`create`](Self::create). With their values only where the service shows them. Kinds other than
    /// [`IssuerKind::Many`] are not asked.
    async fn find(&self, rotation: &str) -> Result<Vec<FoundCredential>>;

    /// The id of the credential that this value holds. `None` if it is none of this issuer's, or does not work any
    /// more: it is then named in the report and never revoked.
    async fn identify(&self, value: &Secret) -> Result<Option<String>>;

    /// Uses the credential, such as by signing in with it. An error means that it does not work: it is then not set.
    async fn verify(&self, value: &Secret) -> Result<()>;

    /// Revokes a credential. It may be called again for one that is revoked, which must succeed. `Ok` is taken as
    /// proof that the credential no longer works.
    async fn revoke(&self, id: &str) -> Result<()>;
}

/// How many credentials an issuer has at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerKind {
    /// As many as are created: an old one works until it is revoked.
    Many,
    /// Two, such as `key1` and `key2`. The rotation regenerates the idle one. Before that, it tags the current version
    /// with its intent and reads the tag again after a while; where another rotation's intent stands, it refuses.
    TwoSlots,
    /// One: creating a new credential ends the old one at once. Refused without
    /// [`Rotate::accept_outage`](crate::Rotate::accept_outage).
    One,
}

/// What an issuer is told about the credential to create.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CredentialRequest<'a> {
    /// The rotation's id. [`Issuer::find`] is asked with it.
    pub rotation: &'a str,
    /// The secret that will hold it.
    pub secret: &'a SecretId,
    /// The current value, such as a connection string to put the new key into. `None` if it cannot be read.
    pub current: Option<&'a Secret>,
    /// The id of the credential that the current value holds, if the issuer identified it.
    pub in_use: Option<&'a str>,
}

/// A credential that an issuer created.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The issuer's id for it, such as `key2`; at most 512 characters. Not secret: it stands in the version's tag
    /// `credential` and in the ledger.
    pub id: String,
    /// The value to be stored.
    pub value: Secret,
}

/// A credential that an earlier run of a rotation created.
#[derive(Debug, Clone)]
pub struct FoundCredential {
    /// The issuer's id for it.
    pub id: String,
    /// The value to be stored, where the service shows it again.
    pub value: Option<Secret>,
}

/// The applications that read a secret.
#[async_trait]
pub trait Consumers: Send + Sync {
    /// Waits until all of them use this version. An error stops the rotation with all old versions enabled and all
    /// old credentials alive.
    ///
    /// App Service and Functions may take 24 hours to read a reference again, and a restart need not help; a change of
    /// configuration does. Consumers that are pinned to a version never move by themselves.
    async fn wait_until_moved(&self, to: &SecretId) -> Result<()>;
}
