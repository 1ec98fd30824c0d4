//! The steps of a world. Each is a method of the builder with the same name.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::time_of;
use crate::{services::vaults::audit::AuditEvent, state::Seed};

/// One element of the initial state.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// The contents of a small lab tenant.
    Demo(InSubscription),
    /// A resource group.
    ResourceGroup(Group),
    /// Any other resource, as Resource Manager returns it.
    Resource(Value),
    /// A resource provider that is not registered.
    Unregistered(Namespace),
    /// A resource type that Azure Policy forbids at a scope, through an assignment with this name.
    ResourceTypeNotAllowed(NotAllowed),
    /// A management group that contains these subscriptions.
    ManagementGroup(ManagementGroup),

    /// A user.
    User(User),
    /// The service principal of an application.
    ServicePrincipal(Application),
    /// An application with its own service principal and one password.
    Application(Registered),
    /// The tenant's restrictions for all applications: the entries of `passwordCredentials`.
    ApplicationPolicy(Value),
    /// How many seconds an application's password takes to start working, or to stop.
    PasswordPropagationSeconds(u64),
    /// A group of principals.
    Group(PrincipalGroup),
    /// A role, by name or id, that a principal holds at a scope.
    RoleAssignment(Role),
    /// The role of the signed-in principal on each subscription.
    SignedInRole(String),

    /// A vault that uses Azure roles.
    Vault(Named),
    /// A property of a vault, such as `enablePurgeProtection`.
    VaultProperty(VaultProperty),
    /// A role of the signed-in principal on a vault.
    VaultRole(VaultRole),
    /// A vault that uses access policies, and the signed-in principal's permissions on secrets.
    AccessPolicy(AccessPolicy),
    /// A soft-deleted vault.
    DeletedVault(Named),
    /// A vault name that somebody else has.
    VaultNameTaken(String),
    /// A secret, or another version of one.
    Secret(Secret),
    /// A disabled version.
    DisabledSecret(Secret),
    /// A secret with many versions.
    SecretVersions(Versions),
    /// A certificate that the vault has issued itself, with its key and its secret.
    Certificate(InVault),
    /// A secret that belongs to a certificate.
    ManagedSecret(InVault),
    /// A soft-deleted secret.
    DeletedSecret(Secret),
    /// How many requests still find a delete, recover or purge of a secret incomplete.
    SecretSettling(u32),
    /// Throttling of secret requests: after `every` requests, refuses `refusals` with 429.
    SecretThrottling(Throttling),
    /// A number that determines the order in which versions are listed, since Azure does not guarantee one.
    VersionOrder(u64),
    /// The address that the double's requests come from.
    CallerIp(String),
    /// An event of the vaults' log.
    AuditEvent(Event),

    /// A storage account with two keys.
    StorageAccount(Named),
    /// A resource with keys, of a type such as `Microsoft.DocumentDB/databaseAccounts`.
    KeyedResource(Keyed),
    /// A property of a resource with keys.
    ResourceProperty(ResourceProperty),
    /// The `kind` of a resource.
    ResourceKind(ResourceKind),
    /// How many seconds a regenerated key takes to take effect.
    KeyPropagationSeconds(u64),

    /// A Defender plan.
    Plan(Plan),
    /// Properties of a plan, as a GET returns them.
    PlanProperties(PlanProperties),
    /// An extension of a plan.
    PlanExtension(PlanExtension),
    /// An extension that the service fails to turn on, this many times.
    FailingExtension(FailingExtension),
    /// How many updates of plans are refused because another one is in progress.
    PlanUpdateInProgress(PlanUpdates),
    /// How many seconds an update of a plan takes.
    PlanUpdatesTakeSeconds(u64),
    /// An alert of a type, such as `KV_ListGetAnomaly`, about a resource.
    Alert(Alert),
    /// One alert of each documented type about a vault.
    KeyVaultAlerts(String),
    /// Many alerts.
    Alerts(Many),
    /// An alert, as the service returns it.
    AlertJson(Value),
    /// A recommendation about a resource, and whether it is followed.
    Assessment(Assessment),
    /// The recommendations about a vault.
    KeyVaultAssessments(String),
    /// A recommendation, as the service returns it.
    AssessmentJson(Value),
    /// A recommendation about a machine outside Azure.
    OnPremisesAssessment(OnPremises),
    /// The grouped recommendation about a machine's secrets.
    GroupedSecretAssessment(String),
    /// Serves sub-assessments, as before their retirement.
    SubAssessmentsServed(Yes),
    /// A vulnerability found on a machine.
    Vulnerability(Vulnerability),
    /// A secret on a machine, as a grouped finding.
    GroupedSecret(GroupedSecret),
    /// A sub-assessment, as the service returns it.
    SubAssessmentJson(Value),
    /// A secret found on a machine by a scan.
    ExposedSecret(ExposedSecret),
    /// An attack path.
    AttackPath(AttackPath),
    /// An attack path, as a row of Resource Graph.
    AttackPathRow(Value),
    /// Serves attack paths in the format of Exposure Management.
    ExposureManagement(Yes),

    /// Makes Microsoft Graph refuse every request.
    GraphForbidden(Yes),
    /// How many lookups do not find a new principal yet.
    PrincipalReplication(u32),
    /// How many queries Resource Graph allows in this many seconds.
    GraphQuota(GraphQuota),

    /// A machine.
    VirtualMachine(Named),
    /// A file in a machine.
    VmFile(File),
    /// A deallocated machine.
    VmDeallocated(String),
    /// A user-assigned identity of a machine.
    VmUserIdentity(MachineIdentity),

    /// A workspace.
    Workspace(Named),
    /// A workspace with an operation in progress: `Updating`, `LinkingAccount`, `Deleting`, ..
    WorkspaceInState(InState),
    /// An action group receiver that a test notification cannot reach, and why.
    ReceiverFails(Unreachable),
    /// A diagnostic setting of a resource.
    DiagnosticSetting(Diagnostics),
    /// Sentinel on a workspace.
    Sentinel(String),
    /// An incident in Sentinel.
    Incident(Incident),
    /// The tenant-based Defender connector in Sentinel.
    DefenderTenantConnector(String),
    /// The maximum number of rows of a log query.
    LogRowLimit(usize),

    /// The next long-running operation on a resource whose id contains this fails.
    OperationFails(Failure),
}

/// `{}`: there is nothing to configure.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Yes {}

macro_rules! shapes {
    ($($name:ident { $($field:ident: $kind:ty),+ $(,)? })+) => {$(
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($field: $kind),+
        }
    )+};
}

shapes! {
    InSubscription { subscription: Option<String> }
    Group { subscription: Option<String>, name: String, location: String }
    Named { subscription: Option<String>, group: String, name: String }
    Namespace { subscription: Option<String>, namespace: String }
    NotAllowed { scope: String, assignment: String, kind: String }
    ManagementGroup { name: String, subscriptions: Vec<String> }
    User { object_id: String, user_principal_name: String }
    Application { object_id: String, app_id: String, display_name: String }
    Registered { object_id: String, app_id: String, name: String, password: String }
    PrincipalGroup { object_id: String, display_name: String }
    Role { principal: String, role: String, scope: String }
    VaultProperty { vault: String, property: String, value: Value }
    VaultRole { vault: String, role: String }
    AccessPolicy { vault: String, secret_permissions: Vec<String> }
    Secret { vault: String, name: String, value: String }
    Throttling { every: u32, refusals: u32 }
    Keyed { subscription: Option<String>, group: String, kind: String, name: String }
    ResourceProperty { id: String, property: String, value: Value }
    InState { subscription: Option<String>, group: String, name: String, state: String }
    ResourceKind { id: String, kind: String }
    FailingExtension { subscription: Option<String>, plan: String, extension: String, times: u32 }
    PlanUpdates { subscription: Option<String>, times: u32 }
    OnPremises { workspace: String, machine: String, key: String, code: String }
    Vulnerability { machine: String, cve: String }
    GroupedSecret { machine: String, secret: String }
    Unreachable { receiver: String, why: String }
    GraphQuota { queries: u32, seconds: u64 }
    Failure { target: String, code: String, message: String }
    Versions { vault: String, name: String, count: u32 }
    InVault { vault: String, name: String }
    Event {
        operation: String,
        vault_id: String,
        time: String,
        object_id: Option<String>,
        user_principal_name: Option<String>,
        app_id: Option<String>,
        caller_ip: Option<String>,
        status: Option<u16>,
        secret_id: Option<String>,
    }
    Plan { subscription: Option<String>, plan: String, tier: String }
    PlanProperties { subscription: Option<String>, plan: String, properties: Value }
    PlanExtension { subscription: Option<String>, plan: String, extension: String, on: bool }
    Alert { resource: String, alert_type: String }
    Many { subscription: Option<String>, count: usize }
    Assessment { resource: String, key: String, code: String }
    ExposedSecret { resource: String, secret: String }
    AttackPath { entry: String, target: String, title: String }
    File { machine: String, path: String, content: String }
    MachineIdentity { machine: String, identity: String }
    Diagnostics { resource: String, name: String, workspace: String, categories: Vec<String> }
    Incident { workspace: String, name: String, title: String, severity: String }
}

impl Step {
    /// Adds the step to a seed. `main` is the subscription of steps that name none.
    pub(super) fn take(self, seed: Seed, main: &str) -> Result<Seed, String> {
        let of = |subscription: Option<String>| subscription.unwrap_or_else(|| main.to_owned());
        Ok(match self {
            Self::Demo(it) => seed.demo(&of(it.subscription)),
            Self::ResourceGroup(it) => seed.resource_group(of(it.subscription), &it.name, &it.location),
            Self::Resource(it) => seed.resource(it),
            Self::ResourceTypeNotAllowed(it) => {
                seed.resource_type_not_allowed(&it.scope, &it.assignment, &it.kind)
            }
            Self::Unregistered(it) => seed.unregistered(of(it.subscription), &it.namespace),
            Self::ManagementGroup(it) => seed.management_group(&it.name, it.subscriptions),
            Self::User(it) => seed.user(&it.object_id, &it.user_principal_name),
            Self::ServicePrincipal(it) => seed.service_principal(&it.object_id, &it.app_id, &it.display_name),
            Self::Application(it) => seed.application(&it.object_id, &it.app_id, &it.name, &it.password),
            Self::ApplicationPolicy(restrictions) => seed.application_policy(restrictions),
            Self::PasswordPropagationSeconds(time) => {
                seed.password_propagation_time(Duration::from_secs(time))
            }
            Self::Group(it) => seed.group(&it.object_id, &it.display_name),
            Self::RoleAssignment(it) => seed.role_assignment(&it.principal, &it.role, &it.scope),
            Self::SignedInRole(role) => seed.signed_in_role(&role),
            Self::Vault(it) => seed.vault(of(it.subscription), &it.group, &it.name),
            Self::VaultProperty(it) => seed.vault_property(&it.vault, &it.property, it.value),
            Self::VaultRole(it) => seed.vault_role(&it.vault, &it.role),
            Self::AccessPolicy(it) => {
                let permissions: Vec<&str> = it.secret_permissions.iter().map(String::as_str).collect();
                seed.access_policy(&it.vault, &permissions)
            }
            Self::DeletedVault(it) => seed.deleted_vault(of(it.subscription), &it.group, &it.name),
            Self::VaultNameTaken(name) => seed.vault_name_taken(&name),
            Self::Secret(it) => seed.secret(&it.vault, &it.name, &it.value),
            Self::DisabledSecret(it) => seed.disabled_secret(&it.vault, &it.name, &it.value),
            Self::SecretVersions(it) => seed.secret_versions(&it.vault, &it.name, it.count),
            Self::Certificate(it) => seed.certificate(&it.vault, &it.name),
            Self::ManagedSecret(it) => seed.managed_secret(&it.vault, &it.name),
            Self::DeletedSecret(it) => seed.deleted_secret(&it.vault, &it.name, &it.value),
            Self::SecretSettling(requests) => seed.secret_settling(requests),
            Self::SecretThrottling(it) => seed.secret_throttling(it.every, it.refusals),
            Self::VersionOrder(number) => seed.version_order(number),
            Self::CallerIp(address) => seed.caller_ip(&address),
            Self::AuditEvent(it) => seed.audit_event(it.event()?),
            Self::StorageAccount(it) => seed.storage_account(of(it.subscription), &it.group, &it.name),
            Self::KeyedResource(it) => {
                seed.keyed_resource(of(it.subscription), &it.group, &it.kind, &it.name)
            }
            Self::ResourceProperty(it) => seed.resource_property(&it.id, &it.property, it.value),
            Self::ResourceKind(it) => seed.resource_kind(&it.id, &it.kind),
            Self::KeyPropagationSeconds(time) => seed.key_propagation_time(Duration::from_secs(time)),
            Self::Plan(it) => seed.plan(of(it.subscription), &it.plan, &it.tier),
            Self::PlanProperties(it) => seed.plan_properties(of(it.subscription), &it.plan, it.properties),
            Self::PlanExtension(it) => {
                seed.plan_extension(of(it.subscription), &it.plan, &it.extension, it.on)
            }
            Self::FailingExtension(it) => {
                seed.failing_extension(of(it.subscription), &it.plan, &it.extension, it.times)
            }
            Self::PlanUpdateInProgress(it) => seed.plan_update_in_progress(of(it.subscription), it.times),
            Self::PlanUpdatesTakeSeconds(time) => seed.plan_updates_take(Duration::from_secs(time)),
            Self::Alert(it) => seed.alert(&it.resource, &it.alert_type),
            Self::KeyVaultAlerts(vault) => seed.key_vault_alerts(vault),
            Self::Alerts(it) => seed.alerts(of(it.subscription), it.count),
            Self::AlertJson(it) => seed.alert_json(it),
            Self::Assessment(it) => seed.assessment(&it.resource, &it.key, &it.code),
            Self::KeyVaultAssessments(vault) => seed.key_vault_assessments(vault),
            Self::AssessmentJson(it) => seed.assessment_json(it),
            Self::OnPremisesAssessment(it) => {
                seed.on_premises_assessment(&it.workspace, &it.machine, &it.key, &it.code)
            }
            Self::GroupedSecretAssessment(machine) => seed.grouped_secret_assessment(machine),
            Self::SubAssessmentsServed(Yes {}) => seed.sub_assessments_served(),
            Self::Vulnerability(it) => seed.vulnerability(&it.machine, &it.cve),
            Self::GroupedSecret(it) => seed.grouped_secret(&it.machine, &it.secret),
            Self::SubAssessmentJson(it) => seed.sub_assessment_json(it),
            Self::ExposedSecret(it) => seed.exposed_secret(&it.resource, &it.secret),
            Self::AttackPath(it) => seed.attack_path(&it.entry, &it.target, &it.title),
            Self::AttackPathRow(it) => seed.attack_path_row(it),
            Self::ExposureManagement(Yes {}) => seed.exposure_management(),
            Self::GraphForbidden(Yes {}) => seed.graph_forbidden(),
            Self::PrincipalReplication(lookups) => seed.principal_replication(lookups),
            Self::GraphQuota(it) => seed.graph_quota(it.queries, Duration::from_secs(it.seconds)),
            Self::VirtualMachine(it) => seed.virtual_machine(of(it.subscription), &it.group, &it.name),
            Self::VmFile(it) => seed.vm_file(&it.machine, &it.path, &it.content),
            Self::VmDeallocated(machine) => seed.vm_deallocated(machine),
            Self::VmUserIdentity(it) => seed.vm_user_identity(&it.machine, &it.identity),
            Self::Workspace(it) => seed.workspace(of(it.subscription), &it.group, &it.name),
            Self::WorkspaceInState(it) => {
                seed.workspace_in_state(of(it.subscription), &it.group, &it.name, &it.state)
            }
            Self::ReceiverFails(it) => seed.receiver_fails(&it.receiver, &it.why),
            Self::DiagnosticSetting(it) => {
                let categories: Vec<&str> = it.categories.iter().map(String::as_str).collect();
                seed.diagnostic_setting(&it.resource, &it.name, &it.workspace, &categories)
            }
            Self::Sentinel(workspace) => seed.sentinel(&workspace),
            Self::Incident(it) => seed.incident(&it.workspace, &it.name, &it.title, &it.severity),
            Self::DefenderTenantConnector(workspace) => seed.defender_tenant_connector(&workspace),
            Self::LogRowLimit(rows) => seed.log_row_limit(rows),
            Self::OperationFails(it) => seed.operation_fails(&it.target, &it.code, &it.message),
        })
    }
}

impl Event {
    /// Converts it to an audit event.
    pub(crate) fn event(self) -> Result<AuditEvent, String> {
        let time = time_of("time", &self.time).map_err(|error| error.to_string())?;
        let mut event = AuditEvent::new(self.operation, self.vault_id, time);
        event.object_id = self.object_id.unwrap_or_default();
        event.upn = self.user_principal_name;
        event.app_id = self.app_id;
        event.caller_ip = self.caller_ip.unwrap_or(event.caller_ip);
        event.status = self.status.unwrap_or(event.status);
        event.secret_id = self.secret_id;
        Ok(event)
    }
}
