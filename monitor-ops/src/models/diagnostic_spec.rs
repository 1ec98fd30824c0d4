use arm_core::ResourceName;
use azure_core::Result;
use typed_builder::TypedBuilder;

use crate::{DestinationType, Sink, WorkspaceId};

/// What a resource should send, and where.
#[derive(Debug, Clone, PartialEq, TypedBuilder)]
pub struct DiagnosticSpec {
    /// The name of the setting to create, or of the one created by an earlier run.
    pub name: ResourceName,
    /// The destination.
    #[builder(setter(into))]
    pub sink: Sink,
    /// The categories of logs and metrics (`AllMetrics`).
    #[builder(setter(into))]
    pub categories: Vec<Category>,
    /// The tables to use in a workspace. Applies only to a new setting: for a vault, the choice cannot be read back.
    #[builder(default, setter(strip_option))]
    pub destination: Option<DestinationType>,
    /// Whether a setting with this name that sends elsewhere may be changed: the sink replaces one of the same type,
    /// and other sinks are kept. If `false` (the default), the task refuses and leaves the setting unchanged.
    #[builder(default)]
    pub change_existing: bool,
}

impl DiagnosticSpec {
    /// Creates a spec that sends the audit logs (group `audit`) to a workspace, in a setting named
    /// `audit-to-log-analytics`.
    ///
    /// # Errors
    ///
    /// None in practice: the name of the setting is always valid.
    pub fn audit_to(workspace: &WorkspaceId) -> Result<Self> {
        Ok(Self {
            name: "audit-to-log-analytics".parse()?,
            sink: Sink::Workspace(workspace.as_resource().clone()),
            categories: vec![Category::group("audit")],
            destination: None,
            change_existing: false,
        })
    }
}

/// A category, or a group of categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Category {
    /// One category, such as `AuditEvent` or `AllMetrics`.
    Named(String),
    /// All categories in a group: `audit` or `allLogs`.
    Group(String),
}

impl Category {
    /// Selects one category.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Named(name.into())
    }

    /// Selects all categories in a group.
    pub fn group(name: impl Into<String>) -> Self {
        Self::Group(name.into())
    }
}

impl From<&WorkspaceId> for Sink {
    fn from(workspace: &WorkspaceId) -> Self {
        Self::Workspace(workspace.as_resource().clone())
    }
}
