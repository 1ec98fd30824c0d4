//! Assessments.

use crate::{Contract, all, delete, get, one, put};
use defender_alerts::{
    AssessmentCode, AssessmentId, AssessmentKey, AssessmentMetadataClient, AssessmentMetadataProperties,
    AssessmentSpec, AssessmentStatus, AssessmentType, AssessmentsClient, Expand, ResourceDetails, Severity,
    SubAssessmentId, SubAssessmentsClient,
};
use serde_json::json;

use super::common::{SUBSCRIPTION, VAULT, resource, subscription};

const VERSION: &str = "2025-05-04";
const SUB_VERSION: &str = "2019-01-01-preview";
const KEY: &str = "00000000-0000-0000-0000-0000000000a1";

fn key() -> AssessmentKey {
    KEY.parse().unwrap()
}

fn assessment() -> AssessmentId {
    AssessmentId::new(resource(VAULT), key())
}

pub(super) fn contracts() -> Vec<Contract> {
    [assessments(), metadata(), sub_assessments()].concat()
}

fn assessments() -> Vec<Contract> {
    let one_path = format!("{VAULT}/providers/Microsoft.Security/assessments/{KEY}");
    vec![
        get("Assessments_List", format!("{SUBSCRIPTION}/providers/Microsoft.Security/assessments"), VERSION)
            .answers("assessments/list.json")
            .pages()
            .model("Assessment")
            .call(|arm| all(AssessmentsClient::new(&arm).list(subscription(), Expand::Nothing))),
        get("Assessments_Get", format!("{one_path}?$expand=metadata"), VERSION)
            .answers("assessments/get.json")
            .model("Assessment")
            .call(|arm| {
                one(async move { AssessmentsClient::new(&arm).get(&assessment(), Expand::Metadata).await })
            }),
        put("Assessments_CreateOrUpdate", &one_path, VERSION)
            .sends(json!({ "properties": {
                "status": { "code": "Healthy" },
                "resourceDetails": { "source": "Azure", "id": VAULT },
            }}))
            .answers("assessments/get.json")
            .model("Assessment")
            .call(|arm| {
                let spec = AssessmentSpec::builder()
                    .status(AssessmentStatus::new(AssessmentCode::Healthy))
                    .resource_details(ResourceDetails::azure(&resource(VAULT)))
                    .build();
                one(async move { AssessmentsClient::new(&arm).create_or_update(&assessment(), &spec).await })
            }),
        delete("Assessments_Delete", &one_path, VERSION)
            .call(|arm| one(async move { AssessmentsClient::new(&arm).delete(&assessment()).await })),
    ]
}

fn metadata() -> Vec<Contract> {
    let everywhere = "/providers/Microsoft.Security/assessmentMetadata";
    let here = format!("{SUBSCRIPTION}{everywhere}");
    let model = |contract: Contract, answer: &str| contract.answers(answer).model("AssessmentMetadata");
    vec![
        model(get("AssessmentsMetadata_List", everywhere, VERSION), "assessment_metadata/list.json")
            .pages()
            .call(|arm| all(AssessmentMetadataClient::new(&arm).list())),
        model(
            get("AssessmentsMetadata_Get", format!("{everywhere}/{KEY}"), VERSION),
            "assessment_metadata/get.json",
        )
        .call(|arm| one(async move { AssessmentMetadataClient::new(&arm).get(&key()).await })),
        model(get("AssessmentsMetadata_ListBySubscription", &here, VERSION), "assessment_metadata/list.json")
            .pages()
            .call(|arm| all(AssessmentMetadataClient::new(&arm).list_by_subscription(&subscription()))),
        model(
            get("AssessmentsMetadata_GetInSubscription", format!("{here}/{KEY}"), VERSION),
            "assessment_metadata/get_own.json",
        )
        .call(|arm| {
            one(async move {
                AssessmentMetadataClient::new(&arm).get_in_subscription(&subscription(), &key()).await
            })
        }),
        model(
            put("AssessmentsMetadata_CreateInSubscription", format!("{here}/{KEY}"), VERSION),
            "assessment_metadata/get_own.json",
        )
        .statuses(&[200])
        .sends(json!({ "properties": {
            "displayName": "Our own rule",
            "severity": "High",
            "assessmentType": "CustomerManaged",
            "description": "What we look at.",
        }}))
        .call(|arm| {
            let properties = AssessmentMetadataProperties::builder()
                .display_name("Our own rule")
                .severity(Severity::High)
                .assessment_type(AssessmentType::CustomerManaged)
                .description("What we look at.")
                .build();
            one(async move {
                let client = AssessmentMetadataClient::new(&arm);
                client.create_in_subscription(&subscription(), &key(), &properties).await
            })
        }),
        delete("AssessmentsMetadata_DeleteInSubscription", format!("{here}/{KEY}"), VERSION).call(|arm| {
            one(async move {
                AssessmentMetadataClient::new(&arm).delete_in_subscription(&subscription(), &key()).await
            })
        }),
    ]
}

fn sub_assessments() -> Vec<Contract> {
    let of_one = format!("{VAULT}/providers/Microsoft.Security/assessments/{KEY}/subAssessments");
    let list =
        |contract: Contract| contract.answers("sub_assessments/list.json").pages().model("SubAssessment");
    let everywhere = format!("{SUBSCRIPTION}/providers/Microsoft.Security/subAssessments");
    vec![
        list(get("SubAssessments_ListAll", everywhere, SUB_VERSION))
            .call(|arm| all(SubAssessmentsClient::new(&arm).list_all(subscription()))),
        list(get("SubAssessments_List", &of_one, SUB_VERSION))
            .call(|arm| all(SubAssessmentsClient::new(&arm).list(&assessment()))),
        get("SubAssessments_Get", format!("{of_one}/finding-1"), SUB_VERSION)
            .answers("sub_assessments/get.json")
            .model("SubAssessment")
            .call(|arm| {
                let id = SubAssessmentId::new(assessment(), "finding-1".parse().unwrap());
                one(async move { SubAssessmentsClient::new(&arm).get(&id).await })
            }),
    ]
}
