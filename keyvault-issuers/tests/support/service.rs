//! A service of a user's own that makes and ends credentials, at `credentials.contoso.example`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azure_core::{
    http::{
        AsyncRawResponse, Body, Context, Request,
        headers::{HeaderName, Headers},
        policies::{Policy, PolicyResult},
    },
    time::OffsetDateTime,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const ADDRESS: &str = "https://credentials.contoso.example/rotate";
pub(crate) const KEY: &str = "a key that both sides have";

/// The user's service: its credentials, by id, value, rotation and whether they work.
#[derive(Debug, Default)]
pub(crate) struct Service {
    /// Whether there are two, `key1` and `key2`, of which one is made anew at a time.
    pub(crate) two_slots: bool,
    /// Answers everything with this status and what it was sent, in a form that cannot be read.
    pub(crate) echoes: Option<u16>,
    pub(crate) held: Mutex<Vec<(String, String, String, bool)>>,
    pub(crate) seen: Mutex<Vec<String>>,
}

impl Service {
    pub(crate) fn takes(&self, value: &str) -> bool {
        self.held.lock().unwrap().iter().any(|held| held.1 == value && held.3)
    }

    pub(crate) fn answer(&self, request: &Request) -> (u16, Value) {
        let header = |name: &'static str| {
            request.headers().get_optional_string(&HeaderName::from_static(name)).unwrap()
        };
        let Body::Bytes(body) = request.body() else { unreachable!("bodies are sent whole") };
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(format!("{}.", header("x-timestamp")).as_bytes());
        mac.update(body);
        let age = OffsetDateTime::now_utc().unix_timestamp() - header("x-timestamp").parse::<i64>().unwrap();
        let signed = STANDARD.encode(mac.finalize().into_bytes()) == header("x-signature") && age < 300;
        let has_token =
            request.headers().get_optional_string(&HeaderName::from_static("authorization")).is_some();
        if !signed || has_token {
            return (401, json!({}));
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        if let Some(status) = self.echoes {
            return (status, json!({ "id": body, "value": [body], "credentials": body }));
        }
        let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
        let mut held = self.held.lock().unwrap();
        self.seen.lock().unwrap().push(text("operation"));
        match text("operation").as_str() {
            "create" => {
                let number = held.len() + 1;
                let id = match (self.two_slots, text("inUse").as_str()) {
                    (false, _) => format!("c-{number}"),
                    (true, "key1") => "key2".to_owned(),
                    (true, _) => "key1".to_owned(),
                };
                held.iter_mut().filter(|it| it.0 == id).for_each(|it| it.3 = false);
                let value = format!("value-of-c-{number}");
                held.push((id.clone(), value.clone(), text("rotation"), true));
                (200, json!({ "id": id, "value": value }))
            }
            "find" => {
                let found = held.iter().filter(|it| it.2 == text("rotation") && it.3);
                (200, json!({ "credentials": found.map(|it| json!({ "id": it.0 })).collect::<Vec<_>>() }))
            }
            "identify" => {
                let found = held.iter().find(|it| it.1 == text("value") && it.3);
                (200, json!({ "id": found.map(|it| it.0.clone()) }))
            }
            "verify" => {
                (if held.iter().any(|it| it.1 == text("value") && it.3) { 204 } else { 422 }, Value::Null)
            }
            "revoke" => {
                held.iter_mut().filter(|it| it.0 == text("id")).for_each(|it| it.3 = false);
                (204, Value::Null)
            }
            _ => (400, json!({})),
        }
    }
}

/// Stands for the host of the service; all other requests go on.
#[derive(Debug)]
pub(crate) struct Hook(pub(crate) Arc<Service>);

#[async_trait]
impl Policy for Hook {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if request.url().host_str() != Some("credentials.contoso.example") {
            return next[0].send(ctx, request, &next[1..]).await;
        }
        let (status, body) = self.0.answer(request);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Ok(AsyncRawResponse::from_bytes(status.into(), Headers::new(), body))
    }
}
