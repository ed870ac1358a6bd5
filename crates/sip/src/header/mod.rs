//! Header fields: the table of names and the typed views of values.
//!
//! A view borrows from the message, is made when it is asked for and allocates nothing.

mod auth;
mod cseq;
mod error;
mod media_type;
mod name_addr;
mod params;
mod privacy;
mod reason;
mod session;
mod table;
mod via;

pub use auth::{Challenge, Credentials};
pub use cseq::{CSeq, RAck};
pub use error::{HeaderError, Problem};
pub use media_type::MediaType;
pub use name_addr::{Contacts, NameAddr, NameAddrs};
pub use params::{Param, Params};
pub use privacy::PrivacyFlags;
pub use reason::Reason;
pub use session::{Refresher, SessionExpires};
pub use table::{HeaderName, HeaderNameRef};
pub use via::Via;
