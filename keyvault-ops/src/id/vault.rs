use std::{fmt, str::FromStr};

use arm_core::{ArmPath, IdError, ResourceGroupId, ResourceId, ResourceType, Scope, SubscriptionId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::CHARACTERS;

/// The name of a vault: 3 to 24 letters, digits and single hyphens, starting with a letter and ending with a letter or
/// digit. Unique in the whole cloud.
///
/// ```
/// use keyvault_ops::VaultName;
///
/// assert!("kv-prod".parse::<VaultName>().is_ok());
/// let too_long = "kv-contoso-defended-0123abcd".parse::<VaultName>().unwrap_err();
/// assert!(too_long.to_string().contains("must have 3 to 24 characters"));
/// ```
#[derive(Clone)]
pub struct VaultName {
    text: Box<str>,
}

arm_core::text_id!(VaultName);

const VAULT_NAME: &str = "vault name";
const VAULT_NAME_LIMIT: usize = 24;
/// The number of random characters at the end of a generated name.
const SUFFIX: usize = 8;

impl VaultName {
    /// Generates a unique name: at most 15 characters of `prefix`, a hyphen and eight random characters.
    ///
    /// ```
    /// use keyvault_ops::VaultName;
    ///
    /// let name = VaultName::unique("kv-contoso-defended")?;
    /// assert!(name.as_str().starts_with("kv-contoso-defe-"));
    /// assert_eq!(name.as_str().len(), 24);
    /// # Ok::<(), arm_core::IdError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No valid vault name begins with the first 15 characters of `prefix`, or `prefix` is not ASCII.
    pub fn unique(prefix: &str) -> Result<Self, IdError> {
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self::with_suffix(prefix, &random[..SUFFIX])
    }

    fn with_suffix(prefix: &str, suffix: &str) -> Result<Self, IdError> {
        if !prefix.is_ascii() {
            return Err(IdError::new(VAULT_NAME, prefix, CHARACTERS));
        }
        let kept = &prefix[..prefix.len().min(VAULT_NAME_LIMIT - 1 - suffix.len())];
        format!("{}-{suffix}", kept.trim_end_matches('-')).parse()
    }
}

impl FromStr for VaultName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = |rule| Err(IdError::new(VAULT_NAME, text, rule));
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return refuse(CHARACTERS);
        }
        if !(3..=VAULT_NAME_LIMIT).contains(&text.len()) {
            return refuse("must have 3 to 24 characters");
        }
        if !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return refuse("must begin with a letter");
        }
        if text.ends_with('-') {
            return refuse("must end with a letter or digit");
        }
        if text.contains("--") {
            return refuse("must not contain two consecutive hyphens");
        }
        Ok(Self { text: text.into() })
    }
}

/// The resource id of a vault.
///
/// ```
/// use keyvault_ops::VaultId;
///
/// let id: VaultId = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app\
///                    /providers/Microsoft.KeyVault/vaults/kv-prod".parse()?;
/// assert_eq!(id.name(), "kv-prod");
/// # Ok::<(), arm_core::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VaultId {
    id: ResourceId,
}

impl VaultId {
    /// Builds the id of a vault in a group.
    ///
    /// # Errors
    ///
    /// None in practice: a [`VaultName`] is always valid.
    pub fn new(group: &ResourceGroupId, name: &VaultName) -> Result<Self, IdError> {
        Ok(Self { id: group.resource(&ResourceType::VAULT, name.as_str())? })
    }

    /// Whether this is a valid vault id. A parsed id always is; one from a response may not be, and a request for it
    /// then fails before it is sent.
    pub fn is_valid(&self) -> bool {
        Self::try_from(self.id.clone()).is_ok()
    }

    /// The vault's name.
    pub fn name(&self) -> &str {
        self.id.name()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.id.as_str()
    }

    /// The same id as a [`ResourceId`](arm_core::ResourceId).
    pub fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl TryFrom<ResourceId> for VaultId {
    type Error = IdError;

    fn try_from(id: ResourceId) -> Result<Self, IdError> {
        if !id.is(&ResourceType::VAULT) || id.resource_group().is_none() || id.parent().is_some() {
            let rule = "must end with /resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{name}";
            return Err(IdError::new("vault id", id.as_str(), rule));
        }
        Ok(Self { id })
    }
}

impl FromStr for VaultId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse::<ResourceId>()?.try_into()
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl fmt::Debug for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultId({:?})", self.as_str())
    }
}

impl From<VaultId> for ResourceId {
    fn from(id: VaultId) -> Self {
        id.id
    }
}

impl From<&VaultId> for ArmPath {
    fn from(id: &VaultId) -> Self {
        match VaultId::try_from(id.id.clone()) {
            Ok(valid) => Self::from(&valid.id),
            Err(error) => Self::refused(error),
        }
    }
}

impl From<&VaultId> for Scope {
    fn from(id: &VaultId) -> Self {
        Self::Resource(id.id.clone())
    }
}

impl Serialize for VaultId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for VaultId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The id is kept as the service sent it, even if it is not a vault's: using it then fails.
        Ok(Self { id: ResourceId::deserialize(deserializer)? })
    }
}

/// The path of the deleted vault.
pub(crate) fn deleted_vault(subscription: &SubscriptionId, location: &str, name: &str) -> ArmPath {
    ArmPath::from(subscription)
        .provider("Microsoft.KeyVault")
        .literal("locations")
        .segment(location)
        .literal("deletedVaults")
        .segment(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_name_follows_the_rule_of_the_service() {
        for good in ["abc", "kv-prod", "A1-b2-c3", &"a".repeat(24)] {
            assert!(good.parse::<VaultName>().is_ok(), "{good}");
        }
        let rule = |bad: &str| bad.parse::<VaultName>().unwrap_err().rule();
        assert_eq!(rule("ab"), "must have 3 to 24 characters");
        assert_eq!(rule(&"a".repeat(25)), "must have 3 to 24 characters");
        assert_eq!(rule("1kv"), "must begin with a letter");
        assert_eq!(rule("kv-"), "must end with a letter or digit");
        assert_eq!(rule("kv--a"), "must not contain two consecutive hyphens");
        assert_eq!(rule("kv_a"), CHARACTERS);
        assert_eq!(rule("kv.a/b"), CHARACTERS);
        assert_eq!("KV-Prod".parse::<VaultName>().unwrap(), "kv-prod".parse().unwrap());
    }

    #[test]
    fn a_unique_name_is_valid_whatever_the_prefix() {
        for prefix in ["k", "kv-", "kv-contoso-defended", "kv-contoso-def--", "kv-abcdefghijkl-x"] {
            let name = VaultName::unique(prefix).unwrap();
            assert!(name.as_str().len() <= 24, "{name}");
            assert_ne!(name, VaultName::unique(prefix).unwrap());
        }
        assert_eq!(
            VaultName::with_suffix("kv-contoso-defe-nded", "0123abcd").unwrap().as_str(),
            "kv-contoso-defe-0123abcd"
        );
        for bad in ["", "-", "1kv", "kv_lab", "kv--lab", "kvé"] {
            assert!(VaultName::unique(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_vault_id_is_that_of_a_vault() {
        let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg";
        assert!(format!("{group}/providers/microsoft.keyvault/vaults/kv").parse::<VaultId>().is_ok());
        for other in ["Microsoft.Compute/virtualMachines/vm", "Microsoft.KeyVault/vaults/kv/secrets/s"] {
            assert!(format!("{group}/providers/{other}").parse::<VaultId>().is_err(), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_prefix_that_begins_a_name_makes_a_unique_one(prefix in "[A-Za-z]([A-Za-z0-9]|-[A-Za-z0-9]){0,20}-?") {
            let name = VaultName::unique(&prefix).unwrap();
            let begins = name.as_str().rsplit_once('-').unwrap().0;
            proptest::prop_assert!(prefix.starts_with(begins), "{} {}", prefix, name);
        }

        #[test]
        fn a_vault_name_is_read_as_it_is_written(text in ".{0,30}") {
            if let Ok(name) = text.parse::<VaultName>() {
                proptest::prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
