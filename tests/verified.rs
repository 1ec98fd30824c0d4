//! A service can take a write and ignore part of it. For every task and every member that it writes: the
//! member is taken out of the request on its way, and a task that then reports success must be right.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on fails

use std::sync::{Arc, Mutex};

use arm_core::{ArmClient, ArmOptions, ResourceGroupId, ResourceId, Scope, SubscriptionId, Wish};
use async_trait::async_trait;
use azure_core::{
    Result,
    http::{
        Body, Context, Method, Request,
        policies::{Policy, PolicyResult},
    },
};
use defender_automation::{Action, AutomationSpec, AutomationsClient};
use defender_pricing::{ExtensionName, PlanName, PricingClient};
use futures::future::BoxFuture;
use keyvault_ops::{NetworkRules, VaultId, VaultSpec, VaultsClient};
use mock_azure::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, MockAzure, Seed};
use monitor_ops::{
    ActionGroupsClient, DiagnosticSpec, DiagnosticsClient, QueryRule, QueryRulesClient, WorkspaceId,
    WorkspaceSpec, WorkspacesClient,
};
use resource_ops::{
    PrincipalType, ResourceGroupSpec, ResourceGroupsClient, RoleAssignmentsClient, RoleId,
    VirtualMachinesClient,
};
use serde_json::{Value, json};

/// Takes a member out of the bodies of PUT and PATCH, and keeps those bodies as they were meant.
#[derive(Debug, Default)]
struct Ignoring {
    member: Option<String>,
    meant: Mutex<Vec<(String, Value)>>,
}

#[async_trait]
impl Policy for Ignoring {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if let (Method::Put | Method::Patch, Body::Bytes(bytes)) = (request.method(), request.body())
            && let Ok(mut body) = serde_json::from_slice::<Value>(bytes)
        {
            self.meant.lock().unwrap().push((request.url().path().to_owned(), body.clone()));
            if self.member.as_ref().is_some_and(|member| remove(&mut body, member)) {
                request.set_body(body.to_string());
            }
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}

fn remove(body: &mut Value, pointer: &str) -> bool {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent) {
        Some(Value::Object(members)) => members.remove(name).is_some(),
        Some(Value::Array(items)) => name.parse().is_ok_and(|at: usize| {
            at < items.len() && {
                items.remove(at);
                true
            }
        }),
        _ => false,
    }
}

/// Every member of a body, whole ones and their parts.
fn members(body: &Value, at: &str, all: &mut Vec<String>) {
    let mut each = |name: String, value: &Value| {
        let pointer = format!("{at}/{name}");
        members(value, &pointer, all);
        all.push(pointer);
    };
    match body {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| each(name.clone(), value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| each(at.to_string(), value));
        }
        _ => {}
    }
}

/// A task, and whether it says that all it was asked for is done.
type Run = fn(ArmClient) -> BoxFuture<'static, Result<bool>>;

struct Case {
    name: &'static str,
    run: Run,
    /// What the service decides by itself, whatever is written.
    of_the_service: &'static [&'static str],
}

fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

fn group() -> ResourceGroupId {
    subscription().resource_group("rg-sec").unwrap()
}

fn resource(text: &str) -> ResourceId {
    format!("{}/providers/{text}", group()).parse().unwrap()
}

fn workspace(name: &str) -> WorkspaceId {
    WorkspaceId::new(&group(), name).unwrap()
}

fn seed() -> Seed {
    mock_azure::fast_forward();
    MockAzure::seed()
        .workspace(subscription(), "rg-sec", "law-sec")
        .vault(subscription(), "rg-sec", "kv-prod")
        .virtual_machine(subscription(), "rg-sec", "vm-app")
}

fn cases() -> Vec<Case> {
    let case = |name, run| Case { name, run, of_the_service: &[] };
    vec![
        case("a plan is turned on", |arm| {
            Box::pin(async move {
                let done = PricingClient::new(&arm)
                    .enable(subscription(), &PlanName::VirtualMachines)
                    .sub_plan(defender_pricing::SubPlan::P2)
                    .extension_with(
                        ExtensionName::AgentlessVmScanning,
                        json!({ "ExclusionTags": "[]" }).as_object().unwrap().clone(),
                    )
                    .await?;
                Ok(done.is_complete())
            })
        }),
        case("an automation is made", |arm| {
            Box::pin(async move {
                let flow =
                    Action::logic_app(&resource("Microsoft.Logic/workflows/flow"), "https://flow.example/x");
                let mut spec = AutomationSpec::key_vault_response("westeurope", &subscription(), [flow]);
                spec.description = Some("answers Key Vault alerts".to_owned());
                spec.tags.insert("purpose".to_owned(), "lab".to_owned());
                AutomationsClient::new(&arm).ensure(&group(), &"kv".parse().unwrap(), &spec).await?;
                Ok(true)
            })
        }),
        case("a rule is made", |arm| {
            Box::pin(async move {
                let groups = [resource("Microsoft.Insights/actionGroups/ag-soc")];
                let rule = QueryRule::mass_secret_reading(&workspace("law-sec"), "westeurope", 10)
                    .notifying(&groups);
                QueryRulesClient::new(&arm).ensure(&group(), &"mass".parse().unwrap(), &rule).await?;
                Ok(true)
            })
        }),
        case("people are told by mail", |arm| {
            Box::pin(async move {
                let addresses =
                    ["soc@contoso.example".parse().unwrap(), "oncall@contoso.example".parse().unwrap()];
                let client = ActionGroupsClient::new(&arm);
                client.ensure_mail(&group(), &"ag-soc".parse().unwrap(), "soc", &addresses).await?;
                Ok(true)
            })
        }),
        case("a vault sends its audit log", |arm| {
            Box::pin(async move {
                let spec = DiagnosticSpec::audit_to(&workspace("law-sec"))?;
                DiagnosticsClient::new(&arm)
                    .ensure(&resource("Microsoft.KeyVault/vaults/kv-prod"), &spec)
                    .await?;
                Ok(true)
            })
        }),
        case("a vault is made", |arm| {
            Box::pin(async move {
                let spec = VaultSpec::builder()
                    .location("westeurope")
                    .tenant_id(DEFAULT_TENANT)
                    .soft_delete_retention_in_days(7_u16)
                    .enable_purge_protection(true)
                    .network_acls(NetworkRules::only(["203.0.113.7"]))
                    .tags([("purpose".to_owned(), "lab".to_owned())])
                    .build();
                VaultsClient::new(&arm).ensure(&VaultId::new(&group(), &"kv-new".parse()?)?, spec).await?;
                Ok(true)
            })
        }),
        case("a workspace is made", |arm| {
            Box::pin(async move {
                let spec = WorkspaceSpec::builder().location("westeurope").retention_in_days(90).build();
                WorkspacesClient::new(&arm).ensure(&workspace("law-new"), &spec).await?;
                Ok(true)
            })
        }),
        case("a role is assigned", |arm| {
            Box::pin(async move {
                let principal = "00000000-0000-0000-0000-0000000000b1".parse().unwrap();
                RoleAssignmentsClient::new(&arm)
                    .ensure(group(), RoleId::KEY_VAULT_SECRETS_USER, principal)
                    .principal_type(PrincipalType::User)
                    .description("for the lab")
                    .await?;
                Ok(true)
            })
        }),
        case("a group is made", |arm| {
            Box::pin(async move {
                let spec = ResourceGroupSpec::new("westeurope").tag("purpose", "lab");
                let new = subscription().resource_group("rg-new")?;
                ResourceGroupsClient::new(&arm).ensure(&new, spec).await?;
                Ok(true)
            })
        }),
        case("a machine gets an identity", |arm| {
            Box::pin(async move {
                let machine =
                    resource("Microsoft.Compute/virtualMachines/vm-app").to_string().parse().unwrap();
                VirtualMachinesClient::new(&arm).enable_system_identity(&machine).await?;
                Ok(true)
            })
        }),
    ]
}

/// Runs a task against a service that ignores a member; what it meant to write, and what it says.
async fn run(azure: &MockAzure, task: Run, member: Option<&str>) -> (Vec<(String, Value)>, Result<bool>) {
    let ignoring = Arc::new(Ignoring { member: member.map(str::to_owned), meant: Mutex::default() });
    let mut options = azure.client_options();
    options.per_try_policies.push(ignoring.clone());
    let outcome = task(ArmClient::new(azure.credential(), ArmOptions::from(options)).unwrap()).await;
    let meant = ignoring.meant.lock().unwrap().clone();
    (meant, outcome)
}

/// What is stored at a path, by the api-version of the request that wrote it.
async fn stored(azure: &MockAzure, path: &str) -> Value {
    let version = azure
        .requests()
        .into_iter()
        .rev()
        .find(|request| request.path == path && matches!(request.method.as_str(), "PUT" | "PATCH"))
        .and_then(|request| request.query("api-version").map(str::to_owned))
        .unwrap();
    let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
    let id: Scope = path.parse().unwrap();
    arm.get(&id, String::leak(version) as &'static str).json().await.unwrap()
}

#[tokio::test]
async fn a_task_reports_no_success_when_the_service_ignored_what_it_wrote() {
    let (mut found_out, mut unnoticed) = (0, Vec::new());
    for case in cases() {
        let azure = seed().start().await;
        let (meant, outcome) = run(&azure, case.run, None).await;
        assert!(outcome.unwrap_or_else(|error| panic!("{}: {error}", case.name)), "{}", case.name);
        let (path, body) = meant.last().unwrap_or_else(|| panic!("{} wrote nothing", case.name)).clone();
        let whole = stored(&azure, &path).await;
        let mut all = Vec::new();
        members(&body, "", &mut all);
        assert!(!all.is_empty());
        for member in all {
            let azure = seed().start().await;
            let (_, outcome) = run(&azure, case.run, Some(&member)).await;
            if !matches!(outcome, Ok(true)) {
                found_out += 1;
                continue;
            }
            // It says that all is done: then all must be as without the accident, where the task had a say.
            let now = stored(&azure, &path).await;
            let wished = pick(&body, &member);
            let (expected, found) = (said(&whole, &wished), said(&now, &wished));
            let differs = Wish::new().ignoring(case.of_the_service).unmet(&expected, &found);
            if !differs.is_empty() {
                unnoticed.push(format!("{}: {member}: {differs:?}", case.name));
            }
        }
    }
    assert!(unnoticed.is_empty(), "ignored, and called done:\n{}", unnoticed.join("\n"));
    assert!(found_out > 40, "only {found_out} accidents were found out");
}

/// The member alone, in its place.
fn pick(body: &Value, pointer: &str) -> Value {
    let mut names = pointer.split('/').skip(1).collect::<Vec<_>>();
    // Items of a list are judged with their list.
    if let Some(at) = names.iter().position(|name| name.parse::<usize>().is_ok()) {
        names.truncate(at);
    }
    let value = body.pointer(&format!("/{}", names.join("/"))).cloned().unwrap_or_default();
    names.iter().rev().fold(value, |value, name| json!({ *name: value }))
}

/// The part of a resource that a wish speaks of.
fn said(resource: &Value, wish: &Value) -> Value {
    match (resource, wish) {
        (Value::Object(fields), Value::Object(wish)) => {
            let part = |(name, wish): (&String, &Value)| Some((name.clone(), said(fields.get(name)?, wish)));
            Value::Object(wish.iter().filter_map(part).collect())
        }
        (resource, _) => resource.clone(),
    }
}
