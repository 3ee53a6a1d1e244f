//! Display, parsing and Arrow representation of every type.
