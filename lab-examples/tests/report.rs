//! The report page: what it says, what it never says, and that it is written from the offline lab.

use lab_examples::{
    Lab,
    cli::Options,
    report::{
        self, Level, ReportOptions,
        page::{
            AlertRow, Alerts, PathNode, PathRow, Paths, PlanRow, Recommendation, ReportPage, Rotation,
            RotationEntry, Rotations, SecretRow, Secrets, Section, VaultRow,
        },
    },
    screen::Screen,
};
use time::{OffsetDateTime, macros::datetime};

const READ_AT: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

fn text(text: &str) -> String {
    text.to_owned()
}

fn options(file: Vec<std::path::PathBuf>, fail_on: Option<Level>) -> ReportOptions {
    ReportOptions { file, management_group: Vec::new(), fail_on }
}

fn plan(plan: &str, on: bool) -> PlanRow {
    PlanRow { plan: text(plan), on, ..PlanRow::default() }
}

/// All is on, everything was read, and nothing is open.
fn clean() -> ReportPage {
    ReportPage {
        version: 1,
        subscription: text("00000000-0000-0000-0000-000000000001"),
        subscription_name: text("prod"),
        tenant: text("00000000-0000-0000-0000-0000000000aa"),
        signed_in_with: text("a test"),
        read_at: READ_AT,
        plans: Section::Read(vec![plan("KeyVaults", true), plan("CloudPosture", true)]),
        vaults: Section::Read(vec![VaultRow {
            name: text("kv-one"),
            covered: true,
            logged: Some(true),
            ..VaultRow::default()
        }]),
        alerts: Section::Read(Alerts::default()),
        recommendations: Section::Read(Vec::new()),
        attack_paths: Section::Read(Paths::default()),
        secrets: Section::Read(Secrets { clean: true, ..Secrets::default() }),
        ledger: Section::Read(Rotations { place: text("here"), ..Rotations::default() }),
        run: None,
    }
}

/// Something in every section, all of it a stranger's text.
fn hostile(evil: &str) -> ReportPage {
    let alert = AlertRow {
        title: text(evil),
        alert_type: text(evil),
        severity: text(evil),
        status: text(evil),
        open: true,
        resource: text(evil),
        first: Some(READ_AT),
        facts: vec![(text(evil), text(evil))],
        missing: vec![text(evil)],
        log: text(evil),
        steps: vec![(text(evil), text(evil))],
        ..AlertRow::default()
    };
    let node = |entry| PathNode { name: text(evil), kind: text(evil), entry, target: !entry };
    let path = PathRow {
        title: text(evil),
        description: text(evil),
        risk: Some(text(evil)),
        factors: vec![text(evil)],
        nodes: vec![node(true), node(false)],
        edges: vec![(0, 1, text(evil))],
        steps: vec![text(evil)],
        remediation: vec![text(evil)],
        partial: true,
    };
    let secret = SecretRow {
        title: text(evil),
        kind: Some(text(evil)),
        severity: Some(text(evil)),
        resource: text(evil),
        file: Some(text(evil)),
        source: text(evil),
    };
    let entry = RotationEntry { time: READ_AT, action: text(evil), version: text(evil), detail: text(evil) };
    let failed =
        PlanRow { extensions_failed: vec![text(evil)], sub_plan: Some(text(evil)), ..plan(evil, true) };
    let vault = VaultRow {
        name: text(evil),
        group: text(evil),
        gaps: vec![(text(evil), text(evil))],
        ..VaultRow::default()
    };
    ReportPage {
        subscription: text(evil),
        subscription_name: text(evil),
        tenant: text(evil),
        signed_in_with: text(evil),
        plans: Section::Read(vec![failed]),
        vaults: Section::Read(vec![vault]),
        alerts: Section::Read(Alerts { total: 1, open: 1, open_samples: 0, newest: vec![alert] }),
        recommendations: Section::Read(vec![Recommendation {
            title: text(evil),
            severity: text(evil),
            resource: text(evil),
        }]),
        attack_paths: Section::Read(Paths { paths: vec![path], blind: vec![text(evil)] }),
        secrets: Section::Read(Secrets {
            findings: vec![secret],
            sources: vec![(text(evil), false, text(evil))],
            blind: vec![text(evil)],
            clean: false,
        }),
        ledger: Section::Read(Rotations {
            place: text(evil),
            rotations: vec![Rotation {
                secret: text(evil),
                vault: text(evil),
                finished: false,
                entries: vec![entry],
            }],
            unreadable: 1,
        }),
        ..clean()
    }
}

/// A section of a page; empty when there is none.
fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let after = html.split_once(&format!("<section id=\"{id}\"")).map(|(_, after)| after);
    after.and_then(|after| after.split("</section>").next()).unwrap_or_default()
}

/// Everything that a browser would load or follow.
fn links(html: &str) -> Vec<&str> {
    let after =
        |name: &'static str| html.split(name).skip(1).filter_map(|rest| rest.split(['"', ')']).next());
    after(" href=\"").chain(after(" src=\"")).chain(after("url(")).collect()
}

#[test]
fn a_clean_subscription_reads_as_clean() {
    let page = clean();
    let html = report::html(&page).unwrap();
    assert_eq!(report::items(&page), []);
    for words in
        ["nothing is open", "No Key Vault alert", "No attack path", "None, and everything that scans"]
    {
        assert!(html.contains(words), "{words}");
    }
    assert!(!section(&html, "secrets").contains("Not known"));
}

#[test]
fn what_a_stranger_wrote_never_becomes_a_part_of_the_page() {
    for evil in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onload='x",
        "]]>--><svg/onload=x>",
    ] {
        let html = report::html(&hostile(evil)).unwrap();
        assert!(!html.contains(evil), "{evil}");
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<svg/"), "{evil}");
        // Escaped, it is there: nothing was dropped.
        assert!(html.contains("&#60;") || html.contains("&lt;") || html.contains("&#39;"), "{evil}");
    }
}

#[test]
fn what_reorders_a_line_is_seen_on_the_page() {
    let html = report::html(&hostile("gpj\u{202e}exe.\u{9b}2J")).unwrap();
    assert!(html.contains(r"gpj\u{202e}exe.\u{9b}2J"));
    assert!(!html.chars().any(|c| c.is_control() && c != '\n') && !html.contains('\u{202e}'));
}

#[test]
fn the_page_loads_no_external_resource() {
    let html = report::html(&hostile("https://evil.example/\" href=\"https://evil.example/")).unwrap();
    let links = links(&html);
    assert!(!links.is_empty());
    for link in links {
        assert!(link.starts_with('#'), "{link}");
    }
    assert!(!html.contains("@import") && !html.contains("<link") && !html.contains("<script"));
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn a_severity_of_the_service_never_becomes_a_class() {
    let html = report::html(&hostile("high evil")).unwrap();
    assert!(html.contains("badge ungraded") && !html.contains("badge high evil"));
}

#[test]
fn every_section_is_there_and_leads_are_not_dead() {
    let html = report::html(&hostile("text")).unwrap();
    for id in ["todo", "plans", "vaults", "alerts", "paths", "secrets", "recommendations", "ledger", "run"] {
        assert!(section(&html, id).contains("<h2"), "{id}");
    }
    for link in links(&html) {
        let id = link.trim_start_matches('#');
        assert!(html.contains(&format!("id=\"{id}\"")), "{link}");
    }
}

#[test]
fn the_attack_path_is_drawn_with_its_ends_and_its_arrow() {
    let html = report::html(&hostile("text")).unwrap();
    let paths = section(&html, "paths");
    assert!(paths.contains("node entry") && paths.contains("node target"));
    assert_eq!(paths.matches("class=\"arrow\"").count(), 1);
    assert!(paths.contains("marker-end=\"url(#tip-0)\"") && paths.contains("id=\"tip-0\""));
}

#[test]
fn plans_that_are_off_never_read_as_clean() {
    let off = |name: &str| format!("{name} is off");
    let page = ReportPage {
        plans: Section::Read(vec![plan("KeyVaults", false), plan("CloudPosture", false)]),
        vaults: Section::Read(vec![VaultRow { name: text("kv-one"), ..VaultRow::default() }]),
        attack_paths: Section::Read(Paths { blind: vec![off("Defender CSPM")], ..Paths::default() }),
        secrets: Section::Read(Secrets { blind: vec![off("Defender CSPM")], ..Secrets::default() }),
        ..clean()
    };
    let html = report::html(&page).unwrap();
    for id in ["alerts", "paths", "secrets"] {
        let shown = section(&html, id);
        assert!(shown.contains("Not known"), "{id}");
        assert!(!shown.contains("notice well"), "{id}");
    }
    assert!(section(&html, "vaults").contains("not covered"));
    assert!(!html.contains("nothing is open"));
    assert_eq!(html.matches("class=\"value\">not known").count(), 3);
}

#[test]
fn an_empty_answer_of_a_retired_source_is_not_none() {
    let page = ReportPage {
        secrets: Section::Read(Secrets {
            sources: vec![(
                text("sub-assessments"),
                false,
                text("retired, so an empty result proves nothing"),
            )],
            ..Secrets::default()
        }),
        ..clean()
    };
    let html = report::html(&page).unwrap();
    let secrets = section(&html, "secrets");
    assert!(secrets.contains("does not mean that there is nothing") && secrets.contains("inconclusive"));
    assert_eq!(report::items(&page).len(), 1);
}

#[test]
fn what_could_not_be_read_is_said_in_its_place_and_hides_nothing_else() {
    let refused = || text("refused, <ask> for Security Reader");
    let page = ReportPage {
        plans: Section::NotRead(refused()),
        vaults: Section::NotRead(refused()),
        alerts: Section::NotRead(refused()),
        recommendations: Section::NotRead(refused()),
        attack_paths: Section::NotRead(refused()),
        secrets: Section::NotRead(refused()),
        ..clean()
    };
    let html = report::html(&page).unwrap();
    for id in ["plans", "vaults", "alerts", "recommendations", "paths", "secrets"] {
        assert!(section(&html, id).contains("Not known"), "{id}");
    }
    assert!(section(&html, "ledger").contains("Nothing is recorded"));
    assert!(!html.contains("<ask>") && !html.contains("notice well"));
    assert_eq!(report::items(&page).len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_the_lab_runs_unseen_and_the_page_shows_what_it_left() {
    let folder = std::env::temp_dir().join(format!("lab-report-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (html, json) = (folder.join("page.html"), folder.join("page.json"));
    let lab = Lab::with_screen(Options::default(), Screen::silent()).await.unwrap();

    let options = options(vec![html.clone(), json.clone()], None);
    assert!(report::run(&lab, &options).await, "{:?}", lab.screen.recorded());

    let page = std::fs::read_to_string(&html).unwrap();
    for id in ["todo", "plans", "vaults", "alerts", "paths", "secrets", "recommendations", "ledger", "run"] {
        assert!(section(&page, id).contains("<h2"), "{id}");
    }
    let (alerts, vaults) = (section(&page, "alerts"), section(&page, "vaults"));
    assert!(alerts.contains("KV_ListGetAnomaly") && alerts.contains("<strong>Contain.</strong>"));
    assert!(vaults.contains("kv-contoso-prod") && vaults.contains("covered"));
    assert!(section(&page, "paths").contains("kv-contoso-prod") && section(&page, "paths").contains("<rect"));
    assert!(section(&page, "secrets").contains("retired"));
    assert!(section(&page, "ledger").contains("new version set"));

    let page: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(page["version"], 2);
    assert!(page["alerts"]["read"]["total"].as_u64() >= Some(14));
    assert!(page["run"]["parts"].as_array().unwrap().iter().all(|part| part["ok"] == true));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_fails_with_its_name() {
    let lab = Lab::with_screen(Options::default(), Screen::silent()).await.unwrap();
    let options = options(vec!["/no/such/folder/page.html".into()], None);
    assert!(!report::run(&lab, &options).await);
    let part = lab.screen.recorded().parts.remove(0);
    assert!(!part.ok && part.error.unwrap().contains("/no/such/folder/page.html"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_formats_contain_the_same_findings_and_the_gate_fails_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["f.ocsf.json", "f.sarif", "f.csv"].map(|name| folder.path().join(name));
    let lab = Lab::with_screen(Options::default(), Screen::silent()).await.unwrap();
    let options = options(files.to_vec(), Some(Level::High));
    assert!(!report::run(&lab, &options).await);
    let part = lab.screen.recorded().parts.remove(0);
    let gate = part.steps.last().unwrap();
    assert!(gate.what == "the gate" && gate.outcome == "failed", "{part:?}");

    let [ocsf, sarif, csv] = files.map(|file| std::fs::read_to_string(file).unwrap());
    let ocsf: Vec<serde_json::Value> = serde_json::from_str(&ocsf).unwrap();
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!((ocsf.len(), csv.lines().count()), (results.len(), results.len() + 1));
    let count = |kind: &str| ocsf.iter().filter(|it| it["finding_info"]["types"][0] == kind).count();
    assert_eq!(["alert", "attackPath", "exposedSecret"].map(count), [19, 1, 2]);
    assert!(count("recommendation") > 0);
    assert!(ocsf.iter().all(|it| it["metadata"]["tenant_uid"].is_string()));
}

#[test]
fn what_is_open_comes_first_by_severity_and_every_link_says_where_it_leads() {
    let alert = |severity: &str, open| AlertRow { severity: text(severity), open, ..AlertRow::default() };
    let newest = vec![alert("Low", true), alert("High", true), alert("Medium", false), alert("Low", true)];
    let page = ReportPage {
        plans: Section::Read(vec![plan("KeyVaults", true), plan("CloudPosture", false)]),
        alerts: Section::Read(Alerts { total: 4, open: 3, open_samples: 0, newest }),
        recommendations: Section::NotRead(text("refused")),
        ..clean()
    };
    let items = report::items(&page);
    let told: Vec<(&str, &str)> = items.iter().map(|it| (it.severity.as_str(), it.text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("High", "Defender CSPM is off: turn on the plan CloudPosture"),
            ("High", "1 alert is neither resolved nor dismissed"),
            ("Low", "2 alerts are neither resolved nor dismissed"),
            ("", "the recommendations could not be read: refused"),
        ]
    );
    let html = report::html(&page).unwrap();
    let order = ["todo", "alerts", "paths", "secrets", "recommendations", "ledger", "vaults", "plans", "run"];
    let places = order.map(|id| html.find(&format!("<section id=\"{id}\"")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    assert!(html.contains(">to the alerts</a>") && !html.contains(">see</a>"));
    assert!(html.contains("<strong>prod</strong>") && !html.contains("<th>"));
}
