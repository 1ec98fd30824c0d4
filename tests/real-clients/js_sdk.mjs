// The lab's calls with the JavaScript SDKs, each answer checked.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { MonitorClient } from "@azure/arm-monitor";
import { OperationalInsightsManagementClient } from "@azure/arm-operationalinsights";
import { ResourceManagementClient } from "@azure/arm-resources";
import { SecurityCenter } from "@azure/arm-security";
import { ClientSecretCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { LogsQueryClient } from "@azure/monitor-query-logs";

const { LAB_TENANT: tenantId, LAB_SUBSCRIPTION: subscription, LAB_CLIENT_ID: clientId, LAB_PRINCIPAL: principalId } =
    process.env;

const [group, vault, location] = ["rg-js", "kv-js-lab", "westeurope"];
const scope = `subscriptions/${subscription}`;
const groupId = `/${scope}/resourceGroups/${group}`;
const vaultId = `${groupId}/providers/Microsoft.KeyVault/vaults/${vault}`;

const credential = new ClientSecretCredential(tenantId, clientId, "REDACTED");
const authorization = new AuthorizationManagementClient(credential, subscription);
const logs = new LogsQueryClient(credential);
const monitor = new MonitorClient(credential, subscription);
const resources = new ResourceManagementClient(credential, subscription);
const secrets = new SecretClient(`https://${vault}.vault.azure.net`, credential);
const security = new SecurityCenter(credential, subscription);
const vaults = new KeyVaultManagementClient(credential, subscription);
const workspaces = new OperationalInsightsManagementClient(credential, subscription);
const soon = { updateIntervalInMs: 200 };

let [passed, failed] = [0, 0];

async function step(name, run) {
    try {
        await run();
        passed += 1;
        console.log(`js: ${name}: ok`);
    } catch (error) {
        failed += 1;
        const line = [...error.stack.matchAll(/js_sdk\.mjs:(\d+)/g)].at(-1)?.[1] ?? "?";
        console.log(`js: ${name}: FAILED (line ${line}): ${String(error.message).split("\n")[0]}`);
    }
}

async function all(pages) {
    const items = [];
    for await (const item of pages) items.push(item);
    return items;
}

async function refused(call, status, code) {
    const error = await call().then(
        () => assert.fail("it was not refused"),
        (error) => error,
    );
    assert.equal(error.statusCode, status, error.message);
    assert.ok(error.message.includes(code) || error.code === code, `${error.code}: ${error.message}`);
}

// Repeats a call while the vault is still busy with the one before; the SDK does not.
async function settled(call) {
    for (let left = 20; ; left -= 1) {
        try {
            return await call();
        } catch (error) {
            if (error.statusCode !== 409 || left === 0) throw error;
            await wait(100);
        }
    }
}

await step("sign in", async () => {
    assert.ok((await credential.getToken("https://management.azure.com/.default")).token);
});

await step("a resource group is created", async () => {
    const made = await resources.resourceGroups.createOrUpdate(group, { location, tags: { lab: "js" } });
    assert.equal(made.properties.provisioningState, "Succeeded");
    assert.ok((await resources.resourceGroups.checkExistence(group)).body);
});

await step("plans are listed, KeyVaults and CloudPosture set and verified", async () => {
    const names = (await security.pricings.list()).value.map((plan) => plan.name);
    assert.ok(["KeyVaults", "CloudPosture", "VirtualMachines"].every((name) => names.includes(name)));
    for (const plan of ["KeyVaults", "CloudPosture"]) {
        await security.pricings.update(plan, { pricingTier: "Standard" });
        assert.equal((await security.pricings.get(plan)).pricingTier, "Standard");
    }
});

await step("a vault is created", async () => {
    const made = await vaults.vaults.createOrUpdate(group, vault, {
        location,
        properties: {
            tenantId,
            sku: { family: "A", name: "standard" },
            accessPolicies: [],
            enableRbacAuthorization: true,
            softDeleteRetentionInDays: 7,
        },
    }, soon);
    assert.equal(made.properties.vaultUri, `https://${vault}.vault.azure.net/`);
    assert.ok(made.properties.enabledForDeployment === false && made.systemData.createdAt);
    assert.ok((await all(vaults.vaults.listByResourceGroup(group))).some((one) => one.name === vault));
});

await step("without a role, a secret is refused", () =>
    refused(() => secrets.setSecret("test-secret-1", "one"), 403, "not authorized"));

await step("Key Vault Administrator is assigned", async () => {
    const [role] = await all(
        authorization.roleDefinitions.list(vaultId, { filter: "roleName eq 'Key Vault Administrator'" }),
    );
    const made = await authorization.roleAssignments.create(vaultId, randomUUID(), {
        roleDefinitionId: role.id,
        principalId,
        principalType: "ServicePrincipal",
    });
    const filter = `principalId eq '${principalId}'`;
    const found = await all(authorization.roleAssignments.listForScope(vaultId, { filter }));
    assert.ok(found.some((one) => one.id === made.id));
});

await step("30 secrets are set, listed over pages, and read", async () => {
    for (let number = 1; number <= 30; number += 1) {
        await secrets.setSecret(`test-secret-${number}`, `value-${number}`, { contentType: "text/plain" });
    }
    const pages = await all(secrets.listPropertiesOfSecrets().byPage());
    assert.deepEqual([pages.length, pages.flat().length], [2, 30]);
    assert.equal((await secrets.getSecret("test-secret-30")).value, "value-30");
});

await step("a secret is rotated and its old version disabled", async () => {
    const old = await secrets.getSecret("test-secret-1");
    const fresh = await secrets.setSecret("test-secret-1", "new", { tags: { rotated: "true" } });
    await secrets.updateSecretProperties("test-secret-1", old.properties.version, { enabled: false });
    const versions = await all(secrets.listPropertiesOfSecretVersions("test-secret-1"));
    const enabled = versions.filter((one) => one.enabled).map((one) => one.version);
    assert.deepEqual(enabled, [fresh.properties.version]);
    await refused(() => secrets.getSecret("test-secret-1", { version: old.properties.version }), 403, "disabled");
});

await step("a secret is deleted, recovered, deleted and purged", async () => {
    const poller = await secrets.beginDeleteSecret("test-secret-2", { intervalInMs: 100 });
    assert.ok((await poller.pollUntilDone()).properties.scheduledPurgeDate);
    const back = await settled(() => secrets.beginRecoverDeletedSecret("test-secret-2", { intervalInMs: 100 }));
    await back.pollUntilDone();
    await settled(async () => (await secrets.beginDeleteSecret("test-secret-2")).pollUntilDone());
    await settled(() => secrets.purgeDeletedSecret("test-secret-2"));
    await settled(() => secrets.setSecret("test-secret-2", "value-2"));
});

await step("a secret that is not there is 404", () => refused(() => secrets.getSecret("nowhere"), 404, "SecretNotFound"));

await step("alerts are listed, simulated, dismissed, resolved and activated", async () => {
    await security.alerts.simulate(location, { properties: { kind: "Bundles", bundles: ["KeyVaults"] } });
    let samples = [];
    for (let left = 30; samples.length === 0 && left > 0; left -= 1) {
        await wait(200);
        samples = (await all(security.alerts.list())).filter((one) => one.alertType.startsWith("SIMULATED_KV_"));
    }
    assert.equal(samples.length % 5, 0);
    const [first, second] = samples.filter((one) => one.status === "Active");
    assert.ok(first.timeGeneratedUtc instanceof Date && first.entities.length > 0);
    await security.alerts.updateSubscriptionLevelStateToDismiss(location, first.name);
    await security.alerts.updateSubscriptionLevelStateToResolve(location, second.name);
    assert.equal((await security.alerts.getSubscriptionLevel(location, first.name)).status, "Dismissed");
    assert.equal((await security.alerts.getSubscriptionLevel(location, second.name)).status, "Resolved");
    await security.alerts.updateSubscriptionLevelStateToActivate(location, first.name);
    assert.equal((await security.alerts.getSubscriptionLevel(location, first.name)).status, "Active");
});

await step("recommendations and their metadata are listed", async () => {
    const found = await all(security.assessments.list(scope));
    const codes = found.filter((one) => /keyvault\/vaults/i.test(one.id)).map((one) => one.status.code);
    assert.ok(codes.includes("Healthy") && codes.includes("Unhealthy"), codes.join());
    const metadata = await all(security.assessmentsMetadata.list());
    const diagnostics = metadata.find((one) => one.name === "88bbc99c-e5af-ddd7-6105-6150b2bfa519");
    assert.deepEqual([diagnostics.severity, diagnostics.categories], ["Low", ["Data"]]);
    assert.ok(metadata.find((one) => one.name === "17618b1a-ed14-49bb-b37f-9f8ba967be8b").preview);
});

let workspace;

await step("a workspace is created", async () => {
    workspace = await workspaces.workspaces.beginCreateOrUpdateAndWait(
        group,
        "law-js",
        { location, retentionInDays: 30 },
        soon,
    );
    // The poller takes the workspace itself, at its Location, for the end: see README.md.
    for (let left = 10; workspace.provisioningState !== "Succeeded" && left > 0; left -= 1) {
        await wait(200);
        workspace = await workspaces.workspaces.get(group, "law-js");
    }
    assert.ok(workspace.customerId);
    assert.equal(workspace.provisioningState, "Succeeded");
    assert.ok(workspace.sku.lastSkuUpdate && workspace.workspaceCapping.quotaNextResetTime);
});

await step("the vault's diagnostics go to the workspace", async () => {
    const categories = (await all(monitor.diagnosticSettingsCategory.list(vaultId))).map((one) => one.name);
    assert.ok(categories.includes("AuditEvent") && categories.includes("AllMetrics"), categories.join());
    await monitor.diagnosticSettings.createOrUpdate(vaultId, "to-law", {
        workspaceId: workspace.id,
        logs: [{ category: "AuditEvent", enabled: true }],
        metrics: [{ category: "AllMetrics", enabled: true }],
    });
    const [setting] = await all(monitor.diagnosticSettings.list(vaultId));
    assert.equal(setting.workspaceId, workspace.id);
});

await step("the vault's audit log is queried", async () => {
    await all(secrets.listPropertiesOfSecrets());
    const query = "AzureDiagnostics | where OperationName == 'SecretList' | summarize Lists = count()";
    const answer = await logs.queryWorkspace(workspace.customerId, query, { duration: "PT1H" });
    assert.equal(answer.status, "Success");
    assert.ok(answer.tables[0].rows[0][0] >= 2, JSON.stringify(answer.tables));
});

await step("an action group and a query rule are created", async () => {
    const made = await monitor.actionGroups.createOrUpdate(group, "ag-js", {
        location: "Global",
        groupShortName: "agjs",
        enabled: true,
        emailReceivers: [{ name: "security", emailAddress: "security@contoso.example", useCommonAlertSchema: true }],
    });
    assert.equal(made.emailReceivers[0].status, "Enabled");
    const rule = await monitor.scheduledQueryRules.createOrUpdate(group, "forbidden-requests", {
        location,
        severity: 2,
        enabled: true,
        scopes: [workspace.id],
        evaluationFrequency: "PT5M",
        windowSize: "PT15M",
        criteria: {
            allOf: [
                {
                    query: "AzureDiagnostics | where ResultSignature == 'Forbidden'",
                    timeAggregation: "Count",
                    operator: "GreaterThan",
                    threshold: 5,
                    failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
                },
            ],
        },
        actions: { actionGroups: [made.id] },
    });
    assert.deepEqual(rule.actions.actionGroups, [made.id]);
    const rules = await all(monitor.scheduledQueryRules.listByResourceGroup(group));
    assert.ok(rules.some((one) => one.name === "forbidden-requests"));
});

await step("an automation is validated, created and read back without its secret", async () => {
    const automation = {
        location,
        isEnabled: true,
        scopes: [{ description: "all", scopePath: `/${scope}` }],
        sources: [
            {
                eventSource: "Alerts",
                ruleSets: [
                    {
                        rules: [
                            {
                                propertyJPath: "AlertType",
                                propertyType: "String",
                                expectedValue: "KV_",
                                operator: "StartsWith",
                            },
                        ],
                    },
                ],
            },
        ],
        actions: [
            {
                actionType: "LogicApp",
                logicAppResourceId: `${groupId}/providers/Microsoft.Logic/workflows/respond`,
                uri: "https://prod-01.westeurope.logic.azure.com/workflows/x?sig=REDACTED",
            },
        ],
    };
    assert.ok((await security.automations.validate(group, "kv-response", automation)).isValid);
    await security.automations.createOrUpdate(group, "kv-response", automation);
    const [found] = await all(security.automations.listByResourceGroup(group));
    assert.equal(found.name, "kv-response");
    assert.ok(!found.actions[0].uri);
});

await step("cleanup: automation, rule, action group, setting, vault, workspace, group", async () => {
    await security.automations.delete(group, "kv-response");
    await monitor.scheduledQueryRules.delete(group, "forbidden-requests");
    await monitor.actionGroups.delete(group, "ag-js");
    await monitor.diagnosticSettings.delete(vaultId, "to-law");
    await vaults.vaults.delete(group, vault);
    assert.ok((await all(vaults.vaults.listDeleted())).some((one) => one.name === vault));
    await vaults.vaults.purgeDeleted(vault, location, soon);
    await workspaces.workspaces.beginDeleteAndWait(group, "law-js", { force: true, ...soon });
    await resources.resourceGroups.beginDeleteAndWait(group, soon);
    assert.ok(!(await resources.resourceGroups.checkExistence(group)).body);
});

console.log(`js: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
