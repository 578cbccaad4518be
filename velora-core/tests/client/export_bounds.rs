//! Exports from systems that misread the bounds of a window: a response that shows this is
//! never reported as complete.

use jiff::{Timestamp, ToSpan};

use crate::scripted::{Scripted, answer};
use crate::simulated::{export, week, window};
use velora_core::api::Request;
use velora_core::health::{ExportQuery, Truncation, Window};

const EXPORT: &str = "/audit/export";

/// The window that a call of the export asks for.
fn asked(request: &Request) -> (Timestamp, Timestamp) {
    let body: serde_json::Value = serde_json::from_slice(request.body().unwrap()).unwrap();
    let at = |name: &str| body[name].as_str().unwrap().parse().unwrap();
    (at("since"), at("until"))
}

fn row(stamp: Timestamp) -> String {
    format!("{{\"event_id\":\"{stamp}\",\"timestamp\":\"{stamp}\",\"action\":\"phi.read\"}}\n")
}

fn rows(stamps: impl Iterator<Item = Timestamp>) -> String {
    stamps.map(row).collect()
}

async fn code(server: &Scripted, window: Window) -> Result<usize, &'static str> {
    let rows = export(&server.client(), ExportQuery::new(window)).await;
    rows.map(|rows| rows.len())
        .map_err(|error| error.code().as_str())
}

const CUT: &[(&str, &str)] = &[("X-Velora-Truncated", "true")];
const WHOLE: &[(&str, &str)] = &[("X-Velora-Truncated", "false")];

/// An event a minute, all week long; the bounds are read so many seconds too early.
fn shifted(seconds: i64) -> Scripted {
    Scripted::new(move |_, request| {
        let (since, until) = asked(request);
        let minutes = (0..7 * 1_440).map(|minute| week().since() + (minute * 60).seconds());
        let inside = minutes.filter(|at| {
            let at = *at + seconds.seconds();
            since <= at && at < until
        });
        answer(200, WHOLE, &rows(inside))
    })
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_misread_is_not_whole() {
    let day = window("2026-05-03T00:00:00Z", "2026-05-04T00:00:00Z");
    assert_eq!(code(&shifted(0), day).await, Ok(1_440));
    for seconds in [7_200, -7_200, 60, -120] {
        let outcome = code(&shifted(seconds), day).await;
        assert_eq!(outcome, Err("incomplete_window"), "{seconds}");
    }
}

/// Rounding brings in less than a second before, and up to the end of the second behind; the
/// window stays exact.
#[tokio::test(start_paused = true)]
async fn what_rounding_brings_in_is_dropped() {
    let (since, until) = ("2026-05-03T00:00:00.5Z", "2026-05-04T00:00:00.25Z");
    for (stamp, outcome) in [
        ("2026-05-02T23:59:59.5Z", Err("incomplete_window")),
        ("2026-05-02T23:59:59.500001Z", Ok(0)),
        ("2026-05-03T00:00:00Z", Ok(0)),
        ("2026-05-03T00:00:00.5Z", Ok(1)),
        ("2026-05-04T00:00:00.249Z", Ok(1)),
        ("2026-05-04T00:00:00.25Z", Ok(0)),
        ("2026-05-04T00:00:00.999999Z", Ok(0)),
        ("2026-05-04T00:00:01Z", Err("incomplete_window")),
        ("2026-05-04T00:00:01.999999Z", Err("incomplete_window")),
        ("2026-05-04T00:00:02Z", Err("incomplete_window")),
    ] {
        let server = Scripted::new(move |_, _| answer(200, WHOLE, &row(stamp.parse().unwrap())));
        assert_eq!(
            code(&server, window(since, until)).await,
            outcome,
            "{stamp}"
        );
    }
}

/// A system that keeps its windows by another time than it shows, such as that of the arrival:
/// what it gives too early it lacks elsewhere. On a whole second no rounding explains it.
#[tokio::test(start_paused = true)]
async fn a_row_from_before_a_whole_second_is_astray() {
    for (since, outcome) in [
        ("2026-05-03T00:00:00Z", Err("incomplete_window")),
        ("2026-05-03T00:00:00.0000005Z", Err("incomplete_window")),
        ("2026-05-03T00:00:00.000001Z", Ok(1)),
    ] {
        let first: Timestamp = "2026-05-03T00:00:00Z".parse().unwrap();
        for headers in [WHOLE, CUT] {
            let server = Scripted::new(move |number, request| {
                let second = first + 1.seconds();
                let (from, to) = asked(request);
                match number {
                    0 => {
                        let stamps = [first - 1.milliseconds(), second];
                        answer(200, headers, &rows(stamps.into_iter()))
                    }
                    _ if from <= second && second < to => answer(200, WHOLE, &row(second)),
                    _ => answer(200, WHOLE, ""),
                }
            });
            let window = window(since, "2026-05-03T00:00:02Z");
            assert_eq!(code(&server, window).await, outcome, "{since} {headers:?}");
        }
    }
}

/// Whatever rows come with the header, the window is asked for again in parts; waiting for
/// them would take as long as the parts.
#[tokio::test(start_paused = true)]
async fn the_body_of_a_truncated_response_is_not_read() {
    let server = Scripted::new(|number, request| match number {
        0 => answer(200, CUT, "not a row"),
        _ => answer(200, WHOLE, &row(asked(request).0)),
    });
    let parts = code(&server, week()).await.unwrap();
    assert_eq!(server.requests(), parts + 1);
}

/// A row at the end of a window may be there because the end is inclusive, and the next window
/// has it too; or because the system shows its stamps rounded up, and no window would have it.
#[tokio::test(start_paused = true)]
async fn a_row_at_the_end_of_the_window_is_the_next_ones_or_astray() {
    let (since, until) = ("2026-05-03T00:00:00Z", "2026-05-04T00:00:00Z");
    let end: Timestamp = until.parse().unwrap();
    for (stored, outcome) in [
        (end, Ok(1)),
        (end - 1.microseconds(), Err("incomplete_window")),
        (end - 300.milliseconds(), Err("incomplete_window")),
    ] {
        let server = Scripted::new(move |_, request| {
            let (from, to) = asked(request);
            let inside = |at: &Timestamp| from <= *at && *at <= to;
            let shown = Some(stored).filter(inside).map(|_| end);
            let other = Some(end - 1.hours()).filter(inside);
            answer(200, WHOLE, &rows(other.into_iter().chain(shown)))
        });
        assert_eq!(
            code(&server, window(since, until)).await,
            outcome,
            "{stored}"
        );
        assert_eq!(server.requests(), 2);
    }
}

/// A part may have no row of the part before it: that one has been told whole without it.
#[tokio::test(start_paused = true)]
async fn a_row_from_before_a_part_is_astray() {
    let middle: Timestamp = "2026-05-02T00:00:00Z".parse().unwrap();
    let of_two_days = window("2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z");
    for (early, outcome) in [(0, Ok(1)), (1, Err("incomplete_window"))] {
        let server = Scripted::new(move |_, request| {
            let (since, until) = asked(request);
            match (since < middle, until > middle) {
                (true, true) => answer(200, CUT, ""),
                (true, false) => answer(200, WHOLE, ""),
                _ => answer(200, WHOLE, &row(middle - early.milliseconds())),
            }
        });
        assert_eq!(code(&server, of_two_days).await, outcome, "{early}");
    }
}

/// The rows of an answer that was cut are looked at too.
#[tokio::test(start_paused = true)]
async fn a_cut_answer_shows_a_misread_window() {
    let stamp = |second: i64| week().since() - 7_200.seconds() + second.seconds();
    let server = Scripted::new(move |_, _| answer(200, &[], &rows((0..10_000).map(stamp))));
    assert_eq!(code(&server, week()).await, Err("incomplete_window"));
    assert_eq!(server.requests(), 1);
}

/// Stamps as fine as no bound that can be asked for, some of them between the last microsecond
/// before a bound and the bound.
#[tokio::test(start_paused = true)]
async fn an_inclusive_end_loses_nothing_that_is_finer_than_a_bound() {
    for is_inclusive in [false, true] {
        let minutes = (0..7 * 1_440).map(|minute| week().since() + (minute * 60).seconds());
        let around = |at: Timestamp| [at - 500.nanoseconds(), at, at + 1.nanoseconds()];
        let stamps: Vec<_> = minutes.flat_map(around).skip(1).collect();
        let expected = stamps.len();
        let server = Scripted::new(move |_, request| {
            let (since, until) = asked(request);
            let is_inside =
                |at: &Timestamp| since <= *at && (*at < until || is_inclusive && *at == until);
            let inside: Vec<_> = stamps.iter().copied().filter(is_inside).collect();
            let headers = if inside.len() > 10_000 { CUT } else { WHOLE };
            answer(200, headers, &rows(inside.into_iter().rev().take(10_000)))
        });
        assert_eq!(code(&server, week()).await, Ok(expected), "{is_inclusive}");
        assert!(server.requests() < 20, "{}", server.requests());
    }
}

/// How many rows an answer may have is the system's business, and the caller's.
#[tokio::test(start_paused = true)]
async fn many_small_answers_are_as_good_as_few() {
    let stamps: Vec<_> = (0..40_000)
        .map(|at| week().since() + (at * 15).seconds())
        .collect();
    let all: Vec<_> = stamps.iter().map(|at| (*at, row(*at))).collect();
    for (most_rows, most_bytes) in [(100, 32 << 20), (10_000, 10_000)] {
        let all = all.clone();
        let server = Scripted::new(move |_, request| {
            let (since, until) = asked(request);
            let inside = all.iter().filter(|(at, _)| since <= *at && *at < until);
            let inside: Vec<_> = inside.rev().map(|(_, row)| row.as_str()).collect();
            let headers = if inside.len() > most_rows { CUT } else { WHOLE };
            let kept = inside.get(..most_rows).unwrap_or(&inside);
            answer(200, headers, &kept.concat())
        });
        let client = server.builder().with_max_response_bytes(most_bytes);
        let rows = export(&client.build().unwrap(), ExportQuery::new(week())).await;
        assert_eq!(
            rows.unwrap().len(),
            stamps.len(),
            "{most_rows} {most_bytes}"
        );
    }
}

/// More events at one instant than a list remembers, and a last page that gives the first ones
/// once more.
#[tokio::test(start_paused = true)]
async fn what_is_listed_again_is_given_once() {
    const CROWD: usize = 40_000;
    let event = |id: usize| {
        format!(
            r#"{{"event_id":"{id}","timestamp":"2026-05-03T14:22:01+00:00","action":"phi.read"}}"#
        )
    };
    let all: Vec<_> = (0..CROWD).map(event).collect();
    let instant: Timestamp = "2026-05-03T14:22:01Z".parse().unwrap();
    let server = Scripted::new(move |_, request| {
        if request.url().contains(EXPORT) {
            let body = str::from_utf8(request.body().unwrap()).unwrap();
            assert!(body.contains("\"phi_involved\":true"), "{body}");
            let (since, until) = asked(request);
            return match since <= instant && instant < until {
                true => answer(200, CUT, &all[..10_000].join("\n")),
                false => answer(200, WHOLE, ""),
            };
        }
        let crowd = "phi_involved=true&since=2026-05-03T14%3A22%3A01%2B00%3A00&until=2026-05-03T14%3A22%3A02%2B00%3A00&";
        assert!(request.url().contains(crowd), "{}", request.url());
        let cursor = request.url().split("cursor=").nth(1);
        let page: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let at = page * 1_000 % CROWD;
        let events = all[at..at + 1_000].join(",");
        let (more, next) = (page * 1_000 < CROWD, page + 1);
        answer(
            200,
            &[],
            &format!(
                r#"{{"events":[{events}],"page":{{"has_more":{more},"next_cursor":"{next}"}}}}"#
            ),
        )
    });
    let query = ExportQuery::new(week()).with_phi_involved(true);
    let given = export(&server.client(), query).await.unwrap();
    assert_eq!(given.len(), CROWD);
}

/// One call: what is not read counts as cut, and the end is never asked for too early.
#[tokio::test(start_paused = true)]
async fn one_call_that_was_not_read_to_its_end_was_cut() {
    let minute = |at: i64| week().since() + (at * 60).seconds();
    for (most_bytes, truncation) in [(10_000, Truncation::Yes), (1 << 20, Truncation::No)] {
        let server = Scripted::new(move |_, _| answer(200, WHOLE, &rows((0..500).map(minute))));
        let client = server.builder().with_max_response_bytes(most_bytes);
        let client = client.build().unwrap();
        let once = client.export_once(ExportQuery::new(week())).await;
        assert_eq!(once.unwrap().truncation(), truncation);
    }
    let server = Scripted::new(|_, _| answer(200, WHOLE, ""));
    let window = window("2026-05-03T00:00:00Z", "2026-05-03T00:00:00.0000005Z");
    let once = server.client().export_once(ExportQuery::new(window)).await;
    assert_eq!(once.unwrap().truncation(), Truncation::No);
    let (_, until) = asked(&server.seen()[0]);
    assert_eq!(until, window.since() + 1.microseconds());
}

/// What overflows an answer seems to be one second, and the listing shows that it is not.
#[tokio::test(start_paused = true)]
async fn a_second_that_is_more_than_one_instant_is_cut_after_all() {
    let second: Timestamp = "2026-05-03T14:22:01Z".parse().unwrap();
    let late = |number: i64| second + (500 + number).milliseconds();
    let stamps: Vec<_> = std::iter::repeat_n(second, 10_050)
        .chain((0..5).map(late))
        .enumerate()
        .collect();
    let row = |(id, stamp): &(usize, Timestamp)| {
        format!(r#"{{"event_id":"{id}","timestamp":"{stamp}","action":"phi.read"}}"#)
    };
    let server = Scripted::new(move |_, request| {
        if request.url().contains(EXPORT) {
            let (since, until) = asked(request);
            let inside = stamps.iter().filter(|(_, at)| since <= *at && *at < until);
            let inside: Vec<_> = inside.map(row).collect();
            let headers = if inside.len() > 10_000 { CUT } else { WHOLE };
            let kept = inside.get(..10_000).unwrap_or(&inside);
            return answer(200, headers, &kept.join("\n"));
        }
        let value = |name: &str| {
            let value = request.url().split(name).nth(1)?.split('&').next()?;
            Some(percent_encoding::percent_decode_str(value).decode_utf8_lossy())
        };
        let bound = |name| value(name).unwrap().parse().unwrap();
        let (since, until): (Timestamp, Timestamp) = (bound("since="), bound("until="));
        let inside = stamps.iter().rev();
        let inside = inside.filter(|(_, at)| since <= *at && *at < until);
        let from: usize = value("cursor=").map_or(0, |cursor| cursor.parse().unwrap());
        let page: Vec<_> = inside.skip(from).take(1_000).map(row).collect();
        let (more, to) = (page.len() == 1_000, from + page.len());
        let (rows, page) = (
            page.join(","),
            format!(r#""has_more":{more},"next_cursor":"{to}""#),
        );
        answer(
            200,
            &[],
            &format!(r#"{{"events":[{rows}],"page":{{{page}}}}}"#),
        )
    });
    assert_eq!(code(&server, week()).await, Ok(10_055));
}
