//! A PostgreSQL of one's own.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::folder;
use crate::process::{command, find, free_port, run, spawn, wait_until};

const USER: &str = "postgres";

/// A server with `fsync` on, and its data.
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
    next: AtomicU32,
}

impl Postgres {
    /// The one that all tests of this process use, each in a schema of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own.
    pub fn start() -> Self {
        let folder = folder::create();
        give_to_user(&folder);
        run(command(&bin("initdb"), USER, &folder)
            .args(["--pgdata", "data", "--auth", "trust", "--username", USER])
            .args(["--encoding", "UTF8", "--no-locale"]));
        let mut server = Self {
            folder,
            port: free_port(),
            child: None,
            next: AtomicU32::new(0),
        };
        server.restart();
        server
    }

    /// Starts it again after [`kill`](Self::kill), on the same port.
    pub fn restart(&mut self) {
        self.kill();
        let log = self.folder.join("log");
        wait_until("PostgreSQL starts", || {
            if self.child.as_mut().is_none_or(has_ended) {
                // Right after a kill, its old children may still be there.
                self.child = Some(spawn(self.command(), &log));
            }
            self.psql("postgres", "SELECT 1")
                .status()
                .unwrap()
                .success()
        });
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The process.
    pub fn child(&self) -> &Child {
        self.child.as_ref().unwrap()
    }

    /// The URL of its one database.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// The URL of a new, empty schema.
    pub fn new_url(&self) -> String {
        let schema = format!("s{}", self.next.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE SCHEMA {schema}"));
        format!("{}?options=-csearch_path%3D{schema}", self.url())
    }

    /// Runs a script, and gives what it prints.
    pub fn sql(&self, script: &str) -> String {
        run(self.psql("postgres", script).stdout(Stdio::piped()))
    }

    fn command(&self) -> Command {
        let mut command = command(&bin("postgres"), USER, &self.folder);
        command
            .args(["-D", "data", "-p"])
            .arg(self.port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=32MB",
        ] {
            command.args(["-c", setting]);
        }
        command
    }

    fn psql(&self, database: &str, script: &str) -> Command {
        let mut command = Command::new(bin("psql"));
        command
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-h", "127.0.0.1", "-U", USER, "-d", database, "-p"])
            .arg(self.port.to_string())
            .args(["-c", script])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

/// Debian keeps the programs of each version apart; the newest is taken.
fn bin(program: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    find(program, &folders)
}

/// PostgreSQL does not run as root.
fn give_to_user(folder: &Path) {
    if rustix::process::geteuid().is_root() {
        let id = |kind| run(Command::new("id").args([kind, USER]));
        let number = |kind| id(kind).trim().parse().unwrap();
        chown(folder, Some(number("-u")), Some(number("-g"))).unwrap();
    }
}
