//! Connects to the double or to real Azure. Only the credential and the transport differ.

use std::{io::Write as _, sync::Arc};

use arm_core::{ArmClient, ArmOptions, SubscriptionId, credential_from_environment, printable_lines};
use azure_core::{Error, Result, error::ErrorKind};
use clap::Parser;
use mock_azure::{MockAzure, Seed};

use crate::{
    cli::Options,
    preflight::{self, Problems},
    request_log::RequestLog,
    screen::tell,
    tenant,
};

/// A connection to Azure or to the bundled double.
#[derive(Debug)]
pub struct Azure {
    /// The client from which all others are created.
    pub arm: ArmClient,
    /// The subscription to work on.
    pub subscription: SubscriptionId,
    /// How the program signed in.
    pub signed_in_with: String,
    /// The double; `None` if live.
    pub double: Option<MockAzure>,
    /// The resource group that the examples use.
    pub group: String,
    /// The vault in that resource group.
    pub vault: String,
}

impl Azure {
    /// Connects to a subscription.
    pub async fn to(options: &Options, subscription: SubscriptionId) -> Result<Self> {
        if options.live {
            Self::live(options, subscription)
        } else {
            Self::double(options, subscription).await
        }
    }

    /// Returns the current time. Offline, it is the double's, which also advances by the waits that the lab skips.
    pub fn now(&self) -> time::OffsetDateTime {
        self.double.as_ref().map_or_else(time::OffsetDateTime::now_utc, MockAzure::now)
    }

    /// Returns the tenant of the subscription.
    pub async fn tenant(&self) -> Result<String> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Subscription {
            tenant_id: String,
        }
        let found: Subscription = self.arm.get(&self.subscription, "2022-12-01").json().await?;
        Ok(found.tenant_id)
    }

    fn live(options: &Options, subscription: SubscriptionId) -> Result<Self> {
        let (arm, signed_in_with) = sign_in(options, &format!("subscription {subscription}"))?;
        Ok(Self {
            arm,
            subscription,
            signed_in_with,
            double: None,
            group: tenant::PRODUCTION.to_owned(),
            vault: tenant::PRODUCTION_VAULT.to_owned(),
        })
    }

    async fn double(options: &Options, subscription: SubscriptionId) -> Result<Self> {
        Self::on_double(options, tenant::seed(&subscription)?, subscription).await
    }

    /// Connects to a double with this initial state.
    pub(crate) async fn on_double(
        options: &Options,
        seed: Seed,
        subscription: SubscriptionId,
    ) -> Result<Self> {
        mock_azure::fast_forward();
        let double = seed.start().await;
        let mut arm_options = ArmOptions::from(double.client_options());
        log_requests(&mut arm_options, options);
        let arm = ArmClient::new(double.credential(), arm_options)?;
        let signed_in_with = "the bundled double of Azure".to_owned();
        Ok(Self {
            arm,
            subscription,
            signed_in_with,
            double: Some(double),
            group: tenant::PRODUCTION.to_owned(),
            vault: tenant::PRODUCTION_VAULT.to_owned(),
        })
    }
}

/// Signs in to real Azure with whatever credential is available, and also returns its name. Before the first request,
/// prints a line that begins with `about`, because a sign-in can take long or hang.
pub(crate) fn sign_in(options: &Options, about: &str) -> Result<(ArmClient, String)> {
    let mut arm_options = ArmOptions::default();
    let chosen = credential_from_environment(None, &arm_options)?;
    tell(&format!("{about}: signing in with {}, for at most a minute ..", chosen.kind));
    log_requests(&mut arm_options, options);
    Ok((ArmClient::new(chosen.credential, arm_options)?, chosen.kind.to_string()))
}

fn log_requests(arm: &mut ArmOptions, options: &Options) {
    if options.verbose {
        arm.client.per_try_policies.push(Arc::new(RequestLog));
    }
}

/// Where an example runs: on the bundled double, or on real Azure.
#[derive(Debug, Parser)]
#[command(
    after_help = "On real Azure, with the credentials of `az login` or the environment:\n  --live --subscription 00000000-0000-0000-0000-000000000001 --resource-group rg-app --vault kv-app"
)]
struct Place {
    /// Run on real Azure instead of the bundled double. Asks first, since most examples write.
    #[arg(long, requires_all = ["resource_group", "vault"])]
    live: bool,
    /// The subscription (live). Also read from AZURE_SUBSCRIPTION_ID.
    #[arg(long, value_name = "GUID")]
    subscription: Option<String>,
    /// An existing resource group. Default: the bundled tenant's.
    #[arg(long, value_name = "NAME")]
    resource_group: Option<String>,
    /// An existing vault in that group. Default: the bundled tenant's.
    #[arg(long, value_name = "NAME")]
    vault: Option<String>,
    /// Do not ask before the first write.
    #[arg(long, short)]
    yes: bool,
}

/// Connects an example according to its arguments.
///
/// # Errors
/// All problems, including a subscription that does not exist or is not visible. Nothing was written.
pub async fn connect() -> std::result::Result<Azure, Problems> {
    let place = Place::parse();
    let options = Options {
        live: place.live,
        subscription: place.subscription.filter(|_| place.live).into_iter().collect(),
        ..Options::default()
    };
    let mut problems = Problems::default();
    let subscription = preflight::options(&options, &mut problems);
    let (true, Some(subscription)) = (problems.is_empty(), subscription) else { return Err(problems) };
    let mut azure = Azure::to(&options, subscription).await?;
    let found = preflight::place(&azure, true).await?;
    if place.live && !place.yes {
        confirm(&format!(
            "subscription '{}' ({}), tenant {}\nsigned in as {}, with {}\nThis example may write there. Continue? [y/N] ",
            found.name, azure.subscription, found.tenant, found.who, azure.signed_in_with
        ))?;
    }
    azure.group = place.resource_group.unwrap_or(azure.group);
    azure.vault = place.vault.unwrap_or(azure.vault);
    Ok(azure)
}

/// Asks on the terminal. Any answer but yes is an error.
pub(crate) fn confirm(question: &str) -> Result<()> {
    let mut answer = String::new();
    let read = std::io::stderr()
        .write_all(printable_lines(question).as_bytes())
        .and_then(|()| std::io::stdin().read_line(&mut answer));
    if read.is_err() || !matches!(answer.trim(), "y" | "Y" | "yes") {
        return Err(Error::with_message(ErrorKind::Other, "not confirmed; none of this was done"));
    }
    Ok(())
}
