//! Finds the part of Azure to which a host name belongs.

/// One Azure cloud: its hosts and the token audiences that they accept.
#[derive(Debug)]
pub(crate) struct Cloud {
    management: &'static str,
    management_audiences: &'static [&'static str],
    pub(crate) vault_suffix: &'static str,
    pub(crate) vault_audience: &'static str,
    graph: &'static [&'static str],
    logs: &'static [&'static str],
    /// The domains of the hosts of resources with keys.
    keyed: &'static [&'static str],
    pub(crate) login: &'static str,
}

const CLOUDS: &[Cloud] = &[
    Cloud {
        management: "management.azure.com",
        management_audiences: &["https://management.azure.com", "https://management.core.windows.net"],
        vault_suffix: "vault.azure.net",
        vault_audience: "https://vault.azure.net",
        graph: &["graph.microsoft.com"],
        logs: &["api.loganalytics.azure.com", "api.loganalytics.io"],
        keyed: &[
            "blob.core.windows.net",
            "documents.azure.com",
            "servicebus.windows.net",
            "openai.azure.com",
            "cognitiveservices.azure.com",
            "search.windows.net",
        ],
        login: "login.microsoftonline.com",
    },
    Cloud {
        management: "management.usgovcloudapi.net",
        management_audiences: &[
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net",
        ],
        vault_suffix: "vault.usgovcloudapi.net",
        vault_audience: "https://vault.usgovcloudapi.net",
        graph: &["graph.microsoft.us"],
        logs: &["api.loganalytics.us"],
        keyed: &[
            "blob.core.usgovcloudapi.net",
            "documents.azure.us",
            "servicebus.usgovcloudapi.net",
            "openai.azure.us",
            "cognitiveservices.azure.us",
            "search.azure.us",
        ],
        login: "login.microsoftonline.us",
    },
    Cloud {
        management: "management.chinacloudapi.cn",
        management_audiences: &[
            "https://management.chinacloudapi.cn",
            "https://management.core.chinacloudapi.cn",
        ],
        vault_suffix: "vault.azure.cn",
        vault_audience: "https://vault.azure.cn",
        graph: &["microsoftgraph.chinacloudapi.cn"],
        logs: &["api.loganalytics.azure.cn"],
        keyed: &[
            "blob.core.chinacloudapi.cn",
            "documents.azure.cn",
            "servicebus.chinacloudapi.cn",
            "openai.azure.cn",
            "cognitiveservices.azure.cn",
            "search.azure.cn",
        ],
        login: "login.chinacloudapi.cn",
    },
];

/// Other sign-in hosts of the public cloud.
const OTHER_LOGIN_HOSTS: &[&str] = &["login.windows.net", "login.microsoft.com", "sts.windows.net"];

/// The address of a machine's metadata endpoint.
const MACHINE: &str = "169.254.169.254";

/// The path at which an app requests tokens, at a local address.
const IN_APP: &str = "/msi/token";

/// The service at a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Service {
    Management,
    /// A vault's data plane, by the vault's lower-case name.
    Vault(String),
    Graph,
    LogAnalytics,
    Login,
    /// The data plane of a resource with keys, by its lower-case host.
    Keyed(String),
    /// The endpoint that issues tokens to code on a machine or in an app.
    Identity,
}

/// A host of Azure.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) service: Service,
    pub(crate) cloud: &'static Cloud,
}

impl Host {
    /// The management host of the public cloud.
    pub(crate) fn management() -> Self {
        Self { service: Service::Management, cloud: &CLOUDS[0] }
    }

    /// Resolves an authority (`host` or `host:443`). `None` if it is not a host of Azure.
    pub(crate) fn resolve(authority: &str) -> Option<Self> {
        let name = authority.strip_suffix(":443").unwrap_or(authority).to_ascii_lowercase();
        let found = |service, cloud| Some(Self { service, cloud });
        for cloud in CLOUDS {
            if name == cloud.management {
                return found(Service::Management, cloud);
            }
            if cloud.graph.contains(&name.as_str()) {
                return found(Service::Graph, cloud);
            }
            if cloud.logs.contains(&name.as_str()) {
                return found(Service::LogAnalytics, cloud);
            }
            if name == cloud.login {
                return found(Service::Login, cloud);
            }
            let vault = name.strip_suffix(cloud.vault_suffix).and_then(|rest| rest.strip_suffix('.'));
            if let Some(vault) = vault.filter(|vault| is_label(vault)) {
                return found(Service::Vault(vault.to_owned()), cloud);
            }
            let is_keyed = |suffix: &&str| {
                name.strip_suffix(*suffix).and_then(|rest| rest.strip_suffix('.')).is_some_and(is_label)
            };
            if cloud.keyed.iter().any(is_keyed) {
                return found(Service::Keyed(name), cloud);
            }
        }
        if name == MACHINE {
            return found(Service::Identity, &CLOUDS[0]);
        }
        if OTHER_LOGIN_HOSTS.contains(&name.as_str()) {
            return found(Service::Login, &CLOUDS[0]);
        }
        None
    }

    /// Like [`resolve`](Self::resolve), but a local address is the management host or, at its path, the endpoint for an
    /// app's tokens.
    pub(crate) fn resolve_or_local(authority: &str, path: &str) -> Option<Self> {
        let local = || match path.eq_ignore_ascii_case(IN_APP) {
            true => Self { service: Service::Identity, ..Self::management() },
            false => Self::management(),
        };
        Self::resolve(authority).or_else(|| is_local(authority).then(local))
    }

    /// All domains of Azure's hosts, and the hosts that have no domain of their own.
    #[cfg(feature = "server")]
    pub(crate) fn domains() -> impl Iterator<Item = &'static str> {
        let all = CLOUDS.iter().flat_map(|cloud| {
            let several = [cloud.graph, cloud.logs, cloud.keyed];
            let one = [cloud.management, cloud.vault_suffix, cloud.login];
            several.into_iter().flatten().copied().chain(one)
        });
        all.chain(OTHER_LOGIN_HOSTS.iter().copied())
    }

    /// Whether a token for `audience` is valid here.
    pub(crate) fn accepts(&self, audience: &str) -> bool {
        let audience = audience.trim_end_matches('/');
        let of_host = |hosts: &[&str]| {
            hosts.iter().any(|host| audience.strip_prefix("https://").is_some_and(|rest| rest == *host))
        };
        match &self.service {
            Service::Management => self.cloud.management_audiences.contains(&audience),
            Service::Vault(_) => audience == self.cloud.vault_audience,
            Service::Graph => of_host(self.cloud.graph) || audience == "00000003-0000-0000-c000-000000000000",
            Service::LogAnalytics => of_host(self.cloud.logs),
            Service::Login | Service::Keyed(_) | Service::Identity => true,
        }
    }
}

fn is_label(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Whether an authority is a local address, where the double speaks plain HTTP.
pub(crate) fn is_local(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => authority,
    };
    name.eq_ignore_ascii_case("localhost") || name == "[::1]" || name.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_azure_are_distinguished_from_look_alikes() {
        let service = |authority| Host::resolve(authority).map(|host| host.service);
        assert_eq!(service("Management.Azure.com"), Some(Service::Management));
        assert_eq!(service("kv-prod.vault.azure.net:443"), Some(Service::Vault("kv-prod".into())));
        assert_eq!(
            service("Stprod.blob.core.windows.net"),
            Some(Service::Keyed("stprod.blob.core.windows.net".into()))
        );
        assert_eq!(service("a.stprod.blob.core.windows.net"), None);
        assert_eq!(service("management.azure.com.attacker.example"), None);
        assert_eq!(service("attacker.example/.vault.azure.net"), None);
        assert_eq!(service("management.azure.com:8443"), None);
        assert_eq!(service("user@management.azure.com"), None);
        assert_eq!(service("vault.azure.net"), None);
    }
}
