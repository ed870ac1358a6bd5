//! Calls that are up, and where a call would go.

use mediator_store::record::MediaFigures;
use serde_json::json;

use super::*;
use crate::ports::{CallState, Explanation, LegMedia, LiveCall, LiveLeg};

fn leg(state: CallState) -> LiveLeg {
    LiveLeg {
        endpoint_sid: Some(Sid::from_random(9)),
        state,
        sip_call_id: Some("a84b4c76e66710".into()),
        codec: Some("PCMU".into()),
        media: MediaFigures {
            packets: Some(500),
            lost: Some(1),
            jitter_ms: Some(0.5),
            mos: Some(4.4),
        },
    }
}

fn call(sid: u128, account: Option<Sid>) -> LiveCall {
    LiveCall {
        call_sid: Sid::from_random(sid),
        account_sid: account,
        kind: "binding",
        state: CallState::Answered,
        reference_sid: Some(Sid::from_random(7)),
        number_src: None,
        number_redirect: number("15162065346"),
        number_dst: Some(number("15162065338")),
        date_start: START,
        date_talk: Some(UnixMillis(START.0 + 4000)),
        leg_a: leg(CallState::Answered),
        leg_b: None,
    }
}

#[tokio::test]
async fn an_account_sees_and_ends_its_own_calls() {
    let desk = Desk::open(&["15162065346"]).await;
    let calls = [call(1, Some(ACCOUNT)), call(2, Some(STRANGER)), call(3, None)];
    desk.process.calls.lock().extend(calls.clone());
    let all = desk.get("/calls").await.ok();
    assert_eq!(all["total"], 1);
    let own = json!({
        "call_sid": calls[0].call_sid.to_string(), "date_start": "2023-11-14T22:13:20.000Z",
        "date_talk": "2023-11-14T22:13:24.000Z", "number_dst": "15162065338",
        "number_redirect": "15162065346", "number_src": null,
        "reference_sid": Sid::from_random(7).to_string(), "state": "answered", "type": "binding",
        "legs": [{
            "codec": "PCMU", "endpoint_sid": Sid::from_random(9).to_string(), "leg": "a",
            "media": {"jitter_ms": 0.5, "lost": 1, "mos": 4.4, "packets": 500},
            "sip_call_id": "a84b4c76e66710", "state": "answered",
        }],
    });
    assert_eq!(all["items"], json!([own]));
    let path = |call: &LiveCall| format!("/calls/{}", call.call_sid);
    assert_eq!(desk.get(&path(&calls[0])).await.ok(), own);
    for foreign in [path(&calls[1]), path(&calls[2]), "/calls/none".to_owned()] {
        desk.get(&foreign).await.fails(404, "Cannot find item by SID");
        desk.delete(&foreign).await.fails(404, "Cannot find item by SID");
    }
    assert_eq!(*desk.process.hung_up.lock(), []);
    desk.delete(&path(&calls[0])).await.gone();
    assert_eq!(*desk.process.hung_up.lock(), [calls[0].call_sid]);
    assert_eq!(desk.get("/calls?filter=state+eq+'ringing'").await.ok()["total"], 0);
    assert_eq!(desk.get("/calls?filter=legs.codec+eq+'PCMU'").await.ok()["total"], 1);
}

#[tokio::test]
async fn each_leg_has_the_codec_and_the_figures_of_its_own_media() {
    let desk = Desk::open(&["15162065346"]).await;
    let both = LiveCall { leg_b: Some(leg(CallState::Answered)), ..call(1, Some(ACCOUNT)) };
    let unheard = call(2, Some(ACCOUNT));
    desk.process.calls.lock().extend([both.clone(), unheard]);
    let media = |codec, packets| LegMedia {
        codec,
        figures: MediaFigures { packets: Some(packets), lost: Some(0), jitter_ms: None, mos: None },
    };
    let legs = [media(Some("PCMA"), 7), media(None, 8)];
    desk.process.heard.lock().insert(both.call_sid, legs);
    let all = desk.get("/calls").await.ok();
    let of = |at: usize, leg: usize| {
        let leg = &all["items"][at]["legs"][leg];
        (leg["codec"].clone(), leg["media"]["packets"].clone(), leg["media"]["mos"].clone())
    };
    assert_eq!(of(0, 0), (json!("PCMA"), json!(7), json!(null)));
    assert_eq!(of(0, 1), (json!("PCMU"), json!(8), json!(null)));
    assert_eq!(of(1, 0), (json!("PCMU"), json!(500), json!(4.4)), "as it was");
    assert_eq!(desk.get(&format!("/calls/{}", both.call_sid)).await.ok(), all["items"][0]);
    assert_eq!(desk.get("/calls?filter=legs.codec+eq+'PCMA'").await.ok()["total"], 1);
}

#[tokio::test]
async fn an_explanation_is_of_the_accounts_own_numbers() {
    let desk = Desk::open(&["15162065346"]).await;
    let made = desk.lasting(json!({"redirect_did": "15162065346"})).await;
    let explanation = Explanation {
        did: Some(number("15162065346")),
        endpoint: Some(ACCOUNT),
        binding_sid: Some(text(&made, "binding_sid").parse().unwrap()),
        rule: "any",
        caller_id: Some("14155550100".into()),
        destination_did: Some(number("15162065338")),
        trunks: vec![("carrier".into(), "127.0.0.2:5060".into())],
        sip_code: None,
    };
    *desk.process.explanation.lock() = Some(explanation.clone());
    let shown = json!({
        "binding_sid": made["binding_sid"], "caller_id": "14155550100",
        "destination_did": "15162065338", "did": "15162065346", "endpoint": ACCOUNT.to_string(),
        "rule": "any", "sip_code": null,
        "trunks": [{"name": "carrier", "address": "127.0.0.2:5060"}],
    });
    for from in ["from=14155550100&", "from=%2b1+415+555+0100&", "from=anonymous&", ""] {
        let path = format!("/explain?{from}to=sip:15162065346@here");
        assert_eq!(desk.get(&path).await.ok(), shown, "{from}");
    }
    desk.get("/explain?from=14155550100").await.blames(400, &["to"]);
    desk.get("/explain?to=bob").await.blames(400, &["to"]);
    desk.get("/explain?to=15162065346&from=bob").await.blames(400, &["from"]);
    // Another account's number is none here.
    let foreign = desk.get("/explain?to=442071838750").await.ok();
    assert_eq!(
        (&foreign["rule"], &foreign["sip_code"], &foreign["did"], &foreign["trunks"]),
        (&json!("unknown_did"), &json!(404), &Value::Null, &json!([]))
    );
    assert_eq!(
        (&foreign["binding_sid"], &foreign["destination_did"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn an_explanation_ends_where_another_accounts_bindings_begin() {
    let desk = Desk::open(&["15162065346"]).await;
    let to_stranger = json!({"redirect_did": "15162065346", "destination_did": "442071838750"});
    let made = desk.lasting(to_stranger).await;
    let hidden = "33140205060";
    *desk.process.explanation.lock() = Some(Explanation {
        did: Some(number("15162065346")),
        endpoint: Some(ACCOUNT),
        binding_sid: Some(text(&made, "binding_sid").parse().unwrap()),
        rule: "any",
        caller_id: Some("442071838750".into()),
        destination_did: Some(number(hidden)),
        trunks: vec![("carrier".into(), "127.0.0.2:5060".into())],
        sip_code: None,
    });
    let reply = desk.get("/explain?to=15162065346").await;
    assert_eq!(reply.ok()["destination_did"], "442071838750");
    assert_eq!((&reply.ok()["trunks"], &reply.ok()["caller_id"]), (&json!([]), &Value::Null));
    assert!(!reply.text.contains(hidden));
    // A number that the account dials itself is no secret to it.
    desk.lasting(json!({"origination_did": "14155550100", "destination_did": hidden})).await;
    assert_eq!(desk.get("/explain?to=15162065346").await.ok()["destination_did"], hidden);
}
