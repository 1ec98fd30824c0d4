//! The Azure clouds: their endpoints, and the audiences of tokens.

use azure_core::{Error, Result, error::ErrorKind, http::Url};

/// An Azure cloud: a known one, or a custom one with its endpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cloud {
    /// The public cloud.
    #[default]
    Public,
    /// Azure for the US government.
    UsGovernment,
    /// Azure in China, operated by 21Vianet.
    China,
    /// A cloud with its own endpoints, such as Azure Stack.
    Custom(Box<CloudEndpoints>),
}

/// The endpoints of a cloud. All must be `https`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEndpoints {
    /// The endpoint of Resource Manager, such as `https://management.azure.com`.
    pub management: Url,
    /// The audience of tokens for Resource Manager; usually the same as the endpoint.
    pub management_audience: String,
    /// The endpoint of Microsoft Graph, such as `https://graph.microsoft.com`.
    pub graph: Url,
    /// The endpoint of Log Analytics queries, such as `https://api.loganalytics.azure.com`.
    pub log_analytics: Url,
    /// The suffix of vault host names, such as `vault.azure.net`.
    pub vault_suffix: String,
    /// The sign-in endpoint for users and applications, such as `https://login.microsoftonline.com`.
    pub authority: Url,
}

/// A service that requires its own tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Audience {
    /// Resource Manager.
    Management,
    /// Microsoft Graph.
    Graph,
    /// Log Analytics queries.
    LogAnalytics,
}

impl Cloud {
    /// Returns the cloud's endpoints. Endpoints that are not `https` are refused, since tokens are never sent in the
    /// clear.
    ///
    /// # Errors
    ///
    /// An endpoint is not `https`, or has no host.
    pub fn endpoints(&self) -> Result<CloudEndpoints> {
        let known = |management: &str, audience: &str, graph: &str, logs: &str, vaults: &str, login: &str| {
            Ok(CloudEndpoints {
                management: management.parse()?,
                management_audience: audience.to_owned(),
                graph: graph.parse()?,
                log_analytics: logs.parse()?,
                vault_suffix: vaults.to_owned(),
                authority: login.parse()?,
            })
        };
        match self {
            Self::Public => known(
                "https://management.azure.com",
                "https://management.azure.com",
                "https://graph.microsoft.com",
                "https://api.loganalytics.azure.com",
                "vault.azure.net",
                "https://login.microsoftonline.com",
            ),
            Self::UsGovernment => known(
                "https://management.usgovcloudapi.net",
                "https://management.usgovcloudapi.net",
                "https://graph.microsoft.us",
                "https://api.loganalytics.us",
                "vault.usgovcloudapi.net",
                "https://login.microsoftonline.us",
            ),
            Self::China => known(
                "https://management.chinacloudapi.cn",
                "https://management.chinacloudapi.cn",
                "https://microsoftgraph.chinacloudapi.cn",
                "https://api.loganalytics.azure.cn",
                "vault.azure.cn",
                "https://login.chinacloudapi.cn",
            ),
            Self::Custom(endpoints) => {
                let urls =
                    [&endpoints.management, &endpoints.graph, &endpoints.log_analytics, &endpoints.authority];
                match urls.into_iter().find_map(|url| Some((url, refusal(url)?))) {
                    Some((url, refusal)) => {
                        let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
                        let message = format!("the endpoint '{scheme}://{host}' {refusal}");
                        Err(Error::with_message(ErrorKind::Other, message))
                    }
                    None => Ok((**endpoints).clone()),
                }
            }
        }
    }

    /// Returns the cloud's configuration for credentials and clients of the official crates.
    ///
    /// # Errors
    ///
    /// Currently none.
    pub fn configuration(&self) -> Result<azure_core::cloud::CloudConfiguration> {
        use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
        Ok(match self {
            Self::Public => CloudConfiguration::AzurePublic,
            Self::UsGovernment => CloudConfiguration::AzureGovernment,
            Self::China => CloudConfiguration::AzureChina,
            Self::Custom(endpoints) => {
                let mut custom = CustomConfiguration::default();
                custom.authority_host = endpoints.authority.as_str().trim_end_matches('/').to_owned();
                custom.into()
            }
        })
    }
}

/// Why a URL cannot be an endpoint.
fn refusal(url: &Url) -> Option<&'static str> {
    if url.scheme() != "https" || url.host_str().is_none() {
        return Some("is not https: tokens are never sent in the clear");
    }
    let more = url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some();
    more.then_some("must have no query, fragment, user name or password")
}

impl CloudEndpoints {
    pub(crate) fn endpoint(&self, audience: Audience) -> &Url {
        match audience {
            Audience::Management => &self.management,
            Audience::Graph => &self.graph,
            Audience::LogAnalytics => &self.log_analytics,
        }
    }

    /// Returns the scope of an audience's tokens.
    pub(crate) fn scope(&self, audience: Audience) -> String {
        let resource = match audience {
            Audience::Management => &self.management_audience,
            Audience::Graph | Audience::LogAnalytics => self.endpoint(audience).as_str(),
        };
        format!("{}/.default", resource.trim_end_matches('/'))
    }
}
