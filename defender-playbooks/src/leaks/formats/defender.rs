use arm_core::ResourceId;
use defender_alerts::SecretFinding;

use crate::leaks::{Leak, Place};

/// What Defender for Cloud has found, in whichever of its models: on machines, in deployments and in code. It never
/// holds the value, so these are matched to no secret by themselves; they are planned and closed as the others are.
pub fn of_defender<'a>(findings: impl IntoIterator<Item = &'a SecretFinding>) -> super::LeakReport {
    let leaks = findings.into_iter().map(leak).collect();
    super::LeakReport { leaks, unread: Vec::new() }
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
    Leak::of("defender", rule, place)
}

/// A repository of a connector: `../gitHubOwners/{owner}/repos/{name}`, `../azureDevOpsOrgs/{organization}/projects/{project}/repos/{name}`.
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
