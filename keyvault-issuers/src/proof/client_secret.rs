//! Signs in an application with its secret, at the cloud's sign-in host and no other.

use arm_core::{ArmClient, Audience, Secret};
use azure_core::{
    Result,
    http::{Method, Request, headers::CONTENT_TYPE},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Verdict, failure, send};

/// The error codes for a secret that is wrong or not known there yet, and for one that has expired.
const BAD_SECRET: [u64; 2] = [7_000_215, 7_000_222];

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    error: String,
    error_codes: Vec<u64>,
}

/// Requests a token with client credentials, and discards it.
pub(crate) async fn of_secret(
    arm: &ArmClient,
    tenant: &str,
    client_id: &str,
    secret: &Secret,
) -> Result<Verdict> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let authority = &arm.endpoints().authority;
    let path = format!("/{}/oauth2/v2.0/token", encoded(tenant));
    let mut request = Request::new(authority.join(&path)?, Method::Post);
    request.insert_header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.insert_header("accept", "application/json");
    let value = Zeroizing::new(encoded(secret.expose()));
    request.set_body(format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
        encoded(client_id),
        *value,
        encoded(&arm.with_audience(Audience::Graph).token_scope()),
    ));
    let response = send(arm, authority, None, true, &mut request).await?;
    let status = u16::from(response.status());
    if status == 200 {
        return Ok(Verdict::Works);
    }
    let refusal: Refusal = serde_json::from_slice(response.body()).unwrap_or_default();
    let host = authority.host_str().unwrap_or_default();
    let code = refusal.error_codes.first().map(|code| format!(" AADSTS{code}")).unwrap_or_default();
    let said = format!("{host} answered {status} {}{code}", arm_core::printable(&refusal.error));
    match refusal.error_codes.iter().any(|code| BAD_SECRET.contains(code)) {
        true => Ok(Verdict::Refused(said)),
        false => Err(failure(format!("{said}, so it is unknown whether the secret works"))),
    }
}
