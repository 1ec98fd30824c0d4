//! Finds secrets in plain text in every source, and tells whether an empty list means that there are none.

use arm_core::ArmClient;
use azure_core::{Error, Result};
use futures::{StreamExt as _, TryStreamExt as _, future::ready, stream::BoxStream};
use resource_ops::{
    GraphScope, ResourceGraphClient,
    query::{GraphQuery, Table, any_of, column},
};

use crate::{
    Assessment, KnownRecommendation, PlanState, PostureCoverage, SecretFinding, SecretSource, SubAssessment,
    tasks::posture,
};

/// A client that finds secrets in plain text on machines, in code and in deployments.
#[derive(Debug, Clone)]
pub struct SecretFindingsClient {
    graph: ResourceGraphClient,
}

/// The result of a source.
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceState {
    /// The source returned this many findings that are not exempt. Zero says nothing about the subscriptions that are
    /// not fully covered.
    Answered(usize),
    /// The service no longer fills the source, so an empty result proves nothing.
    Retired,
    /// The plans that fill the source are off, as far as is known, so an empty result proves nothing.
    PlanOff,
    /// It is unknown whether the plans that fill the source are on, so an empty result proves nothing.
    PlanNotKnown,
    /// The request failed.
    Failed(Error),
}

/// The secrets found in a scope, the result of each source, and Defender's coverage of the scope.
#[derive(Debug)]
#[non_exhaustive]
pub struct SecretFindings {
    /// The findings of all sources. Each names its source. While the service migrates to a new model, a secret can
    /// appear in more than one source.
    pub findings: Vec<SecretFinding>,
    /// The secrets that are exempt. They still exist, but are not among `findings`.
    pub exempt: Vec<SecretFinding>,
    /// The result of each source.
    pub sources: Vec<(SecretSource, SourceState)>,
    /// Defender's coverage of each subscription that was named, or that Resource Graph shows in the scope; empty if it
    /// could not be read.
    pub coverage: Vec<PostureCoverage>,
}

impl SecretFindings {
    /// Whether there are no secrets: none were found, the current source answered, no source failed, and every
    /// subscription in [`coverage`](Self::coverage), of which there is at least one, is fully covered.
    /// [Exempt](Self::exempt) secrets are ignored.
    pub fn is_clean(&self) -> bool {
        let today = self.sources.iter().any(|(source, state)| {
            *source == SecretSource::ExposedSecrets && matches!(state, SourceState::Answered(0))
        });
        let failed = self.sources.iter().any(|(_, state)| matches!(state, SourceState::Failed(_)));
        self.findings.is_empty()
            && today
            && !failed
            && !self.coverage.is_empty()
            && self.not_covered().next().is_none()
    }

    /// Returns the subscriptions that are not fully covered.
    pub fn not_covered(&self) -> impl Iterator<Item = &PostureCoverage> {
        self.coverage.iter().filter(|coverage| !coverage.is_full())
    }

    /// Returns the result of a source.
    pub fn source(&self, source: SecretSource) -> Option<&SourceState> {
        self.sources.iter().find(|(asked, _)| *asked == source).map(|(_, state)| state)
    }
}

impl SecretFindingsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { graph: ResourceGraphClient::new(arm) }
    }

    /// Finds the exposed secrets of a scope in all three sources, with Resource Graph. A source that fails does not
    /// hide the results of the others.
    ///
    /// ```
    /// # use mock_azure::MockAzure;
    /// # use arm_core::{ArmClient, SubscriptionId};
    /// use defender_alerts::SecretFindingsClient;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
    /// # let azure = MockAzure::seed().start().await;
    /// # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
    /// let found = SecretFindingsClient::new(&arm).find(&subscription).await?;
    /// for finding in &found.findings {
    ///     println!("{:?}: {} on {:?}", finding.source, finding.title, finding.resource);
    /// }
    /// for (source, state) in &found.sources {
    ///     println!("{source:?}: {state:?}");
    /// }
    /// # assert!(!found.is_clean());
    /// # Ok(()) }
    /// ```
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/*/read`; for a tenant or management group, also `Microsoft.Resources/subscriptions/read`,
    /// without which a subscription that shows nothing else is missing from the coverage.
    ///
    /// # Errors
    ///
    /// Only if every source and the query for the coverage fail: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn find(&self, scope: impl Into<GraphScope>) -> Result<SecretFindings> {
        let scope = scope.into();
        let coverage = posture::coverage(&self.graph, scope.clone()).await;
        let exposed = collect(self.exposed(scope.clone())).await;
        let grouped = collect(self.grouped(scope.clone())).await;
        let single = collect(self.sub_assessments(scope)).await;
        let (coverage, not_told) = match coverage {
            Ok(coverage) => (coverage, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        if let (Err(_), Err(_), Err(_), Some(error)) = (&exposed, &grouped, &single, not_told) {
            return Err(error);
        }
        let (mut findings, mut exempt) = (Vec::new(), Vec::new());
        let mut sort = |found: Vec<SecretFinding>| {
            let (aside, open): (Vec<_>, Vec<_>) = found.into_iter().partition(|finding| finding.is_exempt);
            let count = open.len();
            findings.extend(open);
            exempt.extend(aside);
            count
        };
        let exposed = state(exposed, &mut sort, || empty_while(&coverage));
        let grouped = state(grouped, &mut sort, || SourceState::Retired);
        let single = state(single, &mut sort, || SourceState::Retired);
        let sources = vec![
            (SecretSource::ExposedSecrets, exposed),
            (SecretSource::GroupedRecommendation, grouped),
            (SecretSource::SubAssessment, single),
        ];
        Ok(SecretFindings { findings, exempt, sources, coverage })
    }

    fn assessments() -> GraphQuery {
        GraphQuery::table(Table::SecurityResources).of_type("microsoft.security/assessments")
    }

    #[inline]
    fn exposed(&self, scope: GraphScope) -> BoxStream<'static, Result<Option<SecretFinding>>> {
        let category = column("properties.metadata.recommendationCategory").to_text();
        let query = Self::assessments().filter(category.equals_ignore_case("ExposedSecrets"));
        let rows = self.graph.rows::<Assessment>(&query, scope);
        rows.map_ok(|row| SecretFinding::of_assessment(&row, SecretSource::ExposedSecrets)).boxed()
    }

    #[inline]
    fn grouped(&self, scope: GraphScope) -> BoxStream<'static, Result<Option<SecretFinding>>> {
        let query = Self::assessments().filter(column("name").is_any_of(keys()));
        let rows = self.graph.rows::<Assessment>(&query, scope);
        rows.map_ok(|row| SecretFinding::of_assessment(&row, SecretSource::GroupedRecommendation)).boxed()
    }

    #[inline]
    fn sub_assessments(&self, scope: GraphScope) -> BoxStream<'static, Result<Option<SecretFinding>>> {
        let below = |key| column("id").contains(&format!("/assessments/{key}/"));
        let query = GraphQuery::table(Table::SecurityResources)
            .of_type("microsoft.security/assessments/subassessments")
            .filter(any_of(keys().map(below)));
        let rows = self.graph.rows::<SubAssessment>(&query, scope);
        rows.map_ok(|row| SecretFinding::of_sub_assessment(&row)).boxed()
    }
}

fn keys() -> impl Iterator<Item = &'static str> {
    KnownRecommendation::SECRETS.iter().map(|known| known.key.as_str())
}

/// Returns the number of rows of a source, and the findings among them.
async fn collect(
    rows: BoxStream<'static, Result<Option<SecretFinding>>>,
) -> Result<(usize, Vec<SecretFinding>)> {
    let start = (0, Vec::new());
    rows.try_fold(start, |(rows, mut findings), finding| {
        findings.extend(finding);
        ready(Ok((rows + 1, findings)))
    })
    .await
}

/// Returns the state of a source; `when_empty` decides if it has no rows.
fn state(
    answer: Result<(usize, Vec<SecretFinding>)>,
    sort: &mut impl FnMut(Vec<SecretFinding>) -> usize,
    when_empty: impl FnOnce() -> SourceState,
) -> SourceState {
    match answer {
        Ok((0, _)) => when_empty(),
        Ok((_, findings)) => SourceState::Answered(sort(findings)),
        Err(error) => SourceState::Failed(error),
    }
}

/// Returns the state of a source without rows, given the coverage.
fn empty_while(coverage: &[PostureCoverage]) -> SourceState {
    let any =
        |wanted: PlanState| coverage.iter().any(|it| it.cspm == wanted || it.machine_scanning == wanted);
    if any(PlanState::On) {
        SourceState::Answered(0)
    } else if any(PlanState::Off) {
        SourceState::PlanOff
    } else {
        SourceState::PlanNotKnown
    }
}

#[cfg(test)]
mod tests {
    use azure_core::error::ErrorKind;
    use serde_json::json;

    use super::*;
    use SecretSource::{ExposedSecrets, GroupedRecommendation, SubAssessment as Single};

    const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

    fn coverage(cspm: PlanState, machine_scanning: PlanState) -> PostureCoverage {
        PostureCoverage { subscription: SUBSCRIPTION.parse().unwrap(), cspm, machine_scanning }
    }

    fn clean() -> SecretFindings {
        SecretFindings {
            findings: Vec::new(),
            exempt: Vec::new(),
            sources: vec![
                (ExposedSecrets, SourceState::Answered(0)),
                (GroupedRecommendation, SourceState::Retired),
                (Single, SourceState::Answered(0)),
            ],
            coverage: vec![coverage(PlanState::On, PlanState::On)],
        }
    }

    fn finding() -> SecretFinding {
        let assessment: Assessment = serde_json::from_value(json!({
            "id": format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/assessments/k"),
            "properties": { "status": { "code": "Unhealthy" }, "resourceDetails": { "source": "Azure" } },
        }))
        .unwrap();
        SecretFinding::of_assessment(&assessment, ExposedSecrets).unwrap()
    }

    #[test]
    fn it_is_clean_only_if_the_current_source_answered_none_failed_and_everything_is_covered() {
        let mut exempt = clean();
        exempt.exempt.push(finding());
        assert!(clean().is_clean() && exempt.is_clean());

        let with = |change: &dyn Fn(&mut SecretFindings)| {
            let mut found = clean();
            change(&mut found);
            found
        };
        let failed = || SourceState::Failed(Error::with_message(ErrorKind::Io, "no answer"));
        let not_clean = [
            ("a secret", with(&|it| it.findings.push(finding()))),
            ("the current source found one", with(&|it| it.sources[0].1 = SourceState::Answered(1))),
            ("its plan is off", with(&|it| it.sources[0].1 = SourceState::PlanOff)),
            ("its plan is not known", with(&|it| it.sources[0].1 = SourceState::PlanNotKnown)),
            ("it is no longer served", with(&|it| it.sources[0].1 = SourceState::Retired)),
            ("it failed", with(&|it| it.sources[0].1 = failed())),
            ("it was not asked", with(&|it| drop(it.sources.remove(0)))),
            ("an older source failed", with(&|it| it.sources[1].1 = failed())),
            ("no subscription is known", with(&|it| it.coverage.clear())),
        ];
        for (why, found) in not_clean {
            assert!(!found.is_clean(), "{why}");
        }
        for state in [PlanState::Off, PlanState::NotKnown] {
            for gap in [coverage(state, PlanState::On), coverage(PlanState::On, state)] {
                let found = with(&|it| it.coverage.push(gap.clone()));
                assert!(!found.is_clean(), "{gap:?}");
                assert_eq!(found.not_covered().collect::<Vec<_>>(), [&gap]);
            }
        }
    }

    #[test]
    fn no_rows_mean_something_only_where_a_plan_is_on() {
        let state = |cspm, scanning| empty_while(&[coverage(cspm, scanning)]);
        use PlanState::{NotKnown, Off, On};
        assert!(matches!(state(On, Off), SourceState::Answered(0)));
        assert!(matches!(state(NotKnown, On), SourceState::Answered(0)));
        assert!(matches!(state(Off, NotKnown), SourceState::PlanOff));
        assert!(matches!(state(NotKnown, Off), SourceState::PlanOff));
        assert!(matches!(state(NotKnown, NotKnown), SourceState::PlanNotKnown));
        assert!(matches!(empty_while(&[]), SourceState::PlanNotKnown));
    }
}
