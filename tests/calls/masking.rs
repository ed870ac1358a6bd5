//! A masked call, from INVITE to BYE.

use mediator_sim::{CALLED, Move, REDIRECT};

use crate::support::{ALICE, BOB, connect, ends_well, masked, seconds};

#[test]
fn neither_side_sees_the_other() {
    let mut sim = masked(1);
    let call = connect(&mut sim);
    let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
    assert_eq!(invite.uri(), format!("sip:{CALLED}@10.2.0.1:5060"));
    assert!(invite.header("From").unwrap().contains(REDIRECT));
    assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 180]);
    sim.ua(ALICE).act(call, Move::Bye);
    sim.run_for(seconds(1));
    assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
    ends_well(&mut sim);
    assert_eq!(sim.records.len(), 1);
    assert_eq!(sim.records[0].sip_cause, 200);
}
