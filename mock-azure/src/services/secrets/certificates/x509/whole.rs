//! A certificate with its private half, as its secret holds it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::{
    der::{bits, explicit, identifier, integer, null, octets, sequence, set},
    read,
};
use crate::services::secrets::material::Made;

const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const LOCAL_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const KEY_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01];
const CERTIFICATE_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03];

const ROUNDS: u16 = 2048;

/// `None` for an RSA key, of which there is no private half.
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

/// PKCS 12, without a password. Documented: so are those of the service.
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
