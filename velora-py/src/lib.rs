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

use pyo3::exceptions::PyImportError;
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

/// The check comes first: PyO3 keeps its types for the whole process, and they must not belong to
/// an interpreter that ends before it.
#[pymodule]
fn _velora(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    if !unchecked::is_main_interpreter(py) {
        return Err(PyImportError::new_err(
            "velora works in the main interpreter only, not in a subinterpreter; with mod_wsgi, \
             set `WSGIApplicationGroup %{GLOBAL}`",
        ));
    }
    module.add_class::<audit_event::AuditEvent>()?;
    module.add_class::<call::Call>()?;
    module.add_class::<client::Billing>()?;
    module.add_class::<client::Curae>()?;
    module.add_class::<client::Health>()?;
    module.add_class::<client::Tv>()?;
    module.add_class::<custom::Answer>()?;
    module.add_class::<delivery::Delivery>()?;
    module.add_class::<manifest::Manifest>()?;
    module.add_class::<receiver::Listed>()?;
    module.add_class::<receiver::Receiver>()?;
    module.add_class::<receiver::Work>()?;
    module.add_class::<scheme::Scheme>()?;
    module.add_class::<secret::SigningSecret>()?;
    module.add_class::<signer::SignedDelivery>()?;
    module.add_class::<signer::Signer>()?;
    module.add_class::<store::Claim>()?;
    module.add_class::<store::Store>()?;
    module.add_class::<stream::Stream>()?;
    module.add_class::<taker::Taker>()?;
    module.add_class::<transaction::Statements>()?;
    module.add_class::<verifier::Verifier>()?;
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
