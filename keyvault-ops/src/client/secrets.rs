//! Secrets: one method per data-plane operation, on top of the official client.

use std::{sync::Arc, time::Duration};

use arm_core::{ArmClient, ListPage, Pager, Secret, wire};
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        RawResponse, Response, Url,
        pager::{PageIterator, PagerContinuation, PagerOptions},
    },
};
use azure_security_keyvault_secrets::{
    SecretClient, SecretClientOptions,
    models::{
        SecretClientBackupSecretOptions, SecretClientGetSecretOptions,
        SecretClientListDeletedSecretPropertiesOptions, SecretClientListSecretPropertiesOptions,
        SecretClientListSecretPropertiesVersionsOptions,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::TryStreamExt as _;
use serde::de::DeserializeOwned;

use super::{
    body::{repeatable, sealed_body},
    role_propagation::{RolePropagation, RoleWait},
};
use crate::{
    DeletedSecret, SecretBackup, SecretBundle, SecretErrorExt as _, SecretName, SecretProperties,
    SecretRefusal, SecretState, SecretVersion, Vault, VaultName,
    error::{IsSoftDeleted, attempted},
    models::{Wire, WirePage},
};

/// A client for the secrets of one vault.
///
/// A thin layer over the official `azure_security_keyvault_secrets::SecretClient`. It adds names that cannot change the
/// path, page links that are followed only within the vault, the retries of [`ArmClient`], values that are wiped and
/// never printed, and errors that can be classified ([`SecretErrorExt`](crate::SecretErrorExt)).
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient) -> Result<(), Box<dyn std::error::Error>> {
/// use arm_core::Secret;
/// use futures::TryStreamExt as _;
/// use keyvault_ops::SecretsClient;
///
/// let secrets = SecretsClient::new(arm, &"kv-prod".parse()?)?;
/// let name = "db-password".parse()?;
/// let set = secrets.set(&name, Secret::new("REDACTED")).content_type("text/plain").await?;
/// let read = secrets.get(&name).await?;
/// assert_eq!(read.properties.version(), set.version());
/// let mut versions = secrets.list_versions(&name);
/// while let Some(version) = versions.try_next().await? {
///     println!("{} enabled: {}", version.id, version.enabled);
/// }
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// Key Vault Secrets User to read, Key Vault Secrets Officer for all operations; in a vault that uses access policies,
/// the permissions `get`, `list`, `set`, `delete`, `recover`, `purge`, `backup`, `restore`.
#[derive(Clone)]
pub struct SecretsClient {
    arm: ArmClient,
    endpoint: Url,
    official: Arc<SecretClient>,
}

impl std::fmt::Debug for SecretsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretsClient").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

impl SecretsClient {
    /// Creates a client for the vault with this name, in the cloud of this connection.
    ///
    /// # Errors
    ///
    /// The vault's endpoint is not a URL.
    pub fn new(arm: &ArmClient, vault: &VaultName) -> Result<Self> {
        let endpoint = format!("https://{vault}.{}", arm.endpoints().vault_suffix);
        Self::with_policies(arm, endpoint.parse()?, None)
    }

    /// Creates a client for this vault.
    ///
    /// Its `vaultUri` must belong to this cloud: no token is sent to any other host.
    ///
    /// # Errors
    ///
    /// The vault has no endpoint, or one that does not belong to this cloud.
    pub fn of(arm: &ArmClient, vault: &Vault) -> Result<Self> {
        let uri = vault.properties.vault_uri.as_deref().unwrap_or_default();
        let refuse = |reason: &str| {
            let message = format!("the vault '{}' has the address '{uri}', {reason}", vault.name);
            Err(Error::with_message(ErrorKind::Other, message))
        };
        let Ok(mut endpoint) = uri.parse::<Url>() else { return refuse("which is not a URL") };
        let suffix = format!(".{}", arm.endpoints().vault_suffix);
        if endpoint.scheme() != "https" || !endpoint.host_str().is_some_and(|host| host.ends_with(&suffix)) {
            return refuse("which does not belong to this cloud");
        }
        endpoint.set_query(None);
        endpoint.set_fragment(None);
        Self::with_policies(arm, endpoint, None)
    }

    /// Returns a client for use right after a role was assigned to the caller.
    ///
    /// A new role assignment can take minutes to take effect, and no API shows when it has. The returned client retries
    /// requests refused with `ForbiddenByRbac` for up to `budget` from now, and calls `on_wait` before each wait. It
    /// treats other refusals like any other client.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn after_role_assignment(
        &self,
        budget: Duration,
        on_wait: impl Fn(RoleWait) + Send + Sync + 'static,
    ) -> Result<Self> {
        let policy = RolePropagation::new(budget, Arc::new(on_wait));
        Self::with_policies(&self.arm, self.endpoint.clone(), Some(policy))
    }

    fn with_policies(arm: &ArmClient, endpoint: Url, roles: Option<RolePropagation>) -> Result<Self> {
        let mut client_options = arm.client_options_for(&endpoint)?;
        if let Some(roles) = roles {
            // Outside the retry policy, which is the last one.
            let before_retry = client_options.per_call_policies.len().saturating_sub(1);
            client_options.per_call_policies.insert(before_retry, Arc::new(roles));
        }
        let options = SecretClientOptions { client_options, ..SecretClientOptions::default() };
        let official = SecretClient::new(endpoint.as_str(), arm.credential(), Some(options))?;
        Ok(Self { arm: arm.clone(), endpoint, official: Arc::new(official) })
    }

    /// The vault's address.
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The vault's host name, as used in a [`SecretId`](crate::SecretId).
    pub fn host(&self) -> &str {
        self.endpoint.host_str().unwrap_or_default()
    }

    /// Reads the current version of a secret: `GetSecret`. Only this read reliably shows which version is current.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::Disabled`]: the current version is disabled. [`SecretRefusal::SoftDeleted`] or
    /// [`SecretRefusal::NotFound`]: there is no live secret; a second request finds out whether it is deleted.
    pub async fn get(&self, name: &SecretName) -> Result<SecretBundle> {
        let error = match self.read(name, None).await {
            Err(error) if error.secret_refusal() == Some(SecretRefusal::NotFound) => error,
            outcome => return outcome,
        };
        Err(match self.get_deleted(name).await {
            Ok(_) => {
                IsSoftDeleted::around(error, "it is soft-deleted: recover it, or purge it to free its name")
            }
            Err(_) => error,
        })
    }

    /// Reads the current version of a secret; `None` if the secret does not exist or is soft-deleted: `GetSecret`.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing secret is `None`.
    pub async fn get_opt(&self, name: &SecretName) -> Result<Option<SecretBundle>> {
        match self.read(name, None).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.secret_refusal() == Some(SecretRefusal::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads one version of a secret: `GetSecret`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::Disabled`], [`SecretRefusal::NotFound`].
    pub async fn get_version(&self, name: &SecretName, version: &SecretVersion) -> Result<SecretBundle> {
        self.read(name, Some(version)).await
    }

    pub(crate) async fn read(
        &self,
        name: &SecretName,
        version: Option<&SecretVersion>,
    ) -> Result<SecretBundle> {
        let options = SecretClientGetSecretOptions {
            secret_version: version.map(|version| version.as_str().to_owned()),
            ..Default::default()
        };
        let answer = self.official.get_secret(name.as_str(), Some(options)).await;
        let bundle = answer.and_then(|response| Wire::decode(response)?.bundle());
        bundle.map_err(|error| match version {
            None => self.failed("reading", name, error),
            Some(version) => self.failed("reading", format_args!("{name}/{version}"), error),
        })
    }

    /// Returns the state of a name: in use, disabled, soft-deleted or free.
    ///
    /// # Errors
    ///
    /// Any other refusal by the vault: see [`SecretErrorExt`](crate::SecretErrorExt).
    pub async fn state(&self, name: &SecretName) -> Result<SecretState> {
        match self.read(name, None).await {
            Ok(found) => return Ok(SecretState::Live(Box::new(found.properties))),
            Err(error) => match error.secret_refusal() {
                Some(SecretRefusal::Disabled) => return Ok(SecretState::Disabled),
                Some(SecretRefusal::NotFound) => {}
                _ => return Err(error),
            },
        }
        match self.get_deleted(name).await {
            Ok(deleted) => Ok(SecretState::SoftDeleted(Box::new(deleted))),
            Err(error) if error.secret_refusal() == Some(SecretRefusal::NotFound) => Ok(SecretState::Absent),
            Err(error) => Err(error),
        }
    }

    /// Streams the secrets of the vault, including managed ones, without values: `GetSecrets`. At most 25 per page.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets)
    #[inline]
    pub fn list(&self) -> Pager<SecretProperties> {
        self.pages(format!("listing the secrets of {}", self.host()), |official, method_options| {
            let options = SecretClientListSecretPropertiesOptions { method_options, ..Default::default() };
            Ok(official.list_secret_properties(Some(options))?.into_pages())
        })
    }

    /// Streams the versions of a secret without values: `GetSecretVersions`. At most 25 per page.
    ///
    /// **They are in no particular order**, and `created` is precise only to the second. [`get`](Self::get) shows which
    /// one is current.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions)
    #[inline]
    pub fn list_versions(&self, name: &SecretName) -> Pager<SecretProperties> {
        let name = name.clone();
        let what = format!("listing the versions of secret '{name}' of {}", self.host());
        self.pages(what, move |official, method_options| {
            let options =
                SecretClientListSecretPropertiesVersionsOptions { method_options, ..Default::default() };
            Ok(official.list_secret_properties_versions(name.as_str(), Some(options))?.into_pages())
        })
    }

    /// Streams the soft-deleted secrets of the vault: `GetDeletedSecrets`. At most 25 per page.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/get-deleted-secrets/get-deleted-secrets)
    #[inline]
    pub fn list_deleted(&self) -> Pager<DeletedSecret> {
        self.pages(format!("listing the deleted secrets of {}", self.host()), |official, method_options| {
            let options =
                SecretClientListDeletedSecretPropertiesOptions { method_options, ..Default::default() };
            Ok(official.list_deleted_secret_properties(Some(options))?.into_pages())
        })
    }

    /// Wraps a list of the official client in a [`Pager`] that reads it page by page.
    fn pages<P: Send + 'static, T: DeserializeOwned + Send + 'static>(
        &self,
        what: String,
        list: impl Fn(&SecretClient, PagerOptions<'static>) -> Result<PageIterator<Response<P>>>
        + Send
        + Sync
        + 'static,
    ) -> Pager<T> {
        let (client, list) = (self.clone(), Arc::new((what, list)));
        arm_core::pages(move |continuation| {
            let (client, list) = (client.clone(), list.clone());
            async move {
                let (what, list) = &*list;
                let mut pages = list(&client.official, client.page_options(continuation)?)?;
                let page = first(pages.try_next().await).and_then(page_of);
                page.map_err(|error| attempted(what, error))
            }
        })
    }

    fn page_options(&self, continuation: Option<String>) -> Result<PagerOptions<'static>> {
        let link = continuation.map(|link| self.endpoint.join(&link)).transpose()?;
        Ok(PagerOptions { continuation: link.map(PagerContinuation::Link), ..Default::default() })
    }

    /// Soft-deletes a secret with all its versions: `DeleteSecret`. Its name cannot be reused until it is recovered or
    /// purged.
    ///
    /// The response arrives before the deletion is complete: until then, the secret appears neither among the live nor
    /// among the deleted secrets. See [`wait_until_deleted`](Self::wait_until_deleted).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/delete-secret/delete-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::NotFound`], [`SecretRefusal::ManagedByKeyVault`].
    ///
    /// # Retries
    ///
    /// A second delete fails with `NotFound` or `BeingDeleted`.
    pub async fn delete(&self, name: &SecretName) -> Result<DeletedSecret> {
        let answer = self.official.delete_secret(name.as_str(), None).await;
        let deleted = answer.and_then(|response| Wire::decode(response)?.deleted());
        deleted.map_err(|error| self.failed("deleting", name, error))
    }

    /// Reads a soft-deleted secret: `GetDeletedSecret`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/get-deleted-secret/get-deleted-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::NotFound`], also while the deletion is incomplete.
    pub async fn get_deleted(&self, name: &SecretName) -> Result<DeletedSecret> {
        let answer = self.official.get_deleted_secret(name.as_str(), None).await;
        let deleted = answer.and_then(|response| Wire::decode(response)?.deleted());
        deleted.map_err(|error| self.failed("reading deleted", name, error))
    }

    /// Recovers a soft-deleted secret with all its versions: `RecoverDeletedSecret`.
    ///
    /// The response arrives before the recovery is complete. See [`wait_until_recovered`](Self::wait_until_recovered).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/recover-deleted-secret/recover-deleted-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::NotFound`], [`BeingDeleted`](SecretRefusal::BeingDeleted).
    pub async fn recover(&self, name: &SecretName) -> Result<SecretProperties> {
        let answer = self.official.recover_deleted_secret(name.as_str(), None).await;
        let recovered = answer.and_then(|response| Wire::decode(response)?.properties());
        recovered.map_err(|error| self.failed("recovering", name, error))
    }

    /// Permanently deletes a soft-deleted secret: `PurgeDeletedSecret`. The response arrives before this is complete.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/purge-deleted-secret/purge-deleted-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::NotFound`]; [`SecretRefusal::Forbidden`]: the vault has purge protection;
    /// [`SecretRefusal::BeingDeleted`]: the deletion is incomplete.
    pub async fn purge(&self, name: &SecretName) -> Result<()> {
        let answer = self.official.purge_deleted_secret(name.as_str(), None).await;
        answer.map(drop).map_err(|error| self.failed("purging", name, error))
    }

    /// Backs up a secret with all its versions: `BackupSecret`. The service refuses more than 500 versions.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/backup-secret/backup-secret)
    ///
    /// # Errors
    ///
    /// Any refusal by the vault: see [`SecretErrorExt`](crate::SecretErrorExt).
    pub async fn backup(&self, name: &SecretName) -> Result<SecretBackup> {
        let options = SecretClientBackupSecretOptions { method_options: repeatable() };
        let answer = self.official.backup_secret(name.as_str(), Some(options)).await;
        let backup = answer.and_then(|response| {
            let body: Blob = wire::decode(&response.into())?;
            let blob = URL_SAFE_NO_PAD.decode(body.value.expose().trim_end_matches('='));
            blob.map(SecretBackup::new).map_err(|_| {
                Error::with_message(
                    ErrorKind::DataConversion,
                    "the backup that the service sent is not base64url",
                )
            })
        });
        backup.map_err(|error| self.failed("backing up", name, error))
    }

    /// Restores a secret from a backup: `RestoreSecret`. The secret's name must be free, and the vault must be in the
    /// same subscription and geography as the original one.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/restore-secret/restore-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::Conflict`]: the name is in use; [`SecretRefusal::SoftDeleted`].
    pub async fn restore(&self, backup: &SecretBackup) -> Result<SecretProperties> {
        let body = Blob { value: Secret::new(URL_SAFE_NO_PAD.encode(backup.expose())) };
        let answer = self.official.restore_secret(sealed_body(&body)?.into(), None).await;
        let restored = answer.and_then(|response| Wire::decode(response)?.properties());
        restored.map_err(|error| attempted(format_args!("restoring a secret to {}", self.host()), error))
    }

    pub(crate) fn official(&self) -> &SecretClient {
        &self.official
    }

    pub(crate) fn failed(&self, doing: &str, what: impl std::fmt::Display, error: Error) -> Error {
        attempted(format_args!("{doing} secret '{what}' of {}", self.host()), error)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Blob {
    #[serde(with = "wire::secret")]
    value: Secret,
}

/// Unwraps the requested page.
fn first<T>(page: Result<Option<T>>) -> Result<T> {
    let page = page.map_err(without_values)?;
    page.ok_or_else(|| Error::with_message(ErrorKind::DataConversion, "the list has no page"))
}

/// Removes values from an error: the official client decodes pages itself, and its error quotes what it cannot decode.
fn without_values(error: Error) -> Error {
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        if let Some(json) = inner.downcast_ref::<serde_json::Error>() {
            let (line, column) = (json.line(), json.column());
            let message = format!("the page cannot be decoded at line {line} column {column}");
            return Error::with_message(ErrorKind::DataConversion, message);
        }
        cause = inner.source();
    }
    error
}

fn page_of<T: DeserializeOwned>(response: impl Into<RawResponse>) -> Result<ListPage<T>> {
    let page: WirePage = wire::decode(&response.into())?;
    Ok(ListPage::of_raw(&page.value, page.next_link))
}
