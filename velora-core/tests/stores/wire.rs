//! Stores with something in between them and their server.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// A way to a server that can be cut without a word, as by a host that is lost or a
/// network that has forgotten a connection, and that can lead elsewhere.
#[derive(Clone)]
pub(crate) struct Wire(Arc<State>);

struct State {
    port: u16,
    leads_to: AtomicU16,
    silences: AtomicU32,
    hangs: AtomicBool,
    millis: AtomicU32,
    connections: AtomicU32,
    cut_at: Mutex<Option<&'static str>>,
}

impl Wire {
    /// A way to the server of this URL.
    pub(crate) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self(Arc::new(State {
            port: listener.local_addr().unwrap().port(),
            leads_to: AtomicU16::new(port_of(url)),
            silences: AtomicU32::new(0),
            hangs: AtomicBool::new(false),
            millis: AtomicU32::new(0),
            connections: AtomicU32::new(0),
            cut_at: Mutex::new(None),
        }));
        let accepting = wire.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(accepting.clone().connect(client));
            }
        });
        wire
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    /// The URL by this way.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(&format!(":{}", port_of(url)), &format!(":{}", self.0.port))
    }

    /// What is connected hears nothing any more, and is not told so.
    pub(crate) fn falls_silent(&self) {
        self.0.silences.fetch_add(1, Ordering::SeqCst);
    }

    /// The same, and who connects is heard by nobody, as long as this is so.
    pub(crate) fn hangs(&self, does: bool) {
        self.0.hangs.store(does, Ordering::SeqCst);
        self.falls_silent();
    }

    /// What is said takes so long from now on.
    pub(crate) fn takes(&self, millis: u32) {
        self.0.millis.store(millis, Ordering::SeqCst);
    }

    /// What is connected falls silent as soon as it says this: that one alone, and once.
    pub(crate) fn falls_silent_at(&self, text: &'static str) {
        *self.0.cut_at.lock().unwrap() = Some(text);
    }

    /// Who connects from now on gets to this server.
    pub(crate) fn leads_to(&self, url: &str) {
        self.0.leads_to.store(port_of(url), Ordering::SeqCst);
    }

    /// How many were ever made.
    pub(crate) fn connections(&self) -> u32 {
        self.0.connections.load(Ordering::SeqCst)
    }

    async fn connect(self, client: TcpStream) {
        self.0.connections.fetch_add(1, Ordering::SeqCst);
        if self.0.hangs.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        let port = self.0.leads_to.load(Ordering::SeqCst);
        let silences = self.0.silences.load(Ordering::SeqCst);
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
            return;
        };
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        tokio::join!(
            self.carry(from_client, to_server, silences),
            self.carry(from_server, to_client, silences),
        );
    }

    async fn carry(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silences: u32) {
        let mut bytes = vec![0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            let said = bytes.get(..length).unwrap();
            if self.is_cut(said) || self.0.silences.load(Ordering::SeqCst) != silences {
                // Nobody hears of its end.
                return std::future::pending().await;
            }
            let millis = self.0.millis.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(millis.into())).await;
            if to.write_all(said).await.is_err() {
                return;
            }
        }
    }

    fn is_cut(&self, said: &[u8]) -> bool {
        let mut cut_at = self.0.cut_at.lock().unwrap();
        let cut =
            cut_at.is_some_and(|text| said.windows(text.len()).any(|at| at == text.as_bytes()));
        if cut {
            *cut_at = None;
        }
        cut
    }
}

/// Of a server of this machine.
pub(crate) fn port_of(url: &str) -> u16 {
    let (_, rest) = url.split_once("127.0.0.1:").unwrap();
    let digits = rest.find(|c: char| !c.is_ascii_digit());
    let port = rest.get(..digits.unwrap_or(rest.len()));
    port.unwrap().parse().unwrap()
}
