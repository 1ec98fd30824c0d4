"""The lab's calls with the Python SDKs, each answer checked."""

import logging
import os
import time
import uuid
from datetime import timedelta

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.security import SecurityCenter
from azure.mgmt.security.v2022_01_01.models import (
    AlertSimulatorBundlesRequestProperties,
    AlertSimulatorRequestBody,
)
from azure.mgmt.security.v2024_01_01.models import Pricing
from azure.monitor.query import LogsQueryClient, LogsQueryStatus
from steps import Steps

TENANT = os.environ["LAB_TENANT"]
SUBSCRIPTION = os.environ["LAB_SUBSCRIPTION"]
CLIENT_ID = os.environ["LAB_CLIENT_ID"]
PRINCIPAL = os.environ["LAB_PRINCIPAL"]

GROUP, VAULT, LOCATION = "rg-python", "kv-python-lab", "westeurope"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
GROUP_ID = f"{SCOPE}/resourceGroups/{GROUP}"
VAULT_ID = f"{GROUP_ID}/providers/Microsoft.KeyVault/vaults/{VAULT}"
SETTING_ID = f"{VAULT_ID}/providers/Microsoft.Insights/diagnosticSettings/to-law"

# The SDK does not know the tenant (type AAD) among the resource identifiers of an alert, and says so.
logging.getLogger("azure").setLevel(logging.ERROR)
step = Steps("python")
credential = ClientSecretCredential(TENANT, CLIENT_ID, "REDACTED")
authorization = AuthorizationManagementClient(credential, SUBSCRIPTION, api_version="2022-04-01")
graph = ResourceGraphClient(credential)
monitor = MonitorManagementClient(credential, SUBSCRIPTION)
resources = ResourceManagementClient(credential, SUBSCRIPTION, polling_interval=1)
secrets = SecretClient(f"https://{VAULT}.vault.azure.net", credential)
security = SecurityCenter(credential, SUBSCRIPTION, polling_interval=1)
vaults = KeyVaultManagementClient(credential, SUBSCRIPTION, polling_interval=1)
workspaces = LogAnalyticsManagementClient(credential, SUBSCRIPTION, polling_interval=1)


def settled(call):
    """Repeats a call while the vault is still busy with the one before; the SDK does not."""
    for _ in range(20):
        try:
            return call()
        except HttpResponseError as error:
            if error.status_code != 409:
                raise
            time.sleep(0.1)
    raise AssertionError("the vault stays busy")


@step("sign in")
def _():
    assert credential.get_token("https://management.azure.com/.default").token


@step("a resource group is created")
def _():
    group = resources.resource_groups.create_or_update(GROUP, {"location": LOCATION, "tags": {"lab": "python"}})
    assert group.properties.provisioning_state == "Succeeded"
    assert resources.resource_groups.check_existence(GROUP)


@step("the provider is registered")
def _():
    assert resources.providers.get("Microsoft.Security").registration_state == "Registered"


@step("plans are listed, KeyVaults and CloudPosture set and verified")
def _():
    before = {plan.name for plan in security.pricings.list(SCOPE.lstrip("/")).value}
    assert {"KeyVaults", "CloudPosture", "VirtualMachines"} <= before
    for plan in ("KeyVaults", "CloudPosture"):
        security.pricings.update(SCOPE.lstrip("/"), plan, Pricing(pricing_tier="Standard"))
        assert security.pricings.get(SCOPE.lstrip("/"), plan).pricing_tier == "Standard"


@step("Defender CSPM has its extensions on")
def _():
    plan = security.pricings.get(SCOPE.lstrip("/"), "CloudPosture")
    extensions = {extension.name: extension.is_enabled for extension in plan.extensions}
    assert extensions["AgentlessVmScanning"] == "True", extensions


@step("a vault is created")
def _():
    vault = vaults.vaults.begin_create_or_update(
        GROUP,
        VAULT,
        {
            "location": LOCATION,
            "properties": {
                "tenantId": TENANT,
                "sku": {"family": "A", "name": "standard"},
                "accessPolicies": [],
                "enableRbacAuthorization": True,
                "softDeleteRetentionInDays": 7,
            },
        },
    ).result()
    assert vault.properties.vault_uri == f"https://{VAULT}.vault.azure.net/"
    assert vault.properties.enabled_for_deployment is False and vault.system_data.created_at
    assert VAULT in [vault.name for vault in vaults.vaults.list_by_resource_group(GROUP)]


@step("without a role, a secret is refused")
def _():
    try:
        secrets.set_secret("test-secret-1", "one")
    except HttpResponseError as error:
        assert (error.status_code, error.error.innererror["code"]) == (403, "ForbiddenByRbac"), error
        return
    raise AssertionError("the secret was taken")


@step("Key Vault Administrator is assigned")
def _():
    [role] = authorization.role_definitions.list(VAULT_ID, filter="roleName eq 'Key Vault Administrator'")
    made = authorization.role_assignments.create(
        VAULT_ID,
        str(uuid.uuid4()),
        {"properties": {"roleDefinitionId": role.id, "principalId": PRINCIPAL, "principalType": "ServicePrincipal"}},
    )
    found = authorization.role_assignments.list_for_scope(VAULT_ID, filter=f"principalId eq '{PRINCIPAL}'")
    assert made.id in [assignment.id for assignment in found]


@step("30 secrets are set, listed over pages, and read")
def _():
    for number in range(1, 31):
        secrets.set_secret(f"test-secret-{number}", f"value-{number}", content_type="text/plain")
    pages = list(secrets.list_properties_of_secrets().by_page())
    assert len(pages) == 2 and sum(len(list(page)) for page in pages) == 30, len(pages)
    assert secrets.get_secret("test-secret-30").value == "value-30"


@step("a secret is rotated and its old version disabled")
def _():
    old = secrets.get_secret("test-secret-1")
    new = secrets.set_secret("test-secret-1", "new", tags={"rotated": "true"})
    secrets.update_secret_properties("test-secret-1", old.properties.version, enabled=False)
    versions = list(secrets.list_properties_of_secret_versions("test-secret-1"))
    assert [one.version for one in versions if one.enabled] == [new.properties.version]
    assert secrets.get_secret("test-secret-1").value == "new"
    try:
        secrets.get_secret("test-secret-1", old.properties.version)
    except HttpResponseError as error:
        assert (error.status_code, error.error.innererror["code"]) == (403, "SecretDisabled"), error
        return
    raise AssertionError("the disabled version was read")


@step("a secret is deleted, recovered, deleted and purged; backup is restored")
def _():
    copy = secrets.backup_secret("test-secret-2")
    deleted = secrets.begin_delete_secret("test-secret-2").result()
    assert deleted.scheduled_purge_date and deleted.recovery_id
    settled(lambda: secrets.begin_recover_deleted_secret("test-secret-2").wait())
    settled(lambda: secrets.begin_delete_secret("test-secret-2").wait())
    settled(lambda: secrets.purge_deleted_secret("test-secret-2"))
    assert settled(lambda: secrets.restore_secret_backup(copy)).name == "test-secret-2"


@step("a secret that is not there is 404")
def _():
    try:
        secrets.get_secret("nowhere")
    except ResourceNotFoundError as error:
        assert error.error.code == "SecretNotFound", error
        return
    raise AssertionError("it was found")


@step("sample alerts are simulated, triaged, dismissed and resolved")
def _():
    request = AlertSimulatorRequestBody(properties=AlertSimulatorBundlesRequestProperties(bundles=["KeyVaults"]))
    security.alerts.begin_simulate(LOCATION, request).result()
    samples = [alert for alert in security.alerts.list() if alert.alert_type.startswith("SIMULATED_KV_")]
    assert len(samples) == 5, len(samples)
    first, second = samples[:2]
    assert first.severity in ("Low", "Medium") and first.time_generated_utc and first.entities
    security.alerts.update_subscription_level_state_to_dismiss(LOCATION, first.name)
    security.alerts.update_subscription_level_state_to_resolve(LOCATION, second.name)
    assert security.alerts.get_subscription_level(LOCATION, first.name).status == "Dismissed"
    assert security.alerts.get_subscription_level(LOCATION, second.name).status == "Resolved"
    security.alerts.update_subscription_level_state_to_activate(LOCATION, first.name)
    assert security.alerts.get_subscription_level(LOCATION, first.name).status == "Active"


@step("recommendations and their metadata are listed")
def _():
    found = list(security.assessments.list(SCOPE.lstrip("/")))
    vault = [one for one in found if "microsoft.keyvault/vaults" in one.id.lower()]
    assert vault and {one.status.code for one in vault} >= {"Healthy", "Unhealthy"}
    metadata = {one.name: one for one in security.assessments_metadata.list()}
    diagnostics = metadata["88bbc99c-e5af-ddd7-6105-6150b2bfa519"]
    assert diagnostics.severity == "Low" and list(diagnostics.categories) == ["Data"]
    assert metadata["17618b1a-ed14-49bb-b37f-9f8ba967be8b"].preview is True
    assert security.assessments.get(vault[0].id.split("/providers/Microsoft.Security")[0].lstrip("/"), vault[0].name)


@step("retired sub-assessments are an empty list")
def _():
    assert list(security.sub_assessments.list_all(SCOPE.lstrip("/"))) == []


@step("secure scores and security contacts are listed")
def _():
    assert [score.name for score in security.secure_scores.list()] == ["ascScore"]
    assert list(security.security_contacts.list()) is not None


workspace = None


@step("a workspace is created")
def _():
    global workspace
    workspace = workspaces.workspaces.begin_create_or_update(
        GROUP, "law-python", {"location": LOCATION, "properties": {"retentionInDays": 30}}
    ).result()
    # The poller takes the workspace itself, at its Location, for the end: see README.md.
    for _ in range(10):
        if workspace.provisioning_state == "Succeeded":
            break
        time.sleep(0.2)
        workspace = workspaces.workspaces.get(GROUP, "law-python")
    assert workspace.customer_id and workspace.provisioning_state == "Succeeded"
    assert workspace.sku.last_sku_update and workspace.workspace_capping.quota_next_reset_time
    assert "law-python" in [one.name for one in workspaces.workspaces.list()]


@step("the vault's diagnostics go to the workspace")
def _():
    # azure-mgmt-monitor has them no longer; the client for resources of any type has.
    resources.resources.begin_create_or_update_by_id(
        SETTING_ID,
        {
            "properties": {
                "workspaceId": workspace.id,
                "logs": [{"category": "AuditEvent", "enabled": True}],
                "metrics": [{"category": "AllMetrics", "enabled": True}],
            }
        },
        api_version="2021-05-01-preview",
    ).result()
    setting = resources.resources.get_by_id(SETTING_ID, api_version="2021-05-01-preview").properties
    assert setting["workspaceId"] == workspace.id and setting["logs"][0]["enabled"] is True


@step("the vault's audit log is queried")
def _():
    names = [one.name for one in secrets.list_properties_of_secrets()]
    logs = LogsQueryClient(credential)
    query = "AzureDiagnostics | where OperationName == 'SecretList' | summarize Lists = count() by ResultSignature"
    answer = logs.query_workspace(workspace.customer_id, query, timespan=timedelta(hours=1))
    assert names and answer.status == LogsQueryStatus.SUCCESS
    [table] = answer.tables
    assert table.columns == ["ResultSignature", "Lists"] and table.rows[0]["Lists"] >= 2, table.rows


@step("an action group and a query rule are created")
def _():
    group = monitor.action_groups.create_or_update(
        GROUP,
        "ag-python",
        {
            "location": "Global",
            "properties": {
                "groupShortName": "agpy",
                "enabled": True,
                "emailReceivers": [
                    {"name": "security", "emailAddress": "security@contoso.example", "useCommonAlertSchema": True},
                    {"name": "operations", "emailAddress": "operations@contoso.example", "useCommonAlertSchema": True},
                ],
            },
        },
    )
    assert [one.status for one in group.email_receivers] == ["Enabled", "Enabled"]
    rule = monitor.scheduled_query_rules.create_or_update(
        GROUP,
        "forbidden-requests",
        {
            "location": LOCATION,
            "properties": {
                "severity": 2,
                "enabled": True,
                "scopes": [workspace.id],
                "evaluationFrequency": "PT5M",
                "windowSize": "PT15M",
                "criteria": {
                    "allOf": [
                        {
                            "query": "AzureDiagnostics | where ResultSignature == 'Forbidden'",
                            "timeAggregation": "Count",
                            "operator": "GreaterThan",
                            "threshold": 5,
                            "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
                        }
                    ]
                },
                "actions": {"actionGroups": [group.id]},
            },
        },
    )
    assert rule.window_size == timedelta(minutes=15) and rule.actions.action_groups == [group.id]
    assert "forbidden-requests" in [
        one.name for one in monitor.scheduled_query_rules.list_by_resource_group(GROUP)
    ]


@step("a workflow automation is validated, created and read back without its secret")
def _():
    from azure.mgmt.security.v2019_01_01_preview import models

    automation = models.Automation(
        location=LOCATION,
        is_enabled=True,
        scopes=[models.AutomationScope(description="all", scope_path=SCOPE)],
        sources=[
            models.AutomationSource(
                event_source="Alerts",
                rule_sets=[
                    models.AutomationRuleSet(
                        rules=[
                            models.AutomationTriggeringRule(
                                property_j_path="AlertType",
                                property_type="String",
                                expected_value="KV_",
                                operator="StartsWith",
                            )
                        ]
                    )
                ],
            )
        ],
        actions=[
            models.AutomationActionLogicApp(
                logic_app_resource_id=f"{GROUP_ID}/providers/Microsoft.Logic/workflows/respond",
                uri="https://prod-01.westeurope.logic.azure.com/workflows/x?sig=REDACTED",
            )
        ],
    )
    assert security.automations.validate(GROUP, "kv-response", automation).is_valid
    security.automations.create_or_update(GROUP, "kv-response", automation)
    [found] = security.automations.list_by_resource_group(GROUP)
    assert found.name == "kv-response" and found.actions[0].uri is None


@step("Resource Graph answers a query, page by page")
def _():
    answer = graph.resources(
        {
            "subscriptions": [SUBSCRIPTION],
            "query": "resources | where type =~ 'microsoft.keyvault/vaults' | project id, name | order by name asc",
            "options": {"resultFormat": "objectArray", "$top": 1},
        }
    )
    assert answer.count == 1 and answer.total_records >= 2 and answer.skip_token, answer
    paths = graph.resources(
        {
            "subscriptions": [SUBSCRIPTION],
            "query": "securityresources | where type == 'microsoft.security/attackpaths' | project properties.displayName",
        }
    )
    assert paths.total_records == 1


@step("cleanup: automation, rule, action group, setting, vault, group")
def _():
    security.automations.delete(GROUP, "kv-response")
    monitor.scheduled_query_rules.delete(GROUP, "forbidden-requests")
    monitor.action_groups.delete(GROUP, "ag-python")
    resources.resources.begin_delete_by_id(SETTING_ID, api_version="2021-05-01-preview").wait()
    vaults.vaults.delete(GROUP, VAULT)
    assert VAULT in [vault.name for vault in vaults.vaults.list_deleted()]
    vaults.vaults.begin_purge_deleted(VAULT, LOCATION).wait()
    workspaces.workspaces.begin_delete(GROUP, "law-python", force=True).wait()
    resources.resource_groups.begin_delete(GROUP).wait()
    assert not resources.resource_groups.check_existence(GROUP)
    assert VAULT not in [vault.name for vault in vaults.vaults.list_deleted()]


step.end()
