//! `mediator dialout --wait`, against a server on which time passes with each question.

use super::*;

const A: &str = "15550001001";
const B: &str = "15550001002";

fn made(delay: u64) -> Value {
    json!({
        "dialout_sid": SID, "delay": delay, "redirect_did": "15162065346",
        "stage_one_destination_did": A, "stage_two_destination_did": B,
    })
}

fn missing() -> Response {
    refuse(404, &json!([{ "message": "Cannot find item by SID" }]))
}

/// The delay where the dialout is there, and the call where one is up.
type Moment = (Option<u64>, Option<fn() -> Value>);
/// How it ended.
type Record = fn() -> Response;

/// What a server says of a dialout as time goes by: each look at it is the next moment.
struct Moments {
    at: usize,
    seen: &'static [Moment],
    record: Record,
}

impl Moments {
    fn answer(&mut self, got: &Got) -> Response {
        let path = got.line.split(['?', ' ']).nth(1).unwrap_or_default();
        let Some((delay, call)) = self.seen.get(self.at.saturating_sub(1)) else {
            return missing();
        };
        match path.strip_prefix("/mediator/v1").unwrap() {
            "/dialouts" => ok(&made(delay.unwrap_or(0))),
            "/calls" => {
                assert!(got.line.contains("filter=reference_sid+eq+%22"), "{}", got.line);
                let items: Vec<Value> = call.iter().map(|call| call()).collect();
                ok(&json!({ "count": items.len(), "items": items, "has_more": false }))
            }
            path if path.ends_with("/record") => (self.record)(),
            path => {
                assert_eq!(path, format!("/dialouts/{SID}"));
                self.at = self.seen.len().min(self.at + 1);
                let (delay, _) = self.seen[self.at - 1];
                delay.map_or_else(missing, |delay| ok(&made(delay)))
            }
        }
    }
}

/// Starts a server at which a dialout goes so, and follows one.
fn follow(seen: &'static [Moment], record: Record, more: &[&str]) -> Ran {
    let moments = Arc::new(Mutex::new(Moments { at: 0, seen, record }));
    let answer = move |request: Request| {
        let moments = Arc::clone(&moments);
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let got = Got { line, authorization: String::new(), body: String::new() };
            moments.lock().unwrap().answer(&got)
        }
    };
    let api = format!("http://{}", serve(Router::new().fallback(answer), None));
    run(&api, &[&["dialout", A, B, "--wait"], more].concat(), b"")
}

fn call(state: &str, legs: &[&str], date_talk: Option<&str>) -> Value {
    let legs: Vec<Value> = legs.iter().map(|state| json!({ "state": state })).collect();
    json!({ "call_sid": OTHER_SID, "state": state, "date_talk": date_talk, "legs": legs })
}

fn record(date_talk: Option<&str>, sip_cause: u16, by: &str) -> Response {
    ok(&json!({ "date_talk": date_talk, "sip_cause": sip_cause, "disconnect_originator": by }))
}

/// The lines after those that say what was made.
fn states(ran: &Ran) -> Vec<&str> {
    ran.out.lines().skip_while(|line| !line.starts_with("in ")).skip(1).collect()
}

#[test]
fn a_line_for_each_state_until_the_two_are_joined() {
    let ran = follow(
        &[
            (Some(2), None),
            (Some(1), None),
            (Some(0), None),
            (Some(0), Some(|| call("routing", &["routing"], None))),
            (Some(0), Some(|| call("ringing", &["ringing"], None))),
            (Some(0), Some(|| call("ringing", &["ringing"], None))),
            (Some(0), Some(|| call("ringing", &["answered"], None))),
            (Some(0), Some(|| call("ringing", &["answered", "routing"], None))),
            (Some(0), Some(|| call("ringing", &["answered", "ringing"], None))),
            (
                None,
                Some(|| {
                    call("answered", &["answered", "answered"], Some("2026-11-22T07:00:00.000Z"))
                }),
            ),
        ],
        missing,
        &[],
    );
    assert_eq!((ran.code, &*ran.err), (0, ""));
    let expected = [
        "waiting   2 s",
        "calling   15550001001",
        "ringing   15550001001",
        "answered  15550001001",
        "calling   15550001002",
        "ringing   15550001002",
        "answered  15550001002",
        "joined",
    ];
    assert_eq!(states(&ran), expected);
}

#[test]
fn who_failed_and_why_and_exit_1() {
    let rows: [(Record, &str); 5] = [
        (|| record(None, 486, "SRC"), "15550001001: 486 Busy Here"),
        (|| record(None, 603, "DST"), "15550001002: 603 Decline"),
        (|| record(None, 487, "SRC"), "15550001001 hung up"),
        (|| record(None, 408, "SYSTEM"), "408 Request Timeout"),
        (missing, "it was deleted before its time"),
    ];
    for (record, reason) in rows {
        let ran = follow(&[(Some(0), None), (None, None)], record, &[]);
        assert_eq!((ran.code, states(&ran)), (1, vec![]));
        assert_eq!(ran.err, format!("error: not joined: {reason}\n"));
    }
}

#[test]
fn the_last_messages_of_a_call_that_failed_are_not_waited_for() {
    let ran = follow(
        &[(None, Some(|| call("ending", &["ending"], None)))],
        || record(None, 408, "SYSTEM"),
        &[],
    );
    assert_eq!((ran.code, &*ran.err), (1, "error: not joined: 408 Request Timeout\n"));
}

#[test]
fn two_that_were_joined_for_a_moment_were_joined() {
    let ran = follow(
        &[(Some(0), None), (None, None)],
        || record(Some("2026-11-22T07:00:00.000Z"), 200, "SRC"),
        &[],
    );
    assert_eq!((ran.code, states(&ran)), (0, vec!["joined"]), "{}", ran.err);
}

#[test]
fn a_program_gets_an_object_a_line() {
    let ran = follow(
        &[(Some(0), Some(|| call("ringing", &["ringing"], None))), (None, None)],
        || record(None, 486, "SRC"),
        &["--json"],
    );
    assert_eq!(ran.code, 1);
    let lines: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [
        json!({ "dialout_sid": SID, "state": "made", "dialout": made(0) }),
        json!({ "dialout_sid": SID, "state": "ringing", "number": A }),
        json!({
            "dialout_sid": SID, "state": "failed", "reason": "15550001001: 486 Busy Here",
            "sip_cause": 486, "disconnect_originator": "SRC",
        }),
    ];
    assert_eq!(lines, expected);
}
