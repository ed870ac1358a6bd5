//! What outlives the process: restarts, kills under load, and stores that must not be opened.

mod crash;
mod ledger;
mod refusals;
mod restart;
