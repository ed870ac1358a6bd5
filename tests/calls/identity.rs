//! Who the called side sees: contract section 1 (numbers) and section 2 (identity attributes).

use mediator_model::NumberFormat;
use mediator_sim::{CALLER, REDIRECT, Sim, Stage, Wire};

use crate::support::{ALICE, BOB, ends_well, millis, outcome, seconds, world};

/// A call under those attributes, From and further headers; what Bob got.
fn seen(attributes: &[(&str, &str)], from: Option<&str>, extra: &[(&str, &str)]) -> (Sim, Wire) {
    let mut stage = Stage::usual();
    stage.attributes(attributes);
    let mut sim = world(1, stage);
    sim.ua(ALICE).quirks.plain = true;
    sim.ua(ALICE).quirks.from = from.map(str::to_owned);
    sim.ua(ALICE).quirks.extra =
        extra.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    outcome(&mut sim, REDIRECT, seconds(1));
    let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
    (sim, invite)
}

const HIDE: &[(&str, &str)] = &[("hide_origination_did", "true")];
const FIX: &[(&str, &str)] = &[("fix_anonymous_cid", "true")];
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

#[test]
fn leg_b_sees_the_number_that_the_attributes_ask_for() {
    let pai = format!("<sip:+{CALLER}@10.1.0.1>");
    let hidden = [("P-Asserted-Identity", pai.as_str()), ("Privacy", "id")];
    let user = [("Privacy", "user")];
    let open = [("P-Asserted-Identity", "<tel:+14155550199>")];
    for (attributes, from, extra, shown) in [
        (&[][..], None, &[][..], Some(CALLER)),
        (HIDE, None, &[], Some(REDIRECT)),
        (FIX, None, &[], Some(CALLER)),
        (&[], None, &open, Some("14155550199")),
        (&[], Some(ANONYMOUS), &[], None),
        (FIX, Some(ANONYMOUS), &[], Some(REDIRECT)),
        (HIDE, Some(ANONYMOUS), &[], Some(REDIRECT)),
        (&[], None, &hidden, None),
        (&[], None, &user, None),
        (FIX, None, &hidden, Some(REDIRECT)),
        (&[], Some(ANONYMOUS), &hidden[..1], None),
        (&[], Some("<sip:Restricted@10.1.0.1>"), &[], None),
        (&[], Some("<sip:unavailable@10.1.0.1>"), &[], None),
        (&[], Some("<sip:10.1.0.1>"), &[], None),
        (&[], Some("<sip:@10.1.0.1>"), &[], None),
        (FIX, Some("<sip:@10.1.0.1>"), &[], Some(REDIRECT)),
        (&[], Some("\"x\" <sip:+1-415-555-0100;npdi=yes@10.1.0.1;user=phone>"), &[], Some(CALLER)),
    ] {
        let (mut sim, invite) = seen(attributes, from, extra);
        let from_line = invite.header("From").unwrap();
        let case = format!("{attributes:?} {from:?} {extra:?}: {invite:?}");
        if let Some(number) = shown {
            assert!(from_line.contains(&format!("<sip:{number}@10.0.0.1>")), "{case}");
            let asserted = invite.header("P-Asserted-Identity").unwrap_or_default();
            assert!(asserted.contains(number), "{case}");
            assert_eq!(invite.header("Privacy"), None, "{case}");
        } else {
            assert!(from_line.starts_with(ANONYMOUS), "{case}");
            assert_eq!(invite.header("Privacy"), Some("id"), "{case}");
            assert_eq!(invite.header("P-Asserted-Identity"), None, "{case}");
            assert!(!format!("{invite:?}").contains(CALLER), "{case}");
        }
        ends_well(&mut sim);
    }
}

#[test]
fn a_number_hidden_by_privacy_still_finds_its_binding() {
    let mut stage = Stage::usual();
    stage.bindings[0].key.origination_did = Some(mediator_sim::number(CALLER));
    let mut sim = world(1, stage);
    sim.ua(ALICE).quirks.extra = vec![("Privacy".to_owned(), "id".to_owned())];
    outcome(&mut sim, REDIRECT, seconds(1));
    assert_eq!(sim.ua(ALICE).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn cnam_and_extra_headers_are_shown() {
    let with = [("cnam", "Ann \"A\" Lee"), ("sip_header_X-Campaign", "spring")];
    let (mut sim, invite) = seen(&with, None, &[]);
    let name = "\"Ann \\\"A\\\" Lee\" <sip:14155550100@10.0.0.1>";
    assert!(invite.header("From").unwrap().starts_with(name));
    assert!(invite.header("P-Asserted-Identity").unwrap().starts_with(name));
    assert_eq!(invite.header("X-Campaign"), Some("spring"));
    ends_well(&mut sim);
}

#[test]
fn numbers_carry_a_plus_where_the_endpoint_wants_one() {
    let mut stage = Stage::usual();
    stage.endpoints[1].number_format = NumberFormat::Plus;
    let mut sim = world(1, stage);
    outcome(&mut sim, REDIRECT, seconds(1));
    let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
    assert_eq!(invite.uri(), "sip:+442071234567@10.2.0.1:5060");
    assert!(invite.header("From").unwrap().contains("<sip:+15162065346@"));
    ends_well(&mut sim);
}

#[test]
fn ringback_false_keeps_ringing_from_the_caller() {
    let mut stage = Stage::usual();
    stage.attributes(&[("ringback", "false")]);
    let mut sim = world(1, stage);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(2000));
    assert!(!sim.ua(ALICE).calls[call].heard.contains(&180));
    assert_eq!(sim.ua(ALICE).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn a_name_from_before_is_not_shown_beside_the_number_that_hides_the_caller() {
    for (second, shown) in [(&[][..], true), (&[("hide_origination_did", "true")], false)] {
        let mut stage = Stage::usual();
        stage.bindings.clear();
        stage.did("15162060001", mediator_model::TrunkGroupIndex(1));
        stage.bind(REDIRECT, None, "15162060001", &[("cnam", "Ann Lee")]);
        stage.bind("15162060001", None, mediator_sim::CALLED, second);
        let mut sim = world(1, stage);
        outcome(&mut sim, REDIRECT, seconds(1));
        let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
        assert_eq!(invite.header("From").unwrap().contains("Ann Lee"), shown);
        ends_well(&mut sim);
    }
}

#[test]
fn that_leg_b_diverts_is_told_only_where_ringback_passes_through() {
    for (with, expected) in [(&[][..], 180), (&[("ringback", "passthrough")], 181)] {
        let mut stage = Stage::usual();
        stage.attributes(with);
        let mut sim = world(1, stage);
        let ring = mediator_sim::Move::Ring { status: 181, fork: 0, sdp: false, reliable: false };
        sim.ua(BOB).script = vec![(millis(10), ring)];
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(400));
        assert_eq!(sim.ua(ALICE).calls[call].heard, [100, expected]);
        sim.ua(ALICE).act(call, mediator_sim::Move::Cancel);
        sim.run_for(seconds(1));
        ends_well(&mut sim);
    }
}
