//! The event stream of the TV system: connections that come and go.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use velora_core::api::{Body, Response, RetryOptions};
use velora_core::tv::{Client, EventStream, EventType, StreamItem, StreamOptions};
use velora_core::{ApiError, ApiErrorKind, ApiKey};
use velora_simulator::{Emission, Simulator, System};

use crate::scripted::{Answer, Scripted, answer, header};
use crate::simulated::limited;
use crate::wall::Wall;

use Step::{Break, Hang, Say, Wait};

pub(crate) const CONNECTED: &str = "event: connected\ndata: {\"authenticated\":true,\"autoSubscribed\":true,\"channelUsername\":\"cool\",\"x\":1}\n\n";

/// What a connection does next; after the last step it ends.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Say(&'static str),
    Wait(u64),
    Break,
    Hang,
}

pub(crate) fn connection(steps: &[Step]) -> Answer {
    let steps = stream::iter(steps.to_vec());
    let chunks = StreamExt::then(steps, async |step| match step {
        Say(text) => Ok(Bytes::from(text)),
        Wait(seconds) => {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(Bytes::from(": still here\n\n"))
        }
        Break => Err(ApiError::new(ApiErrorKind::Connection, "reset by the test")),
        Hang => std::future::pending().await,
    });
    let headers = vec![(
        "Content-Type".to_owned(),
        "text/event-stream; charset=utf-8".to_owned(),
    )];
    Ok(Response::new(200, headers, Body::new(chunks)))
}

/// Answers by number; the token is `canary-` and how often it was asked for.
pub(crate) fn client(server: &Scripted) -> Client {
    let asked = AtomicUsize::new(0);
    let tokens = move || {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        async move { Ok(ApiKey::new(format!("canary-{number}")).unwrap()) }
    };
    server
        .of(Client::builder_with_tokens(tokens))
        .build()
        .unwrap()
}

pub(crate) fn listen(server: &Scripted) -> EventStream {
    client(server).events(StreamOptions::new())
}

/// The items as words, up to so many or the end.
pub(crate) async fn words(stream: &mut EventStream, count: usize) -> Vec<String> {
    // On a paused clock, hours pass at once.
    let words = tokio::time::timeout(Duration::from_secs(36_000), all_words(stream, count));
    words.await.expect("it hangs")
}

async fn all_words(stream: &mut EventStream, count: usize) -> Vec<String> {
    let mut words = Vec::new();
    while words.len() < count {
        words.push(match stream.next().await {
            Some(Ok(StreamItem::Connected(_))) => "connected".to_owned(),
            Some(Ok(StreamItem::Event(event))) => format!("event {}", event.data()),
            Some(Ok(StreamItem::Gap(gap))) => format!("gap {}", gap.reason.code()),
            Some(Ok(other)) => panic!("{other:?}"),
            Some(Err(error)) => format!("error {}", error.code()),
            None => break,
        });
    }
    words
}

#[tokio::test(start_paused = true)]
async fn reads_events_known_and_unknown() {
    let server = Scripted::new(|_, _| {
        connection(&[
            Say(": hello\n\n"),
            Say(CONNECTED),
            Say(
                "id: 7\nevent: stream.online\ndata: {\"id\":\"evt_1\",\"type\":\"stream.online\",\n",
            ),
            Say("data: \"data\":{\"streamId\":\"s\",\"userId\":\"u\"}}\n\n: quiet\n\n"),
            Say("data: {\"id\":\"evt_2\",\"type\":\"channel.follow\"}\r\n\r\n"),
            Say("event: a.new_one\ndata: not JSON, Zo"),
            Say("ë\n\n"),
            Say("event: stream.update\ndata: {\"id\":\"evt_3\",\"type\":\"stream.offline\"}\n\n"),
            Hang,
        ])
    });
    let mut stream = listen(&server);
    let StreamItem::Connected(connected) = stream.next().await.unwrap().unwrap() else {
        panic!("not connected");
    };
    assert_eq!(
        (connected.authenticated, connected.auto_subscribed),
        (Some(true), Some(true))
    );
    assert_eq!(connected.channel_username.as_deref(), Some("cool"));
    assert!(connected.extra.member("x").is_some());

    let mut events = Vec::new();
    while events.len() < 4 {
        match stream.next().await.unwrap().unwrap() {
            StreamItem::Event(event) => events.push(event),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(events[0].event_type(), EventType::StreamOnline);
    assert_eq!(
        (events[0].id(), events[0].event().unwrap().id.as_str()),
        (Some("7"), "evt_1")
    );
    assert_eq!(events[0].key().unwrap().as_str(), "tv:evt_1");
    assert_eq!(events[1].event_type(), EventType::ChannelFollow);
    assert_eq!(
        events[2].event_type(),
        EventType::Other("a.new_one".to_owned())
    );
    assert_eq!((events[2].data(), events[2].key()), ("not JSON, Zoë", None));
    assert_eq!(events[3].event_type(), EventType::StreamUpdate);
    assert!(!format!("{events:?}").contains("JSON"));
    let sent = &server.seen()[0];
    assert_eq!(sent.url(), "https://api.example.com/api/events/stream");
    assert_eq!(header(sent, "Accept"), Some("text/event-stream"));
    assert_eq!(header(sent, "Last-Event-ID"), None);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_a_gap_and_is_made_again() {
    let server = Scripted::new(|number, _| match number {
        0 => connection(&[
            Say(CONNECTED),
            Say("id: 7\ndata: a\n\n"),
            Say("id: 8\ndata: cut of"),
        ]),
        1 => connection(&[Say(CONNECTED), Say("data: b\n\n"), Break]),
        2 => answer(503, &[], ""),
        3 => Err(ApiError::new(
            ApiErrorKind::Connection,
            "refused by the test",
        )),
        4 => connection(&[Say(CONNECTED), Say("id: é\ndata: c\n\n"), Hang]),
        _ => connection(&[Say(CONNECTED), Hang]),
    });
    let mut stream = listen(&server);
    let expected = [
        "connected",
        "event a",
        "gap connection",
        "connected",
        "event b",
        "gap connection",
        "connected",
        "event c",
        "gap timeout",
        "connected",
    ];
    assert_eq!(words(&mut stream, 10).await, expected);
    let seen = server.seen();
    let sent = |name| {
        seen.iter()
            .map(|sent| header(sent, name).unwrap_or("-"))
            .collect::<Vec<_>>()
    };
    // An id that no header can carry is passed over: rather too much comes again than too little.
    assert_eq!(sent("Last-Event-ID"), ["-", "7", "7", "7", "7", "7"]);
    let tokens: Vec<_> = (0..6)
        .map(|number| format!("Bearer canary-{number}"))
        .collect();
    assert_eq!(sent("Authorization"), tokens);
}

#[tokio::test(start_paused = true)]
async fn a_gap_tells_since_when_and_from_where() {
    let server = Scripted::new(|_, _| {
        connection(&[
            Say(CONNECTED),
            Say("id: 7\ndata: a\n\n"),
            Wait(60),
            Wait(80),
            Wait(89),
            Hang,
        ])
    });
    let mut stream = listen(&server);
    let start = Instant::now();
    assert_eq!(words(&mut stream, 2).await, ["connected", "event a"]);
    let StreamItem::Gap(gap) = stream.next().await.unwrap().unwrap() else {
        panic!("no gap");
    };
    // Comments are a sign of life; 90 s after the last one there is none.
    assert_eq!(start.elapsed().as_secs(), 60 + 80 + 89 + 90);
    assert_eq!(gap.last_event_id.as_deref(), Some("7"));
    // Tokio's clock is paused, the wall clock is not.
    let ago = jiff::Timestamp::now().duration_since(gap.since);
    assert!(ago.as_secs().abs() < 60, "{ago}");
    assert_eq!(gap.reason.code().as_str(), "timeout");
    let request = header(&server.seen()[0], "X-Request-Id").map(str::to_owned);
    assert_eq!(gap.reason.request_id(), request.as_deref());
    assert_eq!((gap.reason.status(), gap.reason.attempts()), (Some(200), 1));
    let options = StreamOptions::new()
        .with_idle_timeout(Duration::from_secs(59))
        .unwrap();
    let mut stream = client(&server).events(options);
    assert_eq!(
        words(&mut stream, 3).await,
        ["connected", "event a", "gap timeout"]
    );
    let zero = StreamOptions::new()
        .with_idle_timeout(Duration::ZERO)
        .unwrap_err();
    assert_eq!(zero.code().as_str(), "invalid_option");
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_the_stream_says() {
    let server = Scripted::new(|_, _| connection(&[Say("retry: 45000\ndata: a\n\n")]));
    let mut stream = listen(&server);
    let start = Instant::now();
    assert_eq!(
        words(&mut stream, 3).await,
        ["event a", "gap connection", "event a"]
    );
    assert_eq!(start.elapsed().as_secs(), 45);
}

/// What one connection said counts until another one says something else.
#[tokio::test(start_paused = true)]
async fn waits_as_long_as_an_earlier_connection_said() {
    let server = Scripted::new(|number, _| match number {
        0 => connection(&[Say("retry: 45000\ndata: a\n\n")]),
        2 => connection(&[Say("retry: 5000\ndata: a\n\n")]),
        _ => connection(&[Say("data: a\n\n")]),
    });
    let start = Instant::now();
    words(&mut listen(&server), 9).await;
    assert_eq!(start.elapsed().as_secs(), 45 + 45 + 5 + 5);
}

#[tokio::test(start_paused = true)]
async fn waits_no_longer_than_its_patience() {
    let server = Scripted::new(|_, _| connection(&[Say("retry: 120000\n\ndata: a\n\n")]));
    let mut stream = listen(&server);
    let start = Instant::now();
    words(&mut stream, 3).await;
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn heeds_what_stands_without_data() {
    let server = Scripted::new(|number, request| match number {
        0 => connection(&[Say(
            "\u{feff}retry: 45000\r\n\r\nid: 3\r\ndata: a\r\n\r\nid: 9\r\n\r\n",
        )]),
        _ => {
            assert_eq!(header(request, "Last-Event-ID"), Some("9"));
            connection(&[Say(CONNECTED), Hang])
        }
    });
    let mut stream = listen(&server);
    let start = Instant::now();
    let expected = ["event a", "gap connection", "connected"];
    assert_eq!(words(&mut stream, 3).await, expected);
    assert_eq!(start.elapsed().as_secs(), 45);
}

#[tokio::test(start_paused = true)]
async fn a_gap_begins_before_an_event_that_came_by_half() {
    for (half, since) in [(": ping\n", 200), ("data: {\"half", 100), ("id: 7\n", 100)] {
        let wall = Wall::default();
        let clock = wall.clone();
        let server = Scripted::new(move |_, _| {
            let clock = clock.clone();
            let steps = [(100, "data: a\n\n"), (200, half)];
            let chunks = stream::iter(steps).map(move |(at, text)| {
                clock.set(at);
                Ok(Bytes::from(text))
            });
            Ok(Response::new(200, Vec::new(), Body::new(chunks)))
        });
        let token = || async { Ok(ApiKey::new("token").unwrap()) };
        let builder = server.of(Client::builder_with_tokens(token));
        let client = builder.with_runtime(wall).build().unwrap();
        let mut stream = client.events(StreamOptions::new());
        stream.next().await.unwrap().unwrap();
        let StreamItem::Gap(gap) = stream.next().await.unwrap().unwrap() else {
            panic!("no gap");
        };
        assert_eq!(gap.since.as_second(), since, "{half}");
    }
}

/// A load balancer that takes connections and drops them, before the system says that events
/// come: what was missed since the last one is still missing.
#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_came_does_not_end_a_gap() {
    let wall = Wall::default();
    let clock = wall.clone();
    let server = Scripted::new(move |number, _| {
        clock.set(100 * (number as i64 + 1));
        match number {
            1 => connection(&[]),
            2 => connection(&[Say(": hello\n\nretry: 1000\n\nid: 9\n\n"), Break]),
            3 => connection(&[Say("event: conn")]),
            5 => connection(&[Say("data: a\n\n")]),
            _ => connection(&[Say(CONNECTED)]),
        }
    });
    let token = || async { Ok(ApiKey::new("token").unwrap()) };
    let builder = server.of(Client::builder_with_tokens(token));
    let client = builder.with_runtime(wall).build().unwrap();
    let mut stream = client.events(StreamOptions::new());
    let mut since = Vec::new();
    while since.len() < 7 {
        if let StreamItem::Gap(gap) = stream.next().await.unwrap().unwrap() {
            since.push(gap.since.as_second());
        }
    }
    assert_eq!(since, [100, 100, 100, 100, 500, 600, 700]);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_end_is_given_up() {
    let server = Scripted::new(|number, _| match number {
        0 => {
            let chunks = stream::repeat_with(|| Ok(Bytes::from("data: more and more\n")));
            Ok(Response::new(200, Vec::new(), Body::new(chunks)))
        }
        _ => connection(&[Say("data: \u{fffd}\n\n"), Hang]),
    });
    let expected = ["gap response_too_large", "event \u{fffd}"];
    assert_eq!(words(&mut listen(&server), 2).await, expected);
}

fn push(simulator: &Simulator, id: &str) {
    simulator.emit(&Emission::new(System::Tv, "channel.follow").id(id));
}

async fn id(stream: &mut EventStream) -> String {
    loop {
        match limited(stream.next()).await.unwrap().unwrap() {
            StreamItem::Event(event) => return event.event().unwrap().id.clone(),
            StreamItem::Gap(gap) => assert_eq!(gap.reason.code().as_str(), "connection"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hears_all_of_the_simulator_over_many_connections() {
    let heartbeat = Duration::from_millis(50);
    let simulator = Simulator::builder()
        .tv_heartbeat(heartbeat)
        .start_blocking()
        .unwrap();
    let simulator = Arc::new(simulator);
    let (giver, last) = (Arc::clone(&simulator), Arc::new(Mutex::new(String::new())));
    let given = Arc::clone(&last);
    // Each connection has a token of its own.
    let tokens = move || {
        let token = giver.tv_token(Duration::from_secs(600));
        given.lock().unwrap().clone_from(&token);
        async move { Ok(ApiKey::new(token).unwrap()) }
    };
    let quick = Duration::from_millis(20);
    let client = Client::builder_with_tokens(tokens)
        .with_base_url(simulator.base_url())
        .with_retry(RetryOptions::default().with_backoff(quick, quick))
        .build()
        .unwrap();
    let idle = StreamOptions::new()
        .with_idle_timeout(Duration::from_secs(30))
        .unwrap();
    let mut stream = client.events(idle);
    assert_eq!(limited(words(&mut stream, 1)).await, ["connected"]);
    for number in 0..6 {
        push(&simulator, &format!("evt_{number}a"));
        assert_eq!(id(&mut stream).await, format!("evt_{number}a"));
        match number % 3 {
            0 => simulator.tv_end_streams(),
            1 => simulator.tv_reset_streams(),
            _ => simulator.tv_expire(&last.lock().unwrap()),
        }
        // While nobody listens: the next connection resumes behind the last id.
        push(&simulator, &format!("evt_{number}b"));
        assert_eq!(id(&mut stream).await, format!("evt_{number}b"));
    }
    drop(stream);
    assert!(
        simulator
            .requests()
            .iter()
            .all(|request| !request.other_host)
    );
    assert!(client.rate_limit().remaining.is_some());

    // One token for all of it runs out in the end.
    let token = simulator.tv_token(Duration::from_secs(600));
    let builder = Client::builder(ApiKey::new(&token).unwrap()).with_base_url(simulator.base_url());
    let mut stream = builder.build().unwrap().events(StreamOptions::new());
    assert_eq!(limited(words(&mut stream, 1)).await, ["connected"]);
    simulator.tv_expire(&token);
    let expected = ["gap connection", "error unauthorized"];
    assert_eq!(limited(words(&mut stream, 9)).await, expected);
}
