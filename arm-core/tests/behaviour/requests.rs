//! One request: what is sent, what comes back, and what a failure says.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::scripted::{Answer, Script, TOKEN, reply};
use arm_core::{
    ArmClient, ArmErrorExt as _, ArmOptions, ArmPath, ArmRequest, Audience, Cloud, CloudEndpoints,
    NotRepeatable, Repeatable, RetryBudget,
};
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{
        ClientOptions, Context, Method, Pipeline, Request, Url,
        policies::{Policy, PolicyResult},
    },
};
use serde_json::{Value, json};

const PATH: &str = "https://management.azure.com/things?api-version=2026-01-01";

fn things() -> ArmPath {
    ArmPath::root().literal("things")
}

#[tokio::test]
async fn a_request_has_path_version_query_body_and_token() {
    let script = Script::new([reply(201, r#"{"ok":true}"#)]);
    let answer: Value = script
        .client()
        .put(things().segment("a b"), "2026-01-01")
        .query("$filter", "name eq 'x&y'")
        .body(&json!({ "n": 1 }))
        .json()
        .await
        .unwrap();
    assert_eq!(answer, json!({ "ok": true }));
    let sent = &script.sent()[0];
    assert_eq!(sent.method, "PUT");
    assert_eq!(
        sent.url,
        "https://management.azure.com/things/a%20b?api-version=2026-01-01&$filter=name%20eq%20%27x%26y%27"
    );
    assert_eq!(
        (sent.body.as_str(), sent.authorization.clone()),
        (r#"{"n":1}"#, Some(format!("Bearer {TOKEN}-1")))
    );
}

#[tokio::test]
async fn each_audience_has_its_own_endpoint_and_its_own_token() {
    let script = Script::new([reply(200, "{}"), reply(200, "{}"), reply(200, "{}")]);
    let arm = script.client();
    for (audience, path, url, scope) in [
        (
            Audience::Management,
            "x",
            "https://management.azure.com/x",
            "https://management.azure.com/.default",
        ),
        (
            Audience::Graph,
            "v1.0/me",
            "https://graph.microsoft.com/v1.0/me",
            "https://graph.microsoft.com/.default",
        ),
        (
            Audience::LogAnalytics,
            "v1/workspaces",
            "https://api.loganalytics.azure.com/v1/workspaces",
            "https://api.loganalytics.azure.com/.default",
        ),
    ] {
        let arm = arm.with_audience(audience);
        let request = arm.get(ArmPath::root().literal(path), arm_core::ApiVersion::IN_PATH);
        request.json::<Value>().await.unwrap();
        assert_eq!(script.sent().last().unwrap().url, url);
        assert_eq!(script.scopes.lock().unwrap().last().unwrap(), scope);
        assert_eq!(arm.token_scope(), scope);
    }
    assert_eq!(script.tokens.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_cloud_endpoint_in_clear_or_with_more_than_a_path_is_refused() {
    let public = Cloud::Public.endpoints().unwrap();
    let own = CloudEndpoints { management: "https://management.local".parse().unwrap(), ..public.clone() };
    let own = Cloud::Custom(Box::new(own)).endpoints().unwrap();
    assert_eq!(own.management.as_str(), "https://management.local/");
    let refused = |management: &str| {
        let own = CloudEndpoints { management: management.parse().unwrap(), ..public.clone() };
        Cloud::Custom(Box::new(own)).endpoints().unwrap_err().to_string()
    };
    let clear = "the endpoint 'http://management.local' is not https: tokens are never sent in the clear";
    assert_eq!(refused("http://management.local"), clear);
    for more in ["management.local/?x=hunter2", "management.local/#hunter2", "u:hunter2@management.local"] {
        assert_eq!(
            refused(&format!("https://{more}")),
            "the endpoint 'https://management.local' must have no query, fragment, user name or password"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_one_line_with_operation_status_code_and_message() {
    let body = r#"{"error":{"code":"AuthorizationFailed","message":"no right to \"read\""}}"#;
    let script = Script::new([reply(403, body).header("x-ms-request-id", "r-1")]);
    let error = script.client().get(things(), "2026-01-01").json::<Value>().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /things: 403 AuthorizationFailed: no right to \"read\" (request r-1)");
    assert!(error.is_forbidden() && error.is_code("AuthorizationFailed"));
    assert_eq!(error.request_id().as_deref(), Some("r-1"));
}

#[tokio::test]
async fn statuses_that_the_operation_does_not_name_are_errors() {
    let script = Script::new([reply(202, ""), reply(302, "").header("location", "https://evil.example/")]);
    let arm = script.client();
    let accepted = arm.get(things(), "2026-01-01").send().await.unwrap_err();
    assert_eq!(accepted.status(), Some(202));
    let redirect = arm.get(things(), "2026-01-01").send().await.unwrap_err();
    assert_eq!(redirect.to_string(), "GET /things: 302 redirect, which is not followed");
    assert_eq!(script.sent().len(), 2);
}

#[tokio::test]
async fn each_method_has_statuses_that_mean_success() {
    let accepts = async |method: Method, status: u16| {
        let script = Script::new([reply(status, "")]);
        let arm = script.client();
        let request = match method {
            Method::Get => arm.get(things(), "v"),
            Method::Head => arm.head(things(), "v"),
            Method::Put => arm.put(things(), "v"),
            Method::Delete => arm.delete(things(), "v"),
            _ => arm.post(things(), "v"),
        };
        request.send().await.is_ok()
    };
    for (method, accepted) in [
        (Method::Get, [true, false, false]),
        (Method::Post, [true, false, false]),
        (Method::Put, [true, true, false]),
        (Method::Delete, [true, false, true]),
        (Method::Head, [true, false, true]),
    ] {
        for (status, accepted) in [200, 201, 204].into_iter().zip(accepted) {
            assert_eq!(accepts(method, status).await, accepted, "{method} {status}");
        }
    }
}

#[tokio::test]
async fn a_missing_resource_is_none_only_if_requested() {
    let script = Script::new([reply(404, "{}"), reply(404, "{}"), reply(403, "{}")]);
    let arm = script.client();
    assert_eq!(arm.get(things(), "2026-01-01").json_opt::<Value>().await.unwrap(), None);
    assert!(arm.get(things(), "2026-01-01").json::<Value>().await.unwrap_err().is_not_found());
    assert!(arm.get(things(), "2026-01-01").json_opt::<Value>().await.unwrap_err().is_forbidden());
}

#[tokio::test]
async fn a_body_that_is_not_json_shows_its_kind_and_beginning() {
    let page = reply(200, "<html><title>Sign in</title>").header("content-type", "text/html");
    let script = Script::new([
        page,
        reply(200, ""),
        reply(200, b"\xef\xbb\xbf{\"a\":1}".to_vec()),
        reply(200, b"{\"a\":\"\xff\"}".to_vec()),
    ]);
    let arm = script.client();
    let get = || arm.get(things(), "2026-01-01").json::<Value>();
    assert_eq!(
        get().await.unwrap_err().to_string(),
        "GET /things: the response is not JSON but text/html: <html><title>Sign in</title>"
    );
    assert!(get().await.unwrap_err().to_string().contains("empty where JSON was expected"));
    assert_eq!(get().await.unwrap(), json!({ "a": 1 }), "a byte order mark is no part of the answer");
    assert!(get().await.unwrap_err().to_string().contains("not UTF-8: byte 6"));
}

#[tokio::test]
async fn a_decoding_error_names_the_place_and_never_the_value() {
    let script = Script::new([reply(200, r#"{"count":"hunter2"}"#)]);
    #[derive(Debug, serde::Deserialize)]
    struct Counted {
        #[serde(rename = "count")]
        _count: u32,
    }
    let error = script.client().get(things(), "2026-01-01").json::<Counted>().await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("line 1 column"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn safe_methods_are_repeated_and_the_body_comes_along_each_time() {
    let script = Script::new([reply(500, ""), Answer::Lost(ErrorKind::Io), reply(200, "{}")]);
    let put = script.client().put(things(), "2026-01-01").body(&json!({ "n": 1 }));
    put.json::<Value>().await.unwrap();
    let bodies: Vec<String> = script.sent().into_iter().map(|sent| sent.body).collect();
    assert_eq!(bodies, [r#"{"n":1}"#; 3]);
}

#[tokio::test]
async fn a_post_or_a_marked_put_is_not_repeated_when_it_may_have_been_carried_out() {
    let requests: [fn(&ArmClient) -> ArmRequest; 2] =
        [|arm| arm.post(things(), "2026-01-01"), |arm| arm.put(things(), "2026-01-01").not_repeatable()];
    for request in requests {
        for answer in [reply(500, ""), reply(503, ""), Answer::Lost(ErrorKind::Io)] {
            let script = Script::new([answer]);
            let error = request(&script.client()).send_empty().await.unwrap_err();
            assert_eq!(script.sent().len(), 1);
            assert!(error.to_string().contains("may have been carried out"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_post_is_repeated_when_the_service_did_nothing_or_the_operation_is_marked() {
    let throttled = reply(429, "").header("retry-after", "0");
    let unavailable = reply(503, "").header("retry-after", "1");
    let script = Script::new([Answer::Lost(ErrorKind::Connection), throttled, unavailable, reply(200, "")]);
    script.client().post(things(), "2026-01-01").send_empty().await.unwrap();
    assert_eq!(script.sent().len(), 4);
    let script = Script::new([reply(500, ""), reply(200, "")]);
    script.client().post(things(), "2026-01-01").repeatable().send_empty().await.unwrap();
}

/// A policy of the caller's that marks every request.
#[derive(Debug)]
struct Marks<T>(T);

#[async_trait]
impl<T: std::fmt::Debug + Copy + Send + Sync + 'static> Policy for Marks<T> {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        next[0].send(&ctx.clone().with_value(self.0), request, &next[1..]).await
    }
}

#[tokio::test]
async fn a_policy_of_the_callers_can_mark_requests_too() {
    let marked = |policy: Arc<dyn Policy>| {
        let client = ClientOptions { per_call_policies: vec![policy], ..ClientOptions::default() };
        ArmOptions { client, ..ArmOptions::default() }
    };
    let script = Script::new([reply(500, ""), reply(200, "")]);
    let client = script.client_with(marked(Arc::new(Marks(Repeatable))));
    client.post(things(), "2026-01-01").send_empty().await.unwrap();
    let script = Script::new([reply(500, "")]);
    let client = script.client_with(marked(Arc::new(Marks(NotRepeatable))));
    client.put(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test]
async fn giving_up_says_how_often_how_long_and_whether_a_write_may_have_happened() {
    let busy = || reply(503, r#"{"error":{"code":"ServerBusy","message":"later"}}"#);
    let script = Script::new((0..5).map(|_| busy()));
    let error = script.client().put(things(), "2026-01-01").send_empty().await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("PUT /things: 503 ServerBusy: later (gave up after 5 attempts over "), "{text}");
    assert!(text.ends_with("the change may have been carried out: read before you repeat it)"), "{text}");
    assert!(error.is_code("ServerBusy"));
    let script = Script::new((0..5).map(|_| reply(429, "")));
    let error = script.client().get(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert!(
        error.is_throttled() && !error.to_string().contains("change"),
        "reading changes nothing: {error}"
    );
}

#[tokio::test]
async fn waits_double_between_attempts_and_are_a_little_shorter_by_chance() {
    let script = Script::new((0..5).map(|_| reply(500, "")));
    let error = script.client().get(things(), "2026-01-01").send_empty().await.unwrap_err().to_string();
    let (_, behind) = error.split_once("over ").unwrap();
    let (seconds, _) = behind.split_once("s)").unwrap();
    // 0.5 + 1 + 2 + 4 seconds, less up to a quarter.
    assert!((5.625..=7.5).contains(&seconds.parse::<f64>().unwrap()), "{error}");
}

#[tokio::test]
async fn nothing_is_added_to_a_refusal_that_leaves_no_doubt() {
    let refusal = || reply(400, r#"{"error":{"code":"Bad","message":"no"}}"#);
    for first in [vec![], vec![reply(429, "")], vec![Answer::Lost(ErrorKind::Connection)]] {
        let script = Script::new(first.into_iter().chain([refusal()]));
        let error = script.client().put(things(), "2026-01-01").send_empty().await.unwrap_err();
        assert_eq!(error.to_string(), "PUT /things: 400 Bad: no");
    }
    let script = Script::new([Answer::Lost(ErrorKind::Credential)]);
    let error = script.client().put(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert!(!error.to_string().contains("gave up"), "{error}");
    let script = Script::new((0..5).map(|_| reply(503, "")));
    let error = script.client().get(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert!(error.to_string().contains("gave up") && !error.to_string().contains("change"), "{error}");
    let script = Script::new((0..5).map(|_| reply(429, "")));
    let error = script.client().put(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert!(error.to_string().ends_with("nothing was changed)"), "{error}");
}

#[tokio::test]
async fn without_retry_the_first_answer_is_the_outcome() {
    let once = || ArmOptions { retry: RetryBudget::none(), ..ArmOptions::default() };
    let script = Script::new([reply(429, r#"{"error":{"code":"Busy"}}"#)]);
    let error = script.client_with(once()).get(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /things: 429 Busy");
    let script = Script::new([reply(504, r#"{"error":{"code":"Late"}}"#)]);
    let error = script.client_with(once()).put(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert!(error.to_string().contains("may have been carried out"), "{error}");
}

#[tokio::test]
async fn attempts_that_are_used_up_are_not_blamed_on_the_wait_that_was_asked_for() {
    let script = Script::new((0..5).map(|_| reply(429, "").header("retry-after", "1")));
    let error = script.client().get(things(), "2026-01-01").send_empty().await.unwrap_err().to_string();
    assert!(error.contains("gave up after 5 attempts") && !error.contains("asks to wait"), "{error}");
}

#[tokio::test]
async fn an_absurd_retry_after_ends_with_an_error_instead_of_a_parked_program() {
    for value in ["315360000", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let script = Script::new([reply(429, "").header("retry-after", value)]);
        let retry = RetryBudget { total: Duration::from_secs(60), ..RetryBudget::default() };
        let arm = script.client_with(ArmOptions { retry, ..ArmOptions::default() });
        let error = arm.get(things(), "2026-01-01").send_empty().await.unwrap_err();
        assert!(error.to_string().contains("asks to wait"), "{error}");
    }
    for value in ["-5", "soon", "", "0", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let script = Script::new([reply(429, "").header("retry-after", value), reply(200, "")]);
        script.client().get(things(), "2026-01-01").send_empty().await.unwrap();
        assert_eq!(script.sent().len(), 2, "{value:?}");
    }
}

#[tokio::test]
async fn an_expired_token_is_replaced_once() {
    let script = Script::new([reply(401, "{}"), reply(200, "{}")]);
    script.client().get(things(), "2026-01-01").json::<Value>().await.unwrap();
    let tokens: Vec<_> = script.sent().into_iter().map(|sent| sent.authorization.unwrap()).collect();
    assert_eq!(tokens, [format!("Bearer {TOKEN}-1"), format!("Bearer {TOKEN}-2")]);
    let script =
        Script::new([reply(401, "{}"), reply(401, r#"{"error":{"code":"InvalidAuthenticationToken"}}"#)]);
    let error = script.client().get(things(), "2026-01-01").json::<Value>().await.unwrap_err();
    assert!(error.is_unauthorized() && error.is_code("InvalidAuthenticationToken"));
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_an_error() {
    let script = Script::new([reply(200, vec![b' '; 2000])]);
    let arm = script.client_with(ArmOptions { max_response_body: 1000, ..ArmOptions::default() });
    let error = arm.get(things(), "2026-01-01").json::<Value>().await.unwrap_err();
    assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
    assert_eq!(script.sent()[0].url, PATH);
}

#[tokio::test]
async fn no_error_shows_the_token() {
    let script = Script::new([Answer::Lost(ErrorKind::Other), reply(400, "{}")]);
    let arm = script.client();
    for _ in 0..2 {
        let error = arm.get(things(), "2026-01-01").json::<Value>().await.unwrap_err();
        assert!(!format!("{error} {error:?} {arm:?}").contains(TOKEN));
        assert!(format!("{arm:?}").contains("https://management.azure.com/"));
    }
}

#[tokio::test]
async fn a_refusal_after_a_lost_attempt_does_not_hide_that_the_write_may_have_happened() {
    let refusal = reply(412, r#"{"error":{"code":"PreconditionFailed","message":"changed since"}}"#);
    let script = Script::new([Answer::Lost(ErrorKind::Io), refusal]);
    let put = script.client().put(things(), "2026-01-01").if_match(Some("e1")).body(&json!({}));
    let error = put.send_empty().await.unwrap_err();
    assert!(error.is_precondition_failed() && error.is_code("PreconditionFailed"));
    assert!(error.to_string().contains("may have been carried out"), "{error}");
}

#[tokio::test]
async fn a_broken_answer_to_a_repeated_write_is_not_called_nothing_changed() {
    let script = Script::new([reply(429, ""), reply(200, vec![b' '; 2000])]);
    let arm = script.client_with(ArmOptions { max_response_body: 1000, ..ArmOptions::default() });
    let error = arm.put(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert!(error.to_string().contains("may have been carried out"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_takes_no_longer_than_what_is_left_of_the_budget() {
    let retry = RetryBudget { total: Duration::from_secs(10), attempts: 1, ..RetryBudget::default() };
    let script = Script::new([Answer::Never]);
    let arm = script.client_with(ArmOptions { retry, ..ArmOptions::default() });
    let begun = tokio::time::Instant::now();
    let error = arm.get(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert!(error.to_string().contains("no complete response within 10s"), "{error}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn no_wait_uses_up_the_budget_to_the_end_since_no_time_would_be_left_to_try_again() {
    for (total, attempts) in [(10, 2), (11, 3)] {
        let wait = || reply(429, "").header("retry-after", "5");
        let script = Script::new([wait(), wait(), reply(200, "")]);
        let retry = RetryBudget { total: Duration::from_secs(total), ..RetryBudget::default() };
        let arm = script.client_with(ArmOptions { retry, ..ArmOptions::default() });
        let outcome = arm.get(things(), "2026-01-01").send_empty().await;
        assert_eq!((outcome.is_ok(), script.sent().len()), (attempts == 3, attempts), "{total} s");
    }
}

#[tokio::test]
async fn the_longest_requested_wait_does_not_overflow() {
    let script = Script::new([reply(429, "").header("retry-after", u64::MAX.to_string())]);
    let retry = RetryBudget { longest_wait: Duration::MAX, ..RetryBudget::default() };
    let arm = script.client_with(ArmOptions { retry, ..ArmOptions::default() });
    let error = arm.get(things(), "2026-01-01").send_empty().await.unwrap_err();
    assert!(error.to_string().contains("asks to wait"), "{error}");
}

#[tokio::test]
async fn a_request_shown_for_debugging_has_neither_body_nor_headers() {
    let script = Script::new([]);
    let put = script.client().put(things(), "2026-01-01").query("sig", "hunter2").header("x-key", "hunter2");
    let shown = format!("{:?}", put.body(&json!({ "connectionString": "hunter2" })));
    assert!(shown.contains("PUT /things") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_wait_is_cut_to_the_longest_and_a_body_may_be_as_large_as_the_limit() {
    let body = [vec![b' '; 999], b"1".to_vec()].concat();
    let script = Script::new([reply(429, "").header("retry-after", "500"), reply(200, body)]);
    let arm = script.client_with(ArmOptions { max_response_body: 1000, ..ArmOptions::default() });
    assert_eq!(arm.get(things(), "2026-01-01").json::<Value>().await.unwrap(), 1);
}

#[tokio::test]
async fn an_official_client_with_our_options_talks_to_its_own_endpoint_only() {
    let script = Script::new([reply(429, ""), reply(200, "{}")]);
    let vault: Url = "https://kv-prod.vault.azure.net".parse().unwrap();
    let options = script.client().client_options_for(&vault).unwrap();
    let official = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
    let get = async |url: &str| {
        let mut request = Request::new(url.parse().unwrap(), Method::Get);
        official.send(&Context::new(), &mut request, None).await
    };
    for elsewhere in
        ["https://kv-prod.vault.azure.net.example/secrets", "https://kv-prod.vault.azure.net:8443/secrets"]
    {
        let error = get(elsewhere).await.unwrap_err();
        assert!(error.to_string().contains("kv-prod.vault.azure.net"), "{error}");
    }
    assert_eq!(script.sent(), []);
    assert_eq!(get("https://kv-prod.vault.azure.net/secrets").await.unwrap().status(), 200);
    assert_eq!(script.sent().len(), 2, "the 429 is waited out by our retry");
}

#[test]
fn each_cloud_has_its_own_hosts() {
    let hosts = |cloud: Cloud| {
        let endpoints = cloud.endpoints().unwrap();
        let host = |url: &Url| url.host_str().unwrap().to_owned();
        [
            host(&endpoints.management),
            host(&endpoints.graph),
            host(&endpoints.authority),
            endpoints.vault_suffix,
        ]
    };
    let suffixes = [
        (Cloud::Public, ["azure.com", "microsoft.com", "microsoftonline.com", "vault.azure.net"]),
        (
            Cloud::UsGovernment,
            ["usgovcloudapi.net", "microsoft.us", "microsoftonline.us", "vault.usgovcloudapi.net"],
        ),
        (Cloud::China, ["chinacloudapi.cn", "chinacloudapi.cn", "chinacloudapi.cn", "vault.azure.cn"]),
    ];
    for (cloud, expected) in suffixes {
        for (host, suffix) in hosts(cloud).iter().zip(expected) {
            assert!(host.ends_with(suffix), "{host} {suffix}");
        }
    }
}
