#!/usr/bin/env python3
"""Keys, certificates and Sentinel with the Python SDKs, each answer checked."""

import hashlib
import os
import time

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import EnvironmentCredential
from azure.keyvault.certificates import CertificateClient, CertificateContact
from azure.keyvault.keys import KeyClient, KeyRotationLifetimeAction, KeyRotationPolicy, KeyRotationPolicyAction
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.securityinsight import SecurityInsights
from steps import Steps

SUBSCRIPTION = os.environ["LAB_SUBSCRIPTION"]
VAULT = "https://kv-lab.vault.azure.net"
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-lab/providers/Microsoft.OperationalInsights/workspaces/law-lab"

step = Steps("python-data")
credential = EnvironmentCredential()
keys = KeyClient(VAULT, credential)
certificates = CertificateClient(VAULT, credential)
resources = ResourceManagementClient(credential, SUBSCRIPTION, polling_interval=1)
monitor = MonitorManagementClient(credential, SUBSCRIPTION)
sentinel = SecurityInsights(credential, SUBSCRIPTION)


@step("an RSA key and a key on a curve are created and read")
def _():
    rsa = keys.create_rsa_key("rsa", size=3072, tags={"lab": "python"})
    assert rsa.key_type == "RSA" and len(rsa.key.n) == 384, rsa.key
    assert keys.get_key("rsa").id == rsa.id
    curve = keys.create_ec_key("curve", curve="P-256")
    assert curve.key.crv == "P-256" and curve.key_operations == ["sign", "verify"], curve.key_operations


@step("keys and versions are listed")
def _():
    keys.create_ec_key("curve", curve="P-256")
    assert {key.name for key in keys.list_properties_of_keys()} == {"rsa", "curve"}
    assert len(list(keys.list_properties_of_key_versions("curve"))) == 2


@step("a digest is signed, and the signature holds by the client's own mathematics")
def _():
    digest = hashlib.sha256(b"what is signed").digest()
    client = CryptographyClient(keys.get_key("curve"), credential)
    signature = client.sign(SignatureAlgorithm.es256, digest).signature
    local = CryptographyClient.from_jwk(keys.get_key("curve").key)
    assert local.verify(SignatureAlgorithm.es256, digest, signature).is_valid
    assert not local.verify(SignatureAlgorithm.es256, hashlib.sha256(b"another").digest(), signature).is_valid


@step("a rotation policy is set, and a rotation follows it")
def _():
    action = KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P60D")
    keys.update_key_rotation_policy("curve", KeyRotationPolicy(lifetime_actions=[action], expires_in="P90D"))
    assert keys.get_key_rotation_policy("curve").expires_in == "P90D"
    before = keys.get_key("curve")
    after = keys.rotate_key("curve")
    assert after.id != before.id and after.key.x != before.key.x
    assert (after.properties.expires_on - after.properties.created_on).days == 90


@step("attributes change, and a disabled key does not sign")
def _():
    keys.update_key_properties("curve", enabled=False)
    try:
        CryptographyClient(keys.get_key("curve").id, credential).sign(SignatureAlgorithm.es256, b"0" * 32)
    except (HttpResponseError, ValueError):
        return
    raise AssertionError("it signed")


@step("a key is deleted, recovered, backed up, purged and restored")
def _():
    backup = keys.backup_key("rsa")
    made = keys.get_key("rsa")
    keys.begin_delete_key("rsa").wait()
    assert [key.name for key in keys.list_deleted_keys()] == ["rsa"]
    keys.begin_recover_deleted_key("rsa").wait()
    keys.begin_delete_key("rsa").wait()
    keys.purge_deleted_key("rsa")
    for _ in range(20):
        try:
            restored = keys.restore_key_backup(backup)
            break
        except HttpResponseError as error:
            if error.status_code != 409:
                raise
            time.sleep(0.1)
    assert restored.key.n == made.key.n


@step("a key that is not there is 404")
def _():
    try:
        keys.get_key("none")
    except ResourceNotFoundError as error:
        assert error.error.code == "KeyNotFound", error
        return
    raise AssertionError("there is none")


@step("contacts and issuers of certificates")
def _():
    contacts = certificates.set_contacts([CertificateContact(email="security@contoso.example", name="On call")])
    assert contacts[0].email == "security@contoso.example"
    assert certificates.delete_contacts()[0].name == "On call"
    certificates.create_issuer("ours", "Test", account_id="account")
    assert certificates.get_issuer("ours").account_id == "account"
    assert [issuer.name for issuer in certificates.list_properties_of_issuers()] == ["ours"]
    assert certificates.delete_issuer("ours").provider == "Test"
    assert list(certificates.list_properties_of_certificates()) == []


@step("alerts on the activity log")
def _():
    rule = {
        "location": "Global",
        "scopes": [f"/subscriptions/{SUBSCRIPTION}"],
        "condition": {"allOf": [{"field": "category", "equals": "Administrative"}]},
        "enabled": True,
    }
    made = monitor.activity_log_alerts.create_or_update("rg-lab", "deleted", rule)
    assert made.enabled and made.name == "deleted"
    assert [one.name for one in monitor.activity_log_alerts.list_by_subscription_id()] == ["deleted"]
    monitor.activity_log_alerts.delete("rg-lab", "deleted")


@step("Sentinel: onboarding, a rule and an incident")
def _():
    resources.resources.begin_create_or_update_by_id(
        WORKSPACE, parameters={"location": "westeurope", "properties": {}}, api_version="2023-09-01"
    ).wait()
    sentinel.sentinel_onboarding_states.create("rg-lab", "law-lab", "default", {"properties": {}})
    assert sentinel.sentinel_onboarding_states.get("rg-lab", "law-lab", "default").name == "default"
    assert [rule.kind for rule in sentinel.alert_rules.list("rg-lab", "law-lab")] == ["Fusion"]
    incident = {"properties": {"title": "A secret was read", "severity": "High", "status": "New"}}
    made = sentinel.incidents.create_or_update("rg-lab", "law-lab", "00000000-0000-0000-0000-00000000cccc", incident)
    assert made.title == "A secret was read", made
    assert [one.name for one in sentinel.incidents.list("rg-lab", "law-lab")] == [made.name]
    sentinel.incidents.delete("rg-lab", "law-lab", made.name)


step.end()
