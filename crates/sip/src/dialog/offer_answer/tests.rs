mod ladders;
mod peers;
mod reachable;
