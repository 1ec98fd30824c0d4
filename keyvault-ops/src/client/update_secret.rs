//! Updating a version of a secret.

use std::collections::BTreeMap;

use azure_core::Result;
use azure_security_keyvault_secrets::models::SecretClientUpdateSecretPropertiesOptions;
use time::OffsetDateTime;

use super::{
    attributes::{Attributes, check},
    body::{repeatable, sealed_body},
    secrets::SecretsClient,
};
use crate::{SecretName, SecretProperties, SecretVersion, models::Wire};

/// A request to update one version of a secret, sent when awaited. See [`SecretsClient::update`].
#[derive(Debug, Clone)]
#[must_use = "nothing is changed until it is awaited"]
pub struct UpdateSecret {
    client: SecretsClient,
    name: SecretName,
    version: SecretVersion,
    attributes: Attributes,
}

impl SecretsClient {
    /// Changes the attributes and tags of one version, not its value: `UpdateSecret`. Await the returned value.
    ///
    /// Attributes that are not set stay unchanged; tags are replaced as a whole.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/secrets/update-secret/update-secret)
    ///
    /// # Errors
    ///
    /// [`SecretRefusal::NotFound`](crate::SecretRefusal::NotFound), [`SecretRefusal::ManagedByKeyVault`](crate::SecretRefusal::ManagedByKeyVault).
    ///
    /// # Retries
    ///
    /// Safe to repeat.
    pub fn update(&self, name: &SecretName, version: &SecretVersion) -> UpdateSecret {
        let (client, name, version) = (self.clone(), name.clone(), version.clone());
        UpdateSecret { client, name, version, attributes: Attributes::default() }
    }
}

impl UpdateSecret {
    /// Enables the version, so that it can be read.
    pub fn enable(mut self) -> Self {
        self.attributes.enabled = Some(true);
        self
    }

    /// Disables the version, so that it cannot be read. If it is the current one, readers of the secret get
    /// [`SecretRefusal::Disabled`](crate::SecretRefusal::Disabled).
    pub fn disable(mut self) -> Self {
        self.attributes.enabled = Some(false);
        self
    }

    /// Sets the content type; at most 255 characters.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.attributes.content_type = Some(content_type.into());
        self
    }

    /// Replaces all tags.
    pub fn tags(mut self, tags: BTreeMap<String, String>) -> Self {
        self.attributes.tags = Some(tags);
        self
    }

    /// Sets when the version expires. For information only: an expired version can still be read.
    pub fn expires_on(mut self, instant: OffsetDateTime) -> Self {
        self.attributes.expires = Some(instant);
        self
    }

    /// Sets when the version becomes valid. For information only: it can be read before that.
    pub fn not_before(mut self, instant: OffsetDateTime) -> Self {
        self.attributes.not_before = Some(instant);
        self
    }

    async fn run(self) -> Result<SecretProperties> {
        let Self { client, name, version, attributes } = self;
        let sent = async {
            check(&attributes)?;
            let options = SecretClientUpdateSecretPropertiesOptions {
                method_options: repeatable(),
                secret_version: Some(version.as_str().to_owned()),
            };
            let body = sealed_body(&attributes)?;
            let response =
                client.official().update_secret_properties(name.as_str(), body.into(), Some(options)).await?;
            Wire::decode(response)?.properties()
        };
        sent.await.map_err(|error| client.failed("updating", format_args!("{name}/{version}"), error))
    }
}

arm_core::awaited!(UpdateSecret => Result<SecretProperties>);
