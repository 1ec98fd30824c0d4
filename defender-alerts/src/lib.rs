#![doc = include_str!("../README.md")]

mod client;
mod id;
mod key_vault;
mod models;

pub use client::{
    AlertsClient, AssessmentMetadataClient, AssessmentsClient, Expand, SecureScoresClient,
    SecurityContactsClient, SubAssessmentsClient, SuppressionRulesClient,
};
pub use id::{AlertId, AssessmentId, AssessmentKey, Location, SubAssessmentId};
pub use key_vault::KeyVaultAlertType;
pub use models::*;
