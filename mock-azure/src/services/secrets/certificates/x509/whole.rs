//! A certificate with its private key, as its secret contains them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::{
    der::{bits, explicit, identifier, integer, null, octets, sequence, set},
    read,
};
use crate::services::secrets::material::Made;

const EC_KEY: &[u64] = &[1, 2, 840, 10_045, 2, 1];
const P256: &[u64] = &[1, 2, 840, 10_045, 3, 1, 7];
const P384: &[u64] = &[1, 3, 132, 0, 34];
const SHA256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
const LOCAL_KEY: &[u64] = &[1, 2, 840, 113_549, 1, 9, 21];
const X509: &[u64] = &[1, 2, 840, 113_549, 1, 9, 22, 1];
const KEY_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 1];
const CERTIFICATE_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 3];

const ROUNDS: u16 = 2048;

/// `None` for an RSA key, for which there is no private key.
pub(crate) fn with_private_half(made: &Made, certificate: &[u8], content_type: &str) -> Option<String> {
    let curve = made.public["crv"].as_str()?;
    let scalar = read::decoded(&made.private)?;
    let point = [vec![4], read::bytes(&made.public, "x"), read::bytes(&made.public, "y")].concat();
    let own = sequence(&[integer(&[1]), octets(&scalar), explicit(1, &bits(&point))]);
    let curve = identifier(if curve == "P-384" { P384 } else { P256 });
    let key = sequence(&[integer(&[0]), sequence(&[identifier(EC_KEY), curve]), octets(&own)]);
    Some(if content_type.ends_with("pem-file") {
        pem("PRIVATE KEY", &key) + &pem("CERTIFICATE", certificate)
    } else {
        STANDARD.encode(pfx(&key, certificate))
    })
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut all = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        all.push_str(&String::from_utf8_lossy(line));
        all.push('\n');
    }
    all + &format!("-----END {label}-----\n")
}

/// PKCS #12 without a password. Documented: the service's have none either.
fn pfx(key: &[u8], certificate: &[u8]) -> Vec<u8> {
    let local = set(&[sequence(&[identifier(LOCAL_KEY), set(&[octets(&[1])])])]);
    let key = sequence(&[identifier(KEY_BAG), explicit(0, key), local.clone()]);
    let certificate = sequence(&[identifier(X509), explicit(0, &octets(certificate))]);
    let certificate = sequence(&[identifier(CERTIFICATE_BAG), explicit(0, &certificate), local]);
    let data = |content: &[u8]| sequence(&[identifier(DATA), explicit(0, &octets(content))]);
    let safe = sequence(&[data(&sequence(&[key, certificate]))]);
    let salt = &Sha256::digest(&safe)[..8];
    let mac = mac(&safe, salt);
    let digest = sequence(&[sequence(&[identifier(SHA256), null()]), octets(&mac)]);
    let mac = sequence(&[digest, octets(salt), integer(&ROUNDS.to_be_bytes())]);
    sequence(&[integer(&[3]), data(&safe), mac])
}

/// RFC 7292, appendix B, for the empty password: two zero bytes.
fn mac(content: &[u8], salt: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    const FOR_A_MAC: u8 = 3;
    let mut mixed = vec![FOR_A_MAC; BLOCK];
    mixed.extend(salt.iter().copied().cycle().take(BLOCK));
    mixed.extend([0; BLOCK]);
    let key = (1..ROUNDS).fold(Sha256::digest(&mixed), |key, _| Sha256::digest(key));
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return Vec::new() };
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}
