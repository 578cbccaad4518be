//! A private Redis server.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::certificate::Certificate;
use crate::folder;
use crate::process::{end, find, free_port, has_ended, spawn, wait_until};

/// A server that writes each command to the disk before it answers, and never evicts.
pub struct Redis {
    folder: PathBuf,
    port: u16,
    /// Where the nodes of a cluster speak to each other.
    bus: Option<u16>,
    tls: Option<(u16, Certificate)>,
    arguments: Vec<String>,
    child: Option<Child>,
    next: AtomicU32,
}

impl Redis {
    /// The one that all tests of this process use, each in a database of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server of one's own with more arguments, such as `["--maxmemory", "10mb"]`.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::new(arguments).started()
    }

    /// A server of one's own that speaks TLS as well, on another port.
    pub fn start_with_tls() -> Self {
        let mut server = Self::new(&[]);
        let certificate = Certificate::create(&server.folder);
        server.tls = Some((0, certificate));
        server.started()
    }

    fn new(arguments: &[&str]) -> Self {
        Self {
            folder: folder::create(),
            port: 0,
            bus: None,
            tls: None,
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            child: None,
            next: AtomicU32::new(0),
        }
    }

    /// Starts it on free ports, and on others if another program takes one meanwhile.
    fn started(mut self) -> Self {
        for _ in 0..10 {
            self.port = free_port();
            if let Some(bus) = &mut self.bus {
                *bus = free_port();
            }
            if let Some((port, _)) = &mut self.tls {
                *port = free_port();
            }
            if self.comes_up() {
                return self;
            }
        }
        panic!("Redis ended: {}", self.log());
    }

    /// Starts it again after [`kill`](Self::kill), on the same port.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.comes_up(), "Redis ended: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Starts it, and says whether it is ready: it has ended otherwise.
    fn comes_up(&mut self) -> bool {
        let mut server = Command::new("setpriv");
        server.args(["--pdeathsig", "INT", "--"]);
        server
            .arg(find("redis-server", &[]))
            .current_dir(&self.folder);
        server.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        server.args(["--appendonly", "yes", "--appendfsync", "always"]);
        server.args(["--maxmemory-policy", "noeviction", "--save", ""]);
        server.args(["--databases", "10000"]);
        if let Some(bus) = self.bus {
            server.args(["--cluster-port", &bus.to_string()]);
        }
        if let Some((port, certificate)) = &self.tls {
            server.args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
            server.arg("--tls-ca-cert-file").arg(&certificate.authority);
            server.arg("--tls-cert-file").arg(&certificate.certificate);
            server.arg("--tls-key-file").arg(&certificate.key);
        }
        server.args(&self.arguments);
        let before = self.log().len();
        self.child = Some(spawn(server, &self.folder.join("log")));
        let mut ended = false;
        wait_until("Redis starts", || {
            ended = has_ended(&mut self.child);
            // Its own word: another server could answer on this port.
            let log = self.log();
            let said = log.get(before..).unwrap_or_default();
            // An error is an answer too, but not while it still reads its file.
            let answers = || {
                let answer = self.ask("PING");
                answer.is_some_and(|answer| !answer.starts_with("-LOADING"))
            };
            ended || said.contains("Ready to accept connections") && answers()
        });
        !ended
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

    /// The URL of its first database.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The URL of its first database, over TLS.
    pub fn tls_url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.tls.as_ref().unwrap().0)
    }

    /// The certificate of the authority that vouches for a server with TLS.
    pub fn authority(&self) -> &Path {
        &self.tls.as_ref().unwrap().1.authority
    }

    /// The URL of another database, which nobody has used yet.
    pub fn new_url(&self) -> String {
        let database = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{}/{database}", self.url())
    }

    /// The first answer to one command, if there is any.
    pub fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(command.as_bytes()).ok()?;
        stream.write_all(b"\r\n").ok()?;
        let mut answer = [0; 4_096];
        let length = stream.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(answer.get(..length)?).into_owned())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        end(&mut self.child);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Three servers that share the keys.
pub struct RedisCluster(Vec<Redis>);

impl RedisCluster {
    const NODES: usize = 3;
    const SLOTS: usize = 16_384;

    /// One of one's own.
    pub fn start() -> Self {
        let nodes = (0..Self::NODES).map(|at| {
            let mut node = Redis::new(&["--cluster-enabled", "yes"]);
            node.bus = Some(0);
            let node = node.started();
            let first = at * Self::SLOTS / Self::NODES;
            let last = (at + 1) * Self::SLOTS / Self::NODES - 1;
            node.ask(&format!("CLUSTER SET-CONFIG-EPOCH {}", at + 1));
            node.ask(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            node
        });
        let nodes: Vec<_> = nodes.collect();
        for node in nodes.iter().skip(1) {
            let (port, bus) = (node.port, node.bus.unwrap_or_default());
            let meet = format!("CLUSTER MEET 127.0.0.1 {port} {bus}");
            nodes.first().and_then(|first| first.ask(&meet));
        }
        for node in &nodes {
            wait_until("the cluster is whole", || {
                let info = node.ask("CLUSTER INFO").unwrap_or_default();
                let whole = format!("cluster_known_nodes:{}", Self::NODES);
                info.contains("cluster_state:ok") && info.contains(&whole)
            });
        }
        Self(nodes)
    }

    /// The URL of one of its nodes, the first.
    pub fn url(&self) -> String {
        self.0.first().unwrap().url()
    }

    /// Its servers.
    pub fn nodes(&self) -> &[Redis] {
        &self.0
    }

    /// How many keys each node has.
    pub fn keys(&self) -> Vec<u64> {
        let count = |node: &Redis| {
            let answer = node.ask("DBSIZE")?;
            answer.trim().strip_prefix(':')?.parse().ok()
        };
        self.0.iter().map(|node| count(node).unwrap()).collect()
    }
}
