//! What every operation is put through.

use std::{collections::BTreeMap, path::Path};

use arm_core::{ArmErrorExt as _, ArmOptions};
use serde_json::json;
use url::Url;

use crate::{Contract, Decoded, Loopback, Reply, Script, Sent, TOKEN, client, contract::Expected, payload};

/// One case of one contract.
#[derive(Debug, Clone)]
pub struct Case {
    /// `Alerts_List::an_empty_page_in_the_middle_hides_nothing`
    pub name: String,
    contract: Contract,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Happy,
    Refused,
    Throttled,
    EmptyPage,
    Unknown,
    Monitored,
    Located,
    MonitoredFailure,
    LocatedFailure,
}

/// The cases that apply to a contract.
pub fn cases_of(contract: &Contract) -> Vec<Case> {
    use Kind::*;
    let applicable = [
        (Happy, true, "the_whole_request_and_the_decoded_answer"),
        (Refused, true, "a_refusal_keeps_the_services_code_message_and_request_id"),
        (Throttled, true, "a_429_is_waited_out_and_the_same_request_sent_again"),
        (EmptyPage, contract.paged, "an_empty_page_in_the_middle_hides_nothing"),
        (Unknown, contract.answer.is_some(), "unknown_fields_and_words_do_no_harm"),
        (Monitored, contract.long_running, "azure_async_operation_is_followed_to_the_answer"),
        (Located, contract.long_running, "location_is_followed_to_the_answer"),
        (MonitoredFailure, contract.long_running, "a_failure_later_on_is_an_error_with_its_code"),
        (LocatedFailure, contract.long_running, "a_refusal_later_on_is_an_error_with_its_code"),
    ];
    let case = |(kind, _, name)| Case {
        name: format!("{}::{name}", contract.name()),
        contract: contract.clone(),
        kind,
    };
    applicable.into_iter().filter(|(_, applies, _)| *applies).map(case).collect()
}

impl Case {
    /// Runs it.
    pub async fn run(&self) -> Result<(), String> {
        let it = Run(&self.contract);
        match self.kind {
            Kind::Happy => it.happy().await,
            Kind::Refused => it.refused().await,
            Kind::Throttled => it.throttled().await,
            Kind::EmptyPage => it.empty_page().await,
            Kind::Unknown => it.unknown().await,
            Kind::Monitored => it.long_running(true).await,
            Kind::Located => it.long_running(false).await,
            Kind::MonitoredFailure => it.failing(true).await,
            Kind::LocatedFailure => it.failing(false).await,
        }
    }
}

struct Run<'a>(&'a Contract);

impl Run<'_> {
    /// Every accepted status, whole request, whole answer.
    async fn happy(&self) -> Result<(), String> {
        for status in self.0.statuses {
            let decoded = self.happily_decoded(*status).await?;
            self.compare(&decoded).map_err(|problem| format!("with status {status}: {problem}"))?;
        }
        Ok(())
    }

    async fn refused(&self) -> Result<(), String> {
        let body =
            json!({ "error": { "code": "InventedRefusal", "message": "it said \"no\"\nand meant it" } });
        let reply = Reply::json(400, body).header("x-ms-request-id", "request-1");
        let outcome = self.play(self.script().then(&self.0.request, reply)).await?;
        if self.0.request.method == "HEAD" {
            return expect_error(outcome, "", "400", "request-1");
        }
        expect_error(outcome, "InventedRefusal", "it said \"no\" and meant it", "request-1")
    }

    async fn throttled(&self) -> Result<(), String> {
        let body = json!({ "error": { "code": "TooManyRequests", "message": "slow down" } });
        let slow = Reply::json(429, body).header("retry-after", "7");
        let script = self.script().then(&self.0.request, slow);
        let status = self.0.statuses[0];
        let decoded = self.play(script.then(&self.0.request, self.reply(status))).await?;
        self.compare(&decoded.map_err(|error| error.to_string())?)
    }

    async fn empty_page(&self) -> Result<(), String> {
        let full = self.0.answer.clone().unwrap();
        let (second, second_url) = self.follow("page-2");
        let (third, third_url) = self.follow("page-3");
        let mut first = full.clone();
        first["nextLink"] = json!(second_url);
        let script = self
            .script()
            .then(&self.0.request, Reply::json(200, first))
            .then(&second, Reply::json(200, json!({ "value": [], "nextLink": third_url })))
            .then(&third, Reply::json(200, full));
        let decoded = self.play(script).await?.map_err(|error| error.to_string())?;
        let once = self.happily_decoded(200).await?;
        if decoded == [once.clone(), once].concat() { Ok(()) } else { Err(format!("came as {decoded:#?}")) }
    }

    /// Invented fields everywhere, invented words in place of every word; then the same with the words that
    /// choose a shape left as they are.
    async fn unknown(&self) -> Result<(), String> {
        for keep_kinds in [false, true] {
            let changed =
                payload::with_unknowns(self.0.answer.as_ref().unwrap(), keep_kinds, self.0.fixed_words);
            let reply = Reply::json(self.0.statuses[0], changed.clone());
            let decoded = self.play(self.script().then(&self.0.request, reply)).await?;
            let decoded = decoded.map_err(|error| format!("{error}\nin {changed:#}"))?;
            let (items, known) = (decoded.len(), self.happily_decoded(self.0.statuses[0]).await?.len());
            if items != known {
                return Err(format!("{items} items of {known} are left"));
            }
            let Some(model) = self.0.model else { continue };
            let model = payload::model(model).ok_or_else(|| format!("no model {model}"))?;
            let report = model.check(&changed, self.0.paged);
            if report.has_failed() {
                return Err(format!("{report}\nin {changed:#}"));
            }
        }
        Ok(())
    }

    async fn long_running(&self, monitored: bool) -> Result<(), String> {
        let script = self.accepted(monitored);
        let (poll, _) = self.follow("operation-1");
        let script = match monitored {
            true => script
                .then(&poll, Reply::json(200, json!({ "status": "InProgress", "percentComplete": 50 })))
                .then(&poll, Reply::json(200, json!({ "status": "Succeeded" }))),
            false => script.then(&poll, Reply::empty(202).header("retry-after", "1")),
        };
        let (result, _) = self.follow("result-1");
        let own = Sent::new("GET", &self.0.url, None);
        let writes = matches!(self.0.request.method.as_str(), "PUT" | "PATCH");
        let script = match (&self.0.answer, monitored, writes) {
            (Some(answer), true, true) => script.then(&own, Reply::json(200, answer.clone())),
            (Some(answer), false, true) => {
                script.then(&poll, Reply::empty(200)).then(&own, Reply::json(200, answer.clone()))
            }
            (Some(answer), true, false) => script.then(&result, Reply::json(200, answer.clone())),
            (Some(answer), false, false) => script.then(&poll, Reply::json(200, answer.clone())),
            (None, true, _) => script,
            (None, false, _) => script.then(&poll, Reply::empty(200)),
        };
        let decoded = self.play(script).await?.map_err(|error| error.to_string())?;
        self.compare(&decoded)
    }

    async fn failing(&self, monitored: bool) -> Result<(), String> {
        let error = json!({ "code": "InventedFailure", "message": "half way" });
        let reply = match monitored {
            true => Reply::json(200, json!({ "status": "Failed", "error": error })),
            false => Reply::json(409, json!({ "error": error })),
        };
        let (poll, _) = self.follow("operation-1");
        let script = self.accepted(monitored).then(&poll, reply.header("x-ms-request-id", "request-2"));
        expect_error(self.play(script).await?, "InventedFailure", "half way", "request-2")
    }

    /// The first answer of an operation that goes on.
    fn accepted(&self, monitored: bool) -> Script {
        let ((_, poll), (_, result)) = (self.follow("operation-1"), self.follow("result-1"));
        let reply = Reply::empty(202).header("retry-after", "1");
        let reply = match monitored {
            true => reply.header("azure-asyncoperation", poll),
            false => reply.header("location", poll),
        };
        let by_link = monitored && self.0.request.method == "POST" && self.0.answer.is_some();
        let reply = if by_link { reply.header("location", result) } else { reply };
        self.script().then(&self.0.request, reply)
    }

    /// A link that the service gives, and the request that following it must make: the link as it is.
    fn follow(&self, what: &str) -> (Sent, String) {
        // The official client of vaults writes its own version over the link's.
        let version = self.0.url.query().filter(|_| self.0.challenged).unwrap_or("api-version=1");
        let link = format!("/subscriptions/invented/{what}?{version}&$skiptoken=a%2Fb");
        let url: Url = self.0.url.join(&link).unwrap();
        (Sent::new("GET", &url, None), url.to_string())
    }

    fn script(&self) -> Script {
        if !self.0.challenged {
            return Script::new();
        }
        let mut probe = self.0.request.clone();
        probe.headers.remove("authorization");
        probe.headers.remove("content-type");
        probe.body = None;
        let challenge = "Bearer authorization=\"https://login.microsoftonline.com/tenant\", \
                         resource=\"https://vault.azure.net\"";
        Script::new().then(&probe, Reply::empty(401).header("www-authenticate", challenge))
    }

    fn reply(&self, status: u16) -> Reply {
        match &self.0.answer {
            Some(answer) => Reply::json(status, answer.clone()),
            None => Reply::empty(status),
        }
    }

    /// Calls the method; the error is that requests were not as they must be.
    async fn play(&self, script: Script) -> Result<Decoded, String> {
        let server = script.start().await;
        let loopback = Loopback::new(*server.address());
        let call = self.0.call.as_ref().ok_or("the contract calls nothing")?;
        let outcome = call(client(&loopback, ArmOptions::default())).await;
        let described = match &outcome {
            Ok(items) => items.join("\n"),
            Err(error) => format!("{error}\n{error:?}"),
        };
        script.verify().map_err(|problems| format!("{problems}\nthe call answered {described}"))?;
        if described.contains(TOKEN) {
            return Err(format!("the token is seen in {described}"));
        }
        Ok(outcome)
    }

    async fn happily_decoded(&self, status: u16) -> Result<Vec<String>, String> {
        let decoded = self.play(self.script().then(&self.0.request, self.reply(status))).await?;
        decoded.map_err(|error| format!("with status {status}: {error}"))
    }

    fn compare(&self, decoded: &[String]) -> Result<(), String> {
        let text = decoded.join("\n");
        match &self.0.decoded {
            Expected::Text(expected) if text == *expected => {}
            Expected::Text(expected) => return Err(format!("decoded as {text} and not as {expected}")),
            Expected::Snapshot(name) => {
                let place = Path::new("../decoded").join(name);
                let (folder, name) = (place.parent().unwrap(), place.file_name().unwrap().to_str().unwrap());
                insta::with_settings!({
                    snapshot_path => folder, prepend_module_to_snapshot => false, omit_expression => true,
                }, { insta::assert_snapshot!(name, text) });
            }
        }
        Ok(())
    }
}

fn expect_error(outcome: Decoded, code: &str, message: &str, request: &str) -> Result<(), String> {
    let Err(error) = outcome else { return Err(format!("no error but {outcome:#?}")) };
    let found = BTreeMap::from([
        ("code", code.is_empty() || error.is_code(code)),
        ("message", error.to_string().replace('\n', " ").contains(message)),
        ("request id", error.request_id().as_deref() == Some(request)),
    ]);
    match found.iter().find(|(_, found)| !**found) {
        None => Ok(()),
        Some((lost, _)) => Err(format!("its {lost} is lost: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_its_code_is_noticed() {
        let error = azure_core::Error::with_message(azure_core::error::ErrorKind::Other, "half way");
        assert!(expect_error(Err(error), "Code", "half way", "r").is_err());
        assert!(expect_error(Ok(Vec::new()), "Code", "", "r").is_err());
    }
}
