//! Task 3: configure secret scanning, and see what it finds.

use azure_core::Result;
use defender_alerts::{
    AssessmentFilter, AssessmentsClient, SecretFindingsClient, SourceState, SubAssessment,
    SubAssessmentsClient,
};
use defender_pricing::{ExtensionName, PlanName, PricingClient, ScanReadiness};
use futures::TryStreamExt as _;

use crate::{
    Lab,
    screen::{Cell, Kind, plural},
    tasks::show,
};

const WANTED: [ExtensionName; 3] = [
    ExtensionName::SensitiveDataDiscovery,
    ExtensionName::ContainerRegistriesVulnerabilityAssessments,
    ExtensionName::AgentlessVmScanning,
];

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    extensions(lab).await?;
    readiness(lab).await?;
    sub_assessments(lab).await?;
    findings(lab).await?;
    recommendations(lab).await
}

async fn extensions(lab: &Lab) -> Result<()> {
    let pricing = PricingClient::new(&lab.azure.arm);
    let before = pricing.get(lab.subscription(), &PlanName::CloudPosture).await?;
    show::extensions(lab, "CloudPosture before", &before);
    let enable = pricing.enable(lab.subscription(), &PlanName::CloudPosture).extensions(WANTED);
    let done =
        super::write_plan(lab, &pricing, &PlanName::CloudPosture, "task3: the extensions", enable).await?;
    for name in WANTED {
        let failed = done.failed_extensions.iter().find(|failed| failed.name == name);
        match failed {
            Some(failed) => lab.screen.step(format!("extension {name}"), "failed", &failed.reason),
            None => lab.screen.about(&done.change.current().id).step(
                format!("extension {name}"),
                lab.verb(&done.change),
                "on; the others unchanged",
            ),
        }
    }
    lab.screen.difference(
        "SensitiveDataDiscovery includes secret scanning",
        "scans data stores with it; machine secrets need AgentlessVmScanning",
        "turn both on, and explain each",
    );
    Ok(())
}

async fn readiness(lab: &Lab) -> Result<()> {
    let scanning = PricingClient::new(&lab.azure.arm).secret_scanning(lab.subscription()).await?;
    let rows = [
        ("machines (disks)", &scanning.machines),
        ("deployments", &scanning.deployments),
        ("code, once a connector exists", &scanning.code),
        ("data stores (sensitive data)", &scanning.data_stores),
    ];
    let shown = rows.into_iter().map(|(what, readiness)| {
        let told = match readiness {
            ScanReadiness::On(plans) => {
                let plans: Vec<&str> = plans.iter().map(PlanName::as_str).collect();
                format!("on, by {}", plans.join(" and "))
            }
            ScanReadiness::Off { plan, extension: Some(extension) } => {
                format!("off: turn on {extension} of {plan}")
            }
            ScanReadiness::Off { plan, extension: None } => format!("off: turn on {plan}"),
        };
        [what.into(), told.into(), Cell::flag(readiness.is_on()).unseen()]
    });
    lab.screen.table("What is scanned for secrets", ["where", "state", "on"], shown);
    Ok(())
}

async fn sub_assessments(lab: &Lab) -> Result<()> {
    let found: Vec<SubAssessment> =
        SubAssessmentsClient::new(&lab.azure.arm).list_all(lab.subscription()).try_collect().await?;
    lab.screen.counted("sub-assessments", "found", found.len(), plural(found.len(), "row"));
    lab.screen.difference(
        "sub-assessments list the secret findings",
        "retired them in July 2026, so an empty result proves nothing",
        "read their successor, one recommendation for each secret",
    );
    Ok(())
}

async fn findings(lab: &Lab) -> Result<()> {
    let client = SecretFindingsClient::new(&lab.azure.arm);
    let found = lab.screen.wait("secret findings", client.find(lab.subscription())).await?;
    for (source, state) in &found.sources {
        let told = match state {
            SourceState::Answered(count) => plural(*count, "finding"),
            SourceState::Retired => "retired by the service, so an empty result proves nothing".to_owned(),
            SourceState::PlanOff => "Defender CSPM is off, so an empty result proves nothing".to_owned(),
            SourceState::PlanNotKnown => {
                "the plan could not be read, so an empty result proves nothing".to_owned()
            }
            SourceState::Failed(error) => error.to_string(),
            other => format!("{other:?}"),
        };
        let outcome = if matches!(state, SourceState::Failed(_)) { "missing" } else { "read" };
        let count = if let SourceState::Answered(count) = state { Some(*count) } else { None };
        lab.screen.counted(format!("source {source:?}"), outcome, count, told);
    }
    let rows = found.findings.iter().map(|finding| {
        [
            Cell::from(finding.title.clone()),
            finding.resource.as_ref().map_or(Cell::none(Kind::Id), Cell::id),
            finding.file_path.clone().unwrap_or_default().into(),
            finding.severity.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            format!("{:?}", finding.source).into(),
            Cell::id(&finding.id).unseen(),
        ]
    });
    lab.screen.table("Secrets in plain text", ["finding", "on", "path", "severity", "source", "id"], rows);
    Ok(())
}

async fn recommendations(lab: &Lab) -> Result<()> {
    let filter = AssessmentFilter::new().any_word(["secret", "credential", "password"]);
    let found: Vec<_> =
        AssessmentsClient::new(&lab.azure.arm).find(lab.subscription(), filter).try_collect().await?;
    show::recommendations(lab, "Recommendations on secrets, credentials and passwords", &found);
    Ok(())
}
