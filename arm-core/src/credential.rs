//! Chooses the credential that a program runs with.

use std::sync::Arc;

use azure_core::{
    Error, Result,
    credentials::{Secret, TokenCredential},
    error::ErrorKind,
    http::ClientOptions,
};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use crate::{ArmOptions, transport};

/// The kinds of credential that [`credential_from_environment`] supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialKind {
    /// A federated token in the file named by `AZURE_FEDERATED_TOKEN_FILE`, as in Kubernetes.
    WorkloadIdentity,
    /// An application whose secret is in `AZURE_CLIENT_SECRET`.
    ClientSecret,
    /// The identity of the machine or service that the program runs on.
    ManagedIdentity,
    /// The user who signed in with `az login` or `azd auth login`.
    DeveloperTools,
}

impl std::fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::WorkloadIdentity => "workload identity (AZURE_FEDERATED_TOKEN_FILE)",
            Self::ClientSecret => "client secret (AZURE_CLIENT_SECRET)",
            Self::ManagedIdentity => "managed identity",
            Self::DeveloperTools => "developer tools (az login, azd auth login)",
        })
    }
}

/// A credential and its kind.
#[derive(Debug, Clone)]
pub struct ChosenCredential {
    /// The kind that was chosen.
    pub kind: CredentialKind,
    /// The credential.
    pub credential: Arc<dyn TokenCredential>,
}

/// Chooses a credential from the environment, or creates one of the requested kind.
///
/// The order is: a federated token file; an application's id, tenant and secret; a managed identity, if its endpoint is
/// set; the developer's sign-in. App Service, Functions, Container Apps and Arc set that endpoint. Virtual machines do
/// not: pass `Some(CredentialKind::ManagedIdentity)` there. An application with a secret but without id or tenant, or
/// with id and tenant but without a secret where there is no managed identity, is an error that names what to set: the
/// developer's sign-in is not used in its place.
///
/// # Errors
///
/// A variable that the chosen kind needs is not set, or the credential cannot be created.
pub fn credential_from_environment(
    wish: Option<CredentialKind>,
    options: &ArmOptions,
) -> Result<ChosenCredential> {
    choose(wish, options, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn choose(
    wish: Option<CredentialKind>,
    options: &ArmOptions,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<ChosenCredential> {
    let has = |name: &str| variable(name).is_some();
    let machine = has("IDENTITY_ENDPOINT") || has("MSI_ENDPOINT");
    let kind = wish.unwrap_or_else(|| {
        if has("AZURE_FEDERATED_TOKEN_FILE") {
            CredentialKind::WorkloadIdentity
        } else if has("AZURE_CLIENT_SECRET") || (has("AZURE_CLIENT_ID") && has("AZURE_TENANT_ID") && !machine)
        {
            // An application without its secret is an error below; it never falls back to the developer's sign-in.
            CredentialKind::ClientSecret
        } else if machine {
            CredentialKind::ManagedIdentity
        } else {
            CredentialKind::DeveloperTools
        }
    });
    let required = |names: &[&str]| {
        let missing: Vec<&str> = names.iter().copied().filter(|name| !has(name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the credential '{kind}' requires {}: set what is missing, or sign in with 'az login'",
            missing.join(" and ")
        );
        Err(Error::with_message(ErrorKind::Credential, message))
    };
    let value = |name: &str| variable(name).unwrap_or_default();
    let credential: Arc<dyn TokenCredential> = match kind {
        CredentialKind::WorkloadIdentity => {
            required(&["AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
            WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                credential_options: ClientAssertionCredentialOptions {
                    client_options: client_options(options)?,
                },
                client_id: Some(value("AZURE_CLIENT_ID")),
                tenant_id: Some(value("AZURE_TENANT_ID")),
                token_file_path: Some(value("AZURE_FEDERATED_TOKEN_FILE").into()),
            }))?
        }
        CredentialKind::ClientSecret => {
            required(&["AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
            ClientSecretCredential::new(
                &value("AZURE_TENANT_ID"),
                value("AZURE_CLIENT_ID"),
                Secret::new(value("AZURE_CLIENT_SECRET")),
                Some(ClientSecretCredentialOptions { client_options: client_options(options)? }),
            )?
        }
        CredentialKind::ManagedIdentity => {
            ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: variable("AZURE_CLIENT_ID").map(UserAssignedId::ClientId),
                client_options: client_options(options)?,
            }))?
        }
        CredentialKind::DeveloperTools => DeveloperToolsCredential::new(None)?,
    };
    Ok(ChosenCredential { kind, credential })
}

/// Returns the transport and cloud for a credential that sends its own requests.
fn client_options(options: &ArmOptions) -> Result<ClientOptions> {
    Ok(ClientOptions {
        transport: Some(transport::or_default(options.client.transport.clone())?),
        cloud: Some(Arc::new(options.cloud.configuration()?)),
        ..ClientOptions::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cloud, CloudEndpoints};

    fn chosen(set: &[(&str, &str)]) -> std::result::Result<CredentialKind, String> {
        let variable =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        choose(None, &ArmOptions::default(), variable)
            .map(|chosen| chosen.kind)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_decides_in_order() {
        let tenant = ("AZURE_TENANT_ID", "00000000-0000-0000-0000-0000000000aa");
        let client = ("AZURE_CLIENT_ID", "00000000-0000-0000-0000-0000000000c1");
        let secret = ("AZURE_CLIENT_SECRET", "REDACTED");
        let path = std::env::temp_dir().join(format!("federated-token-{}", std::process::id()));
        std::fs::write(&path, "REDACTED").unwrap();
        let file = ("AZURE_FEDERATED_TOKEN_FILE", path.to_str().unwrap());
        assert_eq!(chosen(&[tenant, client, secret, file]), Ok(CredentialKind::WorkloadIdentity));
        assert_eq!(chosen(&[tenant, client, secret]), Ok(CredentialKind::ClientSecret));
        assert_eq!(chosen(&[("IDENTITY_ENDPOINT", "http://localhost")]), Ok(CredentialKind::ManagedIdentity));
        assert_eq!(chosen(&[]), Ok(CredentialKind::DeveloperTools));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_half_described_application_is_an_error_that_names_what_is_missing_and_not_the_secret() {
        let application = [("AZURE_CLIENT_ID", "c1"), ("AZURE_TENANT_ID", "aa")];
        let message = chosen(&application).unwrap_err();
        assert!(message.contains("requires AZURE_CLIENT_SECRET: set what is missing"), "{message}");
        let machine = [application[0], application[1], ("IDENTITY_ENDPOINT", "http://localhost")];
        assert_eq!(chosen(&machine), Ok(CredentialKind::ManagedIdentity), "its id is that of the machine");
        let message = chosen(&[("AZURE_CLIENT_SECRET", "hunter2")]).unwrap_err();
        assert!(message.contains("requires AZURE_TENANT_ID and AZURE_CLIENT_ID"), "{message}");
        assert!(!message.contains("hunter2"));
    }

    #[test]
    fn a_credential_asks_the_authority_of_its_own_cloud() {
        let cloud = |cloud| {
            let options = ArmOptions { cloud, ..ArmOptions::default() };
            format!("{:?}", client_options(&options).unwrap().cloud)
        };
        assert!(cloud(Cloud::China).contains("AzureChina"));
        let login = "https://login.local".parse().unwrap();
        let own = CloudEndpoints { authority: login, ..Cloud::Public.endpoints().unwrap() };
        assert!(cloud(Cloud::Custom(Box::new(own))).contains("\"https://login.local\""));
    }

    #[test]
    fn the_kind_that_was_chosen_can_be_shown() {
        let kinds = [
            CredentialKind::WorkloadIdentity,
            CredentialKind::ClientSecret,
            CredentialKind::ManagedIdentity,
            CredentialKind::DeveloperTools,
        ];
        let shown = kinds.map(|kind| kind.to_string().split(' ').next().unwrap_or_default().to_owned());
        assert_eq!(shown, ["workload", "client", "managed", "developer"]);
    }
}
