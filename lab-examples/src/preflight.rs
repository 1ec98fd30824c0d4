//! The checks at the start of a command: its options, the sign-in and the subscription. Nothing is written before they
//! pass.

use std::{fmt, path::Path, time::Duration};

use arm_core::{ArmClient, ArmErrorExt as _, SubscriptionId};
use azure_core::{Error, Result, error::ErrorKind};
use keyvault_ops::VaultName;
use monitor_ops::MailAddress;
use resource_ops::{DirectoryClient, SubscriptionState, SubscriptionsClient};

use crate::{Azure, advice, cli::Options, files, screen::Screen};

/// How long the service and the sign-in may take for the first response.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The problems found, one line for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Returns the problems, one line each.
    pub fn lines(&self) -> &[String] {
        &self.0
    }

    pub(crate) fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    pub(crate) fn note<T, E: fmt::Display>(
        &mut self,
        option: &str,
        outcome: std::result::Result<T, E>,
    ) -> Option<T> {
        outcome.map_err(|error| self.add(format!("{option}: {error}"))).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Error> for Problems {
    fn from(error: Error) -> Self {
        Self(vec![advice::explain(&error)])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [problem] => write!(f, "{problem}. Nothing was written"),
            problems => {
                write!(f, "{} problems; nothing was written:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}

/// The subscription and principal of a lab, as reported by the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name of the subscription.
    pub name: String,
    /// Its tenant.
    pub tenant: String,
    /// The signed-in principal.
    pub who: String,
}

/// Checks names, addresses and files without sending a request. Returns the subscription if its id is valid.
pub fn options(options: &Options, problems: &mut Problems) -> Option<SubscriptionId> {
    let named = options.subscription.first().cloned();
    let named = match options.live {
        true => named.or_else(|| std::env::var("AZURE_SUBSCRIPTION_ID").ok()).filter(|id| !id.is_empty()),
        false => Some(named.unwrap_or_else(|| mock_azure::DEFAULT_SUBSCRIPTION.to_owned())),
    };
    let subscription = match named {
        Some(id) => problems.note("--subscription", id.parse::<SubscriptionId>()),
        None => {
            problems.add("no subscription: name one with --subscription or AZURE_SUBSCRIPTION_ID");
            None
        }
    };
    let group = options.resource_group.parse::<arm_core::ResourceGroupName>();
    problems.note("--resource-group", group);
    problems.note("--vault-prefix", VaultName::unique(&options.vault_prefix));
    for address in &options.mail {
        problems.note("--mail", address.parse::<MailAddress>());
    }
    if options.location.trim().is_empty()
        || !options.location.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ')
    {
        problems.add(format!("--location: '{}' is not a region such as westeurope", options.location));
    }
    if options.live {
        file("--state", &options.state, problems);
    }
    subscription
}

/// Adds a problem if a file cannot be written.
pub fn file(option: &str, file: &Path, problems: &mut Problems) {
    if let Some(error) = files::refusal(file) {
        problems.add(format!("{option}: cannot write '{}': {error}", file.display()));
    }
}

/// Reads the subscription and the signed-in principal from the service.
///
/// # Errors
/// The sign-in failed, the subscription does not exist or is not visible with it, the subscription can only be read
/// although the command writes, or there was no response in time.
pub async fn place(azure: &Azure, writes: bool) -> std::result::Result<Place, Problems> {
    let what = format!(
        "signing in with {} and reading the subscription {}",
        azure.signed_in_with, azure.subscription
    );
    within(DEADLINE, &what, ask(azure, writes)).await?
}

async fn ask(azure: &Azure, writes: bool) -> std::result::Result<Place, Problems> {
    let found = SubscriptionsClient::new(&azure.arm).get(&azure.subscription).await;
    let found = found.map_err(|error| {
        if error.is_code("SubscriptionNotFound") || error.is_not_found() || error.is_forbidden() {
            let message = format!(
                "the subscription {} does not exist, or is not visible to {}: {error}",
                azure.subscription, azure.signed_in_with
            );
            return Problems::from(error.reworded(message));
        }
        Problems::from(error)
    })?;
    let usable = matches!(
        found.state,
        SubscriptionState::Enabled | SubscriptionState::Warned | SubscriptionState::PastDue
    );
    if writes && !usable {
        let mut problems = Problems::default();
        problems.add(format!(
            "the subscription {} ('{}') is {}: it can only be read",
            azure.subscription, found.display_name, found.state
        ));
        return Err(problems);
    }
    let who = who(&azure.arm).await?;
    Ok(Place { name: found.display_name, tenant: found.tenant_id.unwrap_or_default(), who })
}

/// The name of the signed-in principal.
async fn who(arm: &ArmClient) -> Result<String> {
    match DirectoryClient::new(arm).signed_in().await {
        Ok(me) => Ok(me.user_principal_name.or(me.display_name).unwrap_or_else(|| me.id.to_string())),
        Err(error) if matches!(error.kind(), ErrorKind::Credential) => Err(error),
        // A command that only reads does not need the name; a task that does asks again, and says why it fails.
        Err(error) => Ok(format!("not known ({})", advice::explain(&error))),
    }
}

/// Signs in without a subscription, and returns the name of the principal.
///
/// # Errors
/// The sign-in failed, or there was no response in time.
pub(crate) async fn signs_in(
    screen: &Screen,
    arm: &ArmClient,
    with: &str,
) -> std::result::Result<(), Problems> {
    let what = format!("signing in with {with}");
    let who = screen.wait_at_most(&what, DEADLINE, within(DEADLINE, &what, who(arm))).await??;
    screen.say(&format!("signed in as {who}, with {with}"));
    Ok(())
}

/// Runs work with a deadline. The error names the work that did not finish in time.
async fn within<T>(deadline: Duration, what: &str, work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(deadline, work).await.map_err(|_| {
        let message = format!(
            "{what} took more than {deadline:?}: check the network and the proxy, or sign in again with 'az login'"
        );
        Error::with_message(ErrorKind::Other, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sign_in_that_hangs_is_named_when_its_time_is_over() {
        let hanging = std::future::pending::<()>();
        let error = within(Duration::from_millis(1), "signing in with az", hanging).await.unwrap_err();
        let line = advice::explain(&error);
        assert!(
            line.contains("signing in with az took more than 1ms") && line.contains("az login"),
            "{line}"
        );
    }

    #[test]
    fn all_problems_of_the_options_are_reported_together() {
        let wrong = Options {
            subscription: vec!["prod".to_owned()],
            resource_group: "rg.".to_owned(),
            vault_prefix: "9kv".to_owned(),
            mail: vec!["soc".to_owned()],
            location: "west/europe".to_owned(),
            ..Options::default()
        };
        let mut problems = Problems::default();
        assert!(options(&wrong, &mut problems).is_none());
        let told = problems.to_string();
        assert_eq!(problems.lines().len(), 5, "{told}");
        assert!(told.starts_with("5 problems; nothing was written:"), "{told}");
        for option in ["--subscription", "--resource-group", "--vault-prefix", "--mail", "--location"] {
            assert!(told.contains(option), "{option}: {told}");
        }
    }
}
