#!/usr/bin/env python3
"""Prowler scans two worlds, one in which nothing is in order and one in which it is; what it concludes has to follow the world."""

import collections
import csv
import glob
import os
import subprocess
import sys
import tempfile

import lab
from steps import Steps

step = Steps("prowler")

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
    lab.nothing_in_order()


@step("each conclusion on it")
def _():
    compare(scan(), 0)


@step("a world in which all is in order")
def _():
    lab.all_in_order()


@step("each conclusion on that one")
def _():
    compare(scan(), 1)


step.end()
