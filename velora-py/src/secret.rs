//! Signing secrets and API keys.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping, PyString};
use velora_core::{ConfigError, SigningSecret as CoreSecret};

use crate::errors::{Result, invalid_option};

/// The secret that a system signs its deliveries with. It is never shown.
#[pyclass(frozen, module = "velora")]
pub(crate) struct SigningSecret(pub(crate) CoreSecret);

#[pymethods]
impl SigningSecret {
    /// A secret that is text, whose UTF-8 bytes are the key, or raw bytes.
    #[new]
    fn new(secret: &Bound<'_, PyAny>) -> Result<Self> {
        read(secret).map(Self)
    }

    /// The bytes of the secret, for your secret storage. Keep them out of logs.
    fn expose_secret<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.expose_secret())
    }

    /// It never changes. `dataclasses.asdict` copies what a result has in it.
    fn __copy__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __deepcopy__(this: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        this
    }

    fn __repr__(&self) -> &'static str {
        "SigningSecret(..)"
    }
}

fn read(secret: &Bound<'_, PyAny>) -> Result<CoreSecret> {
    if let Ok(secret) = secret.cast::<SigningSecret>() {
        return Ok(secret.get().0.clone());
    }
    if let Ok(text) = secret.cast::<PyString>() {
        let text = text
            .to_str()
            .map_err(|_| invalid_option("secret", "it cannot be encoded as UTF-8"))?;
        return Ok(CoreSecret::new(text)?);
    }
    match secret.cast::<PyBytes>() {
        Ok(bytes) => Ok(CoreSecret::from_bytes(bytes.as_bytes())?),
        Err(_) => Err(invalid_option(
            "secret",
            "it must be a str, bytes or a SigningSecret",
        )),
    }
}

/// One secret, or several during a rotation. A mapping is refused: iterating over it would
/// yield its keys, which anybody may know, as secrets.
pub(crate) fn read_all(secrets: &Bound<'_, PyAny>) -> Result<Vec<CoreSecret>> {
    if secrets.is_none() {
        return Err(ConfigError::NoSecret.into());
    }
    let single = secrets.is_instance_of::<SigningSecret>()
        || secrets.is_instance_of::<PyString>()
        || secrets.is_instance_of::<PyBytes>()
        || secrets.cast::<PyMapping>().is_ok();
    let several = match single {
        true => Err(()),
        false => secrets.try_iter().map_err(drop),
    };
    let Ok(several) = several else {
        return Ok(vec![read(secrets)?]);
    };
    let unreadable = |_| invalid_option("secrets", "they cannot be iterated over");
    several
        .map(|secret| read(&secret.map_err(unreadable)?))
        .collect()
}
