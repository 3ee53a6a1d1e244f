//! Aggregate functions. Each is a set of scalar functions that belong together by their names:
//!
//! * `NAME_create_state() -> S` gives the state of no rows,
//! * `NAME_accumulate(S, …) -> S` takes a row in; giving NULL leaves the state as it was,
//! * `NAME_retract(S, …) -> S` takes a row back: needed where rows may change or leave,
//! * `NAME_merge(S, S) -> S` puts two states together: needed for HOP, CUMULATE and SESSION windows,
//! * `NAME_finish(S) -> R` gives the result.
//!
//! The state may have any type. It is kept in checkpoints, so whoever changes its type starts anew.

use arrow_udf::function;

/// The mean of values that count by their weights. The state: the weighted sum, and the sum of the weights.
#[function("weighted_avg_create_state() -> float64[]")]
fn weighted_avg_create_state() -> Vec<f64> {
    vec![0.0, 0.0]
}

#[function("weighted_avg_accumulate(float64[], float64, float64) -> float64[]")]
fn weighted_avg_accumulate(state: &[f64], value: f64, weight: f64) -> Vec<f64> {
    vec![state[0] + value * weight, state[1] + weight]
}

#[function("weighted_avg_retract(float64[], float64, float64) -> float64[]")]
fn weighted_avg_retract(state: &[f64], value: f64, weight: f64) -> Vec<f64> {
    vec![state[0] - value * weight, state[1] - weight]
}

#[function("weighted_avg_merge(float64[], float64[]) -> float64[]")]
fn weighted_avg_merge(state: &[f64], other: &[f64]) -> Vec<f64> {
    vec![state[0] + other[0], state[1] + other[1]]
}

#[function("weighted_avg_finish(float64[]) -> float64")]
fn weighted_avg_finish(state: &[f64]) -> Option<f64> {
    (state[1] != 0.0).then(|| state[0] / state[1])
}

/// The longest of all texts, the first where several are. Cannot take one back: it does not know the second longest.
#[function("longest_create_state() -> string")]
fn longest_create_state() -> String {
    String::new()
}

#[function("longest_accumulate(string, string) -> string")]
fn longest_accumulate(state: &str, text: &str) -> String {
    if text.chars().count() > state.chars().count() { text.to_owned() } else { state.to_owned() }
}

#[function("longest_finish(string) -> string")]
fn longest_finish(state: &str) -> String {
    state.to_owned()
}
