//! Key material. Elliptic-curve keys are real. An RSA key has a public half that looks real, and no private half:
//! operations that need it are unknown requests.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{curves, refusal};
use crate::{http::Reply, state::stable_id};

/// The two halves of a key.
#[derive(Clone)]
pub(super) struct Made {
    /// The public half as a JWK, with the permitted operations.
    pub(super) public: Value,
    /// The scalar in base64url; empty for RSA.
    pub(super) private: String,
}

/// Omits the private half.
impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("public", &self.public).finish_non_exhaustive()
    }
}

pub(super) const RSA_OPERATIONS: &[&str] = &["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
pub(super) const CURVE_OPERATIONS: &[&str] = &["sign", "verify"];
const SIZES: &[u64] = &[2048, 3072, 4096];

/// Generates the requested key. The same seed gives the same key.
pub(super) fn generate(body: &Value, seed: &str, premium: bool) -> Result<Made, Box<Reply>> {
    let Some(kind) = body["kty"].as_str() else {
        return Err(Box::new(refusal::bad_parameter("Property kty is required.")));
    };
    // Documented: the types, and that only a premium vault has hardware-protected keys.
    if matches!(kind, "RSA-HSM" | "EC-HSM") && !premium {
        let message = format!("The key type '{kind}' needs a vault with the SKU premium.");
        return Err(Box::new(refusal::bad_parameter(message)));
    }
    match kind {
        "RSA" | "RSA-HSM" => {
            let size = body["key_size"].as_u64().unwrap_or(SIZES[0]);
            if !SIZES.contains(&size) {
                let message = format!("The key size {size} is not one of: 2048, 3072, 4096.");
                return Err(Box::new(refusal::bad_parameter(message)));
            }
            let mut modulus = bytes(seed, usize::try_from(size / 8).unwrap_or_default());
            if let [first, .., last] = modulus.as_mut_slice() {
                *first |= 0x80;
                *last |= 1;
            }
            let public = json!({
                "kty": kind,
                "key_ops": operations(body, RSA_OPERATIONS),
                "n": URL_SAFE_NO_PAD.encode(modulus),
                "e": "AQAB",
            });
            Ok(Made { public, private: String::new() })
        }
        "EC" | "EC-HSM" => {
            let curve = body["crv"].as_str().unwrap_or("P-256");
            let private = URL_SAFE_NO_PAD.encode(bytes(seed, if curve == "P-384" { 48 } else { 32 }));
            curves::on_curve(kind, curve, private, operations(body, CURVE_OPERATIONS))
        }
        _ => Err(Box::new(Reply::unknown("key type", kind, &["RSA", "RSA-HSM", "EC", "EC-HSM"]))),
    }
}

/// Imports a key from a JWK.
pub(super) fn import(key: &Value) -> Result<Made, Box<Reply>> {
    // Recorded: the refusal.
    let bad = || Box::new(refusal::bad_parameter("The property \"key\" must be a valid JsonWebKey object."));
    let kind = key["kty"].as_str().ok_or_else(bad)?;
    let has = |members: &[&str]| members.iter().all(|member| key[member].is_string());
    match kind.trim_end_matches("-HSM") {
        "RSA" if has(&["n", "e", "d"]) => {
            let operations = operations(key, RSA_OPERATIONS);
            let public = json!({ "kty": kind, "key_ops": operations, "n": key["n"], "e": key["e"] });
            Ok(Made { public, private: String::new() })
        }
        "EC" if has(&["crv", "x", "y", "d"]) => {
            let (curve, operations) =
                (key["crv"].as_str().unwrap_or_default(), operations(key, CURVE_OPERATIONS));
            curves::on_curve(kind, curve, key["d"].as_str().unwrap_or_default().to_owned(), operations)
        }
        "RSA" | "EC" => Err(bad()),
        _ => Err(Box::new(Reply::unknown("key type", kind, &["RSA", "RSA-HSM", "EC", "EC-HSM"]))),
    }
}

/// The body of a request for a key of the same type and size.
pub(super) fn like(key: &Value) -> Value {
    let size = key["n"].as_str().map(|n| n.len() * 3 / 4 * 8);
    json!({ "kty": key["kty"], "key_size": size, "crv": key["crv"] })
}

fn operations(asked: &Value, all: &[&str]) -> Value {
    if asked["key_ops"].is_array() { asked["key_ops"].clone() } else { json!(all) }
}

pub(super) fn bytes(seed: &str, count: usize) -> Vec<u8> {
    let parts = (0..=count / 16).flat_map(|part| {
        let id = stable_id(&format!("{seed}/{part}"));
        uuid::Uuid::parse_str(&id).map(uuid::Uuid::into_bytes).unwrap_or_default()
    });
    parts.take(count).collect()
}
