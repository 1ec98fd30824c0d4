use std::time::Duration;

use arm_core::{ArmClient, Secret, wire};
use async_trait::async_trait;
use azure_core::{
    Error, Result,
    http::{Method, Request, Url, headers::CONTENT_TYPE},
};
use keyvault_ops::{Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::proof::{failure, send, sign};

/// An issuer that calls your own service, for credentials that no other issuer covers.
///
/// Each call is a JSON POST to one `https` address, without an Azure token. Its header `x-signature` is the base64
/// HMAC-SHA256, with the shared key, of `{x-timestamp}.{body}`; `x-timestamp` is the Unix time. Your service must check
/// both, and refuse requests older than a few minutes.
///
/// | `operation` | other members of the body | response |
/// |---|---|---|
/// | `create` | `rotation`, `secret`, `current` (the current value, or `null` if its version is disabled), `inUse` (the id of its credential, or `null`) | `{"id": .., "value": ..}`: the id is not secret, the value is what the vault stores; 422 if your service did not issue `current` |
/// | `find` | `rotation` | `{"credentials": [{"id": .., "value": ..}]}`, with the value if it can be shown again |
/// | `identify` | `value` | `{"id": ..}`; the id is `null` if your service did not issue the value, or if the value no longer works |
/// | `verify` | `value` | 200 or 204: it was used and works; 422: it does not work |
/// | `revoke` | `id` | 200 or 204: it no longer works, or never existed |
///
/// **Kind**: your choice. **If it stops halfway**, what is left depends on your service. `find` must return every
/// credential that `create` made for a rotation. `create` is not retried if its response was lost; the other operations
/// are. A dry run of a rotation makes no calls; that of `end_old_versions` calls `identify`.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, secrets: &keyvault_ops::SecretsClient, key: arm_core::Secret)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use keyvault_issuers::WebhookIssuer;
/// use keyvault_ops::IssuerKind;
///
/// let issuer = WebhookIssuer::new(arm, "https://credentials.contoso.example/rotate".parse()?, key, IssuerKind::Many)?;
/// let rotation = secrets.rotate(&"partner-token".parse()?).issuer(Arc::new(issuer)).await?;
/// println!("{rotation}");
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// None in Azure: your service checks the signature.
#[derive(Clone)]
pub struct WebhookIssuer {
    arm: ArmClient,
    endpoint: Url,
    key: Secret,
    kind: IssuerKind,
    settle_time: Duration,
}

impl std::fmt::Debug for WebhookIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.endpoint.host_str().unwrap_or_default();
        f.debug_struct("WebhookIssuer").field("host", &host).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Made {
    id: String,
    #[serde(with = "wire::secret")]
    value: Secret,
}

#[derive(Deserialize)]
struct Found {
    credentials: Vec<FoundOne>,
}

#[derive(Deserialize)]
struct FoundOne {
    id: String,
    #[serde(default, with = "wire::secret::option")]
    value: Option<Secret>,
}

#[derive(Deserialize)]
struct Identified {
    id: Option<String>,
}

impl WebhookIssuer {
    /// Creates an issuer for the service at this address, which must be `https`. The key, of at least 16 bytes in UTF-8, is
    /// shared with the service.
    ///
    /// # Errors
    ///
    /// The address is not `https` or contains a user name or password, or the key is too short.
    pub fn new(arm: &ArmClient, endpoint: Url, key: Secret, kind: IssuerKind) -> Result<Self> {
        if endpoint.scheme() != "https" || !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err(failure(
                "the address of the webhook must be https, without a user name or password".to_owned(),
            ));
        }
        if key.expose().len() < 16 {
            return Err(failure("the key of the webhook must have at least 16 bytes".to_owned()));
        }
        Ok(Self { arm: arm.clone(), endpoint, key, kind, settle_time: Duration::ZERO })
    }

    /// Sets how long a new credential may take to start working. Default: zero.
    pub fn settle_time(mut self, time: Duration) -> Self {
        self.settle_time = time;
        self
    }

    /// Sends a call. Returns the status and the body, which must never be shown.
    async fn call(&self, operation: &str, body: Value, repeatable: bool) -> Result<(u16, Vec<u8>)> {
        let mut request = Request::new(self.endpoint.clone(), Method::Post);
        let timestamp = OffsetDateTime::now_utc().unix_timestamp().to_string();
        let mut body = body;
        body["operation"] = json!(operation);
        let body = body.to_string();
        let signature = sign::with_text(&self.key, &format!("{timestamp}.{body}"))?;
        request.insert_header("x-timestamp", timestamp);
        request.insert_header("x-signature", signature);
        request.insert_header(CONTENT_TYPE, "application/json");
        request.set_body(body);
        let response = send(&self.arm, &self.endpoint, None, repeatable, &mut request).await;
        let response = response.map_err(|error| {
            failure(format!("{} cannot be reached for '{operation}': {error}", self.host()))
        })?;
        Ok((u16::from(response.status()), response.body().to_vec()))
    }

    async fn ask<T: DeserializeOwned>(&self, operation: &str, body: Value, repeatable: bool) -> Result<T> {
        let (status, body) = self.call(operation, body, repeatable).await?;
        if status != 200 {
            return Err(self.unexpected(operation, status));
        }
        let host = self.host();
        serde_json::from_slice(&body).map_err(|error| {
            let reason = wire::without_values(&error);
            failure(format!("{host} returned an invalid response to '{operation}': {reason}"))
        })
    }

    async fn tell(&self, operation: &str, body: Value) -> Result<()> {
        match self.call(operation, body, true).await? {
            (200 | 204, _) => Ok(()),
            (422, _) => Err(failure(format!("{} reports that the credential does not work", self.host()))),
            (status, _) => Err(self.unexpected(operation, status)),
        }
    }

    fn host(&self) -> &str {
        self.endpoint.host_str().unwrap_or_default()
    }

    fn unexpected(&self, operation: &str, status: u16) -> Error {
        let host = self.host();
        failure(match status {
            401 | 403 => format!(
                "{host} rejects the signature of '{operation}' with {status}: use the same key on both sides, and \
                 check both clocks"
            ),
            _ => format!("{host} answered '{operation}' with {status}"),
        })
    }
}

#[async_trait]
impl Issuer for WebhookIssuer {
    fn kind(&self) -> IssuerKind {
        self.kind
    }

    fn settle_time(&self) -> Duration {
        self.settle_time
    }

    async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential> {
        let body = json!({
            "rotation": request.rotation,
            "secret": request.secret.to_string(),
            "current": request.current.map(Secret::expose),
            "inUse": request.in_use,
        });
        let made: Made = self.ask("create", body, false).await?;
        Ok(Credential { id: made.id, value: made.value })
    }

    async fn find(&self, rotation: &str) -> Result<Vec<FoundCredential>> {
        let found: Found = self.ask("find", json!({ "rotation": rotation }), true).await?;
        let shown = |one: FoundOne| FoundCredential { id: one.id, value: one.value };
        Ok(found.credentials.into_iter().map(shown).collect())
    }

    async fn identify(&self, value: &Secret) -> Result<Option<String>> {
        let identified: Identified = self.ask("identify", json!({ "value": value.expose() }), true).await?;
        Ok(identified.id)
    }

    async fn verify(&self, value: &Secret) -> Result<()> {
        self.tell("verify", json!({ "value": value.expose() })).await
    }

    async fn revoke(&self, id: &str) -> Result<()> {
        self.tell("revoke", json!({ "id": id })).await
    }
}
