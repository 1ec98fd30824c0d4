#!/usr/bin/env bash
# The lab's commands with Azure CLI, each answer checked.
# Two of its extensions are not in any package registry; `az rest` makes those calls instead.

set -uo pipefail

group=rg-cli vault=kv-cli-lab location=westeurope workspace_name=law-cli
subscription=/subscriptions/$LAB_SUBSCRIPTION
group_id=$subscription/resourceGroups/$group
vault_id=$group_id/providers/Microsoft.KeyVault/vaults/$vault
workspace=$group_id/providers/Microsoft.OperationalInsights/workspaces/$workspace_name
passed=0 failed=0 commands=0

# Runs `az` and keeps what it printed in $answer.
az() {
    commands=$((commands + 1))
    answer=$(command az "$@" 2>"$errors")
}

# step NAME COMMAND..: the command, or function, is to succeed.
step() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "cli: $name: ok"
    else
        failed=$((failed + 1))
        echo "cli: $name: FAILED: $(head -n 1 "$errors") ${answer:+(answered: $(head -c 200 <<<"$answer" | tr '\n' ' '))}"
    fi
}

# is TEXT az-ARGUMENTS..: `az` answers exactly this.
is() {
    local wanted=$1
    shift
    az "$@" -o tsv && [ "$answer" = "$wanted" ]
}

# refused CODE az-ARGUMENTS..: `az` fails, and its message says why.
refused() {
    local code=$1
    shift
    ! az "$@" && grep -q "$code" "$errors"
}

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
started=$(date +%s.%N)

sign_in() {
    az login --service-principal --username "$LAB_CLIENT_ID" --password REDACTED --tenant "$LAB_TENANT" -o none
}
step "an unknown application cannot sign in" \
    refused AADSTS700016 login --service-principal -u "$LAB_SUBSCRIPTION" -p REDACTED --tenant "$LAB_TENANT"
step "sign in" sign_in
step "the subscription is shown" is "$LAB_SUBSCRIPTION" account show --query id
step "the provider is registered" az provider register --namespace Microsoft.Security --wait

# Task 1
step "a resource group is created" is Succeeded \
    group create -n $group -l $location --query properties.provisioningState
step "plan KeyVaults is set" is Standard \
    security pricing create -n KeyVaults --tier standard --query pricingTier
step "plan CloudPosture is set" is Standard \
    security pricing create -n CloudPosture --tier standard --query pricingTier
step "plan KeyVaults is verified" is Standard security pricing show -n KeyVaults --query pricingTier
step "plans are listed" is Standard \
    security pricing list --query "value[?name=='CloudPosture'].pricingTier"
step "a vault is created" is "$vault_id false" \
    keyvault create -n $vault -g $group -l $location --enable-rbac-authorization true \
    --query "join(' ', [id, to_string(properties.enabledForDeployment)])"
step "the vault is found by its name, with who created it" is "true Application" \
    keyvault show -n $vault \
    --query "join(' ', [to_string(properties.enableRbacAuthorization), systemData.createdByType])"
step "without a role, a secret is refused" \
    refused ForbiddenByRbac keyvault secret set --vault-name $vault -n test-secret-1 --value one
step "the principal is found" is "$LAB_PRINCIPAL" ad sp show --id "$LAB_CLIENT_ID" --query id
step "Key Vault Administrator is assigned" is "$LAB_PRINCIPAL" \
    role assignment create --role "Key Vault Administrator" --assignee "$LAB_CLIENT_ID" --scope "$vault_id" \
    --query principalId
step "assignments are listed with names" is "$LAB_CLIENT_ID" \
    role assignment list --scope "$vault_id" --query "[?roleDefinitionName=='Key Vault Administrator'].principalName"

# Task 4: secrets first, so that there is something to look at
seed() {
    for number in $(seq 20); do
        az keyvault secret set --vault-name $vault -n "test-secret-$number" --value "value-$number" -o none || return 1
    done
}
step "20 secrets are set" seed
sweep() {
    for _ in 1 2 3 4 5; do
        is 20 keyvault secret list --vault-name $vault --query "length(@)" || return 1
    done
    for number in $(seq 20); do
        is "value-$number" keyvault secret show --vault-name $vault -n "test-secret-$number" --query value || return 1
    done
}
step "they are listed five times and read one by one" sweep
step "managed secrets can be included" is 20 \
    keyvault secret list --vault-name $vault --include-managed true --query "length(@)"
step "a secret that is not there is 404" \
    refused SecretNotFound keyvault secret show --vault-name $vault -n nowhere

# Task 2
alerts() {
    az rest --method post --body '{"properties":{"kind":"Bundles","bundles":["KeyVaults"]}}' \
        --url "$subscription/providers/Microsoft.Security/locations/$location/alerts/default/simulate?api-version=2022-01-01" \
        || return 1
    for _ in $(seq 10); do
        az security alert list --query "[?starts_with(alertType, 'SIMULATED_KV_') && status=='Active'].name" -o tsv || return 1
        alert=$(head -n 1 <<<"$answer")
        [ -n "$alert" ] && return
        sleep 0.3
    done
    return 1
}
step "sample alerts are simulated and listed" alerts
set_status() {
    az security alert update -l $location -n "$alert" --status "$1" -o none &&
        is "$2" security alert show -l $location -n "$alert" --query status
}
step "an alert is dismissed" set_status Dismiss Dismissed
step "an alert is activated" set_status Activate Active
step "an alert is resolved" set_status Resolve Resolved
step "alerts of one exact type are listed" is Medium \
    security alert list --query "[?alertType=='KV_ListGetAnomaly'].severity"
step "recommendations are listed" is Unhealthy \
    security assessment list --query "[?displayName=='Key Vault keys should have an expiration date'].status.code"
step "their metadata is listed" is "Low Data" \
    security assessment-metadata list \
    --query "[?name=='88bbc99c-e5af-ddd7-6105-6150b2bfa519'].join(' ', [severity, categories[0]])"
step "retired sub-assessments are an empty list" is 0 security sub-assessment list --query "length(@)"
# The answer of `create` is still Creating: see README.md.
new_workspace() {
    az monitor log-analytics workspace create -g $group -n $workspace_name -l $location -o none &&
        az monitor log-analytics workspace wait -g $group -n $workspace_name --created --interval 1 &&
        is "Succeeded RespectQuota" monitor log-analytics workspace show -g $group -n $workspace_name \
            --query "join(' ', [provisioningState, workspaceCapping.dataIngestionStatus])" &&
        is "true true" monitor log-analytics workspace show -g $group -n $workspace_name \
            --query "join(' ', [to_string(sku.lastSkuUpdate != null), to_string(etag != null)])"
}
step "a workspace is created" new_workspace
step "there are no diagnostic settings yet" is 0 \
    monitor diagnostic-settings list --resource "$vault_id" --query "length(@)"
step "diagnostic categories are listed" is AuditEvent \
    monitor diagnostic-settings categories list --resource "$vault_id" --query "value[?name=='AuditEvent'].name"
step "a diagnostic setting is created" is "$workspace" \
    monitor diagnostic-settings create --resource "$vault_id" -n to-law --workspace "$workspace" \
    --logs '[{"category":"AuditEvent","enabled":true}]' --metrics '[{"category":"AllMetrics","enabled":true}]' \
    --query workspaceId
step "a second one to the same workspace is refused" \
    refused Conflict monitor diagnostic-settings create --resource "$vault_id" -n again --workspace "$workspace" \
    --logs '[{"category":"AuditEvent","enabled":true}]'
step "the setting is listed" is to-law \
    monitor diagnostic-settings list --resource "$vault_id" --query "[].name"
log() {
    az keyvault secret list --vault-name $vault -o none &&
        az monitor log-analytics workspace show -g $group -n $workspace_name --query customerId -o tsv &&
        is 1 rest --method post --resource https://api.loganalytics.io \
            --url "https://api.loganalytics.io/v1/workspaces/$answer/query" --query "tables[0].rows[0][0]" \
            --body '{"query":"AzureDiagnostics | where OperationName == \"SecretList\" | count"}'
}
step "the vault's audit log is queried" log

# Task 5
step "an action group is created" is 2 \
    monitor action-group create -g $group -n ag-cli --short-name agcli --query "length(emailReceivers)" \
    --action email security security@contoso.example --action email operations operations@contoso.example
rule=$(cat <<JSON
{"location": "$location", "properties": {
  "severity": 2, "enabled": true, "scopes": ["$workspace"],
  "evaluationFrequency": "PT5M", "windowSize": "PT15M",
  "criteria": {"allOf": [{
    "query": "AzureDiagnostics | where ResultSignature == 'Forbidden'",
    "timeAggregation": "Count", "operator": "GreaterThan", "threshold": 5,
    "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}}]},
  "actions": {"actionGroups": ["$group_id/providers/Microsoft.Insights/actionGroups/ag-cli"]}}}
JSON
)
step "a query rule is created" is true rest --method put --body "$rule" --query properties.enabled \
    --url "$group_id/providers/Microsoft.Insights/scheduledQueryRules/forbidden-requests?api-version=2023-12-01"
step "an automation is created" is kv-response \
    security automation create_or_update -g $group -n kv-response -l $location --query name \
    --scopes "[{\"description\": \"all\", \"scopePath\": \"$subscription\"}]" \
    --sources '[{"eventSource": "Alerts", "ruleSets": [{"rules": [{"propertyJPath": "AlertType", "propertyType": "String", "expectedValue": "KV_", "operator": "StartsWith"}]}]}]' \
    --actions "[{\"actionType\": \"LogicApp\", \"logicAppResourceId\": \"$group_id/providers/Microsoft.Logic/workflows/respond\", \"uri\": \"https://prod-01.westeurope.logic.azure.com/workflows/x?sig=REDACTED\"}]"
step "its secret is not read back" is LogicApp \
    security automation show -g $group -n kv-response --query "actions[?uri==\`null\`].actionType"
step "Sentinel is onboarded" is default rest --method put --body '{"properties": {}}' --query name \
    --url "$workspace/providers/Microsoft.SecurityInsights/onboardingStates/default?api-version=2025-09-01"

# Task 6
step "Resource Graph is asked for attack paths" is 1 rest --method post --query totalRecords \
    --url "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01" \
    --body "{\"subscriptions\": [\"$LAB_SUBSCRIPTION\"], \"query\": \"securityresources | where type == 'microsoft.security/attackpaths'\"}"
rotate() {
    is "" keyvault secret list-versions --vault-name $vault -n test-secret-1 --query "[?attributes.enabled==\`false\`].id" &&
        az keyvault secret show --vault-name $vault -n test-secret-1 --query id -o tsv || return 1
    local old=$answer
    az keyvault secret set --vault-name $vault -n test-secret-1 --value new --tags rotated=true --query id -o tsv || return 1
    local new=$answer
    az keyvault secret set-attributes --id "$old" --enabled false -o none &&
        is "$new" keyvault secret list-versions --vault-name $vault -n test-secret-1 --query "[?attributes.enabled].id" &&
        refused SecretDisabled keyvault secret show --id "$old"
}
step "a secret is rotated and its old version disabled" rotate

# Break & Fix 2
machine=(-g rg-lab -n vm-lab)
step "a machine gets an identity" az vm identity assign "${machine[@]}" --query systemAssignedIdentity -o tsv
step "a command runs on it" az vm run-command invoke "${machine[@]}" --command-id RunShellScript \
    --scripts "sed -i '/^DB_PASSWORD=/d' /etc/environment"
gone() {
    az vm run-command invoke "${machine[@]}" --command-id RunShellScript --scripts "cat /etc/environment" \
        --query "value[0].message" -o tsv && [[ $answer == *PATH=* && $answer != *DB_PASSWORD* ]]
}
step "its variable is gone" gone

# Cleanup
step "the automation is deleted" az security automation delete -g $group -n kv-response
step "the action group is deleted" az monitor action-group delete -g $group -n ag-cli
step "the group is deleted" az group delete -n $group --yes
step "the group is gone" is false group exists -n $group
step "the vault is soft-deleted" is $vault \
    keyvault list-deleted --query "[?name=='$vault'].name"
step "the vault is purged" az keyvault purge -n $vault
step "the plan is turned off" is Free security pricing create -n KeyVaults --tier free --query pricingTier

# Processor time is told too: it says more than the clock on a machine that does other things.
times >"$errors"
LC_ALL=C awk -v from="$started" -v to="$(date +%s.%N)" -v n=$commands '
    NR == 2 { split($0, part, /[ms ]+/); cpu = part[1] * 60 + part[2] + part[3] * 60 + part[4] }
    END { printf "cli: %d commands in %.1f s, %.1f s of them on the processor\n", n, to - from, cpu }' "$errors"
echo "cli: $passed passed, $failed failed"
[ $failed -eq 0 ]
