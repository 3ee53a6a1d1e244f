//! Deletes a variable, after saying which jobs name it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::variable::{Variable, VariableUses};

use crate::api::{self, Failure};
use crate::i18n::{variables as text, words};
use crate::load::Loaded;
use crate::ui::confirm::Confirm;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn DeleteDialog(
    team: String,
    deleting: RwSignal<Option<Variable>>,
    variables: Loaded<Vec<Variable>>,
) -> impl IntoView {
    let toasts = use_toasts();
    let team = StoredValue::new(team);
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let uses = RwSignal::new(None::<VariableUses>);
    let path = move |variable: &Variable, tail: &str| {
        team.with_value(|team| api::path::team(team, &format!("variables/{}{tail}", variable.id)))
    };
    Effect::new(move |_| {
        let Some(variable) = deleting.get() else { return };
        failure.set(None);
        uses.set(None);
        open.set(true);
        let (path, asked) = (path(&variable, "/uses"), variable.id);
        spawn_local(async move {
            let answer = api::get::<VariableUses>(&path).await;
            // The dialog may be about another one by now.
            let now = deleting.try_with_untracked(|now| now.as_ref().map(|variable| variable.id));
            if now != Some(Some(asked)) {
                return;
            }
            match answer {
                Ok(found) => {
                    let _ = uses.try_set(Some(found));
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
    Effect::new(move |_| {
        if !open.get() {
            deleting.set(None);
        }
    });
    let name = Signal::derive(move || {
        deleting.with(|variable| variable.as_ref().map(|variable| variable.name.clone()).unwrap_or_default())
    });
    let consequences = Signal::derive(move || uses.with(|uses| told(uses.as_ref())));
    let confirm = Callback::new(move |()| {
        let Some(variable) = deleting.get_untracked() else { return };
        busy.set(true);
        let path = path(&variable, "");
        spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    toasts.good(text::deleted(&variable.name));
                    let _ = open.try_set(false);
                    variables.reload();
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    view! {
        <Confirm
            open
            title=Signal::derive(move || text::delete_title(name.get()))
            action=words::delete()
            busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences
            on_confirm=confirm
        />
    }
    .into_any()
}

fn told(uses: Option<&VariableUses>) -> Vec<String> {
    let Some(uses) = uses else { return vec![text::asking().to_owned()] };
    if uses.jobs.is_empty() && uses.hidden == 0 {
        return vec![text::delete_unused().to_owned()];
    }
    let names: Vec<&str> = uses.jobs.iter().map(|job| job.name.as_str()).collect();
    let seen = (!names.is_empty()).then(|| text::delete_used(names.join(", ")));
    let hidden = (uses.hidden > 0).then(|| text::delete_hidden(uses.hidden));
    seen.into_iter().chain(hidden).chain([text::delete_running().to_owned()]).collect()
}
