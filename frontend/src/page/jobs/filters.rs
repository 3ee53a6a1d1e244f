//! The bar above the list: search, what is filtered by, counters of states, saved filters.

use leptos::prelude::*;
use millrace_wire::job_life::JobFilter;

use super::list::JobRows;
use super::order::{PARTS, shown_counts};
use super::saved::Saved;
use crate::address::Address;
use crate::clock::use_clock;
use crate::format::age::{age, between};
use crate::format::number;
use crate::i18n::jobs as text;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::icon::Icon;
use crate::ui::search_field::SearchField;

pub(super) fn clear(address: Address) {
    for name in PARTS {
        address.set_query(name, None);
    }
}

#[component]
pub(super) fn Filters(team: String, rows: JobRows, address: Address) -> impl IntoView {
    let clock = use_clock();
    let filter = rows.filter;
    let is_on = Memo::new(move |_| filter.get() != JobFilter::default());
    let chip = move |name: &'static str, words: &'static str, value: fn(&JobFilter) -> &String| {
        move || {
            let value = filter.with(|filter| value(filter).clone());
            (!value.is_empty()).then(|| {
                view! {
                    <span class="chip chip-on"><span class="chip-name">{words}</span>{value}
                        <IconButton icon=Icon::Close small=true label=text::remove_filter(words)
                            on_press=move |()| address.set_query(name, None)/>
                    </span>
                }
            })
        }
    };
    view! {
        <div class="filter-bar">
            <div class="job-search">
                <SearchField small=true label=text::filter() value=Signal::derive(move || filter.get().q)
                    on_input=move |value: String| address.set_query("q", Some(&value))/>
            </div>
            {chip("tag", text::tag(), |filter| &filter.tag)}
            {chip("owner", text::owner(), |filter| &filter.owner)}
            {chip("folder", text::folder(), |filter| &filter.folder)}
            {chip("kind", text::kind(), |filter| &filter.kind)}
            {move || is_on.get().then(|| view! {
                <Button kind=Kind::Quiet small=true on_press=move |()| clear(address)>{text::clear()}</Button>
            })}
            <Saved team address/>
            <span class="grow"></span>
            <span class="subtle small">{move || text::sorted(age(between(rows.sorted_at.get(), clock.get())))}</span>
            <Button kind=Kind::Quiet small=true icon=Icon::Restart title=text::sort_again_tip().to_owned()
                on_press=move |()| rows.reload()>{text::sort_again()}</Button>
        </div>
        <div class="counts" role="group" aria-label=text::by_state()>
            {move || {
                let chosen = filter.with(|filter| filter.state.clone());
                let counts = rows.counts.with(|counts| shown_counts(counts, &chosen)).unwrap_or_default();
                counts.into_iter().map(|(state, count)| {
                    let on = chosen == state;
                    view! {
                        <button type="button" class="count" aria-pressed=on.to_string()
                            on:click=move |_| address.set_query("state", (!on).then_some(state))>
                            <span class="state" data-state=state><span class="state-mark" aria-hidden="true"></span></span>
                            {state}" "<b>{number::grouped(count)}</b>
                        </button>
                    }
                }).collect_view()
            }}
        </div>
    }
    .into_any()
}
