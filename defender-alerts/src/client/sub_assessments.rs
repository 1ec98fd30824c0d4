use arm_core::{ArmClient, ArmPath, Pager, Scope};
use azure_core::Result;

use crate::{AssessmentId, SubAssessment, SubAssessmentId};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/sub-assessments).
const API_VERSION: &str = "2019-01-01-preview";

/// A client for sub-assessments, which are the findings of grouped recommendations.
///
/// **The service stopped serving them on July 31, 2026**, so an empty list proves nothing. For secrets, use
/// [`SecretFindingsClient`](crate::SecretFindingsClient), which queries the current sources.
#[derive(Debug, Clone)]
pub struct SubAssessmentsClient {
    arm: ArmClient,
}

impl SubAssessmentsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams all findings in a scope: `SubAssessments_ListAll`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/sub-assessments/list-all)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/subAssessments/read`.
    pub fn list_all(&self, scope: impl Into<Scope>) -> Pager<SubAssessment> {
        let path = ArmPath::from(&scope.into()).provider("Microsoft.Security").literal("subAssessments");
        self.arm.get(path, API_VERSION).pager()
    }

    /// Streams the findings of an assessment: `SubAssessments_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/sub-assessments/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/subAssessments/read`.
    #[inline]
    pub fn list(&self, assessment: &AssessmentId) -> Pager<SubAssessment> {
        self.arm.get(assessment.path().literal("subAssessments"), API_VERSION).pager()
    }

    /// Reads a finding: `SubAssessments_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/sub-assessments/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/subAssessments/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get(&self, id: &SubAssessmentId) -> Result<SubAssessment> {
        self.arm.get(id.path(), API_VERSION).json().await
    }
}
