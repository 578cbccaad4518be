//! Two receivers on one store, such as a PostgreSQL. One is killed while it handles an
//! event. The sender sends the event again, to the other one, which takes it over when the
//! lease of the first has expired. The event is handled completely, and counted once.
//!
//! ```sh
//! cargo run -p velora-examples --bin failover -- postgres://user:password@host/database
//! ```
//!
//! The receivers are separate processes: this program, started as
//! `failover serve STORE SECONDS`. Your own service needs only that half.

use std::error::Error;
use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::sleep;
use velora_core::axum::deliveries;
use velora_core::{
    Receiver, Scheme, SignedDelivery, Signer, SigningSecret, StoreOptions, Verifier, health,
    open_store,
};

type Failure = Box<dyn Error + Send + Sync>;

/// The secret of both sides; a service reads it from its secret storage.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Short, so that this example does not take long. In a service it should be longer than the
/// slowest handler takes.
const LEASE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", store, seconds] => serve(store, Duration::from_secs(seconds.parse()?)).await,
        [store] => fail_over(store).await,
        _ => Err("usage: failover STORE".into()),
    }
}

/// One receiver, whose handler takes this long.
async fn serve(store: &str, work: Duration) -> Result<(), Failure> {
    let options = StoreOptions::default()
        .with_lease(LEASE)?
        // Patient, because the database may have been started just now.
        .with_timeout(Duration::from_secs(30))?;
    let store = open_store(store, options)?;
    // Detects a store that cannot be used now, and not at the first delivery.
    store.ready().await?;
    let verifier = Verifier::new(Scheme::named("health")?, [SigningSecret::new(SECRET)?])?;
    let receiver = Receiver::new(verifier, store);
    let handle = move |event: health::Event| async move {
        println!("handling {}", event.id);
        sleep(work).await;
        println!("handled {}", event.id);
        Ok::<(), Failure>(())
    };
    let app = Router::new().route("/velora-health", deliveries(receiver, handle));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn fail_over(store: &str) -> Result<(), Failure> {
    // The first one is still handling the event when it is killed.
    let mut first = Served::start(store, 600).await?;
    let mut second = Served::start(store, 0).await?;
    let id = format!("evt_{}", std::process::id());
    let signer = Signer::new(Scheme::named("health")?, [SigningSecret::new(SECRET)?])?;
    let event = format!(r#"{{"id":"{id}","type":"phi.read"}}"#);

    let unanswered = tokio::spawn(send(first.address.clone(), signer.sign(&event)));
    println!("first:  {}", first.line().await?);
    first.process.kill().await?;
    println!("first:  killed; the sender gets no response, and sends again");
    // The request fails because the connection broke; it must not have been answered.
    if let Ok(answer) = unanswered.await? {
        return Err(format!("the first receiver answered {answer:?}").into());
    }

    loop {
        let (status, outcome) = send(second.address.clone(), signer.sign(&event)).await?;
        println!("second: {status} {outcome}");
        match status {
            200 => break,
            503 => sleep(Duration::from_secs(1)).await,
            _ => return Err(outcome.into()),
        }
    }
    println!("second: {}", second.line().await?);
    println!("second: {}", second.line().await?);
    let (status, outcome) = send(second.address.clone(), signer.sign(&event)).await?;
    println!("second: {status} {outcome}");
    match (status, outcome.as_str()) {
        (200, "duplicate") => Ok(()),
        _ => Err("the event was not counted once".into()),
    }
}

/// A running receiver; dropping this value ends it.
struct Served {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Served {
    async fn start(store: &str, seconds: u64) -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", store, &seconds.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut served = Self {
            process,
            output: BufReader::new(output).lines(),
            address: String::new(),
        };
        served.address = served.line().await?;
        Ok(served)
    }

    async fn line(&mut self) -> Result<String, Failure> {
        let line = self.output.next_line().await?;
        Ok(line.ok_or("the receiver ended")?)
    }
}

/// The status and the outcome of the reply.
async fn send(address: String, signed: SignedDelivery) -> Result<(u16, String), reqwest::Error> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut request = client.post(format!("{address}/velora-health"));
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    let response = request.body(signed.body).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}
