//! Comparison of two texts.

super::texts! {
    label(left, right) = "{left} compared with {right}";
    same = "The SQL is the same.";
    same_lines(count) = "{count} that did not change";
    line = "line";
    lines = "lines";
    added = "added: ";
    removed = "removed: ";
}
