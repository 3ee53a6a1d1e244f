//! Charts over time.

super::texts! {
    as_table(title) = "{title} as a table";
    as_table_tip = "View as table";
    table = "Values, newest first";
    time = "Time";
    highest(shown, hidden) = "The {shown} highest are drawn; {hidden} more are in the table.";
    gap = "no value";
    nothing_measured = "Nothing was measured in this time.";
}
