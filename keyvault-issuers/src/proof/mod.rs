//! Tests whether a key works: one request, signed with it, to the resource's own host and no other.

mod client_secret;
mod endpoint;
mod requests;
mod shared_key;
pub(crate) mod sign;
mod verdict;

use std::sync::Arc;

use arm_core::{ArmClient, Repeatable, Secret};
use azure_core::{
    Result,
    http::{
        Context, Pipeline, PipelineSendOptions, RawResponse, Request, Url, headers::HeaderName,
        policies::Policy,
    },
};

use crate::{
    KeyedResource,
    kinds::{Kind, Proof},
};
pub(crate) use client_secret::of_secret;
use endpoint::endpoint;
use shared_key::SharedKey;
pub(crate) use verdict::{Verdict, failure};

/// Whether a key of this resource can be tested, rather than only listed.
pub(crate) fn is_possible(kind: &Kind, resource: &KeyedResource) -> bool {
    let models = |it: &str| ["OpenAI", "AIServices"].iter().any(|known| known.eq_ignore_ascii_case(it));
    match kind.proof {
        Proof::None => false,
        Proof::OpenAi => resource.kind.as_deref().is_some_and(models),
        _ => true,
    }
}

/// Tests a key by using it. `Err` means that nothing is known about the key: the request did not get through, or was
/// refused for another reason.
pub(crate) async fn of_key(
    arm: &ArmClient,
    kind: &Kind,
    resource: &KeyedResource,
    rule: &str,
    key: &Secret,
) -> Result<Verdict> {
    let endpoint = endpoint(arm, kind, resource)?;
    let now = time::OffsetDateTime::now_utc();
    let mut request = match kind.proof {
        Proof::Storage => requests::storage(&endpoint)?,
        Proof::Cosmos => requests::cosmos(&endpoint, key, now)?,
        Proof::Namespace(entities) => requests::namespace(&endpoint, entities, rule, key, now)?,
        Proof::OpenAi => requests::with_key(&endpoint, "/openai/models?api-version=2024-10-21", key)?,
        Proof::Search => requests::with_key(&endpoint, "/servicestats?api-version=2023-11-01", key)?,
        Proof::None => return Err(failure("there is no known way to use such a key".to_owned())),
    };
    let host = endpoint.host_str().unwrap_or_default();
    let account = resource.id.name().to_owned();
    let signer: Option<Arc<dyn Policy>> = (kind.proof == Proof::Storage)
        .then(|| Arc::new(SharedKey { account, key: key.clone() }) as Arc<dyn Policy>);
    let response = send(arm, &endpoint, signer, true, &mut request).await?;
    let status = u16::from(response.status());
    let code = response.headers().get_optional_string(&HeaderName::from_static("x-ms-error-code"));
    let body = String::from_utf8_lossy(response.body());
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    // A refusal for missing rights still proves that the key is valid.
    let lacks_claims = matches!(kind.proof, Proof::Namespace(_))
        && status == 401
        && says(&["claims required", "claim is required", "laims are required"])
        && !says(&["40103"]);
    let code = code.as_deref().unwrap_or_default();
    let said = format!("{host} answered {status} {code}").trim_end().to_owned();
    match status {
        200..=299 => Ok(Verdict::Works),
        _ if lacks_claims => Ok(Verdict::Works),
        _ if code == "KeyBasedAuthenticationNotPermitted" || says(&["Local Authorization is disabled"]) => {
            Err(failure(format!("{said}: it accepts only identities, not keys")))
        }
        403 if code == "AuthorizationFailure" => Err(failure(format!(
            "{said}: its firewall blocks this program, so its keys cannot be tested from here"
        ))),
        401 | 403 => Ok(Verdict::Refused(said)),
        _ => Err(failure(format!("{said}, so it is unknown whether the key works"))),
    }
}

/// Sends a request to one origin, without an Azure token, and returns the response whatever its status. `repeatable`:
/// sending it twice does no harm.
pub(crate) async fn send(
    arm: &ArmClient,
    endpoint: &Url,
    signer: Option<Arc<dyn Policy>>,
    repeatable: bool,
    request: &mut Request,
) -> Result<RawResponse> {
    let mut options = arm.client_options_for(endpoint)?;
    options.per_try_policies.extend(signer);
    let (name, version) = (option_env!("CARGO_PKG_NAME"), option_env!("CARGO_PKG_VERSION"));
    let pipeline = Pipeline::new(name, version, options, Vec::new(), Vec::new(), None);
    let unchecked = PipelineSendOptions { skip_checks: true, ..Default::default() };
    let mut ctx = Context::new();
    if repeatable {
        ctx.insert(Repeatable);
    }
    pipeline.send(&ctx, request, Some(unchecked)).await
}

#[cfg(test)]
mod tests {
    use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, Fault, MockAzure};

    use super::*;
    use crate::kinds::KINDS;

    const STORAGE: &str = "Microsoft.Storage/storageAccounts";
    const COSMOS: &str = "Microsoft.DocumentDB/databaseAccounts";
    const QUEUES: &str = "Microsoft.ServiceBus/namespaces/authorizationRules";

    /// What is concluded about a key when the resource `lab` answers like this.
    async fn concluded(kind: &str, status: u16, code: &str, body: &str) -> String {
        mock_azure::fast_forward();
        let (parent, name) = match kind.strip_suffix("/authorizationRules") {
            Some(namespace) => (namespace, "lab/send"),
            None => (kind, "lab"),
        };
        let azure = MockAzure::seed().keyed_resource(SUB, "rg", kind, name).start().await;
        azure.inject(Fault::body(status, body).with_header("x-ms-error-code", code).on("GET", "/").always());
        let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap();
        let id = format!("/subscriptions/{SUB}/resourceGroups/rg/providers/{parent}/lab").parse().unwrap();
        let resource = KeyedResource { id, kind: None, takes_keys: None, endpoint: None };
        let kind = KINDS.iter().find(|known| known.name == kind).unwrap();
        match of_key(&arm, kind, &resource, "send", &Secret::new("a2V5IG9mIGEgdGVzdA==")).await {
            Ok(Verdict::Works) => "works".to_owned(),
            Ok(Verdict::Refused(said)) => format!("refused: {said}"),
            Err(error) => format!("not known: {error}"),
        }
    }

    #[tokio::test]
    async fn an_answer_proves_that_a_key_works_or_is_refused_or_nothing_about_it() {
        let claims = "Unauthorized access. 'Listen' claims required to perform this operation.";
        let signature = "40103: Invalid authorization token signature; claims required";
        let (blob, bus) = ("lab.blob.core.windows.net answered", "lab.servicebus.windows.net answered");
        for (kind, status, code, body, told) in [
            (STORAGE, 200, "", "", "works".to_owned()),
            (STORAGE, 403, "AuthenticationFailed", "", format!("refused: {blob} 403 AuthenticationFailed")),
            (STORAGE, 401, "", claims, format!("refused: {blob} 401")),
            (
                STORAGE,
                403,
                "AuthorizationFailure",
                "",
                format!(
                    "not known: {blob} 403 AuthorizationFailure: its firewall blocks this program, so its keys cannot \
                     be tested from here"
                ),
            ),
            (
                STORAGE,
                403,
                "KeyBasedAuthenticationNotPermitted",
                "",
                format!(
                    "not known: {blob} 403 KeyBasedAuthenticationNotPermitted: it accepts only identities, not keys"
                ),
            ),
            (
                COSMOS,
                401,
                "",
                "Local Authorization is disabled. Use an AAD token.",
                "not known: lab.documents.azure.com answered 401: it accepts only identities, not keys"
                    .to_owned(),
            ),
            (STORAGE, 404, "", "", format!("not known: {blob} 404, so it is unknown whether the key works")),
            // Whoever lacks a right was recognized by the key.
            (QUEUES, 401, "", claims, "works".to_owned()),
            (QUEUES, 401, "", signature, format!("refused: {bus} 401")),
            (QUEUES, 401, "", "", format!("refused: {bus} 401")),
            (QUEUES, 403, "", claims, format!("refused: {bus} 403")),
        ] {
            assert_eq!(concluded(kind, status, code, body).await, told, "{kind}, {status} {code} {body}");
        }
    }
}
