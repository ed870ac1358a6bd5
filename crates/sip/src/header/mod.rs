//! Header fields: the table of names and the typed views of values.
//!
//! A view borrows from the message, is made when it is asked for and allocates nothing. Readers follow
//! the grammar of RFC 3261 §25.1; where they take more than it, their doc says so and why.

mod cseq;
mod date;
mod error;
mod list;
mod media_type;
mod name_addr;
mod params;
mod privacy;
mod reason;
mod session;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod via;

pub use cseq::{CSeq, MAX_CSEQ, RAck};
pub use error::{HeaderError, Problem};
pub use media_type::MediaType;
pub use name_addr::{Contacts, NameAddr, NameAddrs, Quoted};
pub use params::{Iter as ParamsIter, Param, Params};
pub use privacy::PrivacyFlags;
pub use reason::Reason;
pub use session::{Refresher, SessionExpires};
pub use table::{HeaderName, HeaderNameRef};
pub use via::{MAGIC_COOKIE, Via, Vias};

pub(crate) use date::is_date;
pub(crate) use list::Elements;
pub(crate) use session::seconds;
pub(crate) use tokens::{Class, Scanner, ascii, find, find_low, trim};
