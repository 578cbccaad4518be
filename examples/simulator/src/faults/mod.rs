//! Faults: which requests they apply to, and the register of armed faults.

pub(crate) mod apply;
pub(crate) mod body;
mod error;
mod kind;
pub(crate) mod paging;

use std::sync::{Mutex, PoisonError};

use axum::http::Method;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};

pub use kind::{FaultKind, UnknownFault};

use crate::text::{mix, unit_interval};

/// A fault, and the requests that it meets: unless told otherwise, the next one,
/// wherever it goes.
///
/// ```
/// use velora_simulator::{Fault, FaultKind};
///
/// let twice = Fault::new(FaultKind::Status(503))
///     .path("/api/v2/public/audit/events")
///     .times(2);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    kind: FaultKind,
    method: Option<String>,
    path: String,
    query: Option<String>,
    skip: u64,
    when: When,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Times(u64),
    Every(u64),
    Probability(f64, u64),
    Always,
}

impl Fault {
    /// The next request.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            method: None,
            path: "*".to_owned(),
            query: None,
            skip: 0,
            when: When::Times(1),
        }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Only requests with this path, query excluded; `*` stands for any text.
    #[must_use]
    pub fn path(mut self, pattern: &str) -> Self {
        pattern.clone_into(&mut self.path);
        self
    }

    /// Only requests whose query, as sent, contains this text.
    #[must_use]
    pub fn query(mut self, part: &str) -> Self {
        self.query = Some(part.to_owned());
        self
    }

    /// Lets the first `count` matching requests pass.
    #[must_use]
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// The next `count` matching requests.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.when = When::Times(count);
        self
    }

    /// Every `k`-th matching request: the `k`-th, the `2k`-th and so on.
    #[must_use]
    pub fn every(mut self, k: u64) -> Self {
        self.when = When::Every(k.max(1));
        self
    }

    /// Each matching request with this probability; the same ones for the same seed.
    #[must_use]
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.when = When::Probability(probability, seed);
        self
    }

    /// Every matching request.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.when = When::Always;
        self
    }

    fn concerns(&self, parts: &Parts) -> bool {
        let method = |asked: &str| Method::as_str(&parts.method) == asked;
        let query = |asked: &str| parts.uri.query().is_some_and(|query| query.contains(asked));
        self.method.as_deref().is_none_or(method)
            && self.query.as_deref().is_none_or(query)
            && matches(&self.path, parts.uri.path())
    }

    /// Whether it applies to the `seen`-th matching request, counted from 0.
    fn strikes(&self, seen: u64) -> bool {
        let Some(place) = seen.checked_sub(self.skip) else {
            return false;
        };
        match self.when {
            When::Times(count) => place < count,
            When::Every(k) => (place + 1).is_multiple_of(k),
            When::Probability(probability, seed) => {
                unit_interval(mix(seed ^ mix(place))) < probability
            }
            When::Always => true,
        }
    }
}

/// Whether `text` is of the form `pattern`, where `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    tail.is_empty()
        || rest
            .char_indices()
            .any(|(at, _)| matches(tail, &rest[at..]))
}

/// The armed faults. The first one that applies is used; the ones after it do not
/// count the request.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Armed>>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u64,
    struck: u64,
}

/// An armed fault, as the control call shows it.
#[derive(Debug, Serialize)]
pub(crate) struct ArmedFault {
    kind: &'static str,
    path: String,
    seen: u64,
    struck: u64,
}

impl Faults {
    pub(crate) fn arm(&self, fault: Fault) {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        armed.push(Armed {
            fault,
            seen: 0,
            struck: 0,
        });
    }

    pub(crate) fn clear(&self) {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        armed.clear();
    }

    pub(crate) fn list(&self) -> Vec<ArmedFault> {
        let armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = armed.iter().map(|armed| ArmedFault {
            kind: armed.fault.kind.name(),
            path: armed.fault.path.clone(),
            seen: armed.seen,
            struck: armed.struck,
        });
        shown.collect()
    }

    fn strike(&self, parts: &Parts) -> Option<FaultKind> {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        armed.iter_mut().find_map(|armed| {
            if !armed.fault.concerns(parts) {
                return None;
            }
            let strikes = armed.fault.strikes(armed.seen);
            armed.seen += 1;
            armed.struck += u64::from(strikes);
            strikes.then(|| armed.fault.kind.clone())
        })
    }
}

/// A fault as the control call reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRequest {
    kind: String,
    value: Option<serde_json::Value>,
    method: Option<String>,
    path: Option<String>,
    query: Option<String>,
    #[serde(default)]
    skip: u64,
    times: Option<u64>,
    every: Option<u64>,
    probability: Option<f64>,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    always: bool,
}

impl TryFrom<FaultRequest> for Fault {
    type Error = UnknownFault;

    fn try_from(request: FaultRequest) -> Result<Self, UnknownFault> {
        let value = request.value.map(|value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        });
        let mut fault = Self::new(FaultKind::parse(&request.kind, value.as_deref())?);
        fault.method = request.method.map(|method| method.to_ascii_uppercase());
        fault.query = request.query;
        fault.skip = request.skip;
        if let Some(path) = request.path {
            fault.path = path;
        }
        fault = match (request.times, request.every, request.probability) {
            (Some(count), ..) => fault.times(count),
            (_, Some(k), _) => fault.every(k),
            (.., Some(probability)) => fault.probability(probability, request.seed),
            _ if request.always => fault.always(),
            _ => fault,
        };
        Ok(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_paths() {
        assert!(matches("*", "/anything"));
        assert!(matches("/api/*/events", "/api/v2/public/audit/events"));
        assert!(!matches("/api/*/events", "/api/v2/public/audit/events/1"));
        assert!(!matches("/api", "/api/v2"));
        assert!(matches("/a*b*c", "/a1b2bc"));
    }

    #[test]
    fn strikes_as_told() {
        let struck = |fault: Fault| -> Vec<u64> { (0..9).filter(|n| fault.strikes(*n)).collect() };
        let fault = Fault::new(FaultKind::Reset);
        assert_eq!(struck(fault.clone()), [0]);
        assert_eq!(struck(fault.clone().skip(2).times(3)), [2, 3, 4]);
        assert_eq!(struck(fault.clone().every(3)), [2, 5, 8]);
        assert_eq!(struck(fault.clone().probability(0.0, 1)), [0; 0]);
        assert_eq!(struck(fault.probability(1.0, 1)).len(), 9);
    }
}
