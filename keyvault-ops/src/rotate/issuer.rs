use arm_core::Secret;
use async_trait::async_trait;
use azure_core::Result;

use crate::{SecretId, SecretVersion};

/// Where a credential is issued: a database, a storage account, an application registration.
///
/// Implement it for a service with two credentials at a time; then no one is cut off.
///
/// ```
/// use arm_core::Secret;
/// use azure_core::Result;
/// use keyvault_ops::{Credential, Issuer, OldCredential, SecretId, random_value};
///
/// struct Database;
///
/// # impl Database {
/// #     async fn add_password(&self, _: &str, _: &Secret) -> Result<()> { Ok(()) }
/// #     async fn sign_in(&self, _: &Secret) -> Result<()> { Ok(()) }
/// #     async fn drop_password(&self, _: &str) -> Result<()> { Ok(()) }
/// # }
/// #[async_trait::async_trait]
/// impl Issuer for Database {
///     async fn create(&self, secret: &SecretId) -> Result<Credential> {
///         let (id, value) = (format!("{}-2", secret.name), random_value()?);
///         self.add_password(&id, &value).await?;
///         Ok(Credential { id, value })
///     }
///
///     async fn verify(&self, credential: &Credential) -> Result<()> {
///         self.sign_in(&credential.value).await
///     }
///
///     async fn revoke(&self, old: &OldCredential) -> Result<()> {
///         match &old.id {
///             Some(id) => self.drop_password(id).await,
///             None => Ok(()), // set by hand: nothing tells which password it was
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Issuer: Send + Sync {
    /// Creates a new credential beside the one in use. `secret` is where it will be kept.
    async fn create(&self, secret: &SecretId) -> Result<Credential>;

    /// Uses the credential, such as by signing in with it. An error means that it does not work: the rotation then
    /// sets the old value again.
    async fn verify(&self, credential: &Credential) -> Result<()>;

    /// Revokes a credential. It may be called again for one that is revoked, which must succeed.
    async fn revoke(&self, old: &OldCredential) -> Result<()>;
}

/// A credential that an issuer made.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The issuer's name for it, such as `key2`. Not secret: it becomes the tag `credential` of the version.
    pub id: String,
    /// The credential itself.
    pub value: Secret,
}

/// A credential to be revoked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OldCredential {
    /// The version that held it; nothing if it could not be stored.
    pub version: Option<SecretVersion>,
    /// The issuer's name for it, if the version has a tag `credential`.
    pub id: Option<String>,
    /// The value, if it was read in this run.
    pub value: Option<Secret>,
}

/// Who reads a secret.
#[async_trait]
pub trait Consumers: Send + Sync {
    /// Waits until all of them use this version. An error stops the rotation with all old versions enabled.
    ///
    /// App Service and Functions may take 24 hours to read a reference again, and a restart need not help; a change of
    /// configuration does. Consumers that are pinned to a version never move by themselves.
    async fn wait_until_moved(&self, to: &SecretId) -> Result<()>;
}
