//! X.509 certificates. Those with an elliptic-curve key are real. One with an RSA key has a dummy signature, since
//! there is no private key to sign with.

mod der;
mod read;
mod whole;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    OtherNameValue, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use serde_json::Value;
use sha1::Digest as _;
use sha2::{Sha256, Sha384};
use time::{Month, OffsetDateTime};

pub(super) use self::{
    read::{Facts, facts, from_pem, is_for, period},
    whole::with_private_half,
};
use crate::{
    http::Reply,
    services::secrets::{
        curves,
        material::{self, Made},
        refusal,
        store::Version,
    },
};

/// The short names of the attributes of a subject, and their object identifiers.
const PARTS: &[(&str, &[u64])] = &[
    ("CN", &[2, 5, 4, 3]),
    ("C", &[2, 5, 4, 6]),
    ("L", &[2, 5, 4, 7]),
    ("S", &[2, 5, 4, 8]),
    ("ST", &[2, 5, 4, 8]),
    ("STREET", &[2, 5, 4, 9]),
    ("O", &[2, 5, 4, 10]),
    ("OU", &[2, 5, 4, 11]),
    ("DC", &[0, 9, 2342, 19_200_300, 100, 1, 25]),
    ("E", &[1, 2, 840, 113_549, 1, 9, 1]),
];

const USAGES: &[(&str, KeyUsagePurpose)] = &[
    ("digitalSignature", KeyUsagePurpose::DigitalSignature),
    ("nonRepudiation", KeyUsagePurpose::ContentCommitment),
    ("keyEncipherment", KeyUsagePurpose::KeyEncipherment),
    ("dataEncipherment", KeyUsagePurpose::DataEncipherment),
    ("keyAgreement", KeyUsagePurpose::KeyAgreement),
    ("keyCertSign", KeyUsagePurpose::KeyCertSign),
    ("cRLSign", KeyUsagePurpose::CrlSign),
    ("encipherOnly", KeyUsagePurpose::EncipherOnly),
    ("decipherOnly", KeyUsagePurpose::DecipherOnly),
];

/// The object identifier of a user principal name in an alternative name.
const UPN: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 20, 2, 3];

/// A key in the form that rcgen requires.
struct Signer<'a> {
    made: &'a Made,
    public: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl<'a> Signer<'a> {
    fn of(made: &'a Made) -> Self {
        let bytes = |member: &str| read::bytes(&made.public, member);
        let (public, algorithm) = match made.public["crv"].as_str() {
            None => (
                der::sequence(&[der::integer(&bytes("n")), der::integer(&bytes("e"))]),
                &rcgen::PKCS_RSA_SHA256,
            ),
            Some("P-384") => ([vec![4], bytes("x"), bytes("y")].concat(), &rcgen::PKCS_ECDSA_P384_SHA384),
            Some(_) => ([vec![4], bytes("x"), bytes("y")].concat(), &rcgen::PKCS_ECDSA_P256_SHA256),
        };
        Self { made, public, algorithm }
    }
}

impl PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let public = &self.made.public;
        let (algorithm, digest) = match public["crv"].as_str() {
            None => {
                let length = read::bytes(public, "n").len();
                let seed = URL_SAFE_NO_PAD.encode(Sha256::digest(message));
                let mut signature = material::bytes(&seed, length);
                // Smaller than the modulus, like every valid signature.
                if let Some(first) = signature.first_mut() {
                    *first &= 0x7f;
                }
                return Ok(signature);
            }
            Some("P-384") => ("ES384", Sha384::digest(message).to_vec()),
            Some(_) => ("ES256", Sha256::digest(message).to_vec()),
        };
        let mut key = Version::new(&self.made.private, OffsetDateTime::UNIX_EPOCH);
        key.key = public.clone();
        let signature = curves::sign(&key, algorithm, &digest).map_err(|_| rcgen::Error::RemoteKeyError)?;
        let (r, s) = signature.split_at(signature.len() / 2);
        Ok(der::sequence(&[der::integer(r), der::integer(s)]))
    }
}

/// Creates a certificate signing request.
pub(super) fn request(made: &Made, policy: &Value) -> Result<Vec<u8>, Box<Reply>> {
    let params = params(&policy["x509_props"])?;
    let request = params.serialize_request(&Signer::of(made)).map_err(|error| unusable(&error))?;
    Ok(request.der().to_vec())
}

/// Issues a self-signed certificate. Its serial number is the id of its version.
pub(super) fn issue(
    made: &Made,
    policy: &Value,
    id: &str,
    (from, to): (OffsetDateTime, OffsetDateTime),
) -> Result<Vec<u8>, Box<Reply>> {
    let properties = &policy["x509_props"];
    let mut params = params(properties)?;
    let serial = uuid::Uuid::parse_str(id).map(|id| id.into_bytes().to_vec()).unwrap_or_default();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    (params.not_before, params.not_after) = (from, to);
    params.is_ca = if properties["basic_constraints"]["ca"] == true {
        IsCa::Ca(rcgen::BasicConstraints::Unconstrained)
    } else {
        IsCa::ExplicitNoCa
    };
    params.use_authority_key_identifier_extension = true;
    let issued = params.self_signed(&Signer::of(made)).map_err(|error| unusable(&error))?;
    Ok(issued.der().to_vec())
}

fn unusable(error: &rcgen::Error) -> Box<Reply> {
    Box::new(Reply::not_implemented(format!("a certificate like this: {error}")))
}

fn params(properties: &Value) -> Result<CertificateParams, Box<Reply>> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(properties["subject"].as_str().unwrap_or_default())?;
    params.subject_alt_names = alternative_names(&properties["sans"])?;
    let usages = properties["key_usage"].as_array().into_iter().flatten();
    params.key_usages = usages
        .filter_map(|usage| USAGES.iter().find(|(name, _)| usage == *name).map(|(_, usage)| *usage))
        .collect();
    for purpose in properties["ekus"].as_array().into_iter().flatten() {
        let purpose = purpose.as_str().unwrap_or_default();
        let Some(numbers) =
            purpose.split('.').map(|number| number.parse().ok()).collect::<Option<Vec<u64>>>()
        else {
            return Err(Box::new(Reply::unknown("extended key usage", purpose, &["object identifiers"])));
        };
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::Other(numbers));
    }
    Ok(params)
}

/// Recorded: in the certificate, the attributes are in reverse order.
fn subject(text: &str) -> Result<DistinguishedName, Box<Reply>> {
    let mut name = DistinguishedName::new();
    let mut seen = Vec::new();
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    for part in parts.iter().rev() {
        let known = part.split_once('=').and_then(|(short, value)| {
            let (_, numbers) = PARTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(short.trim()))?;
            Some((*numbers, value.trim()))
        });
        // Repeated attributes, quotes and escapes are not supported here.
        let Some((numbers, value)) =
            known.filter(|(numbers, value)| !seen.contains(numbers) && !value.contains(['"', '\\', '+']))
        else {
            let short: Vec<&str> = PARTS.iter().map(|(short, _)| *short).collect();
            return Err(Box::new(Reply::unknown("part of a subject", part, &short)));
        };
        seen.push(numbers);
        name.push(DnType::CustomDnType(numbers.to_vec()), value);
    }
    Ok(name)
}

fn alternative_names(sans: &Value) -> Result<Vec<SanType>, Box<Reply>> {
    let mut all = Vec::new();
    for (kind, values) in sans.as_object().into_iter().flatten() {
        for value in values.as_array().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            let ascii = || {
                value.try_into().map_err(|_| {
                    Box::new(refusal::bad_parameter(format!("The alternative name '{value}' is not valid.")))
                })
            };
            all.push(match kind.as_str() {
                "dns_names" => SanType::DnsName(ascii()?),
                "emails" => SanType::Rfc822Name(ascii()?),
                "uris" => SanType::URI(ascii()?),
                "upns" => SanType::OtherName((UPN.to_vec(), OtherNameValue::Utf8String(value.to_owned()))),
                _ => {
                    let known = ["dns_names", "emails", "upns", "uris"];
                    return Err(Box::new(Reply::unknown("kind of alternative names", kind, &known)));
                }
            });
        }
    }
    Ok(all)
}

/// The same day of a later month, or the last day of that month.
pub(super) fn months_later(from: OffsetDateTime, months: u64) -> OffsetDateTime {
    let months = i32::try_from(months).unwrap_or(i32::MAX).min(12 * 1000);
    let whole = from.year() * 12 + i32::from(u8::from(from.month())) - 1 + months;
    let month = u8::try_from(whole.rem_euclid(12) + 1).ok().and_then(|month| Month::try_from(month).ok());
    let (year, month) = (whole.div_euclid(12), month.unwrap_or(Month::January));
    let day = from.day().min(month.length(year));
    let date = time::Date::from_calendar_date(year, month, day);
    date.map_or(from, |date| from.replace_date(date))
}

pub(super) fn thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(der))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn months_later_it_is_the_same_day_or_the_last_of_the_month() {
        for (from, months, later) in [
            (datetime!(2026-01-15 6:00 UTC), 0, datetime!(2026-01-15 6:00 UTC)),
            (datetime!(2026-01-31 6:00 UTC), 1, datetime!(2026-02-28 6:00 UTC)),
            (datetime!(2026-11-30 6:00 UTC), 1, datetime!(2026-12-30 6:00 UTC)),
            (datetime!(2026-11-30 6:00 UTC), 3, datetime!(2027-02-28 6:00 UTC)),
            (datetime!(2026-12-31 6:00 UTC), 14, datetime!(2028-02-29 6:00 UTC)),
        ] {
            assert_eq!(months_later(from, months), later, "{months} months after {from}");
        }
    }
}
