//! What must hold of each wire format whatever stands in it: edges of time, numbers and texts. The bodies of fuzz targets
//! and of property tests, as those of [`robustness`](crate::robustness).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use arm_core::{
    ArmClient, ArmOptions, ArmPath, RetryBudget,
    wire::{instant, iso_duration},
};
use async_trait::async_trait;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, Transport,
    headers::{HeaderName, Headers},
};
use defender_alerts::{Assessment, SubAssessment};
use keyvault_ops::LedgerEntry;
use monitor_ops::{QueryResults, QueryRule, Timespan, VaultOperation};
use serde_json::{Value, json};

use crate::loopback::StaticToken;

/// Texts of instants and durations at the edge of what can be expressed, and past it.
pub const EDGES: &[&str] = &[
    "9999-12-31T23:59:59-01:00",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59+14:00",
    "0000-01-01T00:00:00+01:00",
    "0001-01-01T00:00:00Z",
    "-9999-01-01 00:00:00",
    "2026-02-30T00:00:00Z",
    "2016-12-31T23:59:60Z",
    "Fri, 31 Dec 9999 23:59:59 -0100",
    "PT18446744073709551615S",
    "P213503982334601DT7H15.9999999S",
    "P99999999999999999999999W",
    "PT0.0000000001S",
    "18446744073709551615",
    "\u{1f512}\u{202e}é",
    "",
];

/// A text is an instant that is written and read again, or none.
pub fn instants(text: &str) {
    let Some(read) = instant::parse(text) else { return };
    let written = instant::format(read);
    assert_eq!(instant::parse(&written), Some(read), "{text:?} is written as {written:?}");
    assert!(!Timespan::Between(read, read).to_string().starts_with('/'), "{text:?}");
}

/// A text is a duration that is written and read again, or none; and can be reckoned with.
pub fn durations(text: &str) {
    let properties = json!({ "windowSize": text, "evaluationFrequency": text });
    if let Ok(rule) = serde_json::from_value::<QueryRule>(json!({ "properties": properties })) {
        let _ = rule.misses_late_logs();
    }
    let Some(read) = iso_duration::parse(text) else { return };
    let written = iso_duration::format(read);
    // The wire is read as a floating-point number of seconds, which has 53 bits.
    let exact = Duration::from_secs(1 << 53);
    let lost = Duration::from_micros(10) + read / (1 << 30);
    let again = iso_duration::parse(&written);
    let close = again.is_some_and(|again| again.abs_diff(read) <= lost);
    assert!(close || read > exact, "{text:?} is written as {written:?} and read as {again:?}");
}

/// However long the service asks to wait, and wherever it says that an operation goes on, the call ends with an answer or
/// an error.
pub fn headers(value: &str) {
    if value.contains(|c: char| c.is_control() || !c.is_ascii()) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let names = |names: &[&'static str]| {
        let mut headers = Headers::new();
        names.iter().for_each(|name| headers.insert(HeaderName::from_static(name), value.to_owned()));
        headers
    };
    let patient = RetryBudget {
        attempts: 3,
        total: Duration::MAX,
        first_wait: Duration::ZERO,
        longest_wait: Duration::ZERO,
        ..RetryBudget::default()
    };
    for waits in [&["retry-after"][..], &["retry-after-ms"], &["x-ms-retry-after-ms"]] {
        let throttled = (0..3).map(|_| (429, names(waits))).collect();
        let sent = client(throttled, patient).get(ArmPath::root().literal("things"), "2026-01-01").send();
        assert!(runtime.block_on(sent).is_err(), "three refusals are an error");
    }
    for links in [&["location"][..], &["azure-asyncoperation"], &["operation-location", "retry-after"]] {
        let accepted = VecDeque::from([(202, names(links))]);
        let begun = client(accepted, patient)
            .put(ArmPath::root().literal("things"), "2026-01-01")
            .body(&json!({}))
            .poller::<Value>();
        assert!(
            runtime.block_on(async { begun.await }).is_err(),
            "what is not done is no success: {value:?}"
        );
    }
}

fn client(answers: VecDeque<(u16, Headers)>, retry: RetryBudget) -> ArmClient {
    let transport = Some(Transport::new(Arc::new(Answers(Mutex::new(answers)))));
    let client = ClientOptions { transport, ..ClientOptions::default() };
    let options = ArmOptions { retry, operation_budget: Duration::ZERO, ..ArmOptions::from(client) };
    ArmClient::new(Arc::new(StaticToken), options).unwrap()
}

/// A transport that gives one answer after the other, without bodies.
#[derive(Debug)]
struct Answers(Mutex<VecDeque<(u16, Headers)>>);

#[async_trait]
impl HttpClient for Answers {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (status, headers) = self.0.lock().unwrap().pop_front().unwrap_or((404, Headers::new()));
        Ok(AsyncRawResponse::from_bytes(status.into(), headers, ""))
    }
}

/// Any answer to a query is read row by row or refused; a row that cannot be read costs itself.
pub fn log_rows(body: &[u8]) {
    let Ok(results) = serde_json::from_slice::<QueryResults>(body) else { return };
    let _ = (results.is_partial(), results.rows::<Value>().map_err(|error| error.to_string()));
    let Ok((rows, errors)) = results.readable_rows::<VaultOperation>() else { return };
    assert_eq!(rows.len() + errors.len(), results.tables[0].cells.len());
    let _ = (format!("{rows:?}"), errors.iter().map(ToString::to_string).collect::<Vec<_>>());
}

/// A line of a ledger says the same when it is written again, or is none.
pub fn ledger_line(line: &[u8]) {
    let Ok(entry) = serde_json::from_slice::<LedgerEntry>(line) else { return };
    let written = serde_json::to_vec(&entry).unwrap();
    assert!(!written.contains(&b'\n'));
    assert_eq!(serde_json::from_slice::<LedgerEntry>(&written).unwrap(), entry);
}

/// A finding is decoded with all its parts, or refused.
pub fn findings(body: &[u8]) {
    if let Ok(finding) = serde_json::from_slice::<SubAssessment>(body) {
        let _ = (finding.kind(), format!("{finding:?}"));
    }
    if let Ok(assessment) = serde_json::from_slice::<Assessment>(body) {
        let _ = (assessment.severity(), format!("{assessment:?}"));
    }
}
