//! The list of jobs: filters in the address, state counters as filters, bulk actions with a result for each.

mod bulk;
mod order;
mod row;

use std::collections::BTreeSet;

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, JobSummary};
use millrace_wire::live::LiveEvent;

use crate::address::{Address, use_address};
use crate::api;
use crate::clock::{now, use_clock};
use crate::format::age::{age, between};
use crate::format::number;
use crate::i18n::{jobs as text, words};
use crate::live::use_live;
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::order::Order;
use crate::ui::page_head::PageHead;
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;
use crate::ui::table::SortHead;
use crate::widget::job_actions::{StartDialog, StopDialog, Target};
use bulk::BulkBar;
use order::{BY_CHANGED, BY_LAG, BY_NAME, BY_RATE, Filter, counts, sorted};
use row::Row;

/// What a row can ask the page to open.
#[derive(Clone, Copy)]
pub(super) struct Dialogs {
    target: RwSignal<Option<Target>>,
    starts: RwSignal<bool>,
    stops: RwSignal<bool>,
}

#[component]
pub fn JobsPage(team: String) -> impl IntoView {
    let address = use_address();
    let path = api::path::team(&team, "jobs");
    let live = use_live();
    let jobs = load(
        || (),
        move |()| {
            let path = path.clone();
            async move {
                let page = api::pages::all::<JobSummary>(&path).await?;
                Ok(page.items.into_iter().map(|job| live.up_to_date(job)).collect::<Vec<_>>())
            }
        },
    );
    live.on(move |event| match event {
        LiveEvent::Job { job, desired, current } => jobs.update(|jobs| {
            if let Some(row) = jobs.iter_mut().find(|row| row.id == *job) {
                row.desired = *desired;
                row.current.clone_from(current);
                let rate = current.as_ref().and_then(|current| current.figures.as_ref());
                if let Some(figures) = rate {
                    row.throughput.push(figures.records_in_per_s);
                    if row.throughput.len() > 60 {
                        row.throughput.remove(0);
                    }
                }
            }
        }),
        LiveEvent::JobsChanged { .. } | LiveEvent::Reset => jobs.reload(),
        _ => {}
    });

    let filter = filter_of(address);
    let sort = address.order();

    // Figures change all the time; the order only when somebody asks, or when jobs come and go.
    let order = RwSignal::new(Vec::<JobId>::new());
    let sorted_at = RwSignal::new(now());
    let ids = Memo::new(move |_| {
        jobs.with(|jobs| jobs.iter().map(|job| job.id).collect::<BTreeSet<JobId>>()).unwrap_or_default()
    });
    let sort_now = move || {
        let chosen = untrack(|| sort.chosen());
        let chosen = chosen.as_ref().map(|(column, reversed)| (column.as_str(), *reversed));
        jobs.value().with_untracked(|jobs| {
            order.set(jobs.as_ref().map(|jobs| sorted(jobs, chosen)).unwrap_or_default());
        });
        sorted_at.set(now());
    };
    Effect::new(move |_| {
        ids.track();
        let _ = sort.chosen();
        sort_now();
    });
    let shown = Memo::new(move |_| {
        let filter = filter.get();
        jobs.with(|jobs| {
            order.with(|order| {
                order
                    .iter()
                    .filter(|id| jobs.iter().any(|job| job.id == **id && filter.admits(job)))
                    .copied()
                    .collect::<Vec<JobId>>()
            })
        })
        .unwrap_or_default()
    });
    let selected = RwSignal::new(BTreeSet::<JobId>::new());
    Effect::new(move |_| {
        let known = ids.get();
        if selected.with_untracked(|selected| !selected.is_subset(&known)) {
            selected.update(|selected| selected.retain(|id| known.contains(id)));
        }
    });

    let dialogs = Dialogs { target: RwSignal::new(None), starts: RwSignal::new(false), stops: RwSignal::new(false) };
    let changed = Callback::new(move |job: Job| {
        let job = live.up_to_date(job);
        jobs.update(|jobs| {
            if let Some(row) = jobs.iter_mut().find(|row| row.id == job.id) {
                row.desired = job.desired;
                row.current = job.current;
            }
        });
    });

    let total = Memo::new(move |_| ids.with(BTreeSet::len));
    let beside = move || {
        view! {
            <span class="subtle">{move || {
                let (shown, total) = (shown.with(Vec::len), total.get());
                if shown == total { number::counted(total as u64, text::job(), text::jobs()) } else { words::shown_of(shown, total) }
            }}</span>
        }
        .into_any()
    };
    let may_edit = refusal(Right::Edit);
    let editor = TeamRoute::Editor(None).of(&team).href();
    // A team without jobs is asked in the middle of the page instead.
    let none = Memo::new(move |_| jobs.with(Vec::is_empty) == Some(true));
    let actions = move || {
        let href = editor.clone();
        view! {
            {move || (!none.get()).then(|| view! {
                <LinkButton small=true kind=Kind::Primary icon=Icon::Plus reason=may_edit href=href.clone()>{text::new_job()}</LinkButton>
            })}
        }
        .into_any()
    };
    let row_team = StoredValue::new(team.clone());
    view! {
        <PageHead title=text::title().to_owned() beside=beside actions=actions/>
        <div class="page jobs">
            {jobs.show(Shape::Rows(8), move |rows| view! {
                {move || (!none.get()).then(|| view! {
                    <Filters rows filter address sorted_at on_sort=Callback::new(move |()| sort_now())/>
                })}
                {move || {
                    if total.get() == 0 {
                        return view! {
                            <EmptyState title=text::empty() body=text::empty_body()>
                                <LinkButton kind=Kind::Primary reason=may_edit href=TeamRoute::Editor(None).of(&row_team.get_value()).href()>{text::new_job()}</LinkButton>
                            </EmptyState>
                        }.into_any();
                    }
                    if shown.with(Vec::is_empty) {
                        return view! {
                            <EmptyState title=text::no_match() body=text::no_match_body()>
                                <Button on_press=move |()| clear(address)>{text::clear_filters()}</Button>
                            </EmptyState>
                        }.into_any();
                    }
                    ().into_any()
                }}
                <div class:is-hidden=move || shown.with(Vec::is_empty)>
                    <table class="table table-sticky" aria-label=text::title()>
                        <thead><Heads shown selected sort/></thead>
                        <tbody>
                            <For each=move || shown.get() key=|id| *id let(id)>
                                {
                                    let job = Memo::new(move |before: Option<&Option<JobSummary>>| {
                                        let found = rows.with(|rows| rows.iter().find(|row| row.id == id).cloned());
                                        found.or_else(|| before.cloned().flatten())
                                    });
                                    view! { <Row id job team=row_team.get_value() selected dialogs address/> }
                                }
                            </For>
                        </tbody>
                    </table>
                </div>
                <BulkBar team=row_team.get_value() rows selected/>
            }.into_any())}
        </div>
        <StartDialog team=team.clone() open=dialogs.starts target=dialogs.target on_started=changed/>
        <StopDialog team=team.clone() open=dialogs.stops target=dialogs.target on_stopped=changed/>
    }
    .into_any()
}

fn filter_of(address: Address) -> Memo<Filter> {
    let (words, state, tag, owner) =
        (address.query("q"), address.query("state"), address.query("tag"), address.query("owner"));
    Memo::new(move |_| Filter {
        words: words.get().unwrap_or_default(),
        state: state.get().unwrap_or_default(),
        tag: tag.get().unwrap_or_default(),
        owner: owner.get().unwrap_or_default(),
    })
}

fn clear(address: Address) {
    for name in ["q", "state", "tag", "owner"] {
        address.set_query(name, None);
    }
}

#[component]
fn Filters(
    rows: Signal<Vec<JobSummary>>,
    filter: Memo<Filter>,
    address: Address,
    sorted_at: RwSignal<i64>,
    on_sort: Callback<()>,
) -> impl IntoView {
    let clock = use_clock();
    let is_on = Memo::new(move |_| filter.get() != Filter::default());
    let chip = move |name: &'static str, words: &'static str, value: fn(&Filter) -> &String| {
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
                <SearchField small=true label=text::filter() value=Signal::derive(move || filter.get().words)
                    on_input=move |value: String| address.set_query("q", Some(&value))/>
            </div>
            {chip("tag", text::tag(), |filter| &filter.tag)}
            {chip("owner", text::owner(), |filter| &filter.owner)}
            {move || is_on.get().then(|| view! {
                <Button kind=Kind::Quiet small=true on_press=move |()| clear(address)>{text::clear()}</Button>
            })}
            <span class="grow"></span>
            <span class="subtle small">{move || text::sorted(age(between(sorted_at.get(), clock.get())))}</span>
            <Button kind=Kind::Quiet small=true icon=Icon::Restart title=text::sort_again_tip().to_owned() on_press=on_sort>{text::sort_again()}</Button>
        </div>
        <div class="counts" role="group" aria-label=text::by_state()>
            {move || rows.with(|rows| filter.with(|filter| counts(rows, filter))).into_iter().map(|(state, count)| {
                let on = filter.with(|filter| filter.state == state);
                view! {
                    <button type="button" class="count" aria-pressed=on.to_string()
                        on:click=move |_| address.set_query("state", (!on).then_some(state))>
                        <span class="state" data-state=state><span class="state-mark" aria-hidden="true"></span></span>
                        {state}" "<b>{number::grouped(count as u64)}</b>
                    </button>
                }
            }).collect_view()}
        </div>
    }
    .into_any()
}

#[component]
fn Heads(shown: Memo<Vec<JobId>>, selected: RwSignal<BTreeSet<JobId>>, sort: Order) -> impl IntoView {
    let count = move || shown.with(Vec::len);
    let chosen =
        move || shown.with(|shown| selected.with(|selected| shown.iter().filter(|id| selected.contains(id)).count()));
    let all_chosen = move || count() > 0 && chosen() == count();
    let some_chosen = move || chosen() > 0 && chosen() < count();
    let label = move || text::select_all(number::counted(count() as u64, text::job(), text::jobs()));
    let toggle = move |event: leptos::ev::Event| {
        let on = event_target_checked(&event);
        selected.update(|selected| {
            selected.clear();
            if on {
                selected.extend(shown.get_untracked());
            }
        });
    };
    view! {
        <tr>
            <th class="cell-check" scope="col">
                <input type="checkbox" class="checkbox" aria-label=label on:change=toggle
                    prop:checked=all_chosen
                    prop:indeterminate=some_chosen/>
            </th>
            <SortHead class="" label=text::column_name() column=BY_NAME is_down=false order=sort/>
            <th scope="col">{text::column_state()}</th>
            <SortHead class="num" label=text::column_rate() column=BY_RATE is_down=true order=sort/>
            <th scope="col"><span class="visually-hidden">{text::column_spark()}</span></th>
            <SortHead class="num" label=text::column_lag() column=BY_LAG is_down=true order=sort/>
            <th scope="col">{text::column_owner()}</th>
            <th scope="col">{text::column_tags()}</th>
            <th scope="col" class="wide-only">{text::column_version()}</th>
            <th scope="col" class="wide-only">{text::column_checkpoint()}</th>
            <SortHead class="num" label=text::column_changed() column=BY_CHANGED is_down=true order=sort/>
            <th scope="col"><span class="visually-hidden">{text::column_actions()}</span></th>
        </tr>
    }
    .into_any()
}
