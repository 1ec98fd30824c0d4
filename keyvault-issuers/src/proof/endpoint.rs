//! The resource's own host. A key, or a signature made with it, is sent nowhere else.

use arm_core::ArmClient;
use azure_core::{Result, http::Url};

use super::failure;
use crate::{KeyedResource, kinds::Kind};

/// Resource Manager's host in each cloud, at the cloud's index in [`Kind::hosts`].
const CLOUDS: [&str; 3] =
    ["management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"];

/// Returns the resource's own endpoint, or derives it from the resource's name. Fails if it is not in this cloud.
pub(super) fn endpoint(arm: &ArmClient, kind: &Kind, resource: &KeyedResource) -> Result<Url> {
    let management = arm.endpoints().management.host_str().unwrap_or_default().to_owned();
    let cloud = CLOUDS.iter().position(|host| *host == management);
    let suffixes = cloud.map_or(&[][..], |cloud| kind.hosts[cloud]);
    let name = resource.id.name().to_ascii_lowercase();
    let published = match (&resource.endpoint, suffixes.first()) {
        (Some(published), _) => published.clone(),
        (None, Some(suffix)) => format!("https://{name}.{suffix}/"),
        (None, None) => String::new(),
    };
    let Ok(url) = published.parse::<Url>() else {
        return Err(failure(format!("{} has no endpoint at which its keys can be tested", resource.id)));
    };
    let host = url.host_str().unwrap_or_default();
    let own = |suffix: &&str| {
        let label = host.strip_suffix(*suffix).and_then(|rest| rest.strip_suffix('.'));
        label.is_some_and(|label| label.split('.').next().is_some_and(|first| !first.is_empty()))
    };
    let plain = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain || !suffixes.iter().any(own) {
        let message = format!(
            "the endpoint '{host}' of {} is not one of this cloud's: its keys are not sent there",
            resource.id
        );
        return Err(failure(message));
    }
    Ok(format!("https://{host}/").parse()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arm_core::{ArmOptions, Cloud};
    use azure_core::{
        credentials::{AccessToken, TokenCredential, TokenRequestOptions},
        error::ErrorKind,
    };

    use super::*;

    #[derive(Debug)]
    struct NoToken;

    #[async_trait::async_trait]
    impl TokenCredential for NoToken {
        async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
            Err(azure_core::Error::with_message(ErrorKind::Credential, "none"))
        }
    }

    fn at(cloud: Cloud, published: Option<&str>) -> Option<String> {
        let arm = ArmClient::new(Arc::new(NoToken), ArmOptions { cloud, ..ArmOptions::default() }).unwrap();
        let id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Storage/\
                  storageAccounts/stprod";
        let id: arm_core::ResourceId = id.parse().unwrap();
        let kind = Kind::of(&id.resource_type()).unwrap();
        let resource =
            KeyedResource { id, kind: None, takes_keys: None, endpoint: published.map(str::to_owned) };
        endpoint(&arm, kind, &resource).ok().map(|url| url.to_string())
    }

    #[test]
    fn a_key_is_tried_only_at_a_host_of_this_cloud() {
        let own = "https://stprod.blob.core.windows.net/";
        assert_eq!(at(Cloud::Public, Some(own)).as_deref(), Some(own));
        assert_eq!(at(Cloud::Public, None).as_deref(), Some(own));
        let zone = "https://stprod.z01.blob.storage.azure.net/";
        assert_eq!(at(Cloud::Public, Some(zone)).as_deref(), Some(zone));
        for foreign in [
            "http://stprod.blob.core.windows.net/",
            "https://stprod.blob.core.windows.net.evil.example/",
            "https://blob.core.windows.net/",
            "https://stprod.blob.core.windows.net:8443/",
            "https://user@stprod.blob.core.windows.net/",
            "https://stprod.blob.core.chinacloudapi.cn/",
            "evil",
        ] {
            assert_eq!(at(Cloud::Public, Some(foreign)), None, "{foreign}");
        }
        assert_eq!(at(Cloud::China, Some(own)), None);
    }
}
