//! Reads what is exposed: unmet recommendations, attack paths, and secrets in plain text.

use arm_core::SharedStr;
use azure_core::Result;
use defender_alerts::{
    Assessment, AssessmentCode, AssessmentFilter, AssessmentsClient, AttackPath, AttackPathNode, AttackPaths,
    PlanState, PostureCoverage, SecretFinding, SecretFindings, SecretSource, SourceState,
};
use futures::TryStreamExt as _;

use crate::{
    Lab,
    report::page::{PathNode, PathRow, Paths, Recommendation, SecretRow, Secrets},
};

/// Unmet recommendations about vaults, secrets and credentials.
pub(crate) async fn recommendations(lab: &Lab) -> Result<Vec<Assessment>> {
    let words = ["key vault", "keyvault", "secret", "credential", "password"];
    let filter = AssessmentFilter::new().code(AssessmentCode::Unhealthy).any_word(words);
    AssessmentsClient::new(&lab.azure.arm).find(lab.subscription(), filter).try_collect().await
}

pub(crate) fn recommendation_rows(found: &[Assessment]) -> Vec<Recommendation> {
    let row = |assessment: &Assessment| Recommendation {
        title: assessment.display_name.clone(),
        severity: assessment.severity().map(|severity| severity.to_string()).unwrap_or_default(),
        resource: short(&assessment.id.scope().to_string()),
    };
    found.iter().map(row).collect()
}

pub(crate) fn path_rows(found: &AttackPaths) -> Paths {
    let mut paths: Vec<&AttackPath> = found.paths.iter().collect();
    paths.sort_by_key(|path| !path.concerns_secrets());
    Paths {
        paths: paths.into_iter().map(path).collect(),
        blind: found.not_covered().filter_map(cspm).collect(),
    }
}

pub(crate) fn secret_rows(found: &SecretFindings) -> Secrets {
    let mut blind: Vec<String> =
        found.not_covered().flat_map(|it| [cspm(it), machines(it)]).flatten().collect();
    if found.coverage.is_empty() {
        blind.push("could not determine which plans are on".to_owned());
    }
    Secrets {
        findings: found.findings.iter().map(secret).collect(),
        sources: found.sources.iter().map(|(source, state)| answer(*source, state)).collect(),
        clean: found.is_clean(),
        blind,
    }
}

fn cspm(coverage: &PostureCoverage) -> Option<String> {
    blind("Defender CSPM", coverage.cspm)
}

fn machines(coverage: &PostureCoverage) -> Option<String> {
    blind("scanning of machines (AgentlessVmScanning)", coverage.machine_scanning)
}

fn blind(what: &str, state: PlanState) -> Option<String> {
    match state {
        PlanState::On => None,
        PlanState::Off => Some(format!("{what} is off")),
        PlanState::NotKnown => Some(format!("could not determine whether {what} is on")),
    }
}

fn source_name(source: SecretSource) -> &'static str {
    match source {
        SecretSource::ExposedSecrets => "one recommendation per secret (ExposedSecrets)",
        SecretSource::GroupedRecommendation => "one recommendation per resource (grouped)",
        SecretSource::SubAssessment => "findings of a grouped recommendation (sub-assessments)",
        _ => "another source",
    }
}

/// The name of a source, whether its result is conclusive, and its description.
fn answer(source: SecretSource, state: &SourceState) -> (String, bool, String) {
    let (told, words) = match state {
        SourceState::Answered(0) => (true, "answered: none".to_owned()),
        SourceState::Answered(count) => (true, format!("answered: {count}")),
        SourceState::Retired => (false, "retired, so an empty result proves nothing".to_owned()),
        SourceState::PlanOff => (false, "its plan is off, so an empty result proves nothing".to_owned()),
        SourceState::PlanNotKnown => (
            false,
            "could not determine whether its plan is on, so an empty result proves nothing".to_owned(),
        ),
        SourceState::Failed(error) => {
            (false, format!("could not be queried: {}", crate::advice::explain(error)))
        }
        _ => (false, "not known".to_owned()),
    };
    (source_name(source).to_owned(), told, words)
}

fn secret(finding: &SecretFinding) -> SecretRow {
    SecretRow {
        title: finding.title.clone(),
        kind: finding.secret_type.clone(),
        severity: finding.severity.as_ref().map(ToString::to_string),
        resource: short(finding.resource.as_deref().unwrap_or("not given")),
        file: finding.file_path.clone(),
        source: source_name(finding.source).to_owned(),
    }
}

fn path(path: &AttackPath) -> PathRow {
    let is_end = |end: &Option<AttackPathNode>, node: &AttackPathNode| {
        end.as_ref().is_some_and(|end| !end.internal_id.is_empty() && end.internal_id == node.internal_id)
    };
    let node = |node: &AttackPathNode| PathNode {
        name: name(node),
        kind: node.entity_type.clone().unwrap_or_default().into(),
        entry: is_end(&path.entry, node),
        target: is_end(&path.target, node),
    };
    let at = |id: &str| path.nodes.iter().position(|node| !id.is_empty() && node.internal_id == id);
    let edges = path.edges.iter().filter_map(|edge| {
        Some((at(&edge.source)?, at(&edge.target)?, edge.kind.clone().unwrap_or_default().into()))
    });
    PathRow {
        title: path.display_name.to_string(),
        description: path.description.to_string(),
        risk: path.risk_level.as_ref().map(ToString::to_string),
        factors: owned(&path.risk_factors),
        nodes: path.nodes.iter().map(node).collect(),
        edges: edges.collect(),
        steps: owned(&path.steps),
        remediation: owned(&path.remediation_steps),
        partial: path.is_partial,
    }
}

fn name(node: &AttackPathNode) -> String {
    let resource = node.resource_id.as_ref().map(|id| id.name().to_owned());
    node.name.clone().map(String::from).or(resource).unwrap_or_else(|| node.internal_id.to_string())
}

fn owned(texts: &[SharedStr]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// The last two parts of a resource id: its type and its name.
fn short(id: &str) -> String {
    let mut parts: Vec<&str> = id.rsplit('/').take(2).collect();
    parts.reverse();
    parts.join("/").trim_matches('/').to_owned()
}
