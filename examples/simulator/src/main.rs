//! The simulator as a program, for tests in other languages. See the README.

use std::io::{Read, Write};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use jiff::Timestamp;
use velora_simulator::{
    CuraeEnvironment, CursorMode, ExportOrder, RateLimits, Resolution, Simulator,
};

/// Serves Velora Health, Velora Billing, CuraeAI and Velora TV on a loopback address,
/// which is the first line on stdout: `listening on http://127.0.0.1:PORT`.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The port to listen on. 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The number of audit events.
    #[arg(long, default_value_t = 10_000)]
    events: u64,
    /// The seed of the events: the same seed gives the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The earliest time of an event.
    #[arg(long, default_value = "2026-05-01T00:00:00Z")]
    since: Timestamp,
    /// The length of the period in which the events happen, in seconds.
    #[arg(long, default_value_t = 604_800)]
    span_seconds: u64,
    /// Gives this many of the events the same timestamp. May be repeated.
    #[arg(long)]
    crowd: Vec<u64>,
    /// The resolution of the server's timestamps.
    #[arg(long, value_enum, default_value_t = ResolutionArg::S)]
    resolution: ResolutionArg,
    /// Compare `since` and `until` as sent, without rounding them to the resolution.
    #[arg(long)]
    exact_filters: bool,
    /// Include events whose timestamp is exactly `until`.
    #[arg(long)]
    inclusive_until: bool,
    /// What a cursor encodes: the timestamp and id (`sound`; `leaky` omits the first event of a
    /// page), or only the timestamp, so that events which share it are skipped or repeated.
    #[arg(long, value_enum, default_value_t = CursorArg::Sound)]
    cursor: CursorArg,
    /// Wrap the response of `GET /events/{id}` as `{"event": …}`.
    #[arg(long)]
    wrapped_event: bool,
    /// Send `details` as an object in some events.
    #[arg(long)]
    object_details: bool,
    /// The maximum number of rows in an export.
    #[arg(long, default_value_t = 10_000)]
    export_cap: usize,
    /// The order of an export's rows.
    #[arg(long, value_enum, default_value_t = OrderArg::Descending)]
    export_order: OrderArg,
    /// The value of `X-Velora-Truncated` on a truncated export: true, 1, yes, TRUE, True, or any
    /// text. `none` omits the header.
    #[arg(long, default_value = "true")]
    truncation_header: String,
    /// Enforce the documented rate limits.
    #[arg(long)]
    rate_limits: bool,
    /// The window of the rate limits in milliseconds, instead of a minute.
    #[arg(long, requires = "rate_limits")]
    rate_window_ms: Option<u64>,
    /// Delay every response by this many milliseconds.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Cache this many MiB of encoded pages and exports.
    #[arg(long, default_value_t = 0)]
    cache_mib: usize,
    /// Divide the delays of the retry ladders by this: with 60000, a minute takes a
    /// millisecond.
    #[arg(long, default_value_t = 1.0)]
    time_scale: f64,
    /// How long to wait for a receiver's response.
    #[arg(long, default_value_t = 10_000)]
    delivery_timeout_ms: u64,
    /// The number of records in a billing run's CSV.
    #[arg(long, default_value_t = 250)]
    billing_csv_records: u64,
    /// Which API keys the CuraeAI system accepts.
    #[arg(long, value_enum, default_value_t = EnvironmentArg::Any)]
    curae_environment: EnvironmentArg,
    /// How many of the latest TV events a client can resume from.
    #[arg(long, default_value_t = 1_000)]
    tv_history: usize,
    /// How often an idle TV stream sends a comment.
    #[arg(long, default_value_t = 15_000)]
    tv_heartbeat_ms: u64,
    /// Send TV events without ids, and ignore `Last-Event-ID`.
    #[arg(long)]
    tv_no_resume: bool,
    /// Exit when stdin is closed, so that no simulator outlives the test that started it.
    #[arg(long)]
    until_stdin_ends: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ResolutionArg {
    S,
    Ms,
    Us,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CursorArg {
    Sound,
    Leaky,
    Skip,
    Repeat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderArg {
    Ascending,
    Descending,
    Shuffled,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EnvironmentArg {
    Any,
    Sandbox,
    Production,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let until_stdin_ends = args.until_stdin_ends;
    let simulator = start(args)?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on {}", simulator.base_url())?;
    stdout.flush()?;

    if until_stdin_ends {
        std::io::stdin().lock().read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    loop {
        // Until a signal ends the process.
        std::thread::park();
    }
}

fn start(args: Args) -> std::io::Result<Simulator> {
    let limits = match (args.rate_limits, args.rate_window_ms) {
        (false, _) => RateLimits::default(),
        (true, None) => RateLimits::documented(),
        (true, Some(millis)) => RateLimits::documented().within(Duration::from_millis(millis)),
    };
    let mut builder = Simulator::builder()
        .port(args.port)
        .events(args.events)
        .seed(args.seed)
        .since(args.since)
        .span(Duration::from_secs(args.span_seconds))
        .resolution(match args.resolution {
            ResolutionArg::S => Resolution::Second,
            ResolutionArg::Ms => Resolution::Millisecond,
            ResolutionArg::Us => Resolution::Microsecond,
        })
        .exact_filters(args.exact_filters)
        .inclusive_until(args.inclusive_until)
        .cursor_mode(match args.cursor {
            CursorArg::Sound => CursorMode::Sound,
            CursorArg::Leaky => CursorMode::Leaky,
            CursorArg::Skip => CursorMode::SloppySkip,
            CursorArg::Repeat => CursorMode::SloppyRepeat,
        })
        .wrapped_event(args.wrapped_event)
        .object_details(args.object_details)
        .export_cap(args.export_cap)
        .export_order(match args.export_order {
            OrderArg::Ascending => ExportOrder::Ascending,
            OrderArg::Descending => ExportOrder::Descending,
            OrderArg::Shuffled => ExportOrder::Shuffled,
        })
        .truncation_header((args.truncation_header != "none").then_some(&*args.truncation_header))
        .rate_limits(limits)
        .latency(Duration::from_millis(args.latency_ms))
        .cache_bytes(args.cache_mib << 20)
        .time_scale(args.time_scale)
        .delivery_timeout(Duration::from_millis(args.delivery_timeout_ms))
        .billing_csv_records(args.billing_csv_records)
        .curae_environment(match args.curae_environment {
            EnvironmentArg::Any => CuraeEnvironment::Any,
            EnvironmentArg::Sandbox => CuraeEnvironment::Sandbox,
            EnvironmentArg::Production => CuraeEnvironment::Production,
        })
        .tv_history(args.tv_history)
        .tv_heartbeat(Duration::from_millis(args.tv_heartbeat_ms))
        .tv_resume(!args.tv_no_resume);
    for crowd in args.crowd {
        builder = builder.crowd(crowd);
    }
    builder.start_blocking()
}
