use arm_core::{ArmClient, ArmPath, Pager, SubscriptionId};
use azure_core::Result;

use super::Properties;
use crate::{AssessmentKey, AssessmentMetadata, AssessmentMetadataProperties};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments-metadata). It is the first with
/// severity Critical.
const API_VERSION: &str = "2025-05-04";

/// A client for assessment metadata, which defines recommendations. Built-in recommendations are the same everywhere; a
/// subscription can add custom ones.
#[derive(Debug, Clone)]
pub struct AssessmentMetadataClient {
    arm: ArmClient,
}

impl AssessmentMetadataClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams all built-in recommendations: `AssessmentsMetadata_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments-metadata/list)
    #[inline]
    pub fn list(&self) -> Pager<AssessmentMetadata> {
        self.arm.get(all(ArmPath::root()), API_VERSION).pager()
    }

    /// Reads a built-in recommendation: `AssessmentsMetadata_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments-metadata/get)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get(&self, key: &AssessmentKey) -> Result<AssessmentMetadata> {
        self.arm.get(all(ArmPath::root()).segment(key), API_VERSION).json().await
    }

    /// Streams the recommendations of a subscription, built-in and custom: `AssessmentsMetadata_ListBySubscription`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments-metadata/list-by-subscription)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessmentMetadata/read`.
    #[inline]
    pub fn list_by_subscription(&self, subscription: &SubscriptionId) -> Pager<AssessmentMetadata> {
        self.arm.get(all(subscription.into()), API_VERSION).pager()
    }

    /// Reads a recommendation of a subscription, built-in or custom: `AssessmentsMetadata_GetInSubscription`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments-metadata/get-in-subscription)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessmentMetadata/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get_in_subscription(
        &self,
        subscription: &SubscriptionId,
        key: &AssessmentKey,
    ) -> Result<AssessmentMetadata> {
        self.arm.get(all(subscription.into()).segment(key), API_VERSION).json().await
    }

    /// Creates or replaces a custom recommendation of a subscription: `AssessmentsMetadata_CreateInSubscription`.
    ///
    /// The key is a GUID that you choose. The type must be [`CustomerManaged`](crate::AssessmentType::CustomerManaged).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments-metadata/create-in-subscription)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessmentMetadata/write`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_in_subscription(
        &self,
        subscription: &SubscriptionId,
        key: &AssessmentKey,
        properties: &AssessmentMetadataProperties,
    ) -> Result<AssessmentMetadata> {
        let request = self.arm.put(all(subscription.into()).segment(key), API_VERSION);
        request.body(&Properties { properties }).expect_status(&[200]).json().await
    }

    /// Deletes a custom recommendation of a subscription, **with all its assessments**:
    /// `AssessmentsMetadata_DeleteInSubscription`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments-metadata/delete-in-subscription)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessmentMetadata/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn delete_in_subscription(
        &self,
        subscription: &SubscriptionId,
        key: &AssessmentKey,
    ) -> Result<()> {
        self.arm.delete(all(subscription.into()).segment(key), API_VERSION).send_empty().await
    }
}

fn all(scope: ArmPath) -> ArmPath {
    scope.provider("Microsoft.Security").literal("assessmentMetadata")
}
