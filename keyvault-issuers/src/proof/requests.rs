//! The test requests, by service. None of them changes anything.

use arm_core::Secret;
use azure_core::{
    Result,
    http::{Method, Request, Url},
    time::to_rfc7231,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::{Duration, OffsetDateTime};

use super::sign;

/// Characters that need no encoding in a part of a URL.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How long a token made for one request is valid.
const TOKEN_LIFETIME: Duration = Duration::minutes(5);

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// `Get Account Information`, which every shared key may call. [`SharedKey`](super::shared_key::SharedKey) signs it.
pub(super) fn storage(endpoint: &Url) -> Result<Request> {
    let mut request = Request::new(endpoint.join("/?restype=account&comp=properties")?, Method::Get);
    request.insert_header("x-ms-version", "2023-11-03");
    Ok(request)
}

/// A list of databases, which read-only keys may read too.
pub(super) fn cosmos(endpoint: &Url, key: &Secret, now: OffsetDateTime) -> Result<Request> {
    let date = to_rfc7231(&now).to_ascii_lowercase();
    let signature = sign::with_base64(key, &format!("get\ndbs\n\n{date}\n\n"))?;
    let mut request = Request::new(endpoint.join("/dbs")?, Method::Get);
    request.insert_header("x-ms-date", date);
    request.insert_header("x-ms-version", "2018-12-31");
    request.insert_header("x-ms-max-item-count", "1");
    request.insert_header("authorization", encoded(&format!("type=master&ver=1.0&sig={signature}")));
    Ok(request)
}

/// A list of the entities of a namespace, which requires the claim Manage. If the rule lacks it, the service reports
/// the missing claim, which shows that the signature was valid.
pub(super) fn namespace(
    endpoint: &Url,
    entities: &str,
    rule: &str,
    key: &Secret,
    now: OffsetDateTime,
) -> Result<Request> {
    let resource = encoded(endpoint.as_str());
    let expiry = (now + TOKEN_LIFETIME).unix_timestamp();
    let signature = encoded(&sign::with_text(key, &format!("{resource}\n{expiry}"))?);
    let path = format!("/$Resources/{entities}?api-version=2017-04&$top=1");
    let mut request = Request::new(endpoint.join(&path)?, Method::Get);
    let rule = encoded(rule);
    let token = format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={rule}");
    request.insert_header("authorization", token);
    Ok(request)
}

/// A request that carries the key itself.
pub(super) fn with_key(endpoint: &Url, path: &str, key: &Secret) -> Result<Request> {
    let mut request = Request::new(endpoint.join(path)?, Method::Get);
    request.insert_header("api-key", key.expose().to_owned());
    Ok(request)
}
