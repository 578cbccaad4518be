//! A store, the effects of the workers next to it, and the workers.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;
use velora_servers::{Postgres, Redis};

/// Nothing here takes so long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(120);

const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// Claims and commits are calls of their own, and effects are elsewhere.
    Lease,
    /// One transaction holds all three.
    Transaction,
}

pub(crate) struct Site {
    kind: &'static str,
    mode: Mode,
    url: String,
    folder: TempDir,
}

impl Site {
    pub(crate) fn new(kind: &'static str, mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match kind {
            "sqlite" => format!("sqlite://{}", folder.path().join("claims.db").display()),
            "postgres" => Postgres::shared().new_url(),
            "redis" => Redis::shared().new_url(),
            _ => panic!("{kind}"),
        };
        let site = Self {
            kind,
            mode,
            url,
            folder,
        };
        if mode == Mode::Transaction {
            site.sql("CREATE TABLE effects (key TEXT)");
            site.sql("CREATE TABLE more_effects (key TEXT)");
        }
        site
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Starts a worker that stands still at `point`.
    pub(crate) fn worker(&self, key: &str, lease: Duration, point: Option<&str>) -> Worker {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velora-worker"));
        match self.mode {
            Mode::Lease => command.arg("lease").arg(self.file()),
            Mode::Transaction => command.arg("transaction"),
        };
        command.arg(&self.url).arg(lease.as_millis().to_string());
        command.arg(key).args(point);
        Worker::start(command)
    }

    /// Sends the event as often as its sender would, until there is a worker that says
    /// something else than that it cannot have it now.
    pub(crate) fn deliver(
        &self,
        key: &str,
        lease: Duration,
        point: Option<&str>,
    ) -> (Worker, String) {
        let start = Instant::now();
        loop {
            let mut worker = self.worker(key, lease, point);
            let says = worker.says();
            if !["in_flight", "store_unavailable"].contains(&says.as_str()) {
                return (worker, says);
            }
            assert!(start.elapsed() < PATIENCE, "{key} at {point:?}: {says}");
            thread::sleep(PAUSE);
        }
    }

    /// How often each key had its effect.
    pub(crate) fn effects(&self) -> HashMap<String, usize> {
        let count = |text: String| {
            let mut effects = HashMap::new();
            for key in text.lines() {
                *effects.entry(key.to_owned()).or_default() += 1;
            }
            effects
        };
        if self.mode == Mode::Lease {
            return count(fs::read_to_string(self.file()).unwrap());
        }
        let effects = count(self.sql("SELECT key FROM effects"));
        let more = count(self.sql("SELECT key FROM more_effects"));
        assert_eq!(effects, more, "a transaction was torn apart");
        effects
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("effects")
    }

    /// Runs one statement; gives one line for each row.
    fn sql(&self, statement: &str) -> String {
        if let Some(path) = self.url.strip_prefix("sqlite://") {
            let connection = Connection::open(path).unwrap();
            let mut statement = connection.prepare(statement).unwrap();
            let rows = statement.query_map([], |row| row.get::<_, String>(0));
            return rows
                .unwrap()
                .map(|row| row.unwrap() + "\n")
                .collect::<String>();
        }
        let (_, schema) = self.url.split_once("search_path%3D").unwrap();
        Postgres::shared().sql(&format!("SET search_path = {schema}; {statement}"))
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind)
    }
}

/// A process, which is killed when it is dropped.
pub(crate) struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub(crate) fn says(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the worker ended");
        line.trim_end().to_owned()
    }

    /// All that it prints to its end.
    pub(crate) fn all(&mut self) -> Vec<String> {
        let lines = self.output.by_ref().lines().map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success());
        lines
    }

    /// Lets it go on from where it stands.
    pub(crate) fn go_on(&mut self) {
        self.input.write_all(b"\n").unwrap();
    }

    pub(crate) fn child(&self) -> &Child {
        &self.child
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
