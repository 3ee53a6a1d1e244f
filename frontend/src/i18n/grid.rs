//! The data grid.

super::texts! {
    row = "Row";
    change = "Change";
    key_of(data_type) = "{data_type}, key";
    value = "Value";
    copy_value = "Copy value";
}
