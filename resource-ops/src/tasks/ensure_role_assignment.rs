//! Assigns a role.

use arm_core::{ArmErrorExt as _, Change, Mode, Scope, Wish, refuse};
use azure_core::{Error, Result};
use futures::TryStreamExt as _;
use serde_json::json;

use crate::{
    PrincipalId, PrincipalType, RoleAssignment, RoleAssignmentFilter, RoleAssignmentId, RoleAssignmentSpec,
    RoleAssignmentsClient, RoleId,
};

/// Assigns a role to a principal at a scope, unless the same assignment already exists under any name.
///
/// A role that the principal has at a higher scope does not count, since it can be removed independently. The
/// assignment's name is derived from scope, role and principal, so that two programs that run the task at the same time
/// create only one assignment.
///
/// **If it stops halfway**, the role may or may not be assigned; running the task again finishes it. After that,
/// another run writes nothing. The role can take some minutes to take effect.
///
/// ```
/// # use arm_core::{ArmClient, ResourceId};
/// # use resource_ops::{DirectoryClient, RoleAssignmentsClient, RoleId};
/// # async fn f(arm: &ArmClient, vault: &ResourceId) -> azure_core::Result<()> {
/// let me = DirectoryClient::new(arm).signed_in().await?;
/// let change = RoleAssignmentsClient::new(arm)
///     .ensure(vault, RoleId::KEY_VAULT_SECRETS_OFFICER, me.id)
///     .principal_type(me.principal_type)
///     .await?;
/// println!("{}", change.verb());
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// `Microsoft.Authorization/roleAssignments/read` and `/write`.
///
/// # Errors
///
/// `is_role_missing()`; `is_code("PrincipalNotFound")`: if the principal was created moments ago, set its
/// [`principal_type`](Self::principal_type). An existing assignment with a condition is an error too.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnsureRoleAssignment {
    client: RoleAssignmentsClient,
    scope: Scope,
    spec: RoleAssignmentSpec,
}

impl RoleAssignmentsClient {
    /// Assigns a role unless it is already assigned. See [`EnsureRoleAssignment`].
    pub fn ensure(
        &self,
        scope: impl Into<Scope>,
        role: RoleId,
        principal: PrincipalId,
    ) -> EnsureRoleAssignment {
        EnsureRoleAssignment::new(self.clone(), scope.into(), role, principal)
    }
}

impl EnsureRoleAssignment {
    pub(crate) fn new(
        client: RoleAssignmentsClient,
        scope: Scope,
        role: RoleId,
        principal: PrincipalId,
    ) -> Self {
        let spec = RoleAssignmentSpec::builder().role(role).principal(principal).build();
        Self { client, scope, spec }
    }

    /// Sets the type of the principal. The service then does not look the principal up in the directory, where a new
    /// one may be missing.
    pub fn principal_type(mut self, kind: PrincipalType) -> Self {
        self.spec.principal_type = Some(kind);
        self
    }

    /// Sets the description of a new assignment.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.spec.description = Some(text.into());
        self
    }

    async fn run(self, mode: Mode) -> Result<Change<RoleAssignment>> {
        if let Some(found) = self.find().await? {
            return self.unconditional(found).map(Change::Unchanged);
        }
        let id = RoleAssignmentId::of(&self.scope, self.spec.role, self.spec.principal)?;
        if mode.is_dry_run() {
            return Ok(Change::Created(RoleAssignment::planned(id, &self.scope, &self.spec)));
        }
        match self.client.create(&id, &self.spec).await {
            Ok(_) => {
                let made = self.client.get(&id).await?;
                self.verify(&made)?;
                Ok(Change::Created(made))
            }
            // Somebody else has just created it under another name.
            Err(error) if error.is_code("RoleAssignmentExists") => match self.find().await? {
                Some(found) => self.unconditional(found).map(Change::Unchanged),
                None => Err(error),
            },
            Err(error) if error.is_code("PrincipalNotFound") => Err(self.unknown_principal(error)),
            Err(error) => Err(error),
        }
    }

    /// Finds the assignment of this role to this principal at exactly this scope.
    async fn find(&self) -> Result<Option<RoleAssignment>> {
        let filter = RoleAssignmentFilter::Principal(self.spec.principal);
        let mut held = self.client.list_filtered(&self.scope, filter);
        while let Some(assignment) = held.try_next().await? {
            let same = assignment.role == self.spec.role && assignment.principal == self.spec.principal;
            if same && assignment.is_at(&self.scope) {
                return Ok(Some(assignment));
            }
        }
        Ok(None)
    }

    fn verify(&self, made: &RoleAssignment) -> Result<()> {
        let what = format_args!("the role assignment {}", made.id);
        let wished = json!({
            "role": self.spec.role.to_string(),
            "principal": self.spec.principal.to_string(),
            "description": self.spec.description,
        });
        let found = json!({
            "role": made.role.to_string(),
            "principal": made.principal.to_string(),
            "description": made.description,
        });
        Wish::new().exact(&["description"]).verify(what, &wished, &found)
    }

    /// Refuses an assignment with a condition: it grants less than the role, and the task must not remove the
    /// condition.
    fn unconditional(&self, found: RoleAssignment) -> Result<RoleAssignment> {
        match found.condition.as_deref().filter(|condition| !condition.trim().is_empty()) {
            None => Ok(found),
            Some(condition) => {
                let condition: String = condition.split_whitespace().collect::<Vec<_>>().join(" ");
                refuse(format!(
                    "the principal {} holds the role {} at {} only under a condition ({}): remove the condition from {}, \
                     or assign a role without one",
                    self.spec.principal,
                    self.spec.role,
                    self.scope,
                    condition.chars().take(200).collect::<String>(),
                    found.id
                ))
            }
        }
    }

    fn unknown_principal(&self, error: Error) -> Error {
        let hint = match self.spec.principal_type {
            Some(_) => "check that this is its object id, not a client id",
            None => {
                "if it was created only moments ago, the directory may not know it yet: set its principal_type; \
                 otherwise, check that this is its object id, not a client id"
            }
        };
        let message =
            format!("the principal {} is not in the directory: {hint}. {error}", self.spec.principal);
        error.reworded(message)
    }
}

arm_core::task!(EnsureRoleAssignment => Change<RoleAssignment>);
