//! Where the rows of each sink of a test run go: kept here, or written to a sandbox target as well.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::page::Page;
use millrace_wire::sandbox_target::{ListSandboxOffers, SandboxKind, SandboxOffer, SandboxPlace};

use super::Subject;
use crate::api;
use crate::i18n::sandbox as text;
use crate::ui::select_field::SelectField;

const KEPT: &str = "kept";
const WRITTEN: &str = "written";

/// A sink that could be written, and what is chosen for it.
#[derive(Clone)]
struct Choice {
    table: String,
    place: SandboxPlace,
    chosen: RwSignal<String>,
}

#[derive(Clone, Copy)]
pub(super) struct TargetChoices {
    choices: RwSignal<Vec<Choice>>,
    /// Why there is nothing to choose, where the script writes something.
    why_not: RwSignal<Option<String>>,
    asking: RwSignal<bool>,
    /// Answers of an earlier opening are late.
    asked: StoredValue<u32>,
    owner: StoredValue<Owner>,
}

impl TargetChoices {
    pub(super) fn new() -> TargetChoices {
        TargetChoices {
            choices: RwSignal::new(Vec::new()),
            why_not: RwSignal::new(None),
            asking: RwSignal::new(false),
            asked: StoredValue::new(0),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// Asks what there is for the script as it is now. Nothing is chosen from then on.
    pub(super) fn ask(&self, subject: Subject) {
        let (own, path) = (*self, subject.path("sandbox-targets/offers"));
        let body = ListSandboxOffers {
            sql: subject.sql.get_untracked(),
            job: subject.job,
            version: subject.version.get_untracked(),
        };
        let turn = self.asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        self.choices.set(Vec::new());
        self.why_not.set(None);
        self.asking.set(true);
        spawn_local(async move {
            let answer = api::post::<Page<SandboxOffer>>(&path, &body).await;
            if own.asked.try_get_value() != turn {
                return;
            }
            let _ = own.asking.try_set(false);
            // A script that is wrong says so when the run is started.
            let offers = answer.map(|page| page.items).unwrap_or_default();
            let why_not = offers.first().map(|offer| offer.why_not.clone());
            let choices: Vec<Choice> = offers.into_iter().filter_map(|offer| own.choice(offer)).collect();
            let _ = own.why_not.try_set(why_not.filter(|why| choices.is_empty() && !why.is_empty()));
            let _ = own.choices.try_set(choices);
        });
    }

    fn choice(&self, offer: SandboxOffer) -> Option<Choice> {
        let place = offer.place?;
        let owner = self.owner.try_get_value()?;
        let chosen = owner.with(|| RwSignal::new(KEPT.to_owned()));
        Some(Choice { table: offer.table, place, chosen })
    }

    /// Sinks that are written.
    pub(super) fn chosen(&self) -> Vec<String> {
        let written = |choice: &&Choice| choice.chosen.with_untracked(|chosen| chosen == WRITTEN);
        self.choices.with_untracked(|all| all.iter().filter(written).map(|choice| choice.table.clone()).collect())
    }
}

fn words(place: &SandboxPlace) -> String {
    match place.kind {
        SandboxKind::TopicPrefix => text::written_to_topics(&place.place),
        SandboxKind::Schema => text::written_to_tables(&place.place),
        SandboxKind::Folder => text::written_to_folders(&place.place),
    }
}

#[component]
pub(super) fn TargetFields(targets: TargetChoices) -> impl IntoView {
    view! {
        {move || targets.asking.get().then(|| view! { <p class="subtle small" role="status">{text::asking()}</p> })}
        {move || targets.why_not.get().map(|why| view! { <p class="subtle small">{text::none_offered(why)}</p> })}
        {move || {
            let choices = targets.choices.get();
            (!choices.is_empty()).then(|| view! {
                <fieldset class="field">
                    <legend class="field-label">{text::where_rows_go()}</legend>
                    {choices.into_iter().map(|choice| {
                        let options = vec![(KEPT.to_owned(), text::kept().to_owned()), (WRITTEN.to_owned(), words(&choice.place))];
                        view! { <SelectField label=text::rows_of(&choice.table) value=choice.chosen options=options/> }
                    }).collect_view()}
                    <p class="field-help">{text::fresh()}</p>
                </fieldset>
            })
        }}
    }
    .into_any()
}
