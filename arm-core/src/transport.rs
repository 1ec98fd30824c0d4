//! The transport of credentials and clients: rustls with ring, no redirects.

use azure_core::http::Transport;

/// Creates the transport that this crate's clients use, for official clients and credentials that you create yourself.
///
/// TLS is rustls with ring and the platform's certificates. Redirects are not followed. Connecting times out after 20
/// seconds, and each read after 60. Without this transport, an official client panics in a program whose only TLS
/// provider is ring, since no process-wide provider is installed.
///
/// # Errors
///
/// The system's certificates cannot be loaded, or the client cannot be created.
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
    // reqwest sets no ALPN protocols on a preconfigured TLS backend.
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        // Even if other crates turn on these features of reqwest, a body must be no larger than its Content-Length.
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

/// Returns the given transport, or ours if there is none.
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
