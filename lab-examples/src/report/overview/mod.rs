//! `lab report` about several subscriptions: a management group, a tenant, or a list of subscriptions.

pub mod page;
mod render;
mod rows;

use arm_core::{ArmClient, ManagementGroupId, SubscriptionId};
use azure_core::Result;
use defender_playbooks::{findings::Findings, overview::OverviewClient};
use resource_ops::GraphScope;

pub use render::html;

use self::page::OverviewPage;
use super::{Form, ReportOptions, cannot, gate, json_of, run_lab};
use crate::{
    Azure, Lab,
    cli::Options,
    connect, files,
    preflight::{self, Problems},
    screen::{Cell, Kind, Screen, plural},
    tenant,
};

/// A report about several subscriptions: the content of the page, and the findings behind it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OverviewReport {
    /// The content of the page.
    pub page: OverviewPage,
    /// The findings, for the other formats.
    pub findings: Findings,
}

/// Checks the options of a report about several subscriptions, and returns its scope.
///
/// # Errors
/// All problems at once.
pub fn check(options: &Options, report: &ReportOptions) -> std::result::Result<GraphScope, Problems> {
    let mut problems = Problems::default();
    for file in &report.file {
        preflight::file("--file", file, &mut problems);
    }
    let scope = if report.management_group.is_empty() {
        let named = options.subscription.iter().map(|id| id.parse::<SubscriptionId>());
        GraphScope::Subscriptions(named.filter_map(|id| problems.note("--subscription", id)).collect())
    } else {
        let named = report.management_group.iter().map(|name| name.parse::<ManagementGroupId>());
        let named = named.filter_map(|name| problems.note("--management-group", name));
        GraphScope::ManagementGroups(named.collect())
    };
    if problems.is_empty() { Ok(scope) } else { Err(problems) }
}

/// Writes the report's files. Offline, it first runs the lab silently in the first subscription. Returns whether the
/// files were written and the gate passed. A subscription that could not be read is reported, but is not a failure by
/// itself.
pub async fn run(screen: &Screen, options: &Options, report: &ReportOptions, scope: GraphScope) -> bool {
    screen.begin("report", "Report");
    match write_files(screen, options, report, scope).await {
        Ok(held) => held,
        Err(problems) => {
            for problem in problems.lines() {
                screen.step("the report", "failed", problem);
            }
            screen.fail(&problems.to_string());
            false
        }
    }
}

async fn write_files(
    screen: &Screen,
    options: &Options,
    report: &ReportOptions,
    scope: GraphScope,
) -> std::result::Result<bool, Problems> {
    let found = read(screen, options, scope).await?;
    tell(screen, &found.page);
    for file in &report.file {
        let text = found.text(Form::of(file)).map_err(|error| cannot(file, &error))?;
        files::replace(file, text.as_bytes()).map_err(|error| cannot(file, &error))?;
        screen.step(file.display().to_string(), "written", format!("{} KiB", text.len().div_ceil(1024)));
    }
    Ok(gate(screen, report, &found.findings))
}

/// Signs in and reads all subscriptions in a scope.
///
/// # Errors
/// The sign-in failed, or the management group does not exist.
pub async fn read(
    screen: &Screen,
    options: &Options,
    scope: GraphScope,
) -> std::result::Result<OverviewReport, Problems> {
    let named = names(&scope);
    let (arm, signed_in_with) = match options.live {
        true => {
            let signing_in = connect::sign_in(options, &named.join(", "))?;
            let (arm, with) = &signing_in;
            Box::pin(preflight::signs_in(screen, arm, with)).await?;
            signing_in
        }
        false => Box::pin(offline(screen, options, &scope)).await?,
    };
    Ok(of(screen, &arm, &signed_in_with, scope).await?)
}

/// Reads all subscriptions in a scope through an existing connection.
///
/// # Errors
/// The management group does not exist.
pub async fn of(
    screen: &Screen,
    arm: &ArmClient,
    signed_in_with: &str,
    scope: GraphScope,
) -> Result<OverviewReport> {
    let named = names(&scope);
    let client = OverviewClient::new(arm);
    let overview = screen.wait("the subscriptions", Box::pin(client.read(scope))).await?;
    let findings = overview.findings();
    let page = rows::page(&overview, &findings, named, signed_in_with);
    Ok(OverviewReport { page, findings })
}

/// Connects to a double that contains everything in the scope, after running the lab in the first subscription.
async fn offline(
    screen: &Screen,
    options: &Options,
    scope: &GraphScope,
) -> std::result::Result<(ArmClient, String), Problems> {
    let seed = tenant::estate(scope).map_err(azure_core::Error::from)?;
    let (seed, first) = seed;
    let azure = Azure::on_double(options, seed, first.clone()).await?;
    let alone = Options { dry_run: false, subscription: vec![first.to_string()], ..options.clone() };
    let unseen = Lab::on(azure, alone, Screen::silent()).await?;
    let record = Box::pin(screen.wait("the lab", run_lab(&unseen))).await;
    let held = record.parts.iter().filter(|part| part.ok).count();
    let outcome = if held == record.parts.len() { "done" } else { "failed" };
    screen.step(
        "the lab, run silently",
        outcome,
        format!("{held} of {} parts succeeded", record.parts.len()),
    );
    Ok((unseen.azure.arm.clone(), unseen.azure.signed_in_with.clone()))
}

fn names(scope: &GraphScope) -> Vec<String> {
    match scope {
        GraphScope::Subscriptions(ids) => ids.iter().map(|id| format!("subscription {id}")).collect(),
        GraphScope::ManagementGroups(groups) => {
            groups.iter().map(|group| format!("management group {group}")).collect()
        }
        _ => vec!["the tenant".to_owned()],
    }
}

/// Shows the result on the screen and adds it to the record.
fn tell(screen: &Screen, page: &OverviewPage) {
    for row in page.subscriptions.iter().filter(|row| row.not_read.is_some()) {
        let reason = row.not_read.clone().unwrap_or_default();
        screen.about(&format!("/subscriptions/{}", row.id)).step(
            format!("subscription {}", row.id),
            "missing",
            reason,
        );
    }
    let read = page.subscriptions.iter().filter(|row| row.not_read.is_none()).count();
    let all = plural(page.subscriptions.len(), "subscription");
    screen.counted("read", "found", read, format!("{read} of {all}"));
    let rows = page.subscriptions.iter().map(|row| {
        let vaults = row.vaults.read();
        let unknown = |kind| Cell::none(kind).shown("not known");
        let of = |count: usize| vaults.map_or(unknown(Kind::Part), |all| Cell::part(count, all.len()));
        let covered = vaults.map_or(0, |all| all.iter().filter(|it| it.covered).count());
        let logged = vaults.map_or(0, |all| all.iter().filter(|it| it.logged == Some(true)).count());
        let high = row.open.get("High").copied().unwrap_or_default();
        let open = |count: usize| row.name.as_ref().map_or(unknown(Kind::Count), |_| Cell::count(count));
        [
            Cell::from(row.name.clone().unwrap_or_default()),
            Cell::id(&row.id),
            open(high),
            open(row.open.values().sum()),
            of(covered),
            of(logged),
        ]
    });
    screen.table(
        "Subscriptions",
        ["name", "subscription", "open, High", "open, all", "vaults covered", "vaults logged"],
        rows,
    );
    let open = page.open().count();
    screen.counted("still open", "found", open, open.to_string());
    screen.counted("not known", "found", page.not_known.len(), page.not_known.len().to_string());
}

impl OverviewReport {
    fn text(&self, form: Form) -> Result<String> {
        match form {
            Form::Html => {
                let html = html(&self.page);
                html.map_err(|error| {
                    azure_core::Error::new(azure_core::error::ErrorKind::DataConversion, error)
                })
            }
            Form::Json => json_of(&self.page),
            Form::Ocsf => json_of(&self.findings.to_ocsf()),
            Form::Sarif => json_of(&self.findings.to_sarif()),
            Form::Csv => self.findings.to_csv(),
        }
    }
}
