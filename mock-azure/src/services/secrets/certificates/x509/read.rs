//! Reads the properties of a certificate.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, pem::Pem, prelude::FromDer as _,
    public_key::PublicKey,
};
use yasna::Tag;

use super::{PARTS, UPN, USAGES, der};
use crate::{
    http::Reply,
    services::secrets::{
        curves,
        material::{self, Made},
        refusal,
    },
};

/// The properties that a vault takes from a certificate.
pub(crate) struct Facts {
    /// The policy's `x509_props`.
    pub(crate) properties: Value,
    /// The policy's `key_props`.
    pub(crate) key: Value,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

pub(super) fn bytes(key: &Value, member: &str) -> Vec<u8> {
    key[member].as_str().and_then(decoded).unwrap_or_default()
}

fn parsed(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed)
}

fn unreadable() -> Box<Reply> {
    Box::new(Reply::not_implemented("the response to a certificate that cannot be read"))
}

/// The public key, as a JWK.
fn public(certificate: &X509Certificate<'_>) -> Option<Value> {
    let encoded = |bytes: &[u8]| {
        let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        URL_SAFE_NO_PAD.encode(digits)
    };
    match certificate.public_key().parsed().ok()? {
        PublicKey::RSA(key) => {
            Some(json!({ "kty": "RSA", "n": encoded(key.modulus), "e": encoded(key.exponent) }))
        }
        PublicKey::EC(point) => {
            let (4, coordinates) = point.data().split_first().map(|(mark, rest)| (*mark, rest))? else {
                return None;
            };
            let curve = match coordinates.len() {
                64 => "P-256",
                96 => "P-384",
                _ => return None,
            };
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
            Some(json!({ "kty": "EC", "crv": curve, "x": x, "y": y }))
        }
        _ => None,
    }
}

fn same_key(one: &Value, other: &Value) -> bool {
    ["n", "e", "crv", "x", "y"].iter().all(|member| one[member] == other[member])
}

/// Whether a certificate is for this key.
pub(crate) fn is_for(der: &[u8], made: &Made) -> bool {
    parsed(der).and_then(|found| public(&found)).is_some_and(|found| same_key(&found, &made.public))
}

/// The validity period of a certificate, as Unix times.
pub(crate) fn period(der: &[u8]) -> Option<(i64, i64)> {
    let validity = parsed(der)?.validity().clone();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

pub(crate) fn facts(der: &[u8]) -> Result<Facts, Box<Reply>> {
    let certificate = parsed(der).ok_or_else(unreadable)?;
    let key = public(&certificate).ok_or_else(unreadable)?;
    let (from, to) = period(der).ok_or_else(unreadable)?;
    let size = certificate.public_key().parsed().map(|key| key.key_size()).unwrap_or_default();
    let mut properties = json!({
        "subject": subject(&certificate),
        "ekus": purposes(&certificate),
        "key_usage": usages(&certificate),
        "validity_months": months(from, to),
        "basic_constraints": { "ca": certificate.is_ca() },
    });
    if let Some(sans) = alternative_names(&certificate) {
        properties["sans"] = sans;
    }
    let mut key_properties =
        json!({ "exportable": true, "kty": key["kty"], "key_size": size, "reuse_key": false });
    if !key["crv"].is_null() {
        key_properties["crv"] = key["crv"].clone();
    }
    Ok(Facts { properties, key: key_properties, from, to })
}

/// Recorded: the attributes in reverse order, with a state as `S`.
fn subject(certificate: &X509Certificate<'_>) -> String {
    let parts = certificate.subject().iter_attributes().map(|part| {
        let numbers: Option<Vec<u64>> = part.attr_type().iter().map(Iterator::collect);
        let short = numbers.as_deref().and_then(|numbers| PARTS.iter().find(|(_, known)| *known == numbers));
        let name = short.map_or_else(|| part.attr_type().to_id_string(), |(short, _)| (*short).to_owned());
        format!("{name}={}", part.as_str().unwrap_or_default())
    });
    let mut parts: Vec<String> = parts.collect();
    parts.reverse();
    parts.join(", ")
}

fn purposes(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(found)) = certificate.extended_key_usage() else { return Vec::new() };
    let usage = found.value;
    let known = [
        (usage.server_auth, "1.3.6.1.5.5.7.3.1"),
        (usage.client_auth, "1.3.6.1.5.5.7.3.2"),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    let known = known.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| (*name).to_owned());
    known.chain(usage.other.iter().map(|other| other.to_id_string())).collect()
}

fn usages(certificate: &X509Certificate<'_>) -> Vec<&'static str> {
    let Ok(Some(found)) = certificate.key_usage() else { return Vec::new() };
    // The bits of the extension are counted from the left, in the order of the names.
    let is_set = |bit: usize| found.value.flags & (1 << bit) != 0;
    USAGES.iter().enumerate().filter(|(bit, _)| is_set(*bit)).map(|(_, (name, _))| *name).collect()
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Option<Value> {
    let found = certificate.subject_alternative_name().ok()??;
    let mut sans = json!({ "emails": [], "dns_names": [], "upns": [] });
    for name in &found.value.general_names {
        let (kind, text) = match name {
            GeneralName::DNSName(text) => ("dns_names", (*text).to_owned()),
            GeneralName::RFC822Name(text) => ("emails", (*text).to_owned()),
            GeneralName::OtherName(kind, value)
                if kind.iter().is_some_and(|numbers| numbers.eq(UPN.iter().copied())) =>
            {
                ("upns", text(value).unwrap_or_default())
            }
            _ => continue,
        };
        if let Some(names) = sans[kind].as_array_mut() {
            names.push(json!(text));
        }
    }
    Some(sans)
}

/// A text, with or without an enclosing tag.
fn text(value: &[u8]) -> Option<String> {
    let found = der::value(value)?;
    if found.tag() == Tag::context(0) {
        return text(found.value());
    }
    Some(String::from_utf8_lossy(found.value()).into_owned())
}

/// Recorded: whole months, rounded up.
fn months(from: i64, to: i64) -> i32 {
    let at =
        |instant: i64| OffsetDateTime::from_unix_timestamp(instant).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (from, to) = (at(from), at(to));
    let of = |time: OffsetDateTime| time.year() * 12 + i32::from(u8::from(time.month()));
    let whole = of(to) - of(from);
    let over = (to.day(), to.time()) > (from.day(), from.time());
    whole + i32::from(over)
}

/// Reads a certificate and its key from PEM.
pub(crate) fn from_pem(text: &str) -> Result<(Vec<u8>, Made), Box<Reply>> {
    let blocks: Vec<Pem> = Pem::iter_from_buffer(text.as_bytes()).flatten().collect();
    let certificate = blocks.iter().find(|block| block.label == "CERTIFICATE").ok_or_else(unreadable)?;
    let public = parsed(&certificate.contents).and_then(|found| public(&found)).ok_or_else(unreadable)?;
    let key = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")).ok_or_else(unreadable)?;
    let made = private(key, &public).ok_or_else(unreadable)?;
    // Recorded: the refusal of a certificate that is not for its key.
    if !same_key(&made.public, &public) {
        return Err(Box::new(refusal::bad_parameter(
            "The public key of the end-entity certificate in the specified X.509 certificate content does not match the \
             public part of the specified private key. Please check if certificate is valid.",
        )));
    }
    Ok((certificate.contents.clone(), made))
}

/// `None` if the key is encrypted, or of a type that is not supported here.
fn private(key: &Pem, public: &Value) -> Option<Made> {
    let mut parts = der::parts(&key.contents)?;
    match key.label.as_str() {
        "PRIVATE KEY" => parts = der::parts(parts.get(2)?.value())?,
        "EC PRIVATE KEY" | "RSA PRIVATE KEY" => {}
        _ => return None,
    }
    match public["crv"].as_str() {
        Some(curve) => {
            let scalar = URL_SAFE_NO_PAD.encode(parts.get(1)?.value());
            let operations = json!(material::CURVE_OPERATIONS);
            curves::on_curve("EC", curve, scalar, operations).ok()
        }
        None => {
            let number = |at: usize| {
                let digits: Vec<u8> =
                    parts.get(at)?.value().iter().copied().skip_while(|byte| *byte == 0).collect();
                Some(URL_SAFE_NO_PAD.encode(digits))
            };
            let operations = json!(material::RSA_OPERATIONS);
            let public = json!({ "kty": "RSA", "key_ops": operations, "n": number(1)?, "e": number(2)? });
            Some(Made { public, private: String::new() })
        }
    }
}
