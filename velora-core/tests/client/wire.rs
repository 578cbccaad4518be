//! What only bytes on a socket can show: responses that do not mark their end, errors whose
//! body never arrives, and the route that requests take.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::simulated::{export, limited, week};
use async_compression::futures::bufread::GzipEncoder;
use futures_util::io::AsyncReadExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use velora_core::api::{ClientBuilder, ClientOptions, RetryOptions};
use velora_core::health::{Client, ExportQuery, NewEndpoint};
use velora_core::{ApiKey, billing, tv};

/// Answers every connection with these bytes, then, after a while, closes it.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Into<Vec<u8>>, open: Duration) -> Self {
        let answer = Arc::new(answer.into());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                tokio::spawn(async move {
                    let request = request_of(&mut stream).await;
                    log.lock().unwrap().push(request);
                    let _ = stream.write_all(&answer).await;
                    tokio::time::sleep(open).await;
                });
            }
        });
        Self { url, seen }
    }

    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn builder(&self) -> ClientBuilder<Client> {
        let retry = RetryOptions::default().with_backoff(Duration::ZERO, Duration::ZERO);
        Client::builder(ApiKey::new("vlk_test_key").unwrap())
            .with_base_url(&self.url)
            .with_retry(retry)
    }

    fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

/// Reads a request to its end: a connection closed before that is reset.
async fn request_of(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut bytes = [0; 4_096];
    loop {
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let lines = head.lines().map(str::to_ascii_lowercase);
            let mut lengths = lines.filter_map(|line| {
                let length = line.strip_prefix("content-length: ")?;
                length.parse::<usize>().ok()
            });
            if body.len() >= lengths.next().unwrap_or(0) {
                return request;
            }
        }
        let length = stream.read(&mut bytes).await.unwrap();
        if length == 0 {
            return request;
        }
        request.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
}

const PAGE: &str = "HTTP/1.1 200 OK\r\n\r\n{\"events\":[],\"page\":{\"has_more\":false}}";

#[tokio::test]
async fn rows_are_not_taken_from_an_answer_without_an_end_mark() {
    let row = b"{\"event_id\":\"1\",\"timestamp\":\"2026-05-02T00:00:00Z\"}\n";
    let mut zipped = Vec::new();
    let mut encoder = GzipEncoder::new(&row[..]);
    encoder.read_to_end(&mut zipped).await.unwrap();
    for (header, body) in [
        (&b""[..], &row[..]),
        (b"Transfer-Encoding: identity\r\n", row),
        (b"Transfer-Encoding: chunked, identity\r\n", row),
        // To hyper, what is no text is no coding.
        (b"Transfer-Encoding: \xff, chunked\r\n", row),
        // Another member could have followed.
        (b"Content-Encoding: GZIP\r\n", &zipped),
    ] {
        let head = b"HTTP/1.1 200 OK\r\nX-Velora-Truncated: false\r\n";
        let answer = [head, header, b"\r\n", body].concat();
        let head = String::from_utf8_lossy(header);
        let server = Server::start(answer, Duration::ZERO).await;
        let query = || ExportQuery::new(week());
        let error = export(&server.client(), query()).await.unwrap_err();
        assert_eq!(error.code().as_str(), "connection", "{head}");
        let error = limited(server.client().export_once(query())).await;
        assert_eq!(error.unwrap_err().code().as_str(), "connection", "{head}");
        assert_eq!(server.requests(), 10, "{head}");
    }

    let table = "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nid,amount\r\n1,12\r\n2,1";
    let server = Server::start(table, Duration::ZERO).await;
    let client = billing::Client::builder(ApiKey::new("vlb_test_key").unwrap());
    let client = client.with_base_url(&server.url).build().unwrap();
    let mut rows = client.audit_csv("run_1");
    let row = limited(rows.next()).await.unwrap().unwrap();
    assert_eq!(row.field("amount"), Some("12"));
    let error = limited(rows.next()).await.unwrap().unwrap_err();
    assert_eq!(error.code().as_str(), "connection");
    assert!(limited(rows.next()).await.is_none());

    // JSON marks its own end.
    let server = Server::start(PAGE, Duration::ZERO).await;
    limited(server.client().probe()).await.unwrap();
}

#[tokio::test]
async fn an_error_is_told_though_its_body_never_comes() {
    for (answer, code) in [
        (
            "HTTP/1.1 401 No\r\nContent-Length: 99\r\n\r\n{",
            "unauthorized",
        ),
        (
            "HTTP/1.1 429 No\r\nRetry-After: 3600\r\nContent-Length: 9\r\n\r\n",
            "rate_limited",
        ),
    ] {
        let server = Server::start(answer, Duration::from_secs(60)).await;
        let start = Instant::now();
        let error = limited(server.client().probe()).await.unwrap_err();
        assert_eq!((error.code().as_str(), server.requests()), (code, 1));
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn what_is_not_the_documented_json_is_in_the_error_and_not_shown() {
    let html = "HTTP/1.1 200 OK\r\nX-Request-Id: srv-9\r\nContent-Length: 10\r\n\r\n<p>Jane</p>";
    let server = Server::start(html, Duration::ZERO).await;
    let error = limited(server.client().probe()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "malformed_response");
    assert_eq!(
        (error.status(), error.request_id()),
        (Some(200), Some("srv-9"))
    );
    assert_eq!(error.raw(), "<p>Jane</p");
    assert!(!format!("{error} {error:?}").contains("Jane"));
}

#[tokio::test]
async fn a_secret_is_in_no_error() {
    let odd = "HTTP/1.1 201 OK\r\nContent-Length: 28\r\n\r\n{\"secret\":\"canary\",\"id\":1}  ";
    let server = Server::start(odd, Duration::ZERO).await;
    let endpoint = NewEndpoint::new("https://example.com");
    let created = limited(server.client().webhooks().create(&endpoint)).await;
    let error = created.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.raw()),
        ("malformed_response", "")
    );
}

#[tokio::test]
async fn an_encoding_is_known_in_any_case() {
    let mut body = Vec::new();
    let page = &b"{\"events\":[],\"page\":{\"has_more\":false}}"[..];
    GzipEncoder::new(page).read_to_end(&mut body).await.unwrap();
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\nContent-Length: {length}\r\n\r\n");
    let server = Server::start([head.as_bytes(), &body].concat(), Duration::ZERO).await;
    limited(server.client().probe()).await.unwrap();
}

#[tokio::test]
async fn a_zipped_body_is_all_its_members_or_nothing() {
    let rows = [1, 2]
        .map(|id| format!("{{\"event_id\":\"{id}\",\"timestamp\":\"2026-05-02T00:00:0{id}Z\"}}\n"));
    let mut zipped = Vec::new();
    for row in &rows {
        let mut member = GzipEncoder::new(row.as_bytes());
        member.read_to_end(&mut zipped).await.unwrap();
    }
    for (body, read) in [(&zipped[..], &rows[..]), (&[], &[])] {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nX-Velora-Truncated: false\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let server = Server::start([head.as_bytes(), body].concat(), Duration::ZERO).await;
        let found = export(&server.client(), ExportQuery::new(week()))
            .await
            .unwrap();
        let read: Vec<_> = read.iter().map(|row| row.trim_end()).collect();
        assert_eq!(
            (found, server.requests()),
            (read.iter().map(ToString::to_string).collect(), 1)
        );
    }
}

#[tokio::test]
async fn an_encoding_that_was_not_asked_for_is_no_json() {
    let brotli = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n\u{1b}x";
    let server = Server::start(brotli, Duration::ZERO).await;
    let error = limited(server.client().probe()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "malformed_response");
}

/// The key of a loopback host goes to no proxy, and that of any other through a tunnel.
#[tokio::test]
async fn a_proxy_never_sees_the_key() {
    let server = Server::start(PAGE, Duration::ZERO).await;
    let proxy = Server::start(
        "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n",
        Duration::ZERO,
    )
    .await;
    let client = server.builder().with_proxy(&proxy.url).build().unwrap();
    limited(client.probe()).await.unwrap();
    assert_eq!((server.requests(), proxy.requests()), (1, 0));

    let client = server
        .builder()
        .with_base_url("https://api.velora.example")
        .with_proxy(&proxy.url)
        .build()
        .unwrap();
    let error = limited(client.probe()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "connection");
    let seen = proxy.seen.lock().unwrap();
    assert!(
        seen[0].starts_with("CONNECT api.velora.example:443 "),
        "{seen:?}"
    );
    assert!(seen.iter().all(|request| !request.contains("vlk_test_key")));
}

#[tokio::test]
async fn why_there_is_no_connection_is_said() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plaintext = format!("https://{}", plain.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request").await.unwrap();
        std::future::pending::<()>().await;
    });
    // Taken, and nobody listens.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let refusing = format!("http://{}", taken.local_addr().unwrap());
    for (url, why) in [
        (&*refusing, "it was refused"),
        (&*plaintext, "TLS failed, "),
    ] {
        let client = Client::builder(ApiKey::new("key").unwrap())
            .with_base_url(url)
            .with_retry(RetryOptions::default().with_attempts(1).unwrap());
        let error = client.build().unwrap().probe().await.unwrap_err();
        assert_eq!(error.code().as_str(), "connection");
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// Some would be passed by, and the others fail each call.
#[test]
fn a_proxy_of_another_kind_is_refused() {
    let build = |proxy: &str| {
        let key = ApiKey::new("key").unwrap();
        let built = Client::builder(key).with_proxy(proxy).build();
        built.err().map(|error| error.code().as_str())
    };
    for proxy in ["http://127.0.0.1:1", "HTTPS://user:pw@proxy.example:3128/"] {
        assert_eq!(build(proxy), None, "{proxy}");
    }
    for proxy in [
        "",
        "http://",
        "127.0.0.1:3128",
        "localhost:3128",
        "proxy.example",
        "foo://127.0.0.1:1",
        "ftp://127.0.0.1",
        "file:///etc/x",
        "socks5://127.0.0.1:1080",
        "socks5h://127.0.0.1:1080",
    ] {
        assert_eq!(build(proxy), Some("invalid_option"), "{proxy}");
    }
}

#[test]
fn what_would_fail_every_call_is_refused() {
    type Builder = ClientBuilder<Client>;
    type With = fn(Builder, Duration) -> Builder;
    let zero = Duration::ZERO;
    let options: [(&str, With); 4] = [
        ("connect_timeout", Builder::with_connect_timeout),
        ("read_timeout", Builder::with_read_timeout),
        ("call_timeout", Builder::with_call_timeout),
        ("max_response_bytes", |builder, size| {
            builder.with_max_response_bytes(size.subsec_nanos() as usize)
        }),
    ];
    for (option, with) in options {
        let build = |value| with(Client::builder(ApiKey::new("key").unwrap()), value).build();
        assert!(build(Duration::from_nanos(1)).is_ok(), "{option}");
        let error = build(zero).unwrap_err();
        assert_eq!(error.code().as_str(), "invalid_option");
        assert!(error.to_string().contains(option), "{error}");
    }
}

#[test]
fn options_of_other_languages_are_those_of_the_builder() {
    let builder = || tv::Client::builder(ApiKey::new("token").unwrap());
    let with = |options: ClientOptions| builder().with_options(options);
    let kept = with(ClientOptions::default()).unwrap();
    assert_eq!(kept.read_timeout(), builder().read_timeout());
    let given = with(ClientOptions {
        connect_timeout: Some(0.25),
        read_timeout: Some(7.0),
        ..ClientOptions::default()
    });
    let given = given.unwrap();
    assert_eq!(given.connect_timeout(), Duration::from_millis(250));
    assert_eq!(given.read_timeout(), Duration::from_secs(7));
    for odd in [-1.0, f64::NAN, f64::INFINITY, 1e20] {
        let none = ClientOptions::default;
        for options in [
            ClientOptions {
                backoff: Some((odd, 1.0)),
                ..none()
            },
            ClientOptions {
                backoff: Some((1.0, odd)),
                ..none()
            },
            ClientOptions {
                max_retry_delay: Some(odd),
                ..none()
            },
            ClientOptions {
                connect_timeout: Some(odd),
                ..none()
            },
            ClientOptions {
                read_timeout: Some(odd),
                ..none()
            },
            ClientOptions {
                call_timeout: Some(odd),
                ..none()
            },
        ] {
            let error = with(options).unwrap_err();
            assert_eq!(error.code().as_str(), "invalid_option", "{odd}");
        }
    }
    for options in [
        ClientOptions {
            attempts: Some(0),
            ..ClientOptions::default()
        },
        ClientOptions {
            max_response_bytes: Some(0),
            ..ClientOptions::default()
        },
        ClientOptions {
            call_timeout: Some(0.0),
            ..ClientOptions::default()
        },
        ClientOptions {
            proxy: Some("socks5://a".into()),
            ..ClientOptions::default()
        },
    ] {
        let built = with(options).and_then(ClientBuilder::build);
        assert_eq!(built.unwrap_err().code().as_str(), "invalid_option");
    }
    let elsewhere = ClientOptions {
        base_url: Some("http://velora.example".into()),
        ..ClientOptions::default()
    };
    let built = with(elsewhere).and_then(ClientBuilder::build);
    assert_eq!(built.unwrap_err().code().as_str(), "invalid_base_url");
}

#[tokio::test]
async fn attempts_of_other_languages_are_counted() {
    let server = Server::start(
        "HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        Duration::ZERO,
    )
    .await;
    let options = ClientOptions {
        base_url: Some(server.url.clone()),
        attempts: Some(2),
        backoff: Some((0.001, 0.002)),
        max_retry_delay: Some(1.0),
        ..ClientOptions::default()
    };
    let builder = Client::builder(ApiKey::new("key").unwrap())
        .with_options(options)
        .unwrap();
    let error = limited(builder.build().unwrap().probe()).await.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.attempts()),
        ("server_error", 2)
    );
    assert_eq!(server.seen.lock().unwrap().len(), 2);
}

/// gzip unless the request names another encoding, and never both.
#[tokio::test]
async fn one_encoding_is_asked_for() {
    let server = Server::start(PAGE, Duration::ZERO).await;
    limited(server.client().probe()).await.unwrap();
    let token = || async { Ok(ApiKey::new("token").unwrap()) };
    let client = tv::Client::builder_with_tokens(token).with_base_url(&server.url);
    let mut stream = client.build().unwrap().events(tv::StreamOptions::new());
    let _ = limited(stream.next()).await;
    let seen = server.seen.lock().unwrap();
    let asked = |request: &String| {
        let lower = request.to_ascii_lowercase();
        let lines = lower.lines().map(str::to_owned);
        lines
            .filter_map(|line| line.strip_prefix("accept-encoding: ").map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(asked(&seen[0]), ["gzip"]);
    assert_eq!(asked(&seen[1]), ["identity"]);
}

/// The clock stands still but for what is waited for: nothing else happens on the loopback.
#[tokio::test(start_paused = true)]
async fn connecting_and_reading_take_no_longer_than_they_may() {
    let elapsed = |start: tokio::time::Instant| start.elapsed().as_secs();
    let once = RetryOptions::default().with_attempts(1).unwrap();
    // It never answers the handshake of TLS.
    let server = Server::start("", Duration::from_secs(3_600)).await;
    let client = server.builder().with_retry(once);
    let client = client.with_base_url(server.url.replace("http:", "https:"));
    let start = tokio::time::Instant::now();
    let error = client.build().unwrap().probe().await.unwrap_err();
    assert_eq!((error.code().as_str(), elapsed(start)), ("timeout", 10));

    let start = tokio::time::Instant::now();
    let client = server.builder().with_retry(once).build().unwrap();
    let error = client.probe().await.unwrap_err();
    assert_eq!((error.code().as_str(), elapsed(start)), ("timeout", 30));

    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let server = Server::start(head, Duration::from_secs(3_600)).await;
    let token = ApiKey::new("token").unwrap();
    let client = tv::Client::builder(token).with_base_url(&server.url);
    let patient = tv::StreamOptions::new().with_idle_timeout(Duration::from_secs(1_000));
    let mut stream = client.build().unwrap().events(patient.unwrap());
    let start = tokio::time::Instant::now();
    let tv::StreamItem::Gap(gap) = stream.next().await.unwrap().unwrap() else {
        panic!("nothing was sent");
    };
    assert_eq!(
        (gap.reason.code().as_str(), elapsed(start)),
        ("timeout", 300)
    );
}
