//! A plain HTTP client: knows the double, a token, and JSON.

#[path = "../support/mod.rs"]
mod support;

use azure_core::http::Method;
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
    token: String,
}

impl Caller {
    pub(crate) async fn new(azure: MockAzure) -> Self {
        let scope = ["https://management.azure.com/.default"];
        let token = azure.credential().get_token(&scope, None).await.unwrap().token.secret().to_owned();
        Self { azure, token }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let path = path.strip_prefix("https://management.azure.com").unwrap_or(path);
        let url = format!("https://management.azure.com{path}");
        let body = body.unwrap_or(Value::Null);
        let method: Method = method.parse().unwrap();
        let answer = support::send_with(&self.azure, method, &url, body, Some(&self.token)).await;
        let location =
            answer.headers.iter().find(|(name, _)| name == "location").map(|(_, link)| link.clone());
        let (status, body) = (answer.status, answer.body);
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
