//! The language of `?filter=`: `name like "A%" and (maximum_ttl gt 300 or attributes.ringback in ("moh", "false"))`.
//!
//! ```text
//! any        = all *( "or" all )
//! all        = unit *( "and" unit )
//! unit       = "(" any ")" / field operator value / field ( "in" / "notin" ) "(" value *( "," value ) ")"
//! field      = name *( "." name ), names of letters, digits, "_" and "-"
//! operator   = "eq" / "ne" / "gt" / "ge" / "lt" / "le" / "like" / "ilike"
//! value      = a text in ' or ", a number, true, false, null, or a bare word
//! ```
//!
//! Words are written in upper or lower case. In a text a backslash escapes the next character, and the quote doubled is
//! the quote. Time is linear in the text; depth and size have limits.

mod eval;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use eval::sort;
pub(crate) use eval::{check, listed, matches};
pub(crate) use parser::{parse, path};
