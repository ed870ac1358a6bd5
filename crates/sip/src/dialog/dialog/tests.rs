//! One dialog, row by row: how it is made, what is sent in it, what it keeps.

mod in_dialog;
mod memory;
mod routing;
mod uas;
