//! The proof of an export.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use velora_core::health::Manifest as CoreManifest;

use crate::errors::Result;
use crate::record::record;
use crate::time;

/// The proof of an export: the leaves that tile its window, and what each of them holds.
#[pyclass(frozen, eq, module = "velora.health")]
#[derive(PartialEq)]
pub(crate) struct Manifest(pub(crate) CoreManifest);

#[pymethods]
impl Manifest {
    /// Reads the manifest of an exported file.
    #[staticmethod]
    fn read(exported: PathBuf) -> Result<Self> {
        Ok(Self(CoreManifest::read(exported)?))
    }

    /// Checks that the leaves tile the window, and that the file holds exactly their rows.
    fn verify(&self, py: Python<'_>, exported: PathBuf) -> Result<()> {
        Ok(py.detach(|| self.0.verify(exported))?)
    }

    /// The version of the manifest format.
    #[getter]
    fn format(&self) -> u32 {
        self.0.format
    }

    /// The base URL that the rows came from.
    #[getter]
    fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The start of the window.
    #[getter]
    fn since<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::datetime(py, Some(self.0.since))
    }

    /// The end of the window, exclusive.
    #[getter]
    fn until<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::datetime(py, Some(self.0.until))
    }

    /// Up to here the window was over when it was read.
    #[getter]
    fn complete_until<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::datetime(py, Some(self.0.complete_until))
    }

    /// The filter: `None` if both kinds of events were exported.
    #[getter]
    fn phi_involved(&self) -> Option<bool> {
        self.0.phi_involved
    }

    /// How many rows there are.
    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows
    }

    /// How many bytes the file has.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// The leaves, in order of time and of their place in the file.
    #[getter]
    fn leaves<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let leaves = self.0.leaves.iter().map(|leaf| {
            record!(
                py,
                "velora.health",
                "LeafProof",
                (
                    time::datetime(py, Some(leaf.since))?,
                    time::datetime(py, Some(leaf.until))?,
                    leaf.rows,
                    leaf.bytes,
                    &leaf.first_id,
                    &leaf.last_id,
                    &leaf.sha256,
                )
            )
        });
        PyTuple::new(py, leaves.collect::<PyResult<Vec<_>>>()?)
    }

    fn __repr__(&self) -> String {
        let (rows, bytes) = (self.0.rows, self.0.bytes);
        format!(
            "Manifest(rows={rows}, bytes={bytes}, leaves={})",
            self.0.leaves.len()
        )
    }
}
