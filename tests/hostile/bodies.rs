//! Answers that are not what they should be.

use contract_tests::Contract;
use serde_json::{Value, json};

use crate::{
    Outcome, Test, answer_of, attack, budgets, first_of_each,
    server::{Act, response},
    test,
};

/// What is checked about the outcome.
type Check = fn(&Outcome) -> Result<(), String>;

pub(crate) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    let reads = first_of_each(|it| {
        it.answer.is_some() && !it.paged && !it.long_running && it.request.method == "GET"
    });
    let lists = first_of_each(|it| it.paged);
    for contract in reads.into_iter().chain(lists) {
        for (name, act, check) in bodies(&contract) {
            let contract = contract.clone();
            tests.push(test(format!("{}::{name}", contract.name()), async move {
                let outcome = attack(&contract, vec![act], budgets()).await?;
                match check(&outcome) {
                    // The official client decodes the lists of a vault first, in fewer words.
                    Err(_) if contract.challenged && contract.paged => outcome.error().map(drop),
                    checked => checked,
                }
            }));
        }
    }
    tests
}

fn ok(headers: &str, body: &[u8]) -> Act {
    Act::Send(response("200 OK", headers, body))
}

fn bodies(contract: &Contract) -> Vec<(&'static str, Act, Check)> {
    let answer = answer_of(contract);
    let text = answer.to_string();
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let nested: Value = (0..100).fold(json!(1), |inner, _| json!({ "x": inner }));
    let mut unknown = answer.clone();
    unknown["inventedByTheService"] = nested;
    let many = (0..100_000).map(|n| format!("x-nonsense-{n}: {n}\r\n")).collect::<String>();
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n".to_vec();
    let huge = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1073741824\r\nconnection: close\r\n\r\n";
    let refused = json!({ "error": { "code": "Deep", "message": deep.clone() } }).to_string();
    vec![
        ("html_is_an_error_that_shows_it", html(), |it| it.error_with("is not JSON but text/html: <html>sign in</html>")),
        ("an_empty_answer_is_an_error", ok("", b""), |it| it.error_with("is empty where JSON was expected")),
        ("gzip_is_not_asked_for_and_not_taken_for_text", ok("content-encoding: gzip\r\n", &GZIP), gzip),
        ("a_body_without_end_is_cut_at_the_limit", Act::Flood(endless, vec![b' '; 65_536]), |it| {
            it.error_with("larger than 1048576 bytes; raise ArmOptions::max_response_body")
        }),
        ("a_gigabyte_is_cut_at_the_limit", Act::Flood(huge.to_vec(), vec![b' '; 65_536]), |it| {
            it.error_with("larger than 1048576 bytes; raise ArmOptions::max_response_body")
        }),
        ("a_hundred_thousand_headers_are_an_error", ok(&many, text.as_bytes()), |it| it.error().map(drop)),
        ("json_too_deep_is_an_error", ok("", deep.as_bytes()), |it| it.error().map(drop)),
        ("a_refusal_too_deep_is_an_error", Act::Send(response("400 Bad", "", refused.as_bytes())), |it| {
            it.error_with("400")
        }),
        ("deep_unknown_fields_do_no_harm", ok("", unknown.to_string().as_bytes()), |it| it.answer.clone().map(drop)),
        ("invalid_utf8_is_an_error", ok("", b"{\"value\":[],\"id\":\"\xff\xfe\"}"), |it| {
            it.error_with("is not UTF-8: byte 18 is invalid")
        }),
        ("a_byte_order_mark_does_no_harm", ok("", &[b"\xef\xbb\xbf", text.as_bytes()].concat()), |it| {
            it.answer.clone().map(drop)
        }),
        ("a_json_text_is_not_a_resource", ok("", br#""secret-that-must-not-be-seen""#), |it| it.error_with("cannot be decoded")),
        ("an_array_is_not_a_resource", ok("", b"[1,2]"), |it| it.error_with("cannot be decoded")),
        ("null_is_not_a_resource", ok("", b"null"), |it| it.error().map(drop)),
        ("a_broken_json_shows_no_value", ok("", b"{\"value\":\"secret-that-must-not-be-seen\", \"x\":"), |it| it.error().map(drop)),
        ("a_wrong_type_shows_no_value", ok("", br#"{"value":{"secret-that-must-not-be-seen":"secret-that-must-not-be-seen"},"id":["secret-that-must-not-be-seen"],"properties":"secret-that-must-not-be-seen","tables":"secret-that-must-not-be-seen"}"#), |it| {
            it.error().map(drop)
        }),
        ("duplicate_keys_do_no_panic", ok("", duplicated(&text).as_bytes()), |_| Ok(())),
        ("a_wrong_content_type_is_read_all_the_same", wrong_type(text.as_bytes()), |it| it.answer.clone().map(drop)),
        ("a_length_too_large_is_an_error", too_long(text.as_bytes()), |it| it.error().map(drop)),
        ("no_http_at_all_is_an_error", Act::Send(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()), |it| it.error().map(drop)),
    ]
}

fn html() -> Act {
    Act::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 22\r\nconnection: close\r\n\r\n<html>sign in</html>\r\n"
            .to_vec(),
    )
}

fn wrong_type(body: &[u8]) -> Act {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    Act::Send([head.as_bytes(), body].concat())
}

fn too_long(body: &[u8]) -> Act {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len() + 10);
    Act::Send([head.as_bytes(), body].concat())
}

/// `{"x":1}` as `{"x":1,"x":1}`.
fn duplicated(text: &str) -> String {
    let inner = &text[1..text.len() - 1];
    format!("{{{inner},{inner}}}")
}

/// An empty gzip stream.
const GZIP: [u8; 20] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn gzip(outcome: &Outcome) -> Result<(), String> {
    if outcome.requests.iter().any(|head| head.to_ascii_lowercase().contains("accept-encoding")) {
        return Err("gzip is asked for".to_owned());
    }
    outcome.error_with("is not UTF-8")
}
