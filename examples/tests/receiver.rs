//! The receiver example, as a separate process, does what its comments say.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test panics")]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use velora_core::{Scheme, SignedDelivery, Signer, SigningSecret};

struct Running {
    process: Child,
    output: BufReader<ChildStdout>,
    base: String,
}

impl Running {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_receiver"));
        for variable in [
            "VELORA_HEALTH_SECRET",
            "VELORA_BILLING_SECRET",
            "VELORA_CURAE_SECRET",
            "VELORA_TV_SECRET",
            "VELORA_STORE",
        ] {
            process.env_remove(variable);
        }
        let mut process = process
            .env("ADDRESS", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Self {
            output: BufReader::new(process.stdout.take().unwrap()),
            process,
            base: String::new(),
        };
        running.base = loop {
            let line = running.line();
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.to_owned();
            }
        };
        running
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the receiver ended");
        line.trim_end().to_owned()
    }

    async fn post(&self, path: &str, signed: &SignedDelivery) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.post(format!("{}{path}", self.base));
        for (name, value) in &signed.headers {
            request = request.header(name, value);
        }
        let response = request.body(signed.body.clone()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sign(scheme: &str, secret: &str, body: &str) -> SignedDelivery {
    let secret = SigningSecret::new(secret).unwrap();
    Signer::new(Scheme::named(scheme).unwrap(), [secret])
        .unwrap()
        .sign(body)
}

#[tokio::test]
async fn receives_all_four_systems() {
    let mut receiver = Running::start(&[
        ("VELORA_HEALTH_SECRET", "health-secret"),
        ("VELORA_BILLING_SECRET", "billing-secret"),
        ("VELORA_CURAE_SECRET", "old-secret,new-secret"),
        ("VELORA_TV_SECRET", "tv-secret"),
    ]);
    let cases = [
        (
            "/velora-health",
            sign(
                "health",
                "health-secret",
                r#"{"id":"e1","type":"phi.read"}"#,
            ),
            "health phi.read e1",
        ),
        (
            "/velora-billing",
            sign(
                "billing",
                "billing-secret",
                r#"{"type":"dispute.sla_breached"}"#,
            ),
            "billing dispute.sla_breached",
        ),
        (
            "/curaeai",
            sign(
                "curae",
                "new-secret",
                r#"{"eventId":"e2","eventType":"records.export_ready"}"#,
            ),
            "curae: e2 is ready",
        ),
        (
            "/velora-tv",
            sign(
                "tv",
                "tv-secret",
                r#"{"id":"e3","type":"stream.online","data":{"streamId":"s","userId":"u"}}"#,
            ),
            "tv: s is live",
        ),
    ];
    for (path, signed, line) in &cases {
        assert_eq!(
            receiver.post(path, signed).await,
            (200, "processed".to_owned()),
            "{path}"
        );
        assert_eq!(receiver.line(), *line);
        assert_eq!(
            receiver.post(path, signed).await,
            (200, "duplicate".to_owned()),
            "{path}"
        );
    }
    let forged = sign("health", "guessed", r#"{"id":"e9","type":"phi.read"}"#);
    assert_eq!(
        receiver.post("/velora-health", &forged).await,
        (401, "signature_mismatch".to_owned())
    );
    assert_eq!(
        receiver.post("/curaeai", &forged).await,
        (400, "missing_header".to_owned())
    );
}

#[tokio::test]
async fn serves_only_what_has_a_secret() {
    let receiver = Running::start(&[("VELORA_TV_SECRET", "tv-secret")]);
    let signed = sign("health", "health-secret", "{}");
    assert_eq!(receiver.post("/velora-health", &signed).await.0, 404);
}
