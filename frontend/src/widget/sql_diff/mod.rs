//! Two texts side by side, with what is the same left out.

mod lines;

use leptos::prelude::*;

use crate::format::number;
use crate::i18n::diff as text;
use lines::{Line, Pair, folded, pairs};
pub use lines::{Tally, tally};

/// Unchanged lines shown around a change.
const AROUND: usize = 3;

#[component]
pub fn SqlDiff(
    #[prop(into)] left_name: Signal<String>,
    #[prop(into)] left: Signal<String>,
    #[prop(into)] right_name: Signal<String>,
    #[prop(into)] right: Signal<String>,
) -> impl IntoView {
    let rows = move || {
        let pairs = left.with(|left| right.with(|right| pairs(left, right)));
        if pairs.iter().all(|pair| pair.same) {
            return view! { <tr><td colspan="4" class="subtle diff-same">{text::same()}</td></tr> }.into_any();
        }
        folded(pairs, AROUND)
            .into_iter()
            .map(|row| match row {
                Ok(pair) => drawn(pair),
                Err(hidden) => {
                    let words = text::same_lines(number::counted(hidden as u64, text::line(), text::lines()));
                    view! { <tr class="diff-fold"><td colspan="4">{words}</td></tr> }.into_any()
                }
            })
            .collect_view()
            .into_any()
    };
    view! {
        <div class="diff pane" role="region" tabindex="0" aria-label=move || text::label(left_name.get(), right_name.get())>
            <table class="diff-table">
                <colgroup><col class="diff-column"/><col/><col class="diff-column"/><col/></colgroup>
                <thead><tr><th colspan="2">{move || left_name.get()}</th><th colspan="2">{move || right_name.get()}</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn drawn(pair: Pair) -> AnyView {
    let class = if pair.same { "" } else { "diff-changed" };
    let side = |line: Option<Line>, kind: &'static str, word: &'static str| match line {
        Some(line) => {
            let class = if pair.same { "diff-text" } else { kind };
            let said = (!pair.same).then(|| view! { <span class="visually-hidden">{word}</span> });
            view! { <td class="diff-number">{line.number}</td><td class=class>{said}{line.text}</td> }.into_any()
        }
        None => view! { <td class="diff-number"></td><td class="diff-text diff-none"></td> }.into_any(),
    };
    view! {
        <tr class=class>
            {side(pair.left, "diff-text diff-removed", text::removed())}
            {side(pair.right, "diff-text diff-added", text::added())}
        </tr>
    }
    .into_any()
}
