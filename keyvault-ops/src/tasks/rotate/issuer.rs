use std::time::Duration;

use arm_core::Secret;
use async_trait::async_trait;
use azure_core::Result;

use crate::SecretId;

/// A service that issues credentials, such as a database, a storage account or an application registration.
///
/// A rotation calls [`create`](Self::create), tests the new credential with [`verify`](Self::verify), and only then
/// sets it in the vault. Once the consumers have moved, it revokes the old credentials, but only those that
/// [`identify`](Self::identify) recognized by their value, and those that the same rotation created without setting
/// them.
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
    /// Returns how many credentials it can have at a time, which determines how a rotation proceeds.
    fn kind(&self) -> IssuerKind;

    /// Returns how long a new credential may take to work. A failing [`verify`](Self::verify) is retried for that long.
    /// Default: zero.
    fn settle_time(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether [`verify`](Self::verify) uses the credential. `false` means that it only checks that the issuer lists
    /// it; a rotation is then never complete. Called after a `verify`. Default: `true`.
    fn proves(&self) -> bool {
        true
    }

    /// Creates a new credential in addition to the one in use, labeled with the rotation's id if the service supports
    /// that. For [`IssuerKind::TwoSlots`], regenerates the slot that is not `in_use`; for [`IssuerKind::One`], replaces
    /// the only credential.
    async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential>;

    /// Returns the existing credentials that were created for this rotation: an earlier run may have stopped right
    /// after [`create`](Self::create). Values are included only if the service shows them again. Called only for
    /// [`IssuerKind::Many`].
    async fn find(&self, rotation: &str) -> Result<Vec<FoundCredential>>;

    /// Returns the id of the credential in this value; `None` if it is not one of this issuer's, or no longer works. A
    /// credential without an id is not revoked, and the report lists its version.
    async fn identify(&self, value: &Secret) -> Result<Option<String>>;

    /// Tests the credential by using it, for example to sign in. If this fails, a new credential is not set.
    async fn verify(&self, value: &Secret) -> Result<()>;

    /// Revokes a credential. Must succeed for a credential that is already revoked. `Ok` counts as proof that the
    /// credential no longer works.
    async fn revoke(&self, id: &str) -> Result<()>;
}

/// How many credentials an issuer can have at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerKind {
    /// Any number: old ones work until they are revoked.
    Many,
    /// Two, such as `key1` and `key2`. The rotation regenerates the idle one. Before that, it tags the current version
    /// with its intent and reads the tag again after a few seconds; if another rotation's intent is there, it stops.
    TwoSlots,
    /// One: creating a new credential revokes the old one immediately. Refused without
    /// [`Rotate::accept_outage`](crate::Rotate::accept_outage).
    One,
}

/// The details of a credential to create.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CredentialRequest<'a> {
    /// The rotation's id, which is also passed to [`Issuer::find`].
    pub rotation: &'a str,
    /// The secret that will contain the credential.
    pub secret: &'a SecretId,
    /// The current value, such as a connection string to put the new key into. `None` if its version is disabled.
    pub current: Option<&'a Secret>,
    /// The id of the credential in the current value, if the issuer identified it.
    pub in_use: Option<&'a str>,
}

/// A credential that an issuer created.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The issuer's id for it, such as `key2`; 1 to 512 characters. Not secret: it is stored in the version's tag
    /// `credential` and in the ledger.
    pub id: String,
    /// The value to store.
    pub value: Secret,
}

/// A credential that an earlier run of a rotation created.
#[derive(Debug, Clone)]
pub struct FoundCredential {
    /// The issuer's id for it.
    pub id: String,
    /// The value to store, if the service shows it again.
    pub value: Option<Secret>,
}

/// The applications that read a secret.
#[async_trait]
pub trait Consumers: Send + Sync {
    /// Waits until all of them use this version. With [`IssuerKind::TwoSlots`], this is also called with the current
    /// version before the idle slot is regenerated.
    ///
    /// An error stops the rotation. No old version has been disabled by then and, except with
    /// [`Rotate::revoke_first`](crate::Rotate::revoke_first) or [`IssuerKind::One`], the old credential in use has not
    /// been revoked.
    ///
    /// App Service and Functions may take up to 24 hours to re-read a reference. A restart does not necessarily help,
    /// but a configuration change does. Consumers that are pinned to a version never move by themselves.
    async fn wait_until_moved(&self, to: &SecretId) -> Result<()>;
}
