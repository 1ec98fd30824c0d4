use arm_core::{
    Scope,
    wire::{SentText, instant},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use time::OffsetDateTime;
use typed_builder::TypedBuilder;

use crate::{PrincipalId, PrincipalType, RoleAssignmentId, RoleId};

/// The assignment of a role to a principal at a scope and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleAssignment {
    /// The id.
    pub id: RoleAssignmentId,
    /// The scope: the id of a subscription, group, resource or management group, or `/`.
    pub scope: String,
    /// The role.
    pub role: RoleId,
    /// The full id of the role's definition.
    pub role_definition_id: String,
    /// The object id of the principal.
    pub principal: PrincipalId,
    /// The type of the principal.
    pub principal_type: Option<PrincipalType>,
    /// The description.
    pub description: Option<String>,
    /// The condition under which the role is granted.
    pub condition: Option<String>,
    /// The version of the condition language: `2.0`.
    pub condition_version: Option<String>,
    /// When the assignment was created.
    pub created_on: Option<OffsetDateTime>,
    /// When the assignment was last changed.
    pub updated_on: Option<OffsetDateTime>,
    /// The object id of the principal that created the assignment.
    pub created_by: Option<String>,
    /// The object id of the principal that last changed the assignment.
    pub updated_by: Option<String>,
    /// The id of the managed identity on whose behalf the assignment was created.
    pub delegated_managed_identity_resource_id: Option<String>,
    sent: SentText,
}

arm_core::kept!(RoleAssignment from Wire);

impl RoleAssignment {
    /// Whether the assignment is at exactly this scope, not above or below it.
    pub fn is_at(&self, scope: &Scope) -> bool {
        self.scope.trim_end_matches('/').eq_ignore_ascii_case(&scope.to_string())
    }

    /// Returns the assignment that would result from creating it now.
    pub(crate) fn planned(id: RoleAssignmentId, scope: &Scope, spec: &RoleAssignmentSpec) -> Self {
        Self {
            id,
            scope: scope.to_string(),
            role: spec.role,
            role_definition_id: spec.role.definition_at(scope),
            principal: spec.principal,
            principal_type: spec.principal_type.clone(),
            description: spec.description.clone(),
            condition: spec.condition.clone(),
            condition_version: spec.condition.as_ref().map(|_| CONDITION_VERSION.to_owned()),
            created_on: None,
            updated_on: None,
            created_by: None,
            updated_by: None,
            delegated_managed_identity_resource_id: spec.delegated_managed_identity_resource_id.clone(),
            sent: SentText::default(),
        }
    }
}

const CONDITION_VERSION: &str = "2.0";

#[derive(Debug, Deserialize)]
pub struct Wire {
    id: RoleAssignmentId,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    scope: String,
    #[serde(rename = "roleDefinitionId", deserialize_with = "role_and_definition")]
    role: (RoleId, String),
    principal_id: PrincipalId,
    principal_type: Option<PrincipalType>,
    description: Option<String>,
    condition: Option<String>,
    condition_version: Option<String>,
    #[serde(default, with = "instant::option")]
    created_on: Option<OffsetDateTime>,
    #[serde(default, with = "instant::option")]
    updated_on: Option<OffsetDateTime>,
    created_by: Option<String>,
    updated_by: Option<String>,
    delegated_managed_identity_resource_id: Option<String>,
}

/// Reads the full id of a role definition; returns the role in its last segment, and the id.
fn role_and_definition<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(RoleId, String), D::Error> {
    let definition = String::deserialize(deserializer)?;
    let role = definition.rsplit('/').next().unwrap_or_default().parse().map_err(D::Error::custom)?;
    Ok((role, definition))
}

impl From<Wire> for RoleAssignment {
    fn from(Wire { id, properties }: Wire) -> Self {
        let (role, role_definition_id) = properties.role;
        Self {
            id,
            scope: properties.scope,
            role,
            role_definition_id,
            principal: properties.principal_id,
            principal_type: properties.principal_type,
            description: properties.description,
            condition: properties.condition,
            condition_version: properties.condition_version,
            created_on: properties.created_on,
            updated_on: properties.updated_on,
            created_by: properties.created_by,
            updated_by: properties.updated_by,
            delegated_managed_identity_resource_id: properties.delegated_managed_identity_resource_id,
            sent: SentText::default(),
        }
    }
}

/// A role assignment to create. For an existing assignment, only the description and condition can be changed.
#[derive(Debug, Clone, PartialEq, Eq, TypedBuilder)]
pub struct RoleAssignmentSpec {
    /// The role.
    pub role: RoleId,
    /// The object id of the principal.
    pub principal: PrincipalId,
    /// The type of the principal. If it is set, the service does not look the principal up in the directory, where a
    /// new one may be missing.
    #[builder(default, setter(strip_option))]
    pub principal_type: Option<PrincipalType>,
    /// The description.
    #[builder(default, setter(strip_option, into))]
    pub description: Option<String>,
    /// The condition under which the role is granted, in version 2.0 of the condition language.
    #[builder(default, setter(strip_option, into))]
    pub condition: Option<String>,
    /// The id of the managed identity on whose behalf the assignment is created.
    #[builder(default, setter(strip_option, into))]
    pub delegated_managed_identity_resource_id: Option<String>,
}

impl RoleAssignmentSpec {
    /// Returns the body of a PUT at a scope.
    pub(crate) fn body<'a>(&'a self, scope: &Scope) -> impl Serialize + 'a {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            role_definition_id: String,
            principal_id: PrincipalId,
            #[serde(skip_serializing_if = "Option::is_none")]
            principal_type: Option<&'a PrincipalType>,
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            condition: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            condition_version: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            delegated_managed_identity_resource_id: Option<&'a str>,
        }
        #[derive(Serialize)]
        struct Envelope<'a> {
            properties: Body<'a>,
        }
        Envelope {
            properties: Body {
                role_definition_id: self.role.definition_at(scope),
                principal_id: self.principal,
                principal_type: self.principal_type.as_ref(),
                description: self.description.as_deref(),
                condition: self.condition.as_deref(),
                condition_version: self.condition.as_ref().map(|_| CONDITION_VERSION),
                delegated_managed_identity_resource_id: self
                    .delegated_managed_identity_resource_id
                    .as_deref(),
            },
        }
    }
}

/// Which role assignments to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleAssignmentFilter {
    /// All assignments at, above and below the scope.
    #[default]
    All,
    /// Assignments at and above the scope, but not below.
    AtScope,
    /// Assignments made directly to a principal, not to its groups.
    Principal(PrincipalId),
    /// Assignments made to a principal, directly or through its groups.
    AssignedTo(PrincipalId),
}

impl RoleAssignmentFilter {
    pub(crate) fn text(self) -> Option<String> {
        match self {
            Self::All => None,
            Self::AtScope => Some("atScope()".to_owned()),
            Self::Principal(id) => Some(format!("principalId eq '{id}'")),
            Self::AssignedTo(id) => Some(format!("assignedTo('{id}')")),
        }
    }
}
