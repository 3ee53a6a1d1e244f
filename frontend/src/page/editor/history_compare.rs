//! What differs between the rows of two previews.

use leptos::prelude::*;
use millrace_wire::preview_history::{KeptPreview, PreviewComparison};

use super::desk::Desk;
use crate::api;
use crate::clock::local;
use crate::format::number::grouped;
use crate::i18n::{editor as text, testing};
use crate::load::load;
use crate::ui::select_field::SelectField;
use crate::ui::skeleton::Shape;
use crate::widget::data_grid::few::few_rows;

/// So much of a statement stands in the choice.
const SHORT: usize = 60;

#[component]
pub(super) fn Compare(desk: Desk, list: Signal<Vec<KeptPreview>>) -> impl IntoView {
    let (a, b) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let options = Signal::derive(move || {
        let none = (String::new(), testing::choose().to_owned());
        list.with(|list| std::iter::once(none).chain(list.iter().map(named)).collect::<Vec<_>>())
    });
    let found = load(
        move || (a.get(), b.get()),
        move |(a, b): (String, String)| async move {
            if a.is_empty() || b.is_empty() {
                return Ok(None);
            }
            let path = desk.path(&format!("preview-history/{a}/compare/{b}"));
            api::get::<PreviewComparison>(&path).await.map(Some)
        },
    );
    view! {
        <section aria-label=text::history_compare()>
            <h3>{text::history_compare()}</h3>
            <div class="compare-choice">
                <SelectField label=testing::compare_a().to_owned() value=a options/>
                <SelectField label=testing::compare_b().to_owned() value=b options/>
            </div>
            {found.show(Shape::Lines(3), |found| (move || found.get().map(differences)).into_any())}
        </section>
    }
    .into_any()
}

fn named(kept: &KeptPreview) -> (String, String) {
    let line = kept.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(SHORT).collect();
    (kept.id.to_string(), format!("{} {short}", local(kept.started_at).seconds()))
}

fn differences(found: PreviewComparison) -> AnyView {
    let how = if found.by_key { testing::by_key() } else { testing::by_row() };
    let counts = [
        testing::same_rows(grouped(found.same)),
        testing::only_a(grouped(found.only_a_count)),
        testing::only_b(grouped(found.only_b_count)),
        testing::changed_rows(grouped(found.changed_count)),
    ];
    let pairs: Vec<_> = found.changed.iter().flat_map(|row| [row.a.clone(), row.b.clone()]).collect();
    let lists = [
        (testing::rows_only_a(), &found.only_a),
        (testing::rows_only_b(), &found.only_b),
        (testing::rows_changed(), &pairs),
    ];
    let lists: Vec<AnyView> = lists
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(label, rows)| view! { <h4>{label}</h4>{few_rows(label, None, &found.columns, rows)} }.into_any())
        .collect();
    view! {
        <p class="muted" role="status">{counts.join(", ")}"; "{how}". "{found.note}</p>
        {lists}
    }
    .into_any()
}
