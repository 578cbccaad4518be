//! Converts values of the core to the classes of `python/velora`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use velora_core::Extra;

use crate::json;

/// Creates an instance of a class that is defined in Python.
macro_rules! record {
    ($py:expr, $module:literal, $class:literal, ($($field:expr),* $(,)?)) => {{
        static CLASS: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::types::PyType>> =
            pyo3::sync::PyOnceLock::new();
        CLASS.import($py, $module, $class)?.call1(($($field,)*))
    }};
}

pub(crate) use record;

/// Members that no type names. Of a repeated one the last counts, as in Python's JSON parser.
pub(crate) fn extra<'py>(py: Python<'py>, extra: &Extra) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in extra.iter() {
        dict.set_item(name, json::loads(py, value.as_str())?)?;
    }
    Ok(dict)
}

/// An event type: an enum member if it is in the system's catalogue, else an `OtherType`.
macro_rules! event_type {
    ($py:expr, $module:literal, $text:expr) => {{
        static MEMBERS: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::types::PyDict>> =
            pyo3::sync::PyOnceLock::new();
        let py: pyo3::Python<'_> = $py;
        let members = MEMBERS.get_or_try_init(py, || {
            let members = py
                .import($module)?
                .getattr("EventType")?
                .getattr("_value2member_map_")?;
            pyo3::PyResult::Ok(members.cast_into()?.unbind())
        })?;
        let text = pyo3::types::PyString::new(py, $text);
        match members.bind(py).get_item(&text)? {
            Some(member) => member,
            None => $crate::record::record!(py, "velora.events", "OtherType", (text,))?,
        }
    }};
}

pub(crate) use event_type;
