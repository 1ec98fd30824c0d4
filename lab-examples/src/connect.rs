//! Offline and live are the same program: only the credential and the transport differ.

use std::sync::Arc;

use arm_core::{ArmClient, ArmOptions, SubscriptionId, credential_from_environment};
use azure_core::{Error, Result, error::ErrorKind};
use mock_azure::MockAzure;

use crate::{cli::Options, request_log::RequestLog, tenant};

/// A connection to Azure, or to the bundled double of it.
#[derive(Debug)]
pub struct Azure {
    /// The client that all others are made from.
    pub arm: ArmClient,
    /// The subscription to work on.
    pub subscription: SubscriptionId,
    /// How the program signed in.
    pub signed_in_with: String,
    /// The double; nothing when live.
    pub double: Option<MockAzure>,
}

impl Azure {
    /// Connects as the options say.
    pub async fn connect(options: &Options) -> Result<Self> {
        if options.live { Self::live(options) } else { Self::double(options).await }
    }

    /// The tenant of the subscription.
    pub async fn tenant(&self) -> Result<String> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Subscription {
            tenant_id: String,
        }
        let found: Subscription = self.arm.get(&self.subscription, "2022-12-01").json().await?;
        Ok(found.tenant_id)
    }

    fn live(options: &Options) -> Result<Self> {
        let subscription =
            options.subscription.clone().or_else(|| std::env::var("AZURE_SUBSCRIPTION_ID").ok());
        let Some(subscription) = subscription.filter(|id| !id.is_empty()) else {
            let message = "no subscription: name one with --subscription or AZURE_SUBSCRIPTION_ID";
            return Err(Error::with_message(ErrorKind::Other, message));
        };
        let subscription = subscription.parse::<SubscriptionId>()?;
        let mut arm_options = ArmOptions::default();
        let chosen = credential_from_environment(None, &arm_options)?;
        log_requests(&mut arm_options, options);
        let arm = ArmClient::new(chosen.credential, arm_options)?;
        Ok(Self { arm, subscription, signed_in_with: chosen.kind.to_string(), double: None })
    }

    async fn double(options: &Options) -> Result<Self> {
        mock_azure::fast_forward();
        let id = options.subscription.clone().unwrap_or_else(|| mock_azure::DEFAULT_SUBSCRIPTION.to_owned());
        let subscription: SubscriptionId = id.parse()?;
        let double = tenant::seed(&subscription)?.start().await;
        let mut arm_options = ArmOptions::from(double.client_options());
        log_requests(&mut arm_options, options);
        let arm = ArmClient::new(double.credential(), arm_options)?;
        let signed_in_with = "the bundled double of Azure".to_owned();
        Ok(Self { arm, subscription, signed_in_with, double: Some(double) })
    }
}

fn log_requests(arm: &mut ArmOptions, options: &Options) {
    if options.verbose {
        arm.client.per_try_policies.push(Arc::new(RequestLog));
    }
}

/// For the examples: the double, or real Azure when the program is called with `--live`.
pub async fn offline() -> Result<Azure> {
    let live = std::env::args().any(|argument| argument == "--live");
    Azure::connect(&Options { live, ..Options::default() }).await
}
