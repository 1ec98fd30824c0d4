//! The endpoints of the clouds, for clients that request them before they sign in.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    state::{Surface, World},
};

/// The path, in lower case.
pub(crate) const PATH: [&str; 2] = ["metadata", "endpoints"];

const VERSIONS: &[&str] = &["2019-05-01", "2020-06-01"];

pub(crate) const SURFACE: Surface = Surface { answer, ..Surface::EMPTY };

/// A cloud and its hosts.
struct Cloud {
    name: &'static str,
    portal: &'static str,
    login: &'static str,
    management: &'static str,
    /// The audience of the classic management API, for which tokens can still be issued.
    classic: &'static str,
    active_directory: &'static str,
    graph: &'static str,
    logs: &'static str,
    batch: &'static str,
    vaults: &'static str,
    storage: &'static str,
    databases: &'static str,
    registries: &'static str,
}

/// Documented: the endpoints of each cloud.
const CLOUDS: [Cloud; 3] = [
    Cloud {
        name: "AzureCloud",
        portal: "portal.azure.com",
        login: "login.microsoftonline.com",
        management: "management.azure.com",
        classic: "management.core.windows.net",
        active_directory: "graph.windows.net",
        graph: "graph.microsoft.com",
        logs: "api.loganalytics.io",
        batch: "batch.core.windows.net",
        vaults: "vault.azure.net",
        storage: "core.windows.net",
        databases: "database.windows.net",
        registries: "azurecr.io",
    },
    Cloud {
        name: "AzureChinaCloud",
        portal: "portal.azure.cn",
        login: "login.chinacloudapi.cn",
        management: "management.chinacloudapi.cn",
        classic: "management.core.chinacloudapi.cn",
        active_directory: "graph.chinacloudapi.cn",
        graph: "microsoftgraph.chinacloudapi.cn",
        logs: "api.loganalytics.azure.cn",
        batch: "batch.chinacloudapi.cn",
        vaults: "vault.azure.cn",
        storage: "core.chinacloudapi.cn",
        databases: "database.chinacloudapi.cn",
        registries: "azurecr.cn",
    },
    Cloud {
        name: "AzureUSGovernment",
        portal: "portal.azure.us",
        login: "login.microsoftonline.us",
        management: "management.usgovcloudapi.net",
        classic: "management.core.usgovcloudapi.net",
        active_directory: "graph.windows.net",
        graph: "graph.microsoft.us",
        logs: "api.loganalytics.us",
        batch: "batch.core.usgovcloudapi.net",
        vaults: "vault.usgovcloudapi.net",
        storage: "core.usgovcloudapi.net",
        databases: "database.usgovcloudapi.net",
        registries: "azurecr.us",
    },
];

fn answer(_: &mut World, call: &Call) -> Option<Reply> {
    if call.method != Method::Get || call.path() != PATH {
        return None;
    }
    if !VERSIONS.contains(&call.api_version()) {
        return Some(Reply::unknown("api-version of the clouds' endpoints", call.api_version(), VERSIONS));
    }
    Some(Reply::ok(CLOUDS.iter().map(Cloud::show).collect()))
}

impl Cloud {
    fn show(&self) -> Value {
        let at = |host: &str| format!("https://{host}/");
        let bare = |host: &str| format!("https://{host}");
        json!({
            "name": self.name,
            "portal": bare(self.portal),
            "authentication": {
                "loginEndpoint": bare(self.login),
                "audiences": [at(self.classic), at(self.management)],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "resourceManager": at(self.management),
            "sqlManagement": format!("https://{}:8443/", self.classic),
            "graph": at(self.active_directory),
            "graphAudience": at(self.active_directory),
            "microsoftGraphResourceId": at(self.graph),
            "logAnalyticsResourceId": bare(self.logs),
            "batch": at(self.batch),
            "suffixes": {
                "keyVaultDns": self.vaults,
                "storage": self.storage,
                "sqlServerHostname": self.databases,
                "acrLoginServer": self.registries,
            },
        })
    }
}
