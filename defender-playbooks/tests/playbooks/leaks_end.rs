//! How a leak ends that is no current secret: an old version, or a finding of Defender that people accept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use arm_core::Secret;
use async_trait::async_trait;
use defender_alerts::{ExemptionReason, SecretFindingsClient};
use defender_playbooks::leaks::{self, Closing, LeakPlan, LeakReport, LeakStep, LeaksClient, SecretFacts};
use keyvault_ops::{
    Credential, CredentialRequest, EndError, EndedVersions, FoundCredential, Issuer, IssuerKind, rotate_many,
};
use mock_azure::MockAzure;
use resource_ops::ExemptionCategory;
use serde_json::json;
use time::OffsetDateTime;

use crate::lab::{arm, group, seed, subscription, writes};

/// An issuer in memory: the ids of the values that are good.
#[derive(Default)]
struct Bank(Mutex<BTreeMap<String, String>>);

impl Bank {
    fn with(good: &[(&str, &str)]) -> Arc<Self> {
        let good = good.iter().map(|(value, id)| ((*value).to_owned(), (*id).to_owned()));
        Arc::new(Self(Mutex::new(good.collect())))
    }

    fn good(&self) -> Vec<String> {
        self.0.lock().unwrap().values().cloned().collect()
    }
}

#[async_trait]
impl Issuer for Bank {
    fn kind(&self) -> IssuerKind {
        IssuerKind::Many
    }

    async fn create(&self, request: CredentialRequest<'_>) -> azure_core::Result<Credential> {
        let (id, value) = (format!("new-{}", request.secret.name), keyvault_ops::random_value()?);
        self.0.lock().unwrap().insert(value.expose().to_owned(), id.clone());
        Ok(Credential { id, value })
    }

    async fn find(&self, _: &str) -> azure_core::Result<Vec<FoundCredential>> {
        Ok(Vec::new())
    }

    async fn identify(&self, value: &Secret) -> azure_core::Result<Option<String>> {
        Ok(self.0.lock().unwrap().get(value.expose()).cloned())
    }

    async fn verify(&self, value: &Secret) -> azure_core::Result<()> {
        self.identify(value).await.and_then(|id| match id {
            Some(_) => Ok(()),
            None => arm_core::refuse("it does not work"),
        })
    }

    async fn revoke(&self, id: &str) -> azure_core::Result<()> {
        self.0.lock().unwrap().retain(|_, known| known != id);
        Ok(())
    }
}

const LEAKED: &str = "Zq-old-key-of-the-queue";

/// The leaked value stands in an old version of `queue`, and in the current one of `web`.
async fn leaked_of_old(also_current: bool) -> (MockAzure, leaks::LeakMatches) {
    let mut seed = seed().vault_role("kv-prod", "Key Vault Secrets Officer");
    seed = seed.secret("kv-prod", "queue", LEAKED).secret("kv-prod", "queue", "Zq-key-that-is-safe");
    if also_current {
        seed = seed.secret("kv-prod", "web", LEAKED);
    }
    let azure = seed.start().await;
    let found = json!([{ "RuleID": "queue", "Secret": LEAKED, "File": "a.env", "StartLine": 1 }]).to_string();
    let find = LeaksClient::new(&arm(&azure))
        .find_secrets(leaks::read_in("o/r", &found), ["kv-prod".parse().unwrap()]);
    let matches = find.reads_at_most(10).pause(Duration::ZERO).await.unwrap();
    (azure, matches)
}

fn enabled(azure: &MockAzure, name: &str) -> Vec<bool> {
    azure.secret_versions("kv-prod", name).iter().map(|version| version.enabled).collect()
}

async fn ended(azure: &MockAzure, plan: &LeakPlan) -> Vec<Result<EndedVersions, EndError>> {
    let mut ended = Vec::new();
    for end in plan.retirements(&arm(azure)).unwrap() {
        ended.push(end.await);
    }
    ended
}

#[tokio::test]
async fn a_leak_of_an_old_version_ends_with_it_and_the_current_one_stays() {
    let (azure, matches) = leaked_of_old(false).await;
    let bank = Bank::with(&[(LEAKED, "key1"), ("Zq-key-that-is-safe", "key2")]);
    let plan = LeakPlan::of(&matches, |_| SecretFacts::default().issued_by(bank.clone()));
    let [planned] = plan.secrets.as_slice() else { panic!("{plan:?}") };
    assert_eq!((planned.step, planned.old_versions.len()), (LeakStep::RetireOld, 1));
    let shown = format!("{planned:?}");
    let (secret, old) = (&planned.secret, &planned.old_versions);
    assert_eq!(
        shown,
        format!(
            "PlannedSecret {{ secret: {secret:?}, step: RetireOld, readers: [], readers_unknown: [], \
             old_versions: {old:?}, issuer_known: true, .. }}"
        )
    );
    assert!(plan.rotations(&arm(&azure)).unwrap().is_empty());
    let text = leaks::to_markdown(&plan, &[], &[], &[]);
    assert!(text.contains("disable the old versions that leaked, and revoke their credentials"), "{text}");

    azure.clear_requests();
    let end = plan.retirements(&arm(&azure)).unwrap().remove(0);
    let would = end.dry_run().await.unwrap();
    assert!(writes(&azure).is_empty() && would.revoked == ["key1"], "{would}");
    let done = ended(&azure, &plan).await;
    assert!(done[0].as_ref().unwrap().is_complete(), "{done:?}");
    assert_eq!((bank.good(), enabled(&azure, "queue")), (vec!["key2".to_owned()], vec![false, true]));
    let text = leaks::to_markdown(&plan, &[], &done, &[]);
    assert!(text.contains("Nothing is left to do"), "{text}");
    assert!(!format!("{text}{done:?}{plan:?}").contains("Zq-"));
}

#[tokio::test]
async fn an_old_version_whose_credential_nobody_could_revoke_is_left_to_people() {
    let (azure, matches) = leaked_of_old(false).await;
    let plan = LeakPlan::of(&matches, |_| SecretFacts::default());
    let done = ended(&azure, &plan).await;
    let end = done[0].as_ref().unwrap();
    assert_eq!(enabled(&azure, "queue"), [false, true]);
    assert_eq!((end.open.len(), end.is_complete()), (1, false), "{end}");
    let text = leaks::to_markdown(&plan, &[], &done, &[]);
    let left = text.split("## Secrets").next().unwrap();
    assert!(left.contains("the credential of") && left.contains("may still be valid"), "{text}");
    assert!(!text.contains("Nothing is left to do") && !text.contains("and their credentials revoked"));
}

#[tokio::test]
async fn before_an_old_credential_ends_only_secrets_that_may_hold_it_too_are_read() {
    const OTHER: &str = "Zq-key-of-something-else";
    for shares_an_issuer in [true, false] {
        let azure = seed()
            .vault_role("kv-prod", "Key Vault Secrets Officer")
            .secret("kv-prod", "queue", LEAKED)
            .secret("kv-prod", "queue", "Zq-key-that-is-safe")
            .secret("kv-prod", "web", OTHER)
            .start()
            .await;
        let leak = |value: &str| json!({ "RuleID": "key", "Secret": value, "File": value, "StartLine": 1 });
        let report = leaks::read_in("o/r", &json!([leak(LEAKED), leak(OTHER)]).to_string());
        let find = LeaksClient::new(&arm(&azure)).find_secrets(report, ["kv-prod".parse().unwrap()]);
        let matches = find.reads_at_most(10).pause(Duration::ZERO).await.unwrap();
        let bank = Bank::with(&[(LEAKED, "key1"), (OTHER, "key3")]);
        let other = if shares_an_issuer { bank.clone() } else { Bank::with(&[(OTHER, "key3")]) };
        let plan = LeakPlan::of(&matches, |secret| {
            let of_queue = secret.name.as_str() == "queue";
            SecretFacts::default().issued_by(if of_queue { bank.clone() } else { other.clone() })
        });
        assert_eq!(plan.secrets.len(), 2, "{plan:?}");
        azure.clear_requests();
        let done = ended(&azure, &plan).await;
        assert_eq!(done[0].as_ref().unwrap().revoked, ["key1"], "{done:?}");
        let reads = azure.requests().iter().filter(|sent| sent.path.contains("/secrets/web")).count();
        assert_eq!(reads > 0, shares_an_issuer, "{reads} reads of a secret of its own");
    }
}

#[test]
fn what_is_known_of_a_secret_is_shown_without_the_issuer() {
    let facts = SecretFacts::default().issued_by(Bank::with(&[])).read_by(["jobs"]).misused();
    assert_eq!(format!("{facts:?}"), r#"SecretFacts { readers: ["jobs"], misused: true, .. }"#);
}

#[tokio::test]
async fn a_credential_that_another_secret_of_the_plan_holds_ends_only_after_its_rotation() {
    let (azure, matches) = leaked_of_old(true).await;
    let bank = Bank::with(&[(LEAKED, "key1"), ("Zq-key-that-is-safe", "key2")]);
    let plan = LeakPlan::of(&matches, |secret| match secret.name.as_str() {
        "web" => SecretFacts::default().issued_by(bank.clone()),
        // Another handle on the same issuer: they are told together by the leak.
        _ => SecretFacts::default().issued_by(Arc::new(Shared(bank.clone()))),
    });
    let early = plan.retirements(&arm(&azure)).unwrap().remove(0).dry_run().await.unwrap();
    assert!(early.revoked.is_empty() && early.to_string().contains("'web' of kv-prod"), "{early}");

    let rotations: Vec<_> =
        futures::StreamExt::collect(rotate_many(plan.rotations(&arm(&azure)).unwrap(), 1)).await;
    assert!(rotations.iter().all(|it| it.result.as_ref().unwrap().is_complete()), "{rotations:?}");
    assert_eq!(bank.good().len(), 2, "the old one ended with the rotation: {:?}", bank.good());
    let done = ended(&azure, &plan).await;
    let done = done[0].as_ref().unwrap();
    assert_eq!(enabled(&azure, "queue"), [false, true]);
    assert!(done.to_string().contains("it no longer works, or belongs to another issuer"), "{done}");
}

struct Shared(Arc<Bank>);

#[async_trait]
impl Issuer for Shared {
    fn kind(&self) -> IssuerKind {
        self.0.kind()
    }
    async fn create(&self, request: CredentialRequest<'_>) -> azure_core::Result<Credential> {
        self.0.create(request).await
    }
    async fn find(&self, rotation: &str) -> azure_core::Result<Vec<FoundCredential>> {
        self.0.find(rotation).await
    }
    async fn identify(&self, value: &Secret) -> azure_core::Result<Option<String>> {
        self.0.identify(value).await
    }
    async fn verify(&self, value: &Secret) -> azure_core::Result<()> {
        self.0.verify(value).await
    }
    async fn revoke(&self, id: &str) -> azure_core::Result<()> {
        self.0.revoke(id).await
    }
}

fn machine() -> String {
    format!("{}/providers/Microsoft.Compute/virtualMachines/vm-app", group())
}

/// A machine on which Defender has found two secrets.
async fn found_by_defender() -> MockAzure {
    seed()
        .plan(subscription(), "CloudPosture", "Standard")
        .plan_extension(subscription(), "CloudPosture", "AgentlessVmScanning", true)
        .virtual_machine(subscription(), "rg-sec", "vm-app")
        .exposed_secret(machine(), "key of a test")
        .exposed_secret(machine(), "password")
        .start()
        .await
}

async fn look(azure: &MockAzure) -> LeakReport {
    leaks::of_defender(&SecretFindingsClient::new(&arm(azure)).find(&subscription()).await.unwrap())
}

#[tokio::test]
async fn a_finding_in_code_names_its_repository_as_its_host_does() {
    let connector = |path: &str| {
        format!("{}/providers/Microsoft.Security/securityConnectors/code/devops/default/{path}", group())
    };
    let places = [
        (connector("gitHubOwners/contoso/repos/app"), Some("contoso/app")),
        (connector("azureDevOpsOrgs/contoso/projects/pay/repos/api"), Some("contoso/pay/api")),
        (machine(), None),
    ];
    let mut seed = seed().plan(subscription(), "CloudPosture", "Standard").plan_extension(
        subscription(),
        "CloudPosture",
        "AgentlessVmScanning",
        true,
    );
    for (resource, _) in &places {
        seed = seed.exposed_secret(resource, "password");
    }
    let found = look(&seed.start().await).await;
    let mut named: Vec<(String, Option<&str>)> = Vec::new();
    for leak in &found.leaks {
        let resource = leak.place.resource.as_ref().unwrap().to_string();
        named.push((resource, leak.place.repository.as_deref()));
    }
    let by_id = |found: &mut Vec<(String, Option<&str>)>| found.sort_by_key(|(id, _)| id.to_lowercase());
    let mut expected = Vec::from(places);
    by_id(&mut named);
    by_id(&mut expected);
    assert_eq!(named, expected);
}

#[tokio::test]
async fn a_finding_that_people_accept_is_exempt_with_a_reason_and_never_called_gone() {
    let azure = found_by_defender().await;
    let first = look(&azure).await;
    assert!(first.is_complete() && first.leaks.len() == 2, "{first:?}");
    let closed = leaks::close(&first, &first, &BTreeSet::new());
    assert!(
        closed.iter().all(|(_, closing)| *closing == Closing::WaitingForScan),
        "nobody has scanned since"
    );
    let reason = ExemptionReason::builder()
        .category(ExemptionCategory::Waiver)
        .reason("a key of a test, which opens nothing")
        .until(OffsetDateTime::now_utc() + time::Duration::days(400))
        .ticket("SEC-7")
        .build();
    let client = LeaksClient::new(&arm(&azure));
    let of_a_test = |leak: &leaks::Leak| (leak.rule == "key of a test").then(|| reason.clone());
    assert!(client.exemptions(&closed, |_| None).is_empty());
    let exemption = client.exemptions(&closed, of_a_test).remove(0).result.unwrap();
    assert!(writes(&azure).is_empty(), "nothing happens until it is awaited");
    assert!(exemption.clone().dry_run().await.unwrap().exemptions[0].is_change());
    exemption.await.unwrap();
    assert_eq!(writes(&azure).len(), 1);

    azure.advance(Duration::from_secs(86_400));
    let second = look(&azure).await;
    let scanned: BTreeSet<String> = [machine()].into();
    let closed = leaks::close(&first, &second, &scanned);
    let of = |rule: &str| closed.iter().find(|(leak, _)| leak.rule == rule).unwrap().1;
    assert_eq!((of("key of a test"), of("password")), (Closing::Dismissed, Closing::StillThere));
    let text = leaks::to_markdown(
        &LeakPlan::of(&leaks::LeakMatches::default(), |_| SecretFacts::default()),
        &[],
        &[],
        &closed,
    );
    assert!(text.contains("- dismissed, and still there: key of a test"), "{text}");
    assert!(text.contains("1 leak is still there"), "{text}");
    let sarif = leaks::to_sarif(&closed, "rotated");
    let told = sarif["runs"][0]["results"].to_string();
    assert!(told.contains("dismissed in defender, which has the reason"), "{told}");
    let assigned = client
        .assign(&closed, OffsetDateTime::now_utc(), |_| Some("dev@contoso.example".to_owned()))
        .await
        .unwrap();
    assert_eq!(assigned.len(), 1, "nobody has to mend what is accepted");
}

#[tokio::test]
async fn a_finding_that_stands_for_many_secrets_is_not_exempt_by_one_of_them() {
    let azure = seed()
        .plan(subscription(), "CloudPosture", "Standard")
        .virtual_machine(subscription(), "rg-sec", "vm-app")
        .grouped_secret_assessment(machine())
        .start()
        .await;
    let first = look(&azure).await;
    let closed = leaks::close(&first, &first, &BTreeSet::new());
    let reason = ExemptionReason::builder()
        .category(ExemptionCategory::Waiver)
        .reason("a key of a test")
        .until(OffsetDateTime::now_utc() + time::Duration::days(400))
        .build();
    let refused =
        LeaksClient::new(&arm(&azure)).exemptions(&closed, |_| Some(reason.clone())).remove(0).result;
    assert!(refused.unwrap_err().to_string().contains("covers all secrets of its resource"));
}

#[tokio::test]
async fn while_defender_does_not_scan_nothing_is_gone() {
    let azure = found_by_defender().await;
    let first = look(&azure).await;
    let blind = look(&seed().start().await).await;
    assert!(!blind.is_complete() && blind.leaks.is_empty());
    assert!(
        blind.unread.iter().any(|it| it.to_string().contains("the plan that scans for secrets is off")),
        "{blind:?}"
    );
    let closed = leaks::close(&first, &blind, &[machine()].into());
    assert!(closed.iter().all(|(_, closing)| *closing == Closing::WaitingForScan), "{closed:?}");
}
