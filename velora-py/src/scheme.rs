//! How a system signs.

use pyo3::prelude::*;
use pyo3::types::PyString;
use velora_core::{Identity, Scheme as CoreScheme, SignatureForm, SignedPayload, TimeUnit};

use crate::argument::argument;
use crate::errors::{Result, invalid_option};
use crate::number::Whole;
use crate::text::{Text, Texts};

/// How one system signs its deliveries: a plain value.
#[pyclass(frozen, eq, generic, module = "velora")]
#[derive(PartialEq)]
pub(crate) struct Scheme(pub(crate) CoreScheme);

#[pymethods]
impl Scheme {
    #[new]
    #[pyo3(signature = (
        name, signature_header, *, prefix = None, timestamp_header = None,
        timestamp_unit = None, signed_payload = None, identity = None,
        reject_status = None, client_errors_are_final = false
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        name: Text,
        signature_header: Text,
        prefix: Option<Text>,
        timestamp_header: Option<Text>,
        timestamp_unit: Option<Text>,
        signed_payload: Option<(Text, Text)>,
        identity: Option<&Bound<'_, PyAny>>,
        reject_status: Option<Whole>,
        client_errors_are_final: bool,
    ) -> PyResult<Self> {
        let form = match prefix {
            Some(prefix) => SignatureForm::prefixed(prefix.0),
            None => SignatureForm::List,
        };
        let unit = match timestamp_unit.as_deref() {
            None | Some("seconds") => TimeUnit::Seconds,
            Some("milliseconds") => TimeUnit::Milliseconds,
            _ => {
                let reason = "it must be `seconds` or `milliseconds`";
                return Err(invalid_option("timestamp_unit", reason).into());
            }
        };
        if timestamp_unit.is_some() && timestamp_header.is_none() {
            let reason = "it needs a `timestamp_header`";
            return Err(invalid_option("timestamp_unit", reason).into());
        }
        let mut scheme = CoreScheme::new(name.0, signature_header.0, form);
        if let Some(status) = reject_status {
            scheme = scheme.reject_status(status.fit("reject_status")?);
        }
        if let Some(header) = timestamp_header {
            scheme = scheme.timestamp_header(header.0, unit);
        }
        if let Some((before, after)) = signed_payload {
            scheme = scheme.signed_payload(SignedPayload::timestamped(before.0, after.0));
        }
        if let Some(members) = identity {
            let Texts(members) = argument("identity", members)?;
            let members = members.into_iter().map(|member| member.0.into()).collect();
            scheme = scheme.identity(Identity::Members(members));
        }
        if client_errors_are_final {
            scheme = scheme.client_errors_are_final();
        }
        Ok(Self(scheme))
    }

    /// The scheme of a system: `health`, `billing`, `curae`, `tv` or `tv-body-only`.
    #[staticmethod]
    fn named(name: Text) -> Result<Self> {
        Ok(Self(CoreScheme::named(&name)?))
    }

    /// The scheme's name, such as `health`.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    fn __repr__(&self) -> String {
        format!("Scheme('{}')", self.0.name())
    }
}

/// A scheme, or the name of one.
pub(crate) fn read(scheme: &Bound<'_, PyAny>) -> Result<CoreScheme> {
    if let Ok(scheme) = scheme.cast::<Scheme>() {
        return Ok(scheme.get().0.clone());
    }
    let name = scheme.cast::<PyString>().ok();
    match name.and_then(|name| name.to_str().ok()) {
        Some(name) => Ok(CoreScheme::named(name)?),
        None => Err(invalid_option("scheme", "it is not a name or a Scheme")),
    }
}
