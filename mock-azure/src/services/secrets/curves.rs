//! Elliptic-curve keys. Their signatures are real, and deterministic.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use serde_json::{Value, json};

use super::{material::Made, refusal, store::Version};
use crate::http::Reply;

/// The supported curves, with the signature algorithm of each.
const CURVES: &[(&str, &str)] = &[("P-256", "ES256"), ("P-384", "ES384")];

fn unknown(curve: &str) -> Box<Reply> {
    let known: Vec<&str> = CURVES.iter().map(|(curve, _)| *curve).collect();
    Box::new(Reply::unknown("curve", curve, &known))
}

pub(super) fn on_curve(
    kind: &str,
    curve: &str,
    private: String,
    operations: Value,
) -> Result<Made, Box<Reply>> {
    let bad = || Box::new(refusal::bad_parameter("The private half of the key does not lie on its curve."));
    let scalar = URL_SAFE_NO_PAD.decode(private.trim_end_matches('=')).map_err(|_| bad())?;
    let point = match curve {
        "P-256" => {
            let key = p256::ecdsa::SigningKey::from_slice(&scalar).map_err(|_| bad())?;
            key.verifying_key().to_encoded_point(false).as_bytes().to_vec()
        }
        "P-384" => {
            let key = p384::ecdsa::SigningKey::from_slice(&scalar).map_err(|_| bad())?;
            key.verifying_key().to_encoded_point(false).as_bytes().to_vec()
        }
        _ => return Err(unknown(curve)),
    };
    // Both coordinates follow the marker of an uncompressed point.
    let (x, y) = point[1..].split_at(point.len() / 2);
    let public = json!({
        "kty": kind,
        "key_ops": operations,
        "crv": curve,
        "x": URL_SAFE_NO_PAD.encode(x),
        "y": URL_SAFE_NO_PAD.encode(y),
    });
    Ok(Made { public, private })
}

/// Documented: each curve has one algorithm, with one digest length.
fn fits(key: &Version, algorithm: &str, digest: &[u8]) -> Result<(&'static str, Vec<u8>), Box<Reply>> {
    let curve = key.key["crv"].as_str().unwrap_or_default();
    if curve.is_empty() {
        let what = format!("the result of '{algorithm}': it has no private key for RSA");
        return Err(Box::new(Reply::not_implemented(what)));
    }
    let Some((curve, own)) = CURVES.iter().find(|(known, _)| *known == curve) else {
        return Err(unknown(curve));
    };
    let length = if *own == "ES384" { 48 } else { 32 };
    if *own != algorithm || digest.len() != length {
        let message = format!("A key on {curve} signs a digest of {length} bytes with {own}.");
        return Err(Box::new(refusal::bad_parameter(message)));
    }
    Ok((own, URL_SAFE_NO_PAD.decode(key.value.trim_end_matches('=')).unwrap_or_default()))
}

fn broken<E>(_: E) -> Box<Reply> {
    Box::new(refusal::bad_parameter("The key cannot be used."))
}

/// Signs a digest deterministically.
pub(super) fn sign(key: &Version, algorithm: &str, digest: &[u8]) -> Result<Vec<u8>, Box<Reply>> {
    let (algorithm, scalar) = fits(key, algorithm, digest)?;
    if algorithm == "ES384" {
        let key = p384::ecdsa::SigningKey::from_slice(&scalar).map_err(broken)?;
        let signature: p384::ecdsa::Signature = key.sign_prehash(digest).map_err(broken)?;
        return Ok(signature.to_bytes().to_vec());
    }
    let key = p256::ecdsa::SigningKey::from_slice(&scalar).map_err(broken)?;
    let signature: p256::ecdsa::Signature = key.sign_prehash(digest).map_err(broken)?;
    Ok(signature.to_bytes().to_vec())
}

pub(super) fn verify(
    key: &Version,
    algorithm: &str,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool, Box<Reply>> {
    let (algorithm, scalar) = fits(key, algorithm, digest)?;
    if algorithm == "ES384" {
        let key = p384::ecdsa::SigningKey::from_slice(&scalar).map_err(broken)?;
        let signature = p384::ecdsa::Signature::from_slice(signature);
        return Ok(
            signature.is_ok_and(|signature| key.verifying_key().verify_prehash(digest, &signature).is_ok())
        );
    }
    let key = p256::ecdsa::SigningKey::from_slice(&scalar).map_err(broken)?;
    let signature = p256::ecdsa::Signature::from_slice(signature);
    Ok(signature.is_ok_and(|signature| key.verifying_key().verify_prehash(digest, &signature).is_ok()))
}
