//! A report about several subscriptions: what a SOC lead sees, and that nothing is left out in silence.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use arm_core::{ArmClient, SubscriptionId};
use lab_examples::{
    cli::Options,
    report::{
        ReportOptions,
        overview::{
            self,
            page::{FindingRow, NotKnownRow, OverviewPage, SubscriptionRow},
        },
        page::{PlanRow, Section, VaultRow},
    },
    screen::{Part, Screen, Value},
    tenant,
};
use mock_azure::{Fault, MockAzure};
use resource_ops::GraphScope;
use time::{OffsetDateTime, macros::datetime};

const READ_AT: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);
const HIDDEN: &str = "00000000-0000-0000-0000-000000000003";

fn text(text: &str) -> String {
    text.to_owned()
}

fn row(id: &str, name: Option<&str>) -> SubscriptionRow {
    let plan = |plan: &str| PlanRow { plan: text(plan), on: true, ..PlanRow::default() };
    let vault = VaultRow { name: text("kv"), covered: true, logged: Some(true), ..VaultRow::default() };
    SubscriptionRow {
        id: text(id),
        name: name.map(text),
        state: name.map(|_| text("Enabled")),
        not_read: None,
        open: [].into(),
        answered: 2,
        plans: Section::Read(vec![plan("KeyVaults"), plan("CloudPosture")]),
        vaults: Section::Read(vec![vault]),
    }
}

/// Everything was read, and nothing is open.
fn clean() -> OverviewPage {
    OverviewPage {
        version: 1,
        scope: vec![text("management group contoso")],
        tenant: text("00000000-0000-0000-0000-0000000000aa"),
        signed_in_with: text("a test"),
        read_at: READ_AT,
        subscriptions: vec![row("one", Some("Payments"))],
        findings: Vec::new(),
        not_known: Vec::new(),
    }
}

fn finding(severity: &str, evil: &str) -> FindingRow {
    FindingRow {
        kind: text("alert"),
        severity: Some(text(severity)),
        status: text(evil),
        open: true,
        title: text(evil),
        subscription: Some(text("one")),
        resources: vec![text(evil), text("b")],
        first: Some(READ_AT),
        id: text(evil),
        ..FindingRow::default()
    }
}

/// A stranger's text wherever one can stand.
fn hostile(evil: &str) -> OverviewPage {
    let refused = SubscriptionRow {
        not_read: Some(text(evil)),
        plans: Section::NotRead(text(evil)),
        vaults: Section::NotRead(text(evil)),
        ..row("two", None)
    };
    let gaps = VaultRow {
        name: text(evil),
        group: text(evil),
        gaps: vec![(text(evil), text(evil))],
        ..VaultRow::default()
    };
    let named = SubscriptionRow {
        vaults: Section::Read(vec![gaps]),
        open: [(text(evil), 1)].into(),
        ..row("one", Some(evil))
    };
    OverviewPage {
        scope: vec![text(evil)],
        tenant: text(evil),
        signed_in_with: text(evil),
        subscriptions: vec![named, refused],
        findings: vec![finding(evil, evil)],
        not_known: vec![
            NotKnownRow { subscription: None, what: text(evil) },
            NotKnownRow { subscription: Some(text("two")), what: text(evil) },
        ],
        ..clean()
    }
}

/// A section of a page.
fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let after = html.split_once(&format!("<section id=\"{id}\"")).map(|(_, after)| after);
    after.and_then(|after| after.split("</section>").next()).unwrap()
}

#[test]
fn what_is_open_comes_first_then_the_subscriptions_then_coverage_and_plans_last() {
    let html = overview::html(&hostile("text")).unwrap();
    let places = ["todo", "subscriptions", "vaults", "plans"];
    let places = places.map(|id| html.find(&format!("<section id=\"{id}\"")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    assert!(!html.contains("<th>"), "every heading says what it heads");
    for link in html.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let id = link.strip_prefix('#').unwrap();
        assert!(html.contains(&format!("id=\"{id}\"")), "{link} leads nowhere");
    }
}

#[test]
fn a_subscription_that_could_not_be_read_is_in_every_section_and_nothing_reads_as_clean() {
    let page = OverviewPage {
        subscriptions: vec![
            row("one", Some("Payments")),
            SubscriptionRow {
                not_read: Some(text("refused")),
                plans: Section::NotRead(text("refused")),
                vaults: Section::NotRead(text("refused")),
                ..row("two", None)
            },
        ],
        not_known: vec![NotKnownRow { subscription: Some(text("two")), what: text("refused, <ask>") }],
        ..clean()
    };
    let html = overview::html(&page).unwrap();
    assert!(html.contains("class=\"value\">1 of 2"), "subscriptions read");
    assert_eq!(html.matches("class=\"value\">not known").count(), 3, "alerts, paths, secrets");
    for id in ["subscriptions", "vaults", "plans"] {
        let shown = section(&html, id);
        assert!(shown.contains("two") && (shown.contains("not read") || shown.contains("not known")), "{id}");
    }
    assert!(!html.contains("notice well") && !html.contains("<ask>"));
    assert!(overview::html(&clean()).unwrap().contains("nothing is open"));
}

#[test]
fn what_a_stranger_wrote_never_becomes_a_part_of_the_page() {
    for evil in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "gpj\u{202e}exe"] {
        let html = overview::html(&hostile(evil)).unwrap();
        assert!(!html.contains(evil) && !html.contains("<script") && !html.contains("<img"), "{evil}");
        assert!(html.matches("gpj").count() > 5 || html.contains("&#60;") || html.contains("&lt;"), "{evil}");
    }
    assert!(!overview::html(&hostile("high evil")).unwrap().contains("badge high evil"));
}

#[test]
fn the_worst_findings_are_shown_and_how_many_there_are() {
    let page = OverviewPage { findings: vec![finding("High", "x"); 250], ..clean() };
    let html = overview::html(&page).unwrap();
    assert!(section(&html, "todo").contains("Still open: 250"));
    assert!(section(&html, "todo").contains("the 200 most severe of 250"));
    assert_eq!(section(&html, "todo").matches("badge high").count(), 200);
}

fn arm(azure: &MockAzure) -> ArmClient {
    ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap()
}

fn group() -> GraphScope {
    GraphScope::ManagementGroups(vec!["contoso".parse().unwrap()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_management_group_is_read_and_nothing_is_written() {
    mock_azure::fast_forward();
    let azure = tenant::estate(&group()).unwrap().0.start().await;
    let read = overview::of(&Screen::silent(), &arm(&azure), "a test", group()).await.unwrap();
    let asked = azure.requests();
    let writes = asked.iter().filter(|it| !matches!(it.method.as_str(), "GET" | "HEAD"));
    assert!(writes.clone().all(|it| it.path.ends_with("/Microsoft.ResourceGraph/resources")), "{asked:?}");
    let names: Vec<_> = read.page.subscriptions.iter().map(|it| it.name.as_deref()).collect();
    assert_eq!(names, [None, Some("Subscription 0001"), Some("Subscription 0002")], "by name");
    assert_eq!(read.page.subscriptions[0].id, HIDDEN);
    // The worst first, and what is answered or a sample last.
    let first = &read.page.findings[0];
    assert!(first.open && first.severity.as_deref() == Some("High"), "{first:?}");
    let order: Vec<bool> = read.page.findings.iter().map(|it| it.open && !it.sample).collect();
    assert!(order.is_sorted_by(|a, b| a >= b));
    let of = |id: &str| read.page.open().filter(|it| it.subscription.as_deref() == Some(id)).count();
    for subscription in &read.page.subscriptions[1..] {
        assert_eq!(of(&subscription.id), subscription.open.values().sum::<usize>());
        assert!(of(&subscription.id) > 10, "{}", subscription.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_subscription_that_refuses_is_named_and_the_others_are_read() {
    mock_azure::fast_forward();
    let ids = [mock_azure::DEFAULT_SUBSCRIPTION, "00000000-0000-0000-0000-000000000002"];
    let ids: Vec<SubscriptionId> = ids.iter().map(|id| id.parse().unwrap()).collect();
    let scope = GraphScope::Subscriptions(ids.clone());
    let azure = tenant::estate(&scope).unwrap().0.start().await;
    let refused = Fault::status(403).code("AuthorizationFailed");
    azure.inject(refused.on("GET", &format!("/subscriptions/{}", ids[1])).always());
    let read = overview::of(&Screen::silent(), &arm(&azure), "a test", scope).await.unwrap();
    let not_read: Vec<&str> =
        read.page.subscriptions.iter().filter(|it| it.not_read.is_some()).map(|it| it.id.as_str()).collect();
    assert_eq!(not_read, [ids[1].as_str()]);
    let told = read.page.not_known.iter().filter(|it| it.subscription.as_deref() == Some(ids[1].as_str()));
    assert_eq!(told.count(), 1);
}

/// The record of a report about several subscriptions, offline, and whether it held.
async fn report(options: ReportOptions) -> (bool, Part) {
    let (screen, place) = (Screen::silent(), Options::default());
    let scope = overview::check(&place, &options).unwrap();
    let held = overview::run(&screen, &place, &options, scope).await;
    (held, screen.recorded().parts.remove(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_the_lab_runs_first_and_the_record_names_each_subscription() {
    let folder = tempfile::tempdir().unwrap();
    let file = vec![folder.path().join("soc.html")];
    let options =
        ReportOptions { file: file.clone(), management_group: vec![text("contoso")], fail_on: None };
    let (held, part) = report(options.clone()).await;
    assert!(held && part.ok, "{part:?}");
    let table = part.tables.iter().find(|table| table.name == "Subscriptions").unwrap();
    assert_eq!(table.rows.len(), 3);
    assert!(
        table.rows.iter().any(|row| row[1].as_str() == Some(HIDDEN) && row[2] == Value::Null),
        "{table:?}"
    );
    let missing = part.steps.iter().find(|step| step.outcome == "missing").unwrap();
    assert_eq!(missing.id.as_deref(), Some(format!("/subscriptions/{HIDDEN}").as_str()));
    let html = std::fs::read_to_string(&file[0]).unwrap();
    assert!(html.contains("management group contoso") && html.contains(HIDDEN));
    let gate = ReportOptions { fail_on: Some(lab_examples::report::Level::Critical), ..options };
    let (held, part) = report(gate).await;
    assert!(
        !held && part.steps.last().unwrap().what == "the gate",
        "what could not be looked at fails: {part:?}"
    );
}

#[test]
fn invalid_names_and_unwritable_files_are_reported_together() {
    let file = vec!["/dev/null".into()];
    let management_group = vec![text("a/b"), text("")];
    let options = ReportOptions { file, management_group, fail_on: None };
    let told = overview::check(&Options::default(), &options).unwrap_err().to_string();
    assert!(told.starts_with("3 problems; nothing was written"), "{told}");
}
