//! Works with a deduplication store, one operation per line.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use velora_core::dedupe::StoreSeconds;
use velora_core::{Claim, ConfigError, Key, Store, StoreError, StoreOptions, open_store};

use crate::read::Failure;

/// Which store to use, and how long its leases last.
#[derive(Args)]
pub(crate) struct Claiming {
    /// The URL of the store: `memory:`, `sqlite:///path`, `postgres://…` or `redis://…`.
    #[arg(long)]
    store: String,
    /// The lease, in seconds.
    #[arg(long)]
    lease: Option<f64>,
}

#[derive(Deserialize)]
struct Line {
    op: Verb,
    key: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    Claim,
    Commit,
    Release,
    Renew,
}

#[derive(Serialize)]
struct Answer {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl Line {
    fn read(line: &[u8]) -> Option<Self> {
        // Serde would take an array of the members in order as well.
        line.starts_with(b"{")
            .then(|| serde_json::from_slice(line).ok())
            .flatten()
    }
}

impl Claiming {
    /// Answers each line at once. The leases are held until the end.
    pub(crate) async fn answer_all(self) -> Result<(), Failure> {
        let store = open_store(&self.store, self.options()?)?;
        let mut held = HashMap::new();
        let mut line = Vec::new();
        let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
        loop {
            line.clear();
            if input
                .read_until(b'\n', &mut line)
                .map_err(Failure::Output)?
                == 0
            {
                return Ok(());
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let answer = match Line::read(line.trim_ascii()) {
                Some(line) => answer(&store, &line, &mut held).await,
                None => Answer::error("invalid_case"),
            };
            let text = serde_json::to_string(&answer).map_err(io::Error::from);
            text.and_then(|text| writeln!(output, "{text}"))
                .and_then(|()| output.flush())
                .map_err(Failure::Output)?;
        }
    }

    fn options(&self) -> Result<StoreOptions, ConfigError> {
        let options = StoreOptions::try_from_secs_f64(StoreSeconds {
            lease: self.lease,
            ..StoreSeconds::default()
        })?;
        // A server that was started just now may be slow.
        options.with_timeout(Duration::from_secs(30))
    }
}

async fn answer(store: &Arc<dyn Store>, line: &Line, held: &mut HashMap<String, u64>) -> Answer {
    let key = Key::from(line.key.as_str());
    let last = held.get(&line.key).copied();
    let ended = match (line.op, last) {
        (Verb::Claim, _) => {
            return match store.claim(key).await {
                Ok(Claim::Fresh(lease)) => {
                    held.insert(line.key.clone(), lease.epoch());
                    Answer::of("fresh", Some(lease.epoch()))
                }
                Ok(Claim::InFlight { .. }) => Answer::of("in_flight", last),
                Ok(Claim::Done) => Answer::of("done", last),
                Err(error) => Answer::error(error.code().as_str()),
            };
        }
        (_, None) => Err(StoreError::LeaseLost),
        (Verb::Commit, Some(epoch)) => store.commit(&key, epoch).await,
        (Verb::Release, Some(epoch)) => store.release(&key, epoch).await,
        (Verb::Renew, Some(epoch)) => store.renew(&key, epoch).await,
    };
    match ended {
        Ok(()) => Answer::of("ok", last),
        Err(StoreError::LeaseLost) => Answer::of("lease_lost", last),
        Err(error) => Answer::error(error.code().as_str()),
    }
}

impl Answer {
    fn of(state: &'static str, epoch: Option<u64>) -> Self {
        Self {
            state,
            epoch,
            code: None,
        }
    }

    fn error(code: &'static str) -> Self {
        Self {
            state: "error",
            epoch: None,
            code: Some(code),
        }
    }
}
