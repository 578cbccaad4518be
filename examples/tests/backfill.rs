//! The back-fill example, as a separate process.

#![allow(clippy::unwrap_used, reason = "a test panics")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan};
use velora_servers::free_port;
use velora_simulator::{Emission, HEALTH_KEY, NewEndpoint, Simulator, System};

const BEFORE: u64 = 500;

/// Nothing here takes so long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(120);

struct Running {
    process: Child,
    output: BufReader<ChildStdout>,
    start: Instant,
}

impl Running {
    fn line(&mut self) -> String {
        assert!(self.start.elapsed() < PATIENCE, "it goes on for ever");
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the receiver ended");
        line.trim_end().to_owned()
    }

    /// Counts what is handled, by id and way, to the end of the next back-fill. Gives how
    /// many events that had missed.
    fn backfill(&mut self, handled: &mut BTreeMap<String, Vec<String>>) -> usize {
        loop {
            let line = self.line();
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                [how @ ("delivered" | "back-filled"), _, id] => handled
                    .entry(id.to_owned())
                    .or_default()
                    .push(how.to_owned()),
                [.., missed, "missed"] => return missed.parse().unwrap(),
                _ => {}
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn each_event_counts_once_whichever_way_it_comes() {
    let since = Timestamp::now() - 1.hour();
    let simulator = Simulator::builder()
        .events(BEFORE)
        .since(since)
        .span(Duration::from_secs(3_000))
        .time_scale(60_000.0)
        .start()
        .await
        .unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{address}/velora-health");
    let endpoint = simulator.register(NewEndpoint::new(System::Health, url));
    // Sent while nobody listens: the ladder runs out, and the event is lost but for us.
    let emission = Emission::new(System::Health, "phi.export");
    let lost = simulator.emit(&emission).event_id;
    simulator.settled().await;
    assert!(simulator.deliveries().len() > 1);

    let mut process = Command::new(env!("CARGO_BIN_EXE_backfill"))
        .env("VELORA_API_KEY", HEALTH_KEY)
        .env("VELORA_BASE_URL", simulator.base_url())
        .env("VELORA_WEBHOOK_SECRET", &endpoint.secrets[0])
        .env("ADDRESS", address)
        .env("BACKFILL_SINCE", since.to_string())
        .env("BACKFILL_EVERY", "3")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    let mut running = Running {
        process,
        output,
        start: Instant::now(),
    };

    let mut handled = BTreeMap::new();
    let before = usize::try_from(BEFORE).unwrap();
    let mut missed = 0;
    while missed < before + 1 {
        missed += running.backfill(&mut handled);
    }
    assert_eq!((missed, handled.len()), (before + 1, before + 1));
    assert_eq!(handled[&lost], ["back-filled"]);

    // In peace deliveries come first, and the next back-fill has nothing to do.
    let peace: Vec<_> = (0..5).map(|_| simulator.emit(&emission).event_id).collect();
    simulator.settled().await;
    while !peace.iter().all(|id| handled.contains_key(id)) {
        assert_eq!(running.backfill(&mut handled), 0);
    }
    assert!(peace.iter().all(|id| handled[id] == ["delivered"]));
    assert!(handled.values().all(|ways| ways.len() == 1));
}
