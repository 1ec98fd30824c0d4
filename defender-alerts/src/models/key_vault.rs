//! The types of Key Vault alerts.

use crate::{Intent, Severity};

arm_core::open_enum! {
    /// A type of Defender for Key Vault alert.
    ///
    /// Documented types have their own variants. The plan also raises alerts of undocumented types, which are `Unknown`
    /// with their id. No documented type has severity High.
    ///
    /// ```
    /// use defender_alerts::{KeyVaultAlertType, Severity};
    ///
    /// let dumping = KeyVaultAlertType::of("kv_listgetanomaly").unwrap();
    /// assert_eq!(dumping, KeyVaultAlertType::ListGetAnomaly);
    /// assert_eq!(dumping.severity(), Some(Severity::Medium));
    /// assert!(KeyVaultAlertType::of("VM_EICAR").is_none());
    /// ```
    pub enum KeyVaultAlertType {
        /// A request from an address on a threat intelligence list succeeded.
        SuspiciousIpAccess = "KV_SuspiciousIPAccess",
        /// A request came through Tor.
        TorAccess = "KV_TORAccess",
        /// There were far more operations than usual for the user, application or vault.
        OperationVolumeAnomaly = "KV_OperationVolumeAnomaly",
        /// The vault's policy was changed, and then secrets were read.
        PutGetAnomaly = "KV_PutGetAnomaly",
        /// Secrets were listed and then read, as if to dump the vault.
        ListGetAnomaly = "KV_ListGetAnomaly",
        /// A principal was refused at many vaults.
        AccountVolumeAccessDeniedAnomaly = "KV_AccountVolumeAccessDeniedAnomaly",
        /// A user who does not usually access the vault was refused.
        UserAccessDeniedAnomaly = "KV_UserAccessDeniedAnomaly",
        /// The vault was accessed by an application that does not usually access it.
        AppAnomaly = "KV_AppAnomaly",
        /// There was an unusual mix of operations.
        OperationPatternAnomaly = "KV_OperationPatternAnomaly",
        /// The vault was accessed by a user who does not usually access it.
        UserAnomaly = "KV_UserAnomaly",
        /// The vault was accessed by an unusual combination of user and application.
        UserAppAnomaly = "KV_UserAppAnomaly",
        /// A principal accessed many vaults.
        AccountVolumeAnomaly = "KV_AccountVolumeAnomaly",
        /// A request from an address on a threat intelligence list was refused.
        SuspiciousIpAccessDenied = "KV_SuspiciousIPAccessDenied",
        /// There was unusual access from an address outside Microsoft.
        UnusualAccessSuspiciousIp = "KV_UnusualAccessSuspiciousIP",
    }
}

const PREFIX: &str = "KV_";
pub(crate) const SAMPLE: &str = "SIMULATED_";

/// Returns what follows a prefix, which is matched ignoring case.
pub(crate) fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

impl KeyVaultAlertType {
    /// Returns the type for an alert's `alertType`; `None` if it does not belong to this plan. A sample
    /// (`SIMULATED_KV_..`) has the type that it simulates.
    pub fn of(alert_type: &str) -> Option<Self> {
        let id = strip_prefix(alert_type, SAMPLE).unwrap_or(alert_type);
        strip_prefix(id, PREFIX).map(|_| Self::from(id))
    }

    /// Returns the documented types closest to a name, closest first; for a documented id, the type itself.
    ///
    /// Four names are widely used although no alert has them: `KV_UnusualAccessPattern`, `KV_MassSecretRetrieval`,
    /// `KV_SuspiciousSecretListing` and `KV_HighVolumeOperations`. For these, the result contains the types that are
    /// probably meant. It is empty for any other name.
    pub fn closest(name: &str) -> &'static [Self] {
        use KeyVaultAlertType as T;
        const UNUSUAL: &[T] = &[
            T::OperationPatternAnomaly,
            T::UnusualAccessSuspiciousIp,
            T::SuspiciousIpAccess,
            T::TorAccess,
            T::UserAnomaly,
            T::AppAnomaly,
            T::UserAppAnomaly,
        ];
        match name.to_ascii_lowercase().as_str() {
            "kv_unusualaccesspattern" => UNUSUAL,
            "kv_masssecretretrieval" => &[T::ListGetAnomaly, T::OperationVolumeAnomaly],
            "kv_suspicioussecretlisting" => &[T::ListGetAnomaly],
            "kv_highvolumeoperations" => &[T::OperationVolumeAnomaly, T::AccountVolumeAnomaly],
            _ => {
                let at = Self::KNOWN.iter().position(|kind| kind.as_str().eq_ignore_ascii_case(name));
                at.map_or(&[], |at| &Self::KNOWN[at..=at])
            }
        }
    }

    /// Returns the documented severity of alerts of this type; `None` for an undocumented type.
    pub fn severity(&self) -> Option<Severity> {
        use KeyVaultAlertType as T;
        match self {
            T::Unknown(_) => None,
            T::AccountVolumeAccessDeniedAnomaly
            | T::UserAccessDeniedAnomaly
            | T::SuspiciousIpAccessDenied => Some(Severity::Low),
            _ => Some(Severity::Medium),
        }
    }

    /// Returns the documented tactics of alerts of this type; empty for an undocumented type.
    pub fn tactics(&self) -> &'static [Intent] {
        use KeyVaultAlertType as T;
        match self {
            T::Unknown(_) => &[],
            T::AccountVolumeAccessDeniedAnomaly => &[Intent::Discovery],
            T::UserAccessDeniedAnomaly => &[Intent::InitialAccess, Intent::Discovery],
            _ => &[Intent::CredentialAccess],
        }
    }

    /// Whether alerts of this type report refused calls, which read nothing.
    pub fn is_denied(&self) -> bool {
        use KeyVaultAlertType as T;
        matches!(
            self,
            T::AccountVolumeAccessDeniedAnomaly | T::UserAccessDeniedAnomaly | T::SuspiciousIpAccessDenied
        )
    }

    /// Returns what happened, in a few words; `None` for an undocumented type.
    pub fn meaning(&self) -> Option<&'static str> {
        use KeyVaultAlertType as T;
        Some(match self {
            T::SuspiciousIpAccess => "read from an address that threat intelligence lists",
            T::TorAccess => "read from a TOR exit node",
            T::OperationVolumeAnomaly => "far more operations than usual",
            T::PutGetAnomaly => "the policy was changed, then secrets were read",
            T::ListGetAnomaly => "secrets were listed, then read, as in dumping a vault",
            T::AccountVolumeAccessDeniedAnomaly => "one principal was refused at many vaults",
            T::UserAccessDeniedAnomaly => "an unknown user was refused",
            T::AppAnomaly => "read by an application that does not usually do so",
            T::OperationPatternAnomaly => "an unusual mix of operations",
            T::UserAnomaly => "read by a user who does not usually do so",
            T::UserAppAnomaly => "read by an unusual combination of user and application",
            T::AccountVolumeAnomaly => "one principal read many vaults",
            T::SuspiciousIpAccessDenied => "an address that threat intelligence lists was refused",
            T::UnusualAccessSuspiciousIp => "unusual access from an address outside Microsoft",
            T::Unknown(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eleven_documented_kinds_are_medium_and_three_are_low() {
        let of = |severity: Severity| {
            KeyVaultAlertType::KNOWN.iter().filter(|kind| kind.severity() == Some(severity.clone())).count()
        };
        assert_eq!((of(Severity::Medium), of(Severity::Low), of(Severity::High)), (11, 3, 0));
        assert!(KeyVaultAlertType::KNOWN.iter().all(|kind| kind.meaning().is_some()));
        assert!(KeyVaultAlertType::KNOWN.iter().all(|kind| !kind.tactics().is_empty()));
    }

    #[test]
    fn an_undocumented_kind_survives_and_other_plans_have_none() {
        let new = KeyVaultAlertType::of("KV_BrandNew").unwrap();
        assert_eq!((new.as_str(), new.severity(), new.meaning()), ("KV_BrandNew", None, None));
        assert_eq!(KeyVaultAlertType::of("simulated_kv_toraccess"), Some(KeyVaultAlertType::TorAccess));
        for other in ["VM_EICAR", "KV", "", "Storage.KV_Access", "ключ"] {
            assert_eq!(KeyVaultAlertType::of(other), None, "{other}");
        }
    }

    #[test]
    fn names_that_no_alert_has_lead_to_documented_kinds() {
        use KeyVaultAlertType as T;
        assert_eq!(T::closest("KV_MassSecretRetrieval")[0], T::ListGetAnomaly);
        assert_eq!(T::closest("KV_SuspiciousSecretListing"), [T::ListGetAnomaly]);
        assert_eq!(T::closest("KV_HighVolumeOperations")[0], T::OperationVolumeAnomaly);
        assert_eq!(T::closest("KV_UnusualAccessPattern")[0], T::OperationPatternAnomaly);
        assert_eq!(T::closest("kv_toraccess"), [T::TorAccess]);
        assert!(T::closest("KV_Nothing").is_empty());
    }
}
