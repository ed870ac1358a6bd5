//! The table of bindings that every server under load holds, and the calls that use it.
//!
//! Binding `i` leads from caller `14155` + (100000 + i) at DID `15162` + (100000 + i / 100) to
//! `442070` + (100000 + i): a thousand DIDs with a hundred callers each for the usual 100,000.
//! Numbers stay unpadded and of one length, because Kamailio's script has to spell them too.

use std::fmt::Write as _;

/// What keeps all numbers six digits long.
const OFFSET: u32 = 100_000;
/// How many callers share a DID.
const CALLERS_A_DID: u32 = 100;
/// The largest table: the next would have seven digits.
pub const LARGEST: u32 = 900_000;

/// The DID that binding `i` is called at.
pub fn redirect_did(i: u32) -> String {
    format!("15162{}", OFFSET + i / CALLERS_A_DID)
}

/// The caller of binding `i`.
pub fn caller(i: u32) -> String {
    format!("14155{}", OFFSET + i)
}

/// Where binding `i` leads.
pub fn destination(i: u32) -> String {
    format!("442070{}", OFFSET + i)
}

/// Which binding leads to that number.
pub fn binding_of(destination: &str) -> Option<u32> {
    destination.strip_prefix("442070")?.parse::<u32>().ok()?.checked_sub(OFFSET)
}

/// SIPp's injection file: DID and caller of every binding, taken at random.
pub fn injection(bindings: u32) -> String {
    let mut text = String::from("RANDOM\n");
    for i in 0..bindings {
        let _ = writeln!(text, "{};{};", redirect_did(i), caller(i));
    }
    text
}

/// The bindings and their DIDs as the server's configuration has them: the value of `dids`, and
/// the `[[binding]]` tables.
pub fn configuration(bindings: u32) -> (String, String) {
    let mut dids = String::from("[");
    for i in (0..bindings).step_by(CALLERS_A_DID as usize) {
        let _ = write!(dids, "\"{}\", ", redirect_did(i));
    }
    dids.push(']');
    let mut tables = String::new();
    for i in 0..bindings {
        let _ = write!(
            tables,
            "[[binding]]\nendpoint = \"masking\"\nredirect_did = \"{}\"\norigination_did = \
             \"{}\"\ndestination_did = \"{}\"\nmaximum_ttl = -1\nwait_origination_did_ttl = -1\n\
             attributes = {{ hide_origination_did = true }}\n\n",
            redirect_did(i),
            caller(i),
            destination(i),
        );
    }
    (dids, tables)
}
