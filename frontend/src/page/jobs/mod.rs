//! The list of jobs: filters in the address, state counters as filters, bulk actions with a result for each. The server
//! filters, sorts and pages; rows that are shown follow live events.

pub mod bin;
mod bulk;
mod filters;
mod list;
mod order;
mod row;
mod saved;

use std::collections::{BTreeSet, HashMap};

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, JobSummary};
use millrace_wire::job_life::JobFilter;

use crate::address::use_address;
use crate::format::number;
use crate::i18n::{jobs as text, words};
use crate::live::use_live;
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::ui::button::{Button, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::order::Order;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton::Shape;
use crate::ui::table::SortHead;
use crate::widget::job_actions::{StartDialog, StopDialog, Target};
use bulk::{BulkBar, Selection};
use filters::{Filters, clear};
use list::JobRows;
use order::{BY_CHANGED, BY_LAG, BY_NAME, BY_RATE};
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
    let live = use_live();
    let rows = JobRows::load(&team, address);
    let sort = address.order();
    let ids = Memo::new(move |_| {
        rows.page.with(|page| page.items.iter().map(|job| job.id).collect::<Vec<JobId>>()).unwrap_or_default()
    });
    let places = Memo::new(move |_| {
        ids.with(|ids| ids.iter().enumerate().map(|(place, id)| (*id, place)).collect::<HashMap<JobId, usize>>())
    });
    let selection = Selection { jobs: RwSignal::new(BTreeSet::new()), all: RwSignal::new(false) };
    Effect::new(move |_| {
        let known = places.get();
        if selection.jobs.with_untracked(|jobs| jobs.iter().any(|id| !known.contains_key(id))) {
            selection.jobs.update(|jobs| jobs.retain(|id| known.contains_key(id)));
        }
    });
    // Another filter admits other jobs than those that were meant.
    Effect::new(move |_| {
        rows.filter.track();
        selection.all.set(false);
    });

    let dialogs = Dialogs { target: RwSignal::new(None), starts: RwSignal::new(false), stops: RwSignal::new(false) };
    let changed = Callback::new(move |job: Job| rows.put(live.up_to_date(job)));
    let total = Memo::new(move |_| rows.page.with(|page| page.total).unwrap_or(0));
    let beside = move || {
        view! {
            <span class="subtle">{move || {
                let (shown, total) = (ids.with(Vec::len) as u64, total.get());
                if shown == total {
                    number::counted(total, text::job(), text::jobs())
                } else {
                    words::shown_of(number::grouped(shown), number::grouped(total))
                }
            }}</span>
        }
        .into_any()
    };
    let may_edit = refusal(Right::Edit);
    let editor = TeamRoute::Editor(None).of(&team).href();
    let bin = TeamRoute::JobsBin.of(&team).href();
    // A team without jobs is asked in the middle of the page instead.
    let none = Memo::new(move |_| {
        rows.page.with(|page| page.total == 0) == Some(true)
            && rows.filter.with(|filter| *filter == JobFilter::default())
    });
    let actions = move || {
        let (editor, bin) = (editor.clone(), bin.clone());
        view! {
            <LinkButton small=true kind=Kind::Quiet icon=Icon::Trash href=bin>{text::bin()}</LinkButton>
            {move || (!none.get()).then(|| view! {
                <LinkButton small=true kind=Kind::Primary icon=Icon::Plus reason=may_edit href=editor.clone()>{text::new_job()}</LinkButton>
            })}
        }
        .into_any()
    };
    let row_team = StoredValue::new(team.clone());
    view! {
        <PageHead title=text::title().to_owned() beside=beside actions=actions/>
        <div class="page jobs">
            {move || (!none.get()).then(|| view! { <Filters team=row_team.get_value() rows address/> })}
            {rows.page.show(Shape::Rows(8), move |page| view! {
                {move || {
                    if none.get() {
                        return view! {
                            <EmptyState title=text::empty() body=text::empty_body()>
                                <LinkButton kind=Kind::Primary reason=may_edit href=TeamRoute::Editor(None).of(&row_team.get_value()).href()>{text::new_job()}</LinkButton>
                            </EmptyState>
                        }.into_any();
                    }
                    if total.get() == 0 {
                        return view! {
                            <EmptyState title=text::no_match() body=text::no_match_body()>
                                <Button on_press=move |()| clear(address)>{text::clear_filters()}</Button>
                            </EmptyState>
                        }.into_any();
                    }
                    ().into_any()
                }}
                <div class:is-hidden=move || ids.with(Vec::is_empty)>
                    <table class="table table-sticky" aria-label=text::title()>
                        <thead><Heads shown=ids total selection sort/></thead>
                        <tbody>
                            <For each=move || ids.get() key=|id| *id let(id)>
                                {
                                    let job = Memo::new(move |before: Option<&Option<JobSummary>>| {
                                        let place = places.with(|places| places.get(&id).copied());
                                        let found = page.with(|page| {
                                            place.and_then(|place| page.items.get(place)).filter(|job| job.id == id).cloned()
                                        });
                                        found.or_else(|| before.cloned().flatten())
                                    });
                                    view! { <Row id job team=row_team.get_value() selected=selection.jobs dialogs address/> }
                                }
                            </For>
                        </tbody>
                    </table>
                    {move || page.with(|page| page.next.is_some()).then(|| view! {
                        <p class="row"><Button busy=rows.busy on_press=move |()| rows.load_more()>{words::load_more()}</Button></p>
                    })}
                </div>
                <BulkBar team=row_team.get_value() rows selection/>
            }.into_any())}
        </div>
        <StartDialog team=team.clone() open=dialogs.starts target=dialogs.target on_started=changed/>
        <StopDialog team=team.clone() open=dialogs.stops target=dialogs.target on_stopped=changed/>
    }
    .into_any()
}

#[component]
fn Heads(shown: Memo<Vec<JobId>>, total: Memo<u64>, selection: Selection, sort: Order) -> impl IntoView {
    let selected = selection.jobs;
    let count = move || shown.with(Vec::len);
    let chosen =
        move || shown.with(|shown| selected.with(|selected| shown.iter().filter(|id| selected.contains(id)).count()));
    let all_chosen = move || count() > 0 && chosen() == count();
    let some_chosen = move || chosen() > 0 && chosen() < count();
    let label = move || text::select_all(number::counted(count() as u64, text::job(), text::jobs()));
    let toggle = move |event: leptos::ev::Event| {
        let on = event_target_checked(&event);
        selection.all.set(false);
        selected.update(|selected| {
            selected.clear();
            if on {
                selected.extend(shown.get_untracked());
            }
        });
    };
    let more = move || all_chosen() && (count() as u64) < total.get() && !selection.all.get();
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
        {move || more().then(|| view! {
            <tr><td colspan="12"><Button kind=Kind::Quiet small=true on_press=move |()| selection.all.set(true)>
                {text::select_matching(number::grouped(total.get()))}
            </Button></td></tr>
        })}
    }
    .into_any()
}
