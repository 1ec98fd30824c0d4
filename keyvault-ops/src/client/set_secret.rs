//! Setting a secret.

use std::collections::BTreeMap;

use arm_core::{Secret, wire};
use azure_core::{Error, Result, error::ErrorKind};
use azure_security_keyvault_secrets::models::SecretClientSetSecretOptions;
use serde::Serialize;
use time::OffsetDateTime;

use super::{
    attributes::{Attributes, check},
    body::{not_repeatable, sealed_body},
    secrets::SecretsClient,
};
use crate::{SecretName, SecretProperties, models::Wire};

/// The largest value, in bytes.
const VALUE_LIMIT: usize = 25 * 1024;

/// A request to set a secret, sent when awaited. See [`SecretsClient::set`].
#[derive(Debug, Clone)]
#[must_use = "nothing is set until it is awaited"]
pub struct SetSecret {
    client: SecretsClient,
    name: SecretName,
    value: Secret,
    attributes: Attributes,
}

impl SecretsClient {
    /// Sets a secret, which creates a new version and makes it the current one: `SetSecret`. Await the returned value.
    ///
    /// There is no compare-and-set: the last one to set a value wins.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret/set-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::SoftDeleted`](crate::SecretRefusal::SoftDeleted), [`BeingDeleted`](crate::SecretRefusal::BeingDeleted),
    /// [`BeingRecovered`](crate::SecretRefusal::BeingRecovered),
    /// [`ManagedByKeyVault`](crate::SecretRefusal::ManagedByKeyVault).
    ///
    /// # Retries
    ///
    /// Each set creates a version, so it is not retried if it may have been carried out.
    /// [`may_have_acted`](crate::SecretErrorExt::may_have_acted) is then `true`; read the secret to find out.
    pub fn set(&self, name: &SecretName, value: Secret) -> SetSecret {
        SetSecret { client: self.clone(), name: name.clone(), value, attributes: Attributes::default() }
    }
}

impl SetSecret {
    /// Sets the content type; at most 255 characters.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.attributes.content_type = Some(content_type.into());
        self
    }

    /// Adds a tag. A secret can have 15 tags, with names and values of at most 512 characters. Tags are not secret.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.tags.get_or_insert_default().insert(name.into(), value.into());
        self
    }

    /// Adds tags.
    pub fn tags(mut self, tags: BTreeMap<String, String>) -> Self {
        self.attributes.tags.get_or_insert_default().extend(tags);
        self
    }

    /// Sets when the secret expires. For information only: an expired secret can still be read.
    pub fn expires_on(mut self, instant: OffsetDateTime) -> Self {
        self.attributes.expires = Some(instant);
        self
    }

    /// Sets when the secret becomes valid. For information only: it can be read before that.
    pub fn not_before(mut self, instant: OffsetDateTime) -> Self {
        self.attributes.not_before = Some(instant);
        self
    }

    /// Sets the secret as disabled: the new version becomes the current one, but nobody can read it.
    pub fn disabled(mut self) -> Self {
        self.attributes.enabled = Some(false);
        self
    }

    async fn run(self) -> Result<SecretProperties> {
        let Self { client, name, value, attributes } = self;
        let sent = async {
            check_value(&value)?;
            check(&attributes)?;
            let body = sealed_body(&Body { value: &value, attributes: &attributes })?;
            let options = SecretClientSetSecretOptions { method_options: not_repeatable() };
            let response = client.official().set_secret(name.as_str(), body.into(), Some(options)).await?;
            Wire::decode(response)?.properties()
        };
        sent.await.map_err(|error| client.failed("setting", &name, error))
    }
}

/// Rejects a value that is larger than a vault accepts.
pub(crate) fn check_value(value: &Secret) -> Result<()> {
    let bytes = value.expose().len();
    if bytes <= VALUE_LIMIT {
        return Ok(());
    }
    let message = format!(
        "the value has {bytes} bytes; a vault accepts at most {VALUE_LIMIT}: store it elsewhere and keep only its \
         key here"
    );
    Err(Error::with_message(ErrorKind::DataConversion, message))
}

arm_core::awaited!(SetSecret => Result<SecretProperties>);

#[derive(Serialize)]
struct Body<'a> {
    #[serde(with = "wire::secret")]
    value: &'a Secret,
    #[serde(flatten)]
    attributes: &'a Attributes,
}
