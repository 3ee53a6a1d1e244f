//! Places on the earth: distances between them, and geohashes.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float64Type, Int32Type};
use datafusion_common::{DataFusionError, internal_err};
use datafusion_expr::ColumnarValue;

use super::Call;
use super::registry::{Entry, Resolver};
use super::signature::{Form, Nulls, Param};
use crate::types::{Field, LogicalType, Type};

const D: Param = Param::Double;

/// The mean radius of the earth in metres (IUGG).
const RADIUS: f64 = 6_371_008.8;

/// The letters of geohashes, by Gustavo Niemeyer: no a, i, l, o.
const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

const DEFAULT_LENGTH: i32 = 12;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["GEO_DISTANCE"],
        "GEO_DISTANCE(latitude, longitude, latitude, longitude)",
        "Metres between two places given in degrees, along a great circle; NULL beyond the poles.",
        &[Form::native(&[D, D, D, D], |_| LogicalType::Double, Nulls::Always, distance)],
    ),
    entry(
        &["GEOHASH_ENCODE"],
        "GEOHASH_ENCODE(latitude, longitude[, length])",
        "The geohash of a place, 12 letters long unless said otherwise.",
        &[
            Form::native(&[D, D], |_| LogicalType::String, Nulls::Always, encode),
            Form::native(&[D, D, Param::Int], |_| LogicalType::String, Nulls::Always, encode),
        ],
    ),
    entry(
        &["GEOHASH_DECODE"],
        "GEOHASH_DECODE(geohash)",
        "The middle of a geohash as ROW<latitude, longitude>; NULL where it is none.",
        &[Form::native(&[Param::Text], |_| place_type(), Nulls::Always, decode)],
    ),
];

const fn entry(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    forms: &'static [Form],
) -> Entry {
    Entry { names, category: "geography", signature, summary, resolver: Resolver::Forms(forms) }
}

fn place_type() -> LogicalType {
    let degrees = || Type::nullable(LogicalType::Double);
    LogicalType::Row(vec![Field::new("latitude", degrees()), Field::new("longitude", degrees())])
}

/// Degrees that are a place.
fn place(latitude: f64, longitude: f64) -> Option<(f64, f64)> {
    let inside = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    inside.then_some((latitude, longitude))
}

fn distance(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let degrees = (0..4).map(|position| call.numbers::<Float64Type>(position)).collect::<Result<Vec<_>, _>>()?;
    let [from_latitude, from_longitude, to_latitude, to_longitude] = degrees.as_slice() else {
        return internal_err!("GEO_DISTANCE takes four numbers");
    };
    call.number_rows::<Float64Type>(|row| {
        let from = place(from_latitude.get(row)?, from_longitude.get(row)?)?;
        Some(haversine(from, place(to_latitude.get(row)?, to_longitude.get(row)?)?))
    })
}

fn haversine(from: (f64, f64), to: (f64, f64)) -> f64 {
    let half_sine = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let latitudes = from.0.to_radians().cos() * to.0.to_radians().cos();
    let chord = half_sine(to.0 - from.0) + latitudes * half_sine(to.1 - from.1);
    // Rounding may lead beyond 1 at the other side of the earth.
    2.0 * RADIUS * chord.clamp(0.0, 1.0).sqrt().asin()
}

fn encode(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (latitude, longitude) = (call.numbers::<Float64Type>(0)?, call.numbers::<Float64Type>(1)?);
    let length = if call.args.len() > 2 { Some(call.numbers::<Int32Type>(2)?) } else { None };
    call.text_rows(|row| {
        let length = match &length {
            Some(length) => length.get(row)?,
            None => DEFAULT_LENGTH,
        };
        let place = place(latitude.get(row)?, longitude.get(row)?)?;
        (1..=DEFAULT_LENGTH).contains(&length).then(|| geohash(place, length))
    })
}

/// Halves the earth five times per letter, longitude first.
fn geohash((latitude, longitude): (f64, f64), length: i32) -> String {
    let (mut north_south, mut west_east) = ((-90.0, 90.0), (-180.0, 180.0));
    let mut hash = String::new();
    let mut by_longitude = true;
    for _ in 0..length {
        let mut letter = 0;
        for _ in 0..5 {
            let (range, value) = if by_longitude { (&mut west_east, longitude) } else { (&mut north_south, latitude) };
            letter = letter * 2 + usize::from(halve(range, |middle| value >= middle));
            by_longitude = !by_longitude;
        }
        hash.extend(LETTERS.get(letter).map(|letter| char::from(*letter)));
    }
    hash
}

/// Takes the upper half of a range where `upper` says so of its middle.
fn halve(range: &mut (f64, f64), upper: impl Fn(f64) -> bool) -> bool {
    let middle = f64::midpoint(range.0, range.1);
    let upper = upper(middle);
    if upper {
        range.0 = middle;
    } else {
        range.1 = middle;
    }
    upper
}

fn middle(hash: &str) -> Option<(f64, f64)> {
    if hash.is_empty() || hash.len() > 24 {
        return None;
    }
    let (mut north_south, mut west_east) = ((-90.0, 90.0), (-180.0, 180.0));
    let mut by_longitude = true;
    for letter in hash.bytes() {
        let letter = LETTERS.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        for bit in (0..5).rev() {
            let range = if by_longitude { &mut west_east } else { &mut north_south };
            halve(range, |_| letter & (1 << bit) != 0);
            by_longitude = !by_longitude;
        }
    }
    Some((f64::midpoint(north_south.0, north_south.1), f64::midpoint(west_east.0, west_east.1)))
}

fn decode(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let places: Vec<Option<(f64, f64)>> = (0..call.rows).map(|row| middle(input.get(row)?)).collect();
    let latitudes: Float64Array = places.iter().map(|place| place.map(|(latitude, _)| latitude)).collect();
    let longitudes: Float64Array = places.iter().map(|place| place.map(|(_, longitude)| longitude)).collect();
    let nulls = NullBuffer::from(places.iter().map(Option::is_some).collect::<Vec<_>>());
    let DataType::Struct(fields) = call.return_type.logical.to_arrow() else {
        return internal_err!("a place is a row");
    };
    let columns: Vec<ArrayRef> = vec![Arc::new(latitudes), Arc::new(longitudes)];
    Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields, columns, Some(nulls))?)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{geohash, haversine, middle};
    use proptest::prelude::*;

    #[test]
    fn distances_are_those_of_great_circles() {
        // Berlin to Paris: about 878 km.
        assert!((haversine((52.52, 13.405), (48.8566, 2.3522)) - 878_000.0).abs() < 2_000.0);
        assert!((haversine((0.0, 0.0), (0.0, 180.0)) - std::f64::consts::PI * super::RADIUS).abs() < 1e-6);
        assert!(haversine((90.0, 0.0), (90.0, 120.0)) < 1e-6);
    }

    #[test]
    fn geohashes_are_the_known_ones() {
        // From the article on geohashes of Wikipedia.
        assert_eq!(geohash((57.64911, 10.40744), 11), "u4pruydqqvj");
        let (latitude, longitude) = middle("ezs42").unwrap();
        assert!((latitude - 42.605).abs() < 0.001 && (longitude - -5.603).abs() < 0.001);
        assert_eq!(middle("a"), None);
        assert_eq!(middle(""), None);
    }

    proptest! {
        #[test]
        fn a_place_lies_in_its_geohash(latitude in -90.0..=90.0_f64, longitude in -180.0..=180.0_f64, length in 1..=12_i32) {
            let hash = geohash((latitude, longitude), length);
            let centre = middle(&hash).unwrap();
            prop_assert_eq!(geohash(centre, length), hash);
            let half = 180.0 / 2_f64.powi(5 * length / 2);
            prop_assert!((centre.0 - latitude).abs() <= half && (centre.1 - longitude).abs() <= 2.0 * half);
        }
    }
}
