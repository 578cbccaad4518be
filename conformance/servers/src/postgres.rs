//! A private PostgreSQL server.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::certificate::Certificate;
use crate::folder;
use crate::process::{
    Signal, children_of, command, end, find, free_port, has_ended, kill, run, runs, signal, spawn,
    wait_until,
};

const USER: &str = "postgres";

/// The one role that must give a password.
const GUARDED: &str = "guarded";

/// A server with `fsync` on, and its data. Everyone is let in without a password, but
/// for the role `guarded`, which a test may create.
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    certificate: Option<Certificate>,
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
        Self::start_in(folder::create(), None)
    }

    /// A server of one's own that speaks TLS as well.
    pub fn start_with_tls() -> Self {
        let folder = folder::create();
        let certificate = Certificate::create(&folder);
        give_to_user(&certificate.key);
        Self::start_in(folder, Some(certificate))
    }

    fn start_in(folder: PathBuf, certificate: Option<Certificate>) -> Self {
        give_to_user(&folder);
        run(of_postgres(&mut command(&bin("initdb"), USER, &folder))
            .args(["--pgdata", "data", "--auth", "trust", "--username", USER])
            .args(["--encoding", "UTF8", "--no-locale", "--no-sync"]));
        guard(&folder.join("data/pg_hba.conf"));
        let mut server = Self {
            folder,
            port: 0,
            certificate,
            child: None,
            next: AtomicU32::new(0),
        };
        server.start_on(free_port);
        server
    }

    /// Starts it again after [`kill`](Self::kill), on the same port.
    pub fn restart(&mut self) {
        self.kill();
        let port = self.port;
        self.start_on(|| port);
    }

    /// Starts it on the first of these ports on which it does not end: another program may
    /// have taken a free one meanwhile, and right after a kill its old children may still be
    /// there.
    fn start_on(&mut self, mut ports: impl FnMut() -> u16) {
        let log = self.folder.join("log");
        let data = fs::canonicalize(&self.folder).unwrap().join("data");
        wait_until("PostgreSQL starts", || {
            if has_ended(&mut self.child) {
                self.port = ports();
                self.child = Some(spawn(self.command(), &log));
            }
            // Another server on this port has other data.
            let mut asked = self.psql("postgres", "SHOW data_directory");
            let answer = asked.stdout(Stdio::piped()).output().unwrap();
            String::from_utf8_lossy(&answer.stdout).trim() == data.to_string_lossy()
        });
    }

    /// Kills it, as a crash would, and all that it has started: a connection's own process
    /// would go on for a moment, and commit.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It starts no more.
            signal(&child, Signal::Stop);
            let started = children_of(child.id());
            started.iter().copied().for_each(kill);
            child.kill().unwrap();
            child.wait().unwrap();
            wait_until("PostgreSQL ends", || !started.iter().copied().any(runs));
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

    /// The certificate of the authority that vouches for a server with TLS.
    pub fn authority(&self) -> &Path {
        &self.certificate.as_ref().unwrap().authority
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
        of_postgres(&mut command)
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
        if let Some(certificate) = &self.certificate {
            let file = |name, file: &Path| format!("{name}={}", file.display());
            command.args(["-c", "ssl=on"]);
            command.args(["-c", &file("ssl_cert_file", &certificate.certificate)]);
            command.args(["-c", &file("ssl_key_file", &certificate.key)]);
        }
        command
    }

    fn psql(&self, database: &str, script: &str) -> Command {
        let mut command = Command::new(bin("psql"));
        of_postgres(&mut command)
            .env("PGCONNECT_TIMEOUT", "20")
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
        end(&mut self.child);
        let _ = fs::remove_dir_all(&self.folder);
    }
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

/// Removes the variables that PostgreSQL's programs read, such as `PGOPTIONS`.
fn of_postgres(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command
}

/// The first line that fits decides who is let in.
fn guard(rules: &Path) {
    let others = fs::read_to_string(rules).unwrap();
    let guarded = format!("host all {GUARDED} all scram-sha-256\n{others}");
    fs::write(rules, guarded).unwrap();
}

/// PostgreSQL does not run as root.
fn give_to_user(path: &Path) {
    if rustix::process::geteuid().is_root() {
        let id = |kind| run(Command::new("id").args([kind, USER]));
        let number = |kind| id(kind).trim().parse().unwrap();
        chown(path, Some(number("-u")), Some(number("-g"))).unwrap();
    }
}
