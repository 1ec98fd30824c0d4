//! The transport of credentials and clients: rustls with ring, no redirects.

use azure_core::http::Transport;

/// The transport of this crate's clients, for official clients and credentials that you create yourself.
///
/// TLS is rustls with ring and the platform's certificates. Redirects are not followed. Connecting times out after 20
/// seconds, each read after 60. Without this transport, an official client in a program that has only ring panics,
/// since there is no process-wide provider.
///
/// # Errors
///
/// The system's certificates cannot be loaded.
#[cfg(feature = "ring")]
pub fn default_transport() -> azure_core::Result<Transport> {
    use std::{sync::Arc, time::Duration};

    use azure_core::{Error, error::ErrorKind};

    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::with_error(ErrorKind::Other, error, "failed to create the TLS transport")
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        rustls_platform_verifier::Verifier::new(provider.clone()).map_err(|error| failed(error.into()))?;
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.into()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // reqwest sets no protocols on a configuration that it is given.
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        // Whatever features of reqwest other crates turn on: an answer is as large as it says.
        .no_gzip()
        .no_deflate()
        .no_brotli()
        .no_zstd()
        .connect_timeout(Duration::from_secs(20))
        .read_timeout(Duration::from_secs(60))
        .build()
        .map_err(|error| failed(error.into()))?;
    Ok(Transport::new(Arc::new(client)))
}

/// The transport of the options, or ours.
pub(crate) fn or_default(transport: Option<Transport>) -> azure_core::Result<Transport> {
    match transport {
        Some(transport) => Ok(transport),
        #[cfg(feature = "ring")]
        None => default_transport(),
        #[cfg(not(feature = "ring"))]
        None => Err(azure_core::Error::with_message(
            azure_core::error::ErrorKind::Other,
            "no transport: turn on arm-core's feature 'ring' or provide one with ArmOptions::client.transport",
        )),
    }
}
