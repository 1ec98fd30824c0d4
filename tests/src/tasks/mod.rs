//! Every task that writes or deletes, as data: how it is asked for, and what its result says.

mod declared;
mod wishes;

use arm_core::{ArmClient, Mode, Task};
use defender_alerts::{AlertAction, AlertsClient, AssessmentsClient, GovernanceAssignmentsClient};
use defender_automation::AutomationsClient;
use defender_playbooks::{
    CoverageClient,
    containment::ContainmentsClient,
    leaks::{self, LeakReport, LeaksClient},
};
use defender_pricing::{ExtensionName, PlanName, PricingClient, SubPlan};
use futures::{StreamExt as _, TryStreamExt as _, future::BoxFuture};
use keyvault_ops::{AlertsExpected, VaultsClient, rotate_many};
use monitor_ops::{
    ActionGroupsClient, DiagnosticSpec, DiagnosticsClient, QueryRulesClient, SentinelClient, WorkspaceSpec,
    WorkspacesClient,
};
use resource_ops::{
    PrincipalType, ProvidersClient, ResourceGroupSpec, ResourceGroupsClient, RoleAssignmentsClient, RoleId,
    VirtualMachinesClient,
};
use serde_json::json;

pub use declared::declared;
pub use wishes::{
    PERSON, automation, exposed, furnish, furnished, group, judged, resource, rule, secrets, subscription,
    vault, vault_spec, workspace,
};
use wishes::{
    containment, due, exposed_secret, firewall_finding, issuer, old_versions, plan_before, policy_assignment,
    reason, secret_findings, vault_spec_of_any_retention,
};

/// What a task says that it did, or would do.
#[derive(Debug, Clone)]
pub struct Done {
    /// Whether all that was asked for is done.
    pub complete: bool,
    /// The whole result, by its `Debug`.
    pub result: String,
}

/// Runs a task in a mode; a refusal or failure as its text.
pub type Run = fn(ArmClient, Mode) -> BoxFuture<'static, Result<Done, String>>;

/// A task.
#[derive(Debug, Clone, Copy)]
pub struct TaskCase {
    /// What it does, as a clause.
    pub name: &'static str,
    /// Asks for it and runs it.
    pub run: Run,
}

async fn run<T, E>(
    task: impl Into<Task<T, E>>,
    mode: Mode,
    complete: impl FnOnce(&T) -> bool,
) -> Result<Done, String>
where
    T: std::fmt::Debug,
    E: std::fmt::Display,
{
    let result = task.into().in_mode(mode).await.map_err(|error| error.to_string())?;
    Ok(Done { complete: complete(&result), result: format!("{result:?}") })
}

fn yes<T>(_: &T) -> bool {
    true
}

macro_rules! cases {
    ($($name:literal: |$arm:ident, $mode:ident| $run:expr;)+) => {
        /// All of them.
        pub const TASKS: &[TaskCase] =
            &[$(TaskCase { name: $name, run: |$arm, $mode| Box::pin(async move { $run.await }) }),+];
    };
}

cases! {
    "a plan is turned on": |arm, mode| run(
        PricingClient::new(&arm)
            .enable(subscription(), &PlanName::VirtualMachines)
            .sub_plan(SubPlan::P2)
            .extension_with(
                ExtensionName::AgentlessVmScanning,
                json!({ "ExclusionTags": "[]" }).as_object().unwrap().clone(),
            ),
        mode,
        |done| done.is_complete(),
    );
    "a plan is turned off": |arm, mode| run(
        PricingClient::new(&arm).disable(subscription(), &PlanName::KeyVaults), mode, |done| done.is_complete(),
    );
    "a plan is put back": |arm, mode| run(
        PricingClient::new(&arm).restore(subscription(), &plan_before()), mode, |done| done.is_complete(),
    );
    "an automation is made": |arm, mode| run(
        AutomationsClient::new(&arm).ensure(&group(), &"kv".parse().unwrap(), &automation()), mode, yes,
    );
    "a rule is made": |arm, mode| run(
        QueryRulesClient::new(&arm).ensure(&group(), &"mass".parse().unwrap(), &rule()), mode, yes,
    );
    "people are told by mail": |arm, mode| run(
        ActionGroupsClient::new(&arm).ensure_mail(
            &group(),
            &"ag-soc".parse().unwrap(),
            "soc",
            &["soc@contoso.example".parse().unwrap(), "oncall@contoso.example".parse().unwrap()],
        ),
        mode,
        yes,
    );
    "a vault sends its audit log": |arm, mode| run(
        DiagnosticsClient::new(&arm).ensure(
            &resource("Microsoft.KeyVault/vaults/kv-prod"),
            &DiagnosticSpec::audit_to(&workspace("law-sec")).unwrap(),
        ),
        mode,
        yes,
    );
    "many vaults send their audit logs": |arm, mode| run(
        DiagnosticsClient::new(&arm).ensure_many(
            ["kv-prod", "kv-other", "kv-old"].map(|name| resource(&format!("Microsoft.KeyVault/vaults/{name}"))),
            &DiagnosticSpec::audit_to(&workspace("law-sec")).unwrap(),
        ),
        mode,
        |outcomes| outcomes.iter().all(|outcome| outcome.result.is_ok()),
    );
    "the coverage of vaults is mended": |arm, mode| run(
        CoverageClient::new(&arm).fix(&subscription(), &DiagnosticSpec::audit_to(&workspace("law-sec")).unwrap()),
        mode,
        |done| done.is_complete(),
    );
    "a vault is made": |arm, mode| run(VaultsClient::new(&arm).ensure(&vault("kv-new"), vault_spec()), mode, yes);
    "a vault is made or brought back": |arm, mode| run(
        VaultsClient::new(&arm).ensure(&vault("kv-new"), vault_spec_of_any_retention()).recover_deleted(), mode, yes,
    );
    "a vault is removed": |arm, mode| run(VaultsClient::new(&arm).remove(&vault("kv-old")), mode, yes);
    "a vault is removed for good": |arm, mode| run(
        VaultsClient::new(&arm).remove(&vault("kv-old")).purge(), mode, yes,
    );
    "a workspace is made": |arm, mode| run(
        WorkspacesClient::new(&arm).ensure(
            &workspace("law-new"),
            &WorkspaceSpec::builder().location("westeurope").retention_in_days(90).build(),
        ),
        mode,
        yes,
    );
    "a workspace is made or brought back": |arm, mode| run(
        WorkspacesClient::new(&arm)
            .ensure(&workspace("law-new"), &WorkspaceSpec::builder().location("westeurope").build())
            .recover_deleted(),
        mode,
        yes,
    );
    "a role is assigned": |arm, mode| run(
        RoleAssignmentsClient::new(&arm)
            .ensure(
                group(),
                RoleId::KEY_VAULT_SECRETS_USER,
                PERSON.parse().unwrap(),
            )
            .principal_type(PrincipalType::User)
            .description("for the lab"),
        mode,
        yes,
    );
    "a group is made": |arm, mode| run(
        ResourceGroupsClient::new(&arm).ensure(
            &subscription().resource_group("rg-new").unwrap(),
            ResourceGroupSpec::new("westeurope").tag("purpose", "lab"),
        ),
        mode,
        yes,
    );
    "a machine gets an identity": |arm, mode| run(
        VirtualMachinesClient::new(&arm).enable_system_identity(
            &resource("Microsoft.Compute/virtualMachines/vm-app").to_string().parse().unwrap(),
        ),
        mode,
        yes,
    );
    "a provider is registered": |arm, mode| run(
        ProvidersClient::new(&arm).ensure_registered(&subscription(), &"Microsoft.EventGrid".parse().unwrap()),
        mode,
        yes,
    );
    "alerts are resolved": |arm, mode| async move {
        let alerts = AlertsClient::new(&arm);
        let found = alerts.list(&subscription()).try_collect::<Vec<_>>().await.map_err(|error| error.to_string())?;
        let ids = found.into_iter().map(|alert| alert.id);
        run(alerts.set_status(ids, AlertAction::Resolve), mode, |report| report.is_complete()).await
    };
    "Sentinel is onboarded": |arm, mode| run(SentinelClient::new(&arm).onboard(&workspace("law-sec")), mode, yes);
    "Sentinel gets the alerts": |arm, mode| run(
        SentinelClient::new(&arm).connect_defender(&workspace("law-sec"), &subscription()), mode, yes,
    );
    "Sentinel gets rules for vaults": |arm, mode| run(
        SentinelClient::new(&arm).install_vault_rules(&workspace("law-sec")), mode, yes,
    );
    "secrets are seeded": |arm, mode| run(secrets(&arm).seed("lab", 3), mode, |report| report.is_complete());
    "secrets are swept": |arm, mode| run(
        secrets(&arm).sweep(AlertsExpected::confirmed()).listings(1).reads(2), mode, yes,
    );
    "secrets are cleaned up": |arm, mode| run(
        secrets(&arm).clean_up(["lab-1", "lab-2", "none"].map(|name| name.parse().unwrap())),
        mode,
        |report| report.is_complete(),
    );
    "secrets are cleaned up for good": |arm, mode| run(
        secrets(&arm).clean_up(["lab-1", "gone"].map(|name| name.parse().unwrap())).purge(),
        mode,
        |report| report.is_complete(),
    );
    "a secret is rotated": |arm, mode| run(
        secrets(&arm).rotate(&"db".parse().unwrap()).id("r-1").reason("a test"), mode, yes,
    );
    "old versions are disabled": |arm, mode| run(
        secrets(&arm).retire_old_versions(&"api-key".parse().unwrap()), mode, yes,
    );
    "secrets are rotated together": |arm, mode| async move {
        let rotations = ["api-key", "extra"].map(|name| {
            let rotate = secrets(&arm).rotate(&name.parse().unwrap()).id("r-2");
            if mode.is_dry_run() { rotate.dry_run() } else { rotate }
        });
        let mut outcomes: Vec<_> = rotate_many(rotations, 1).collect().await;
        outcomes.sort_by_key(|outcome| outcome.target.name.clone());
        let complete = outcomes.iter().all(|one| one.result.as_ref().is_ok_and(|done| done.is_complete()));
        Ok::<_, String>(Done { complete, result: format!("{outcomes:?}") })
    };
    "a secret's key is rotated where it was issued": |arm, mode| run(
        secrets(&arm).rotate(&"storage".parse().unwrap()).id("r-3").issuer(issuer(&arm)),
        mode,
        |rotation| rotation.is_complete(),
    );
    "old versions end": |arm, mode| async move {
        let name = "extra".parse().unwrap();
        let old = old_versions(&secrets(&arm), &name).await?;
        run(secrets(&arm).end_old_versions(&name, old), mode, |ended| ended.is_complete()).await
    };
    "old versions end with their keys": |arm, mode| async move {
        let name = "storage".parse().unwrap();
        let old = old_versions(&secrets(&arm), &name).await?;
        let task = secrets(&arm).end_old_versions(&name, old).issuer(issuer(&arm));
        run(task, mode, |ended| ended.is_complete()).await
    };
    "a finding is exempted": |arm, mode| async move {
        let finding = exposed_secret(&arm).await?;
        run(AssessmentsClient::new(&arm).exempt(&finding, reason()), mode, yes).await
    };
    "a finding of a policy is exempted": |arm, mode| run(
        AssessmentsClient::new(&arm).exempt(&firewall_finding(), reason()).policy(policy_assignment()), mode, yes,
    );
    "a finding gets an owner": |arm, mode| run(
        GovernanceAssignmentsClient::new(&arm).ensure(&firewall_finding(), "owner@contoso.example", due()), mode, yes,
    );
    "leaks that Defender found get an owner": |arm, mode| async move {
        let first = leaks::of_defender(&secret_findings(&arm).await?);
        let closed = leaks::close(&first, &LeakReport::default(), &Default::default());
        let task = LeaksClient::new(&arm).assign(&closed, due(), |_| Some("dev@contoso.example".to_owned()));
        run(task, mode, |outcomes| outcomes.iter().all(|outcome| outcome.result.is_ok())).await
    };
    "an attack is contained": |arm, mode| async move {
        let client = ContainmentsClient::new(&arm);
        let mut plan = containment();
        let secrets = client.plan(&vault("kv-prod")).disable_secrets(["extra".parse().unwrap()]);
        plan.secrets = secrets.await.map_err(|error| error.to_string())?.secrets;
        run(client.contain(&plan), mode, |done| done.is_complete()).await
    };
    "a containment is undone": |arm, mode| run(
        ContainmentsClient::new(&arm).undo(&containment()), mode, |done| done.is_complete(),
    );
}
