"""The worlds that scanners are given, and how they are made: by what anyone would send to Azure."""

import os
import time

import requests
from azure.identity import EnvironmentCredential

SUBSCRIPTION = "/subscriptions/" + os.environ["LAB_SUBSCRIPTION"]
GROUP = SUBSCRIPTION + "/resourceGroups/rg-lab"
VAULT = GROUP + "/providers/Microsoft.KeyVault/vaults/kv-lab"
SECURITY = SUBSCRIPTION + "/providers/Microsoft.Security"
WORKSPACE = GROUP + "/providers/Microsoft.OperationalInsights/workspaces/law-lab"

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


def nothing_in_order():
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


def all_in_order():
    for plan in PLANS:
        if plan != "Dns":
            put(f"{SECURITY}/pricings/{plan}", "2024-01-01", {"pricingTier": "Standard"})
    for setting in ("MCAS", "WDATP"):
        put(f"{SECURITY}/settings/{setting}", "2022-05-01", {"enabled": True}, kind="DataExportSettings")
    put(f"{SECURITY}/autoProvisioningSettings/default", "2017-08-01-preview", {"autoProvision": "On"})
    put(f"{SECURITY}/securityContacts/default", "2023-12-01-preview", {
        "isEnabled": True, "emails": "security@contoso.example", "phone": "+1-555-0100", "notificationsByRole": {"state": "On", "roles": ["Owner"]},
        "notificationsSources": [{"sourceType": "AttackPath", "minimalRiskLevel": "Low"}, {"sourceType": "Alert", "minimalSeverity": "High"}]})
    send("DELETE", SUBSCRIPTION + "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000aaaa", "2022-04-01")
    put(WORKSPACE, "2023-09-01", {"sku": {"name": "PerGB2018"}}, location="westeurope")
    put(VAULT + "/providers/Microsoft.Insights/diagnosticSettings/audit", "2021-05-01-preview",
        {"workspaceId": WORKSPACE, "logs": [{"category": "AuditEvent", "enabled": True}]})
    put(SUBSCRIPTION + "/providers/Microsoft.Insights/diagnosticSettings/activity", "2021-05-01-preview",
        {"workspaceId": WORKSPACE, "logs": [{"category": name, "enabled": True} for name in ("Administrative", "Security", "Alert", "Policy")]})
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
