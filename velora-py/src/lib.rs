//! The extension module of the Python package `velora`: converts, calls `velora-core`, and
//! converts back. The public Python API around it is in `python/velora`.

#![deny(unsafe_code)]
#![cfg_attr(
    feature = "panics",
    allow(clippy::panic, reason = "this is what it is for")
)]

mod argument;
mod audit_event;
mod body;
mod call;
mod client;
mod custom;
mod delivery;
mod errors;
mod event;
mod forked;
mod headers;
mod held;
mod json;
mod manifest;
mod number;
mod options;
mod process;
mod receiver;
mod record;
mod scheme;
mod secret;
mod signer;
mod sqlite;
mod store;
mod stream;
mod taker;
mod text;
mod time;
mod transaction;
mod unchecked;
mod verifier;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Work that panics, for the test that this becomes an error and does not end the process.
#[cfg(feature = "panics")]
#[pyfunction]
fn panic_later() -> call::Call {
    async fn panicking() -> errors::Result<()> {
        panic!("a test asked for it");
    }
    call::Call::new(panicking(), call::show_nothing)
}

#[pymodule]
mod _velora {
    use super::*;

    #[pymodule_export]
    use audit_event::AuditEvent;
    #[pymodule_export]
    use call::Call;
    #[pymodule_export]
    use client::{Billing, Curae, Health, Tv};
    #[pymodule_export]
    use custom::Answer;
    #[pymodule_export]
    use delivery::Delivery;
    #[pymodule_export]
    use manifest::Manifest;
    #[pymodule_export]
    use receiver::{Listed, Receiver, Work};
    #[pymodule_export]
    use scheme::Scheme;
    #[pymodule_export]
    use secret::SigningSecret;
    #[pymodule_export]
    use signer::{SignedDelivery, Signer};
    #[pymodule_export]
    use store::{Claim, Store};
    #[pymodule_export]
    use stream::Stream;
    #[pymodule_export]
    use taker::Taker;
    #[pymodule_export]
    use transaction::Statements;
    #[pymodule_export]
    use verifier::Verifier;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        let end = wrap_pyfunction!(process::end_visits, module)?;
        py.import("atexit")?.call_method1("register", (end,))?;
        if let Ok(register) = py.import("os")?.getattr("register_at_fork") {
            let kwargs = PyDict::new(py);
            kwargs.set_item("before", wrap_pyfunction!(forked::before_fork, module)?)?;
            let after = wrap_pyfunction!(forked::after_fork, module)?;
            kwargs.set_item("after_in_parent", after)?;
            let after = wrap_pyfunction!(forked::after_fork_in_child, module)?;
            kwargs.set_item("after_in_child", after)?;
            register.call((), Some(&kwargs))?;
        }
        #[cfg(feature = "panics")]
        module.setattr("_panic_later", wrap_pyfunction!(panic_later, module)?)?;
        let codes = velora_core::Code::ALL.iter().map(|code| code.as_str());
        module.add("CODES", codes.collect::<Vec<_>>())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
