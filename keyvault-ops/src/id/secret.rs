use std::{fmt, str::FromStr};

use arm_core::IdError;
use url::Url;

use super::CHARACTERS;

/// The name of a secret: 1 to 127 letters, digits and hyphens, compared without regard to case.
///
/// The official client checks only that a name is not empty, so that `../keys/k` would reach a key.
/// This type keeps it from leaving `/secrets/`.
#[derive(Clone)]
pub struct SecretName {
    text: Box<str>,
}

arm_core::text_id!(SecretName);

impl FromStr for SecretName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = |rule| Err(IdError::new("secret name", text, rule));
        if !(1..=127).contains(&text.len()) {
            return refuse("must have 1 to 127 characters");
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return refuse(CHARACTERS);
        }
        Ok(Self { text: text.into() })
    }
}

/// A version of a secret: 32 hexadecimal digits, made by the service. Its characters tell nothing about its age.
#[derive(Clone)]
pub struct SecretVersion {
    text: Box<str>,
}

arm_core::text_id!(SecretVersion);

impl FromStr for SecretVersion {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 32 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            let rule = "must have 32 characters, each a digit or one of a to f";
            return Err(IdError::new("secret version", text, rule));
        }
        Ok(Self { text: text.into() })
    }
}

/// The id of a secret: `https://{vault}/secrets/{name}`, and the version if one is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SecretId {
    /// The host of the vault, such as `kv-prod.vault.azure.net`.
    pub vault_host: String,
    /// The name.
    pub name: SecretName,
    /// The version; `None` for the secret as a whole.
    pub version: Option<SecretVersion>,
}

impl FromStr for SecretId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = || {
            let rule = "must have the form https://{vault}/secrets/{name} or https://{vault}/secrets/{name}/{version}";
            Err(IdError::new("secret id", text, rule))
        };
        let Ok(url) = text.parse::<Url>() else { return refuse() };
        let Some(host) = url.host_str().filter(|_| url.scheme() == "https") else { return refuse() };
        let segments: Vec<&str> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
        let (name, version) = match segments.as_slice() {
            ["secrets" | "deletedsecrets", name] => (name, None),
            ["secrets" | "deletedsecrets", name, version] => (name, Some(version.parse()?)),
            _ => return refuse(),
        };
        Ok(Self { vault_host: host.to_owned(), name: name.parse()?, version })
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}/secrets/{}", self.vault_host, self.name)?;
        self.version.iter().try_for_each(|version| write!(f, "/{version}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_the_secrets_path_is_no_secret_name() {
        for bad in ["", "../keys/k", "a/b", "{secret-version}", "a%2Fb", "a b", "a_b", &"x".repeat(128)] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad}");
        }
        for bad in ["", "4387E9F3D6E14C459867679A90FD0F79", "4387e9f3", "../../../../../../../../keys/kk"] {
            assert!(bad.parse::<SecretVersion>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_id_is_read_with_or_without_version_and_port() {
        let id: SecretId =
            "https://kv.vault.azure.net:443/secrets/db/4387e9f3d6e14c459867679a90fd0f79?api-version=7.5"
                .parse()
                .unwrap();
        assert_eq!(id.to_string(), "https://kv.vault.azure.net/secrets/db/4387e9f3d6e14c459867679a90fd0f79");
        assert!("https://kv.vault.azure.net/keys/db".parse::<SecretId>().is_err());
        assert!("http://kv.vault.azure.net/secrets/db".parse::<SecretId>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_a_name_stays_in_the_secrets_path(text in ".{0,140}") {
            if let Ok(name) = text.parse::<SecretName>() {
                let url: Url = format!("https://kv.vault.azure.net/secrets/{name}").parse().unwrap();
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                proptest::prop_assert_eq!(segments, ["secrets", text.as_str()]);
                proptest::prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }

        #[test]
        fn ids_read_back_as_they_are_written(name in "[0-9A-Za-z-]{1,127}", version in "([0-9a-f]{32})?") {
            let slash = if version.is_empty() { "" } else { "/" };
            let text = format!("https://kv.vault.azure.net/secrets/{name}{slash}{version}");
            let id: SecretId = text.parse().unwrap();
            proptest::prop_assert_eq!(id.to_string(), text);
        }
    }
}
