//! Random values for secrets.

use arm_core::Secret;
use azure_core::{Error, Result, error::ErrorKind};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Returns a random value: 256 bits from the operating system, encoded as 43 letters, digits, `-` and `_`.
///
/// # Errors
///
/// The system provides no random bytes.
pub fn random_value() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|error| {
        Error::with_message(ErrorKind::Other, format!("the system provides no random numbers: {error}"))
    })?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
}
