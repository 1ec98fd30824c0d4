#!/usr/bin/env python3
"""Cloud Custodian's policies on two worlds, one in which nothing is in order and one in which it is; what each finds has to follow the world."""

import json
import os
import subprocess
import sys
import tempfile
import time

import lab
from lab import GROUP, VAULT, put, send
from steps import Steps

step = Steps("custodian")


def value(key, wanted, op="eq"):
    return {"type": "value", "key": key, "op": op, "value": wanted}


def absent(key):
    return value(key, "absent")


# Each policy with its resource and filters; how many resources it finds in the first world and in the second.
POLICIES = {
    "vault-not-purge-protected": ("keyvault", [value("properties.enablePurgeProtection", True, "ne")], 1, 0),
    "vault-by-access-policies": ("keyvault", [value("properties.enableRbacAuthorization", True, "ne")], 1, 0),
    "vault-open-to-all": ("keyvault", [value("properties.networkAcls.defaultAction", "Deny", "ne")], 1, 0),
    "vault-without-log": ("keyvault", [{"not": [{"type": "diagnostic-settings", "key": "logs[?category == 'AuditEvent'][].enabled",
                                                 "op": "in", "value": True, "value_type": "swap"}]}], 1, 0),
    "vault-without-owner": ("keyvault", [{"tag:owner": "absent"}], 1, 0),
    "vault-not-locked": ("keyvault", [{"not": [{"type": "resource-lock", "lock-type": "CanNotDelete"}]}], 1, 0),
    "vault-in-use": ("keyvault", [{"type": "metric", "metric": "ServiceApiHit", "aggregation": "count", "op": "gt", "threshold": 60, "timeframe": 24}], 0, 1),
    "key-without-end": ("keyvault-key", [absent("attributes.data.exp")], 1, 0),
    "secret-without-end": ("keyvault-secret", [absent("attributes.expires")], 2, 0),
    "certificate-that-ends-soon": ("keyvault-certificate", [{"type": "value", "key": "attributes.data.exp", "value_type": "expiration", "op": "lt", "value": 45}], 1, 0),
    "plan-off": ("defender-pricing", [value("name", ["KeyVaults", "Arm", "StorageAccounts"], "in"), value("properties.pricingTier", "Free")], 3, 0),
    "setting-off": ("defender-setting", [value("name", ["MCAS", "WDATP"], "in"), value("properties.enabled", False)], 2, 0),
    "agent-not-provisioned": ("defender-autoprovisioning", [value("properties.autoProvision", "Off")], 1, 0),
    "contact-without-address": ("defender-contact", [value("properties.emails", "")], 1, 0),
    "alert-on-changed-policies": ("alert-logs", [value("name", "create-policy")], 0, 1),
    "group-not-locked": ("resourcegroup", [{"not": [{"type": "resource-lock", "lock-type": "CanNotDelete"}]}], 1, 0),
    "role-that-allows-all": ("roledefinition", [value("properties.roleName", "Owner"), value("properties.permissions[0].actions", "*", "contains")], 1, 1),
}


def run():
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "policies.json")
        with open(file, "w") as out:
            json.dump({"policies": [{"name": name, "resource": "azure." + kind, "filters": filters} for name, (kind, filters, _, _) in POLICIES.items()]}, out)
        custodian = os.path.join(os.path.dirname(sys.executable), "custodian")
        ended = subprocess.run([custodian, "run", "--cache-period", "0", "-s", folder, file], capture_output=True, text=True, timeout=900)
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
        found = {}
        for name in POLICIES:
            with open(os.path.join(folder, name, "resources.json")) as resources:
                found[name] = len(json.load(resources))
        return found


def compare(found, world):
    wrong = {name: (found[name], policy[2 + world]) for name, policy in POLICIES.items() if found[name] != policy[2 + world]}
    assert not wrong, wrong


def certificate(months):
    policy = {"issuer": {"name": "Self"}, "key_props": {"kty": "EC", "crv": "P-256"}, "x509_props": {"subject": "CN=web", "validity_months": months}}
    at = "https://kv-lab.vault.azure.net/certificates/web"
    send("POST", at + "/create", "7.5", {"policy": policy})
    while send("GET", at + "/pending", "7.5").json()["status"] == "inProgress":
        time.sleep(0.1)


@step("a world in which nothing is in order")
def _():
    lab.nothing_in_order()
    certificate(1)
    send("PATCH", VAULT, "2023-07-01", {"properties": {"enableRbacAuthorization": False, "accessPolicies": [{
        "tenantId": os.environ["AZURE_TENANT_ID"], "objectId": os.environ["LAB_PRINCIPAL"],
        "permissions": {"keys": ["all"], "secrets": ["all"], "certificates": ["all"]}}]}})


@step("each conclusion on it")
def _():
    compare(run(), 0)


@step("a world in which all is in order")
def _():
    send("PATCH", VAULT, "2023-07-01", {"properties": {"enableRbacAuthorization": True}, "tags": {"owner": "soc"}})
    lab.all_in_order()
    certificate(24)
    for scope in (VAULT, GROUP):
        put(scope + "/providers/Microsoft.Authorization/locks/keep", "2016-09-01", {"level": "CanNotDelete"})
    for _ in range(60):
        send("GET", "https://kv-lab.vault.azure.net/secrets/api-key", "7.5")
    address = send("GET", "https://kv-lab.vault.azure.net/secrets", "7.5").headers["x-ms-keyvault-network-info"].split("addr=")[1].split(";")[0]
    send("PATCH", VAULT, "2023-07-01", {"properties": {"networkAcls": {"defaultAction": "Deny", "bypass": "None", "ipRules": [{"value": address}]}}})


@step("each conclusion on that one")
def _():
    compare(run(), 1)


step.end()
