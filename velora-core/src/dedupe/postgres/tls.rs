//! TLS, as everywhere in this crate: `rustls`, with certificates always verified.

use std::borrow::Cow;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::dedupe::open::refused;
use crate::error::ConfigError;

/// `require` means what libpq calls `verify-full`; there is no weaker form.
pub(super) fn strictest(url: &str) -> Cow<'_, str> {
    for weaker in ["sslmode=verify-full", "sslmode=verify-ca"] {
        if url.contains(weaker) {
            return Cow::Owned(url.replace(weaker, "sslmode=require"));
        }
    }
    Cow::Borrowed(url)
}

/// Names the crypto provider, because a process without an installed one would panic.
pub(super) fn connector() -> Result<MakeRustlsConnect, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| refused("TLS cannot be set up"))?
        .with_platform_verifier()
        .map_err(|_| refused("the system's certificates cannot be read"))?;
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}
