//! The library of built-in functions.

super::texts! {
    title = "Functions";
    note = "Built into the engine; usable in every statement.";
    search = "Name, signature, summary";
    all = "all";
    name = "Function";
    signature = "Signature";
    summary = "What it does";
    kind = "Kind";
    counted(count) = "{count}";
    kinds = "Kind of function";
}
