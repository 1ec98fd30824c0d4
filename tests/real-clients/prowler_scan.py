#!/usr/bin/env python3
"""Prowler scans two worlds, one in which nothing is in order and one in which it is; what it concludes has to follow the world."""

import collections
import csv
import glob
import os
import subprocess
import sys
import tempfile
import time

import requests
from azure.identity import EnvironmentCredential
from steps import Steps

step = Steps("prowler")
SUBSCRIPTION = "/subscriptions/" + os.environ["LAB_SUBSCRIPTION"]
GROUP = SUBSCRIPTION + "/resourceGroups/rg-lab"
VAULT = GROUP + "/providers/Microsoft.KeyVault/vaults/kv-lab"
SECURITY = SUBSCRIPTION + "/providers/Microsoft.Security"
PLANS = ["VirtualMachines", "SqlServers", "AppServices", "StorageAccounts", "SqlServerVirtualMachines", "KeyVaults", "Arm",
         "OpenSourceRelationalDatabases", "CosmosDbs", "Containers", "CloudPosture", "Dns"]
ALERTS = {
    "create-policy": "Microsoft.Authorization/policyAssignments/write",
    "delete-policy": "Microsoft.Authorization/policyAssignments/delete",
    "write-nsg": "Microsoft.Network/networkSecurityGroups/write",
    "delete-nsg": "Microsoft.Network/networkSecurityGroups/delete",
    "write-ip": "Microsoft.Network/publicIPAddresses/write",
    "delete-ip": "Microsoft.Network/publicIPAddresses/delete",
    "write-solution": "Microsoft.Security/securitySolutions/write",
    "delete-solution": "Microsoft.Security/securitySolutions/delete",
    "write-sql": "Microsoft.Sql/servers/firewallRules/write",
    "delete-sql": "Microsoft.Sql/servers/firewallRules/delete",
}

# What each check has to say of the first world and of the second. The checks of machines, networks and containers need what
# neither world has, and say nothing, or the same of both.
EXPECTED = {
    "defender_ensure_defender_for_server_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_app_services_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_arm_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_azure_sql_databases_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_containers_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_cosmosdb_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_databases_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_keyvault_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_os_relational_databases_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_sql_servers_is_on": ("FAIL", "PASS"),
    "defender_ensure_defender_for_storage_is_on": ("FAIL", "PASS"),
    "defender_auto_provisioning_log_analytics_agent_vms_on": ("FAIL", "PASS"),
    "defender_ensure_mcas_is_enabled": ("FAIL", "PASS"),
    "defender_ensure_wdatp_is_enabled": ("FAIL", "PASS"),
    # Prowler takes a contact without an address for one.
    "defender_additional_email_configured_with_a_security_contact": ("PASS", "PASS"),
    "defender_ensure_notify_alerts_severity_is_high": ("FAIL", "PASS"),
    "defender_ensure_notify_emails_to_owners": ("FAIL", "PASS"),
    "defender_attack_path_notifications_properly_configured": ("FAIL", "PASS"),
    "keyvault_logging_enabled": ("FAIL", "PASS"),
    "keyvault_rbac_secret_expiration_set": ("FAIL", "PASS"),
    "keyvault_rbac_key_expiration_set": ("FAIL", "PASS"),
    "keyvault_key_rotation_enabled": ("FAIL", "PASS"),
    "keyvault_recoverable": ("FAIL", "PASS"),
    "keyvault_rbac_enabled": ("PASS", "PASS"),
    "keyvault_private_endpoints": ("FAIL", "FAIL"),
    "iam_role_user_access_admin_restricted": ("FAIL", "PASS"),
    "monitor_alert_create_policy_assignment": ("FAIL", "PASS"),
    "monitor_alert_delete_policy_assignment": ("FAIL", "PASS"),
    "monitor_alert_create_update_nsg": ("FAIL", "PASS"),
    "monitor_alert_delete_nsg": ("FAIL", "PASS"),
    "monitor_alert_create_update_public_ip_address_rule": ("FAIL", "PASS"),
    "monitor_alert_delete_public_ip_address_rule": ("FAIL", "PASS"),
    "monitor_alert_create_update_security_solution": ("FAIL", "PASS"),
    "monitor_alert_delete_security_solution": ("FAIL", "PASS"),
    "monitor_alert_create_update_sqlserver_fr": ("FAIL", "PASS"),
    "monitor_alert_delete_sqlserver_fr": ("FAIL", "PASS"),
    "monitor_alert_service_health_exists": ("FAIL", "PASS"),
    "monitor_diagnostic_setting_with_appropriate_categories": ("FAIL", "PASS"),
    "monitor_diagnostic_settings_exists": ("FAIL", "PASS"),
}

credential = EnvironmentCredential()


def send(method, url, version, body=None):
    audience = "https://vault.azure.net" if ".vault." in url else "https://management.azure.com"
    if url.startswith("/"):
        url = "https://management.azure.com" + url
    token = credential.get_token(audience + "/.default").token
    answer = requests.request(method, url, params={"api-version": version}, json=body, headers={"Authorization": "Bearer " + token}, timeout=60)
    answer.raise_for_status()
    return answer


def put(path, version, properties, **others):
    return send("PUT", path, version, {"properties": properties, **others})


def alert(name, conditions):
    put(f"{GROUP}/providers/Microsoft.Insights/activityLogAlerts/{name}", "2020-10-01",
        {"scopes": [SUBSCRIPTION], "condition": {"allOf": conditions}, "enabled": True}, location="Global")


def scan():
    with tempfile.TemporaryDirectory() as folder:
        prowler = os.path.join(os.path.dirname(sys.executable), "prowler")
        services = ["defender", "keyvault", "monitor", "iam"]
        command = [prowler, "azure", "--sp-env-auth", "--services", *services, "--no-banner", "-M", "csv", "-o", folder]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=900)
        # 3: it ran to its end and has something to object to.
        assert ended.returncode in (0, 3), ended.stdout[-2000:] + ended.stderr[-2000:]
        assert "Traceback" not in ended.stdout + ended.stderr, ended.stderr[-2000:]
        said = collections.defaultdict(set)
        with open(glob.glob(folder + "/*.csv")[0]) as file:
            for row in csv.DictReader(file, delimiter=";"):
                said[row["CHECK_ID"]].add(row["STATUS"])
        # One thing out of order is enough.
        return {check: "FAIL" if "FAIL" in statuses else "PASS" for check, statuses in said.items()}


def compare(said, world):
    wrong = {check: (said.get(check), expected[world]) for check, expected in EXPECTED.items() if said.get(check) != expected[world]}
    assert not wrong, wrong
    assert len(said) >= len(EXPECTED), said


@step("a world in which nothing is in order")
def _():
    for plan in PLANS:
        if plan not in ("Dns",):
            put(f"{SECURITY}/pricings/{plan}", "2024-01-01", {"pricingTier": "Free"})
    for setting in ("MCAS", "WDATP"):
        put(f"{SECURITY}/settings/{setting}", "2022-05-01", {"enabled": False}, kind="DataExportSettings")
    put(f"{SECURITY}/securityContacts/default", "2023-12-01-preview", {
        "isEnabled": True, "emails": "", "phone": "", "notificationsByRole": {"state": "Off", "roles": []},
        "notificationsSources": [{"sourceType": "AttackPath", "minimalRiskLevel": "Critical"}]})
    send("POST", "https://kv-lab.vault.azure.net/keys/signing/create", "7.5", {"kty": "EC", "crv": "P-256"})
    definition = SUBSCRIPTION + "/providers/Microsoft.Authorization/roleDefinitions/18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
    put(SUBSCRIPTION + "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000aaaa", "2022-04-01",
        {"roleDefinitionId": definition, "principalId": os.environ["LAB_PRINCIPAL"], "principalType": "ServicePrincipal"})


@step("each conclusion on it")
def _():
    compare(scan(), 0)


@step("a world in which all is in order")
def _():
    for plan in PLANS:
        if plan != "Dns":
            put(f"{SECURITY}/pricings/{plan}", "2024-01-01", {"pricingTier": "Standard"})
    for setting in ("MCAS", "WDATP"):
        put(f"{SECURITY}/settings/{setting}", "2022-05-01", {"enabled": True}, kind="DataExportSettings")
    put(f"{SECURITY}/autoProvisioningSettings/default", "2017-08-01-preview", {"autoProvision": "On"})
    put(f"{SECURITY}/securityContacts/default", "2023-12-01-preview", {
        "isEnabled": True, "emails": "security@contoso.example", "phone": "", "notificationsByRole": {"state": "On", "roles": ["Owner"]},
        "notificationsSources": [{"sourceType": "AttackPath", "minimalRiskLevel": "Low"}, {"sourceType": "Alert", "minimalSeverity": "High"}]})
    send("DELETE", SUBSCRIPTION + "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000aaaa", "2022-04-01")
    workspace = GROUP + "/providers/Microsoft.OperationalInsights/workspaces/law-lab"
    put(workspace, "2023-09-01", {"sku": {"name": "PerGB2018"}}, location="westeurope")
    put(VAULT + "/providers/Microsoft.Insights/diagnosticSettings/audit", "2021-05-01-preview",
        {"workspaceId": workspace, "logs": [{"category": "AuditEvent", "enabled": True}]})
    put(SUBSCRIPTION + "/providers/Microsoft.Insights/diagnosticSettings/activity", "2021-05-01-preview",
        {"workspaceId": workspace, "logs": [{"category": name, "enabled": True} for name in ("Administrative", "Security", "Alert", "Policy")]})
    send("PATCH", VAULT, "2023-07-01", {"properties": {"enablePurgeProtection": True}})
    end = int(time.time()) + 90 * 24 * 3600
    for secret in ("db-password", "api-key"):
        send("PATCH", f"https://kv-lab.vault.azure.net/secrets/{secret}", "7.5", {"attributes": {"exp": end}})
    send("PATCH", "https://kv-lab.vault.azure.net/keys/signing", "7.5", {"attributes": {"exp": end}})
    rotate = {"trigger": {"timeAfterCreate": "P60D"}, "action": {"type": "Rotate"}}
    send("PUT", "https://kv-lab.vault.azure.net/keys/signing/rotationpolicy", "7.5",
         {"lifetimeActions": [rotate], "attributes": {"expiryTime": "P90D"}})
    for name, operation in ALERTS.items():
        alert(name, [{"field": "category", "equals": "Administrative"}, {"field": "operationName", "equals": operation}])
    alert("health", [{"field": "category", "equals": "ServiceHealth"}, {"field": "properties.incidentType", "equals": "Incident"}])


@step("each conclusion on that one")
def _():
    compare(scan(), 1)


step.end()
