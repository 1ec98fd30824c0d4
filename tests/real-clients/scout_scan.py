#!/usr/bin/env python3
"""ScoutSuite scans two worlds, one in which nothing is in order and one in which it is; what it concludes has to follow the world."""

import glob
import json
import os
import subprocess
import sys
import tempfile

import lab
from steps import Steps

step = Steps("scoutsuite")

SERVICES = ["keyvault", "loggingmonitoring", "rbac", "securitycenter"]


def scan():
    with tempfile.TemporaryDirectory() as folder:
        scout = os.path.join(os.path.dirname(sys.executable), "scout")
        who = ["--tenant", os.environ["AZURE_TENANT_ID"], "--client-id", os.environ["AZURE_CLIENT_ID"], "--client-secret", os.environ["AZURE_CLIENT_SECRET"]]
        command = [scout, "azure", "--service-principal", *who, "--subscriptions", os.environ["LAB_SUBSCRIPTION"], "--services", *SERVICES,
                   "--no-browser", "--report-dir", folder]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=900)
        # 200: it ran to its end and has something to object to.
        assert ended.returncode in (0, 200), ended.stdout[-2000:] + ended.stderr[-2000:]
        with open(glob.glob(folder + "/scoutsuite-results/scoutsuite_results*.js")[0]) as file:
            results = json.loads(file.read().split("=", 1)[1])
        found = {}
        for service in SERVICES:
            for name, finding in results["services"][service]["findings"].items():
                found[name] = finding["flagged_items"], finding["checked_items"]
        return found


# How many of its resources each finding names in the first world and in the second.
EXPECTED = {
    "create_update_NSG_exist": (1, 0),
    "create_update_NSG_rule_exist": (1, 0),
    "create_update_security_solution_exist": (1, 0),
    "create_delete_firewall_rule_exist": (1, 0),
    "delete_NSG_exist": (1, 0),
    "delete_NSG_rule_exist": (1, 0),
    "delete_security_solution_exist": (1, 0),
    "logging-monitoring-log-alert-not-exist-create-policy-assignment": (1, 0),
    "logging-monitoring-profile-does-not-capture-all-activities": (1, 0),
    "keyvault-not-recoverable": (1, 0),
    "keyvault-public-traffic-allowed": (1, 0),
    "keyvault-rbac-authorization-disabled": (1, 0),
    "rbac-custom-subscription-owner-role-not-allowed": (0, 0),
    # A role for locks would be one of one's own, of which the double has none.
    "rbac-administering-resource-locks-assigned": (1, 1),
    # ScoutSuite compares 'Off' with 'false'.
    "securitycenter-auto-provisioning-off": (0, 0),
    "securitycenter-security-contacts-email-not-set": (1, 0),
    "securitycenter-security-contacts-no-admin-email-notifications": (1, 0),
    "securitycenter-security-contacts-no-email-notifications": (1, 0),
    "securitycenter-security-contacts-not-set": (0, 0),
    "securitycenter-security-contacts-phone-not-set": (1, 0),
    "securitycenter-settings-MCAS-integration-disabled": (1, 0),
    "securitycenter-settings-WDATP-integration-disabled": (1, 0),
    # In the second world, the plans that are turned on there are on.
    "securitycenter-standard-tier-not-enabled": (16, 5),
}

PROFILE = lab.SUBSCRIPTION + "/providers/Microsoft.Insights/logprofiles/default"


def compare(found, world):
    wrong = {name: (found.get(name), expected[world]) for name, expected in EXPECTED.items() if found.get(name, (None,))[0] != expected[world]}
    assert not wrong, wrong
    assert set(found) == set(EXPECTED), set(found) ^ set(EXPECTED)


def profile(categories):
    lab.put(PROFILE, "2016-03-01", {"locations": ["global"], "categories": categories, "retentionPolicy": {"enabled": False, "days": 0},
                                    "storageAccountId": lab.GROUP + "/providers/Microsoft.Storage/storageAccounts/logs"}, location="")


def guard(rbac, action):
    lab.send("PATCH", lab.VAULT, "2023-07-01", {"properties": {
        "enableRbacAuthorization": rbac, "accessPolicies": [], "networkAcls": {"defaultAction": action, "bypass": "None"}}})


@step("a world in which nothing is in order")
def _():
    lab.nothing_in_order()
    profile(["Write"])
    guard(False, "Allow")


@step("each conclusion on it")
def _():
    compare(scan(), 0)


@step("a world in which all is in order")
def _():
    guard(True, "Allow")
    lab.all_in_order()
    for name in ("write", "delete"):
        operation = "Microsoft.Network/networkSecurityGroups/securityRules/" + name
        lab.alert("rule-" + name, [{"field": "category", "equals": "Administrative"}, {"field": "operationName", "equals": operation}])
    profile(["Write", "Delete", "Action"])
    guard(True, "Deny")


@step("each conclusion on that one")
def _():
    compare(scan(), 1)


@step("a world without a contact")
def _():
    lab.send("DELETE", lab.SECURITY + "/securityContacts/default", "2023-12-01-preview")
    assert scan()["securitycenter-security-contacts-not-set"][0] == 1


step.end()
