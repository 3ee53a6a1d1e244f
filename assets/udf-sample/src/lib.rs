//! Functions for Millrace, to copy from: scalar, table and aggregate ones.
//!
//! A function that takes plain values gives NULL where one of them is NULL; one that takes `Option`s decides for itself.
//! An error ends the job and is shown with the function's name.

mod aggregate;

use arrow_udf::function;
use arrow_udf::types::StructType;
use rust_decimal::Decimal;

/// The greatest common divisor.
#[function("gcd(int32, int32) -> int32")]
fn gcd(a: i32, b: i32) -> i32 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a as i32
}

/// A title as it may stand in an address: `Hello, World!` is `hello-world`.
#[function("slug(string) -> string")]
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// The part that something is of a whole. There is none of nothing.
#[function("share(decimal, decimal) -> decimal")]
fn share(part: Decimal, whole: Decimal) -> Result<Decimal, String> {
    part.checked_div(whole).ok_or_else(|| format!("no share of {whole}"))
}

/// The second value where the first is missing: takes NULLs.
#[function("or_else(string, string) -> string")]
fn or_else(value: Option<&str>, other: Option<&str>) -> Option<String> {
    value.or(other).map(str::to_owned)
}

#[derive(StructType)]
struct Word<'a> {
    position: i32,
    word: &'a str,
}

/// The words of a text, with their positions from 1.
#[function("words(string) -> setof struct Word")]
fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split_whitespace().zip(1..).map(|(word, position)| Word { position, word })
}

/// The whole numbers from the first to the last.
#[function("numbers(int64, int64) -> setof int64")]
fn numbers(first: i64, last: i64) -> impl Iterator<Item = i64> {
    first..=last
}
