//! What the benches share: the table of bindings, the two ends of a call, sessions of media, the cost of a process.

pub mod delay;
pub mod message;
pub mod session;
pub mod table;
pub mod usage;

/// The middle one of some figures, the mean of the two middle ones where their number is even.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.wrapping_sub(1)), at(half)) }
}
