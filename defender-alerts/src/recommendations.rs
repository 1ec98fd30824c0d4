//! Known recommendations, and filters for assessments.

use arm_core::{ResourceId, ResourceType, Scope};
use azure_core::Result;
use futures::{StreamExt as _, TryStreamExt as _, future::ready, stream::BoxStream};
use resource_ops::{
    GraphScope, ResourceGraphClient,
    query::{GraphQuery, Table, column},
};

use crate::{Assessment, AssessmentCode, AssessmentKey, AssessmentsClient, Expand, Severity};

/// A documented recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownRecommendation {
    /// The key of the recommendation.
    pub key: AssessmentKey,
    /// The title.
    pub title: &'static str,
    /// The severity if a resource does not follow the recommendation.
    pub severity: Severity,
    /// The GUID of the policy that checks the recommendation; `None` if there is none.
    pub policy_definition: Option<&'static str>,
}

macro_rules! known {
    ($list:ident: $($(#[$doc:meta])* $name:ident = $key:literal, $title:literal, $severity:ident, $policy:expr;)+) => {
        impl AssessmentKey {
            $($(#[$doc])* pub const $name: Self = Self::known($key);)+
        }

        impl KnownRecommendation {
            #[doc = concat!("All known recommendations of the group `", stringify!($list), "`.")]
            pub const $list: &[Self] = &[$(Self {
                key: AssessmentKey::$name,
                title: $title,
                severity: Severity::$severity,
                policy_definition: $policy,
            }),+];
        }
    };
}

known! { KEY_VAULT:
    /// Diagnostic logs in Key Vault should be enabled.
    KV_DIAGNOSTIC_LOGS = "88bbc99c-e5af-ddd7-6105-6150b2bfa519",
        "Diagnostic logs in Key Vault should be enabled", Low, Some("cf820ca0-f99e-4f3e-84fb-66e913812d21");
    /// Firewall should be enabled on Key Vault.
    KV_FIREWALL = "52f7826a-ace7-3107-dd0d-4875853c1576",
        "Firewall should be enabled on Key Vault", Medium, Some("55615ac9-af46-4a59-874e-391cc3dfb490");
    /// Private endpoint should be configured for Key Vault.
    KV_PRIVATE_ENDPOINT = "2e96bc2f-1972-e471-9e70-ae58d41e9d2a",
        "Private endpoint should be configured for Key Vault", Medium, Some("5f0bc445-3935-4915-9981-011aa2b46147");
    /// Key vaults should have purge protection enabled.
    KV_PURGE_PROTECTION = "4ed62ae4-5072-f9e7-8d94-51c76c48159a",
        "Key vaults should have purge protection enabled", Medium, Some("0b60c0b2-2dc2-4e1c-b5c9-abbed971de53");
    /// Key vaults should have soft delete enabled.
    KV_SOFT_DELETE = "78211c00-15a9-336e-17c4-0b48613dadf4",
        "Key vaults should have soft delete enabled", High, Some("1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d");
    /// Key Vault secrets should have an expiration date.
    KV_SECRET_EXPIRATION = "14257785-9437-97fa-11ae-898cfb24302b",
        "Key Vault secrets should have an expiration date", High, Some("98728c90-32c7-4049-8429-847dc0f4fe37");
    /// Key Vault keys should have an expiration date.
    KV_KEY_EXPIRATION = "1aabfa0d-7585-f9f5-1d92-ecb40291d9f2",
        "Key Vault keys should have an expiration date", High, Some("152b15f7-8e1f-4c1f-ab71-8c010ba5dbc0");
    /// Validity period of certificates should not exceed twelve months.
    KV_CERTIFICATE_VALIDITY = "fc84abc0-eee6-4758-8372-a7681965ca44",
        "Validity period of certificates stored in Azure Key Vault should not exceed 12 months", Medium,
        Some("0a075868-4c26-42ef-914c-5bc007359560");
    /// Microsoft Defender for Key Vault should be enabled. This recommendation applies to the subscription.
    DEFENDER_FOR_KEY_VAULT = "b1af52e4-e968-4e2b-b6d0-6736c9651f0a",
        "Microsoft Defender for Key Vault should be enabled", High, Some("0e6763cc-5078-4e64-889d-ff4d9a839047");
}

known! { SECRETS:
    /// Machines should have secrets findings resolved.
    MACHINE_SECRETS = "17618b1a-ed14-49bb-b37f-9f8ba967be8b",
        "Machines should have secrets findings resolved", High, None;
    /// EC2 instances should have secrets findings resolved.
    EC2_SECRETS = "490d3be5-0abd-485c-bcd7-b8d6c6f443c8",
        "EC2 instances should have secrets findings resolved", High, None;
    /// VM instances of Google Cloud should have secrets findings resolved.
    GCP_SECRETS = "17b615fd-ce09-494b-a3fa-5937a137a571",
        "VM instances should have secrets findings resolved", High, None;
    /// GitHub repositories should have secret scanning findings resolved.
    GITHUB_SECRETS = "dd98425c-1407-40cc-8a2c-da5d0a2f80da",
        "GitHub repositories should have secret scanning findings resolved", High, None;
    /// Azure DevOps repositories should have secret scanning findings resolved.
    AZURE_DEVOPS_SECRETS = "b5ef903f-8655-473b-9784-4f749eeb25c6",
        "Azure DevOps repositories should have secret scanning findings resolved", High, None;
    /// GitLab projects should have secrets scanning findings resolved.
    GITLAB_SECRETS = "867001c3-2d01-4db7-b513-5cb97638f23d",
        "GitLab projects should have secrets scanning findings resolved", High, None;
    /// Code repositories should have secret scanning findings resolved. This is the oldest recommendation about
    /// repositories.
    CODE_REPOSITORY_SECRETS = "4e07c7d0-e06c-47d7-a4a9-8c7b748d1b27",
        "Code repositories should have secret scanning findings resolved", High, None;
    /// Azure Resource Manager deployments should have secrets findings resolved.
    DEPLOYMENT_SECRETS = "774dd8dd-234d-4581-8dcc-376a53e58a5d",
        "Azure Resource Manager deployments should have secrets findings resolved", High, None;
}

/// A filter for assessments. An assessment is kept if it matches every condition that is set; a new filter has none.
///
/// ```
/// use arm_core::ResourceType;
/// use defender_alerts::{AssessmentCode, AssessmentFilter};
///
/// let open_on_vaults = AssessmentFilter::new()
///     .code(AssessmentCode::Unhealthy)
///     .resource_type(ResourceType::VAULT)
///     .any_word(["key vault", "secret"]);
/// # let _ = open_on_vaults;
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a filter does nothing by itself"]
pub struct AssessmentFilter {
    words: Vec<String>,
    keys: Vec<AssessmentKey>,
    resource_types: Vec<ResourceType>,
    resource: Option<ResourceId>,
    code: Option<AssessmentCode>,
    least: Option<Severity>,
}

impl AssessmentFilter {
    /// Creates a filter that keeps everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps assessments whose title, description or key contains any of these words, ignoring case.
    pub fn any_word<W: AsRef<str>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_lowercase()));
        self
    }

    /// Keeps assessments of these recommendations.
    pub fn keys(mut self, keys: impl IntoIterator<Item = AssessmentKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Keeps assessments of resources of this type. Repeated calls add types.
    pub fn resource_type(mut self, kind: ResourceType) -> Self {
        self.resource_types.push(kind);
        self
    }

    /// Keeps assessments of this resource.
    pub fn resource(mut self, resource: ResourceId) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Keeps assessments with this code.
    pub fn code(mut self, code: AssessmentCode) -> Self {
        self.code = Some(code);
        self
    }

    /// Keeps assessments of at least this severity and those of unknown severity.
    pub fn at_least(mut self, least: Severity) -> Self {
        self.least = Some(least);
        self
    }

    /// Whether the filter keeps an assessment.
    pub fn keeps(&self, assessment: &Assessment) -> bool {
        let resource = match assessment.id.scope() {
            Scope::Resource(id) => Some(id),
            _ => None,
        };
        self.code.as_ref().is_none_or(|code| assessment.status.code == *code)
            && self.resource.as_ref().is_none_or(|wanted| resource == Some(wanted))
            && (self.keys.is_empty() || self.keys.contains(&assessment.name))
            && (self.resource_types.is_empty() || resource.is_some_and(|id| self.has_type_of(id)))
            && self.least.as_ref().is_none_or(|least| is_at_least(assessment, least))
            && (self.words.is_empty() || self.has_word_of(assessment))
    }

    fn has_type_of(&self, resource: &ResourceId) -> bool {
        self.resource_types.contains(&resource.resource_type())
    }

    fn has_word_of(&self, assessment: &Assessment) -> bool {
        let metadata = assessment.metadata.as_ref();
        let description = metadata.and_then(|metadata| metadata.description.as_deref());
        let parts = [&*assessment.display_name, description.unwrap_or_default(), assessment.name.as_str()];
        let text = parts.join("\n").to_lowercase();
        self.words.iter().any(|word| text.contains(word))
    }
}

fn is_at_least(assessment: &Assessment, least: &Severity) -> bool {
    assessment.severity().is_none_or(|severity| severity.at_least(least))
}

impl AssessmentsClient {
    /// Streams the assessments in a scope that match a filter, with their metadata. One page is in memory at a time.
    ///
    /// ```
    /// # use mock_azure::MockAzure;
    /// # use arm_core::{ArmClient, SubscriptionId};
    /// use defender_alerts::{AssessmentCode, AssessmentFilter, AssessmentsClient};
    /// use futures::TryStreamExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
    /// # let vault = format!("/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv");
    /// # let azure = MockAzure::seed().key_vault_assessments(vault).start().await;
    /// # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
    /// let filter = AssessmentFilter::new().code(AssessmentCode::Unhealthy).any_word(["key vault"]);
    /// let mut open = AssessmentsClient::new(&arm).find(&subscription, filter);
    /// while let Some(assessment) = open.try_next().await? {
    ///     println!("{:?} {}", assessment.severity(), assessment.display_name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn find(
        &self,
        scope: impl Into<Scope>,
        filter: AssessmentFilter,
    ) -> BoxStream<'static, Result<Assessment>> {
        self.list(scope, Expand::Metadata)
            .try_filter(move |assessment| ready(filter.keeps(assessment)))
            .boxed()
    }

    /// Streams the assessments of a tenant, management groups or any number of subscriptions that match a filter, from
    /// Resource Graph.
    ///
    /// Resource Graph can be minutes behind, and silently omits everything that the caller may not read.
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/read`.
    pub fn find_across(
        &self,
        scope: impl Into<GraphScope>,
        filter: AssessmentFilter,
    ) -> BoxStream<'static, Result<Assessment>> {
        let mut query = GraphQuery::table(Table::SecurityResources).of_type("microsoft.security/assessments");
        if let Some(code) = &filter.code {
            let column = column("properties.status.code").to_text();
            query = query.filter(column.equals_ignore_case(code.as_str()));
        }
        let rows = ResourceGraphClient::new(self.arm()).rows::<Assessment>(&query, scope);
        rows.try_filter(move |assessment| ready(filter.keeps(assessment))).boxed()
    }
}
