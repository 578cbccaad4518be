//! Stores of the caller's own. Their functions are called in the thread that waits, or in the
//! event loop.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::prelude::*;
use tokio::sync::oneshot;
use velora_core::Key;
use velora_core::dedupe::{CustomAnswer, CustomVerbs, Epoch};

use crate::call::{Caller, ask};
use crate::number::Real;
use crate::process::lock;

/// Verbs that are Python functions: `velora._custom.Verbs`.
pub(crate) struct PythonVerbs(Arc<Py<PyAny>>);

impl PythonVerbs {
    pub(crate) fn new(verbs: Py<PyAny>) -> Self {
        Self(Arc::new(verbs))
    }
}

impl CustomVerbs for PythonVerbs {
    fn ask<'a>(
        &'a self,
        verb: &'static str,
        key: &'a Key,
        epoch: Option<Epoch>,
    ) -> Pin<Box<dyn Future<Output = CustomAnswer> + Send + 'a>> {
        let (answer, answered) = oneshot::channel();
        let (verbs, key) = (Arc::clone(&self.0), key.as_str().to_owned());
        ask(move |py, caller| {
            let answer = Answer(Mutex::new(Some(answer)));
            let is_awaited = caller == Caller::Loop;
            verbs.call1(py, (verb, key, epoch, is_awaited, answer))?;
            Ok(())
        });
        let nobody = |_| CustomAnswer::failed(None, "it did not answer");
        Box::pin(async move { answered.await.unwrap_or_else(nobody) })
    }
}

/// Takes the answer to one question, once.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Answer(Mutex<Option<oneshot::Sender<CustomAnswer>>>);

#[pymethods]
impl Answer {
    /// The result of a claim.
    fn claimed(
        &self,
        state: &Bound<'_, PyAny>,
        epoch: &Bound<'_, PyAny>,
        retry_after: &Bound<'_, PyAny>,
    ) {
        let state: Option<&str> = state.extract().ok();
        self.give(match state {
            Some("fresh") => CustomAnswer::Fresh(epoch.extract().ok()),
            Some("in_flight") => CustomAnswer::InFlight(time(retry_after)),
            Some("done") => CustomAnswer::Done,
            _ => CustomAnswer::Unknown,
        });
    }

    /// Another verb has been carried out.
    fn ended(&self) {
        self.give(CustomAnswer::Ok);
    }

    /// It raised a `StoreError` with this code, or something else.
    fn failed(&self, code: Option<&str>, reason: &str) {
        self.give(CustomAnswer::failed(code, reason));
    }
}

impl Answer {
    fn give(&self, answer: CustomAnswer) {
        if let Some(wanted) = lock(&self.0).take() {
            // If nobody waits any more, the answer is not needed.
            let _ = wanted.send(answer);
        }
    }
}

fn time(seconds: &Bound<'_, PyAny>) -> Option<Duration> {
    let Real(seconds) = seconds.extract().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
