//! Subscriptions, providers, resource groups, roles and Resource Graph.

use crate::{Contract, all, delete, done, get, head, one, one_or_none, patch, post, put};
use resource_ops::{
    FacetRequest, ManagementGroupsClient, PermissionsClient, PrincipalId, PrincipalType, ProviderNamespace,
    ProvidersClient, QueryOptions, QueryRequest, ResourceGraphClient, ResourceGroupPatch, ResourceGroupSpec,
    ResourceGroupsClient, ResultFormat, RoleAssignmentFilter, RoleAssignmentId, RoleAssignmentSpec,
    RoleAssignmentsClient, RoleDefinitionsClient, RoleId, SubscriptionsClient,
};
use serde_json::json;

use super::common::{GROUP, SUBSCRIPTION, VAULT, group, resource, subscription};

const GROUPS: &str = "2024-03-01";
const ROLES: &str = "2022-04-01";
const ROLE: &str = "00000000-0000-0000-0000-0000000000d1";
const ASSIGNMENT: &str = "00000000-0000-0000-0000-0000000000c1";
const PRINCIPAL: &str = "00000000-0000-0000-0000-000000000003";

fn role() -> RoleId {
    ROLE.parse().unwrap()
}

fn principal() -> PrincipalId {
    PRINCIPAL.parse().unwrap()
}

fn assignment() -> RoleAssignmentId {
    format!("{VAULT}/providers/Microsoft.Authorization/roleAssignments/{ASSIGNMENT}").parse().unwrap()
}

fn of_group() -> RoleAssignmentId {
    format!("{GROUP}/providers/Microsoft.Authorization/roleAssignments/{ASSIGNMENT}").parse().unwrap()
}

pub(super) fn contracts() -> Vec<Contract> {
    [
        subscriptions(),
        providers(),
        resource_groups(),
        role_assignments(),
        role_definitions(),
        permissions(),
        resource_graph(),
    ]
    .concat()
}

fn resource_groups() -> Vec<Contract> {
    let groups = format!("{SUBSCRIPTION}/resourcegroups");
    let the_one = format!("{groups}/rg-app");
    let list =
        |contract: Contract| contract.answers("resource_groups/list.json").pages().model("ResourceGroup");
    let single = |contract: Contract| contract.answers("resource_groups/get.json").model("ResourceGroup");
    vec![
        list(get("ResourceGroups_List", &groups, GROUPS))
            .call(|arm| all(ResourceGroupsClient::new(&arm).list(&subscription()))),
        list(get(
            "ResourceGroups_List",
            format!("{groups}?$filter=tagName eq 'team' and tagValue eq 'o''soc'"),
            GROUPS,
        ))
        .variant("tagged")
        .call(|arm| all(ResourceGroupsClient::new(&arm).list_tagged(&subscription(), "team", "o'soc"))),
        single(get("ResourceGroups_Get", &the_one, GROUPS))
            .call(|arm| one(async move { ResourceGroupsClient::new(&arm).get(&group()).await })),
        head("ResourceGroups_CheckExistence", &the_one, GROUPS)
            .gives("true")
            .call(|arm| one(async move { ResourceGroupsClient::new(&arm).exists(&group()).await })),
        single(put("ResourceGroups_CreateOrUpdate", &the_one, GROUPS))
            .sends(json!({ "location": "westeurope", "tags": { "team": "soc" } }))
            .call(|arm| {
                let spec = ResourceGroupSpec::new("westeurope").tag("team", "soc");
                one(async move { ResourceGroupsClient::new(&arm).create_or_update(&group(), &spec).await })
            }),
        single(patch("ResourceGroups_Update", &the_one, GROUPS))
            .sends(json!({ "tags": { "team": "soc" } }))
            .call(|arm| {
                let tags = [("team".to_owned(), "soc".to_owned())].into();
                let patch = ResourceGroupPatch { tags: Some(tags), ..Default::default() };
                one(async move { ResourceGroupsClient::new(&arm).update(&group(), &patch).await })
            }),
        delete("ResourceGroups_Delete", &the_one, GROUPS)
            .statuses(&[200])
            .long_running()
            .call(|arm| done(ResourceGroupsClient::new(&arm).delete(&group()))),
    ]
}

fn role_assignments() -> Vec<Contract> {
    let provider = "/providers/Microsoft.Authorization/roleAssignments";
    let the_one = format!("{VAULT}{provider}/{ASSIGNMENT}");
    let by_id = format!("{GROUP}{provider}/{ASSIGNMENT}");
    let list =
        |contract: Contract| contract.answers("role_assignments/list.json").pages().model("RoleAssignment");
    let single = |contract: Contract| contract.answers("role_assignments/get.json").model("RoleAssignment");
    let filtered = format!("$filter=principalId eq '{PRINCIPAL}'");
    vec![
        list(get("RoleAssignments_ListForSubscription", format!("{SUBSCRIPTION}{provider}"), ROLES))
            .call(|arm| all(RoleAssignmentsClient::new(&arm).list(subscription()))),
        list(get("RoleAssignments_ListForResourceGroup", format!("{GROUP}{provider}?{filtered}"), ROLES))
            .call(|arm| {
                let filter = RoleAssignmentFilter::Principal(principal());
                all(RoleAssignmentsClient::new(&arm).list_filtered(group(), filter))
            }),
        list(get("RoleAssignments_ListForResource", format!("{VAULT}{provider}"), ROLES))
            .call(|arm| all(RoleAssignmentsClient::new(&arm).list(resource(VAULT)))),
        list(get("RoleAssignments_ListForScope", format!("{GROUP}{provider}?$filter=atScope()"), ROLES))
            .call(|arm| {
                let client = RoleAssignmentsClient::new(&arm);
                all(client.list_filtered(group(), RoleAssignmentFilter::AtScope))
            }),
        single(get("RoleAssignments_Get", &the_one, ROLES))
            .call(|arm| one(async move { RoleAssignmentsClient::new(&arm).get(&assignment()).await })),
        single(put("RoleAssignments_Create", &the_one, ROLES))
            .sends(json!({ "properties": {
                "roleDefinitionId": format!(
                    "{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"
                ),
                "principalId": PRINCIPAL,
                "principalType": "ServicePrincipal",
            }}))
            .call(|arm| {
                let spec = RoleAssignmentSpec::builder()
                    .role(role())
                    .principal(principal())
                    .principal_type(PrincipalType::ServicePrincipal)
                    .build();
                one(async move { RoleAssignmentsClient::new(&arm).create(&assignment(), &spec).await })
            }),
        single(get("RoleAssignments_GetById", &by_id, ROLES))
            .call(move |arm| one(async move { RoleAssignmentsClient::new(&arm).get(&of_group()).await })),
        single(put("RoleAssignments_CreateById", &by_id, ROLES))
            .sends(json!({ "properties": {
                "roleDefinitionId": format!(
                    "{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"
                ),
                "principalId": PRINCIPAL,
            }}))
            .call(|arm| {
                let spec = RoleAssignmentSpec::builder().role(role()).principal(principal()).build();
                one(async move { RoleAssignmentsClient::new(&arm).create(&of_group(), &spec).await })
            }),
        delete("RoleAssignments_DeleteById", &by_id, ROLES).statuses(&[204]).gives("").call(|arm| {
            one_or_none(async move { RoleAssignmentsClient::new(&arm).delete(&of_group()).await })
        }),
        single(delete("RoleAssignments_Delete", &the_one, ROLES)).statuses(&[200]).call(|arm| {
            one_or_none(async move { RoleAssignmentsClient::new(&arm).delete(&assignment()).await })
        }),
        delete("RoleAssignments_Delete", &the_one, ROLES).variant("absent").statuses(&[204]).gives("").call(
            |arm| one_or_none(async move { RoleAssignmentsClient::new(&arm).delete(&assignment()).await }),
        ),
    ]
}

fn role_definitions() -> Vec<Contract> {
    let definitions = format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions");
    let list =
        |contract: Contract| contract.answers("role_definitions/list.json").pages().model("RoleDefinition");
    vec![
        list(get("RoleDefinitions_List", &definitions, ROLES))
            .call(|arm| all(RoleDefinitionsClient::new(&arm).list(subscription()))),
        get("RoleDefinitions_Get", format!("{definitions}/{ROLE}"), ROLES)
            .answers("role_definitions/get.json")
            .model("RoleDefinition")
            .call(|arm| {
                one(async move { RoleDefinitionsClient::new(&arm).get(subscription(), role()).await })
            }),
    ]
}

fn permissions() -> Vec<Contract> {
    let path = format!("{GROUP}/providers/Microsoft.Authorization/permissions");
    vec![
        get("Permissions_ListForResourceGroup", path, ROLES)
            .answers("permissions/list.json")
            .pages()
            .model("Permission")
            .call(|arm| all(PermissionsClient::new(&arm).list(group()))),
    ]
}

fn subscriptions() -> Vec<Contract> {
    let version = "2022-12-01";
    vec![
        get("Subscriptions_List", "/subscriptions", version)
            .answers("subscriptions/list.json")
            .pages()
            .model("Subscription")
            .call(|arm| all(SubscriptionsClient::new(&arm).list())),
        get("Subscriptions_Get", SUBSCRIPTION, version)
            .answers("subscriptions/get.json")
            .model("Subscription")
            .call(|arm| one(async move { SubscriptionsClient::new(&arm).get(&subscription()).await })),
        get("Subscriptions_ListLocations", format!("{SUBSCRIPTION}/locations"), "2022-12-01")
            .answers("subscriptions/list_locations.json")
            .pages()
            .model("Location")
            .call(|arm| all(SubscriptionsClient::new(&arm).list_locations(&subscription()))),
        get(
            "ManagementGroups_GetDescendants",
            "/providers/Microsoft.Management/managementGroups/mg-prod/descendants",
            "2020-05-01",
        )
        .answers("management_groups/get_descendants.json")
        .pages()
        .model("Descendant")
        .call(|arm| {
            let group = "mg-prod".parse().unwrap();
            all(ManagementGroupsClient::new(&arm).list_descendants(&group))
        }),
    ]
}

fn providers() -> Vec<Contract> {
    let security = || -> ProviderNamespace { "Microsoft.Security".parse().unwrap() };
    let path = format!("{SUBSCRIPTION}/providers/Microsoft.Security");
    vec![
        get("Providers_Get", &path, GROUPS)
            .answers("providers/get.json")
            .model("Provider")
            .call(move |arm| {
                one(async move { ProvidersClient::new(&arm).get(&subscription(), &security()).await })
            }),
        get("Providers_Get", format!("{path}?$expand=resourceTypes/aliases"), GROUPS)
            .variant("with_aliases")
            .answers("providers/get.json")
            .model("Provider")
            .call(move |arm| {
                one(async move {
                    ProvidersClient::new(&arm).get_with_aliases(&subscription(), &security()).await
                })
            }),
        post("Providers_Register", format!("{path}/register"), GROUPS)
            .answers("providers/registering.json")
            .model("Provider")
            .call(move |arm| {
                one(async move { ProvidersClient::new(&arm).register(&subscription(), &security()).await })
            }),
    ]
}

fn resource_graph() -> Vec<Contract> {
    let query = "Resources | where name == 'vm-1'";
    vec![
        post("Resources", "/providers/Microsoft.ResourceGraph/resources", "2022-10-01")
            .sends(json!({
                "query": query,
                "subscriptions": ["00000000-0000-0000-0000-000000000001"],
                "options": { "$top": 2, "resultFormat": "objectArray" },
                "facets": [{ "expression": "location" }],
            }))
            .answers("resource_graph/objects.json")
            .model("GraphQueryResponse")
            .call(move |arm| {
                let options = QueryOptions {
                    top: Some(2),
                    result_format: Some(ResultFormat::ObjectArray),
                    ..Default::default()
                };
                let request = QueryRequest::builder()
                    .query(query)
                    .subscriptions(vec![subscription()])
                    .options(options)
                    .facets(vec![FacetRequest { expression: "location".into(), options: None }])
                    .build();
                one(async move { ResourceGraphClient::new(&arm).resources(&request).await })
            }),
    ]
}
