use arm_core::ResourceId;
use defender_alerts::{PostureCoverage, SecretFinding, SecretFindings, SourceState};

use crate::leaks::{Leak, LeakReport, Place, Unread};

/// The scanner's name.
pub(crate) const DEFENDER: &str = "defender";

/// Converts the findings of Defender for Cloud, from all of its models: on machines, in deployments and in code. They
/// never contain the value, so they cannot be matched to a secret automatically, but they are planned and closed like
/// any other leak. Exempted findings are included as [`dismissed`](Leak::dismissed).
///
/// A source that failed or whose plan is off, and a subscription that is not fully covered, are listed in
/// [`unread`](LeakReport::unread): a leak that is not found there does not count as gone.
pub fn of_defender(found: &SecretFindings) -> LeakReport {
    let leaks = found.findings.iter().chain(&found.exempt).map(leak).collect();
    let sources = found.sources.iter().filter_map(|(source, state)| {
        let why = match state {
            SourceState::Answered(_) | SourceState::Retired => return None,
            SourceState::PlanOff => "the plan that scans for secrets is off".to_owned(),
            SourceState::PlanNotKnown => {
                "could not determine whether the plan that scans for secrets is on".to_owned()
            }
            SourceState::Failed(error) => error.to_string(),
            _ => "it did not answer".to_owned(),
        };
        Some(format!("Defender, {source:?}: {why}"))
    });
    let uncovered = found.not_covered().map(|it: &PostureCoverage| {
        format!("Defender does not fully cover the subscription {}", it.subscription)
    });
    let blind = found.coverage.is_empty().then(|| "what Defender covers could not be read".to_owned());
    let unread = sources.chain(uncovered).chain(blind).map(|why| Unread { line: 0, why }).collect();
    LeakReport { leaks, unread }
}

fn leak(finding: &SecretFinding) -> Leak {
    let place = Place {
        repository: finding.resource_id.as_ref().and_then(repository),
        file: finding.file_path.clone(),
        resource: finding.resource_id.clone(),
        link: Some(finding.id.clone()),
        ..Place::default()
    };
    let rule = finding.secret_type.clone().unwrap_or_else(|| finding.title.clone());
    let mut leak = Leak::of(DEFENDER, rule, place);
    leak.dismissed = finding.is_exempt;
    leak
}

/// The repository in the id of a connector's resource, such as `../gitHubOwners/{owner}/repos/{name}` or
/// `../azureDevOpsOrgs/{organization}/projects/{project}/repos/{name}`.
fn repository(id: &ResourceId) -> Option<String> {
    let segments: Vec<&str> = id.as_str().split('/').collect();
    let after = |word: &str| {
        let at = segments.iter().position(|segment| segment.eq_ignore_ascii_case(word))?;
        segments.get(at + 1).copied()
    };
    let name = after("repos")?;
    let owner = ["gitHubOwners", "azureDevOpsOrgs", "gitLabGroups"].iter().find_map(|word| after(word))?;
    Some(match after("projects") {
        Some(project) => format!("{owner}/{project}/{name}"),
        None => format!("{owner}/{name}"),
    })
}
