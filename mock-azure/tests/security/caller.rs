//! A plain HTTP client: knows the address of the double, a token, and JSON.

use mock_azure::MockAzure;
use serde_json::Value;

pub(crate) const SUB: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";
pub(crate) const VAULT: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-prod";
pub(crate) const MACHINE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/vm-web";
pub(crate) const SECURITY: &str = "/providers/Microsoft.Security";

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

pub(crate) struct Caller {
    azure: MockAzure,
    http: reqwest::Client,
    token: String,
}

impl Caller {
    pub(crate) async fn new(azure: MockAzure) -> Self {
        let scope = ["https://management.azure.com/.default"];
        let token = azure.credential().get_token(&scope, None).await.unwrap().token.secret().to_owned();
        Self { azure, http: client(), token }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let path = path.strip_prefix("https://management.azure.com").unwrap_or(path);
        let url = format!("{}{path}", self.azure.uri());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, url)
            .header("host", "management.azure.com")
            .header("authorization", format!("Bearer {}", self.token));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let location = response.headers().get("location").map(|link| link.to_str().unwrap().to_owned());
        let body = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
        assert_ne!(status, 501, "the double does not know the request: {body}");
        Answer { status, location, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send("POST", path, None).await
    }

    pub(crate) async fn put(&self, path: &str, properties: Value) -> Answer {
        self.send("PUT", path, Some(serde_json::json!({ "properties": properties }))).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// All items of a list, and how many pages they came on.
    pub(crate) async fn list(&self, path: &str) -> (Vec<Value>, usize) {
        let (mut items, mut pages, mut next) = (Vec::new(), 0, Some(path.to_owned()));
        while let Some(link) = next {
            let answer = self.get(&link).await;
            assert_eq!(answer.status, 200, "{link}: {}", answer.body);
            items.extend(answer.body["value"].as_array().unwrap().iter().cloned());
            next = answer.body["nextLink"].as_str().map(str::to_owned);
            pages += 1;
        }
        (items, pages)
    }
}

fn client() -> reqwest::Client {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
}
