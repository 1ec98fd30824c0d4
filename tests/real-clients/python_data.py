#!/usr/bin/env python3
"""Keys, certificates and Sentinel with the Python SDKs, each answer checked."""

import base64
import datetime
import hashlib
import os
import ssl
import tempfile
import time

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import EnvironmentCredential
from azure.keyvault.certificates import CertificateClient, CertificateContact, CertificateContentType, CertificatePolicy
from azure.keyvault.keys import KeyClient, KeyRotationLifetimeAction, KeyRotationPolicy, KeyRotationPolicyAction
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.keyvault.secrets import SecretClient
from azure.mgmt.securityinsight import SecurityInsights
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID
from steps import Steps

SUBSCRIPTION = os.environ["LAB_SUBSCRIPTION"]
VAULT = "https://kv-lab.vault.azure.net"
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-lab/providers/Microsoft.OperationalInsights/workspaces/law-lab"

step = Steps("python-data")
credential = EnvironmentCredential()
keys = KeyClient(VAULT, credential)
certificates = CertificateClient(VAULT, credential)
secrets = SecretClient(VAULT, credential)
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


def policy(content_type, **more):
    return CertificatePolicy(issuer_name="Self", subject="CN=www.contoso.example", san_dns_names=["www.contoso.example"],
                             content_type=content_type, validity_in_months=6, **more)


@step("a certificate is created; its secret is a PKCS 12 file that opens, with the key of the certificate")
def _():
    made = certificates.begin_create_certificate("web", policy(CertificateContentType.pkcs12, key_type="EC", key_curve_name="P-256")).result()
    assert made.policy.validity_in_months == 6 and made.policy.key_usage == ["digitalSignature", "keyEncipherment"], made.policy
    own = x509.load_der_x509_certificate(bytes(made.cer))
    own.verify_directly_issued_by(own)
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert names == ["www.contoso.example"] and own.subject.rfc4514_string() == "CN=www.contoso.example"
    assert own.not_valid_after_utc == made.properties.expires_on
    whole = base64.b64decode(secrets.get_secret("web").value)
    key, inside, others = pkcs12.load_key_and_certificates(whole, None)
    assert inside == own and key.public_key() == own.public_key() and others == []
    assert keys.get_key("web").key.x is not None


@step("a certificate in PEM serves TLS")
def _():
    certificates.begin_create_certificate("tls", policy(CertificateContentType.pem, key_type="EC", key_curve_name="P-384")).result()
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(secrets.get_secret("tls").value)
        file.flush()
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file.name)


@step("an RSA certificate is created and read")
def _():
    made = certificates.begin_create_certificate("rsa-web", policy(CertificateContentType.pkcs12)).result()
    assert x509.load_der_x509_certificate(bytes(made.cer)).public_key().key_size == 2048
    assert {one.name for one in certificates.list_properties_of_certificates()} == {"web", "tls", "rsa-web"}


@step("what another authority issues is merged")
def _():
    asked = CertificatePolicy(issuer_name="Unknown", subject="CN=merged", key_type="EC", key_curve_name="P-256")
    certificates.begin_create_certificate("merged", asked)
    request = x509.load_der_x509_csr(bytes(certificates.get_certificate_operation("merged").csr))
    assert request.is_signature_valid
    authority = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    issued = (x509.CertificateBuilder().subject_name(request.subject).issuer_name(x509.Name([])).public_key(request.public_key())
              .serial_number(7).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=30)).sign(authority, hashes.SHA256()))
    merged = certificates.merge_certificate("merged", [issued.public_bytes(Encoding.DER)])
    assert bytes(merged.cer) == issued.public_bytes(Encoding.DER)


@step("a certificate is imported, updated, deleted, recovered, backed up, purged and restored")
def _():
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "imported")]), datetime.datetime.now(datetime.timezone.utc)
    own = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(8)
           .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=90)).sign(key, hashes.SHA256()))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + own.public_bytes(Encoding.PEM)
    imported = certificates.import_certificate("imported", pem, policy=CertificatePolicy(content_type=CertificateContentType.pem))
    assert bytes(imported.cer) == own.public_bytes(Encoding.DER) and imported.policy.subject == "CN=imported"
    assert certificates.update_certificate_properties("imported", enabled=False, tags={"a": "1"}).properties.tags == {"a": "1"}
    backup = certificates.backup_certificate("imported")
    certificates.begin_delete_certificate("imported").wait()
    assert [one.name for one in certificates.list_deleted_certificates()] == ["imported"]
    certificates.begin_recover_deleted_certificate("imported").wait()
    certificates.begin_delete_certificate("imported").wait()
    certificates.purge_deleted_certificate("imported")
    for _ in range(20):
        try:
            restored = certificates.restore_certificate_backup(backup)
            break
        except HttpResponseError as error:
            if error.status_code != 409:
                raise
            time.sleep(0.1)
    assert restored.cer == imported.cer


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
    comment = sentinel.incident_comments.create_or_update("rg-lab", "law-lab", made.name, "00000000-0000-0000-0000-00000000cc01",
                                                          {"properties": {"message": "seen"}})
    assert [one.message for one in sentinel.incident_comments.list("rg-lab", "law-lab", made.name)] == [comment.message] == ["seen"]
    sentinel.incidents.delete("rg-lab", "law-lab", made.name)


@step("Sentinel: an automation rule, a bookmark and a watchlist")
def _():
    rule = {"properties": {
        "displayName": "escalate", "order": 1,
        "triggeringLogic": {"isEnabled": True, "triggersOn": "Incidents", "triggersWhen": "Created"},
        "actions": [{"order": 1, "actionType": "ModifyProperties", "actionConfiguration": {"severity": "High"}}]}}
    made = sentinel.automation_rules.create_or_update("rg-lab", "law-lab", "escalate", rule)
    assert made.actions[0].action_configuration.severity == "High" and made.created_by.object_id, made
    assert [one.name for one in sentinel.automation_rules.list("rg-lab", "law-lab")] == ["escalate"]
    sentinel.automation_rules.delete("rg-lab", "law-lab", "escalate")
    bookmark = {"properties": {"displayName": "seen", "query": "SecurityEvent"}}
    assert sentinel.bookmarks.create_or_update("rg-lab", "law-lab", "b", bookmark).created_by.object_id
    watchlist = {"properties": {"displayName": "hosts", "provider": "Microsoft", "itemsSearchKey": "host"}}
    assert sentinel.watchlists.create_or_update("rg-lab", "law-lab", "hosts", watchlist).watchlist_id
    assert [one.display_name for one in sentinel.watchlists.list("rg-lab", "law-lab")] == ["hosts"]


step.end()
