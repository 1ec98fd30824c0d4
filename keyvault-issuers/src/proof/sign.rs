//! HMAC-SHA256 in base64, as all these services expect it.

use arm_core::Secret;
use azure_core::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::failure;

/// Signs with the bytes of a base64 key.
pub(crate) fn with_base64(key: &Secret, text: &str) -> Result<String> {
    let bytes = STANDARD.decode(key.expose()).map(Zeroizing::new);
    // A detailed error could reveal part of the key.
    let bytes = bytes.map_err(|_| failure("the key is not valid base64".to_owned()))?;
    sign(&bytes, text)
}

/// Signs with the characters of a key.
pub(crate) fn with_text(key: &Secret, text: &str) -> Result<String> {
    sign(key.expose().as_bytes(), text)
}

fn sign(key: &[u8], text: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| failure("the key cannot be used for signing".to_owned()))?;
    mac.update(text.as_bytes());
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}
