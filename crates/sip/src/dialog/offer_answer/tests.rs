//! Offers and answers in every order that RFC 6337 lists, and the orders that it forbids.

mod ladders;
mod peers;
mod reachable;
