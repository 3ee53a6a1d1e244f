//! Whether the team asks for an approval of starts; owners decide.

use leptos::prelude::*;
use millrace_wire::approval::{ApprovalMode, ApprovalSetting, SetApprovalMode};

use crate::api::{self, Failure};
use crate::clock::local;
use crate::i18n::approvals as text;
use crate::load::{Loaded, load};
use crate::rights::{Right, refusal};
use crate::ui::button::Button;
use crate::ui::confirm::Confirm;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn ApprovalSettingPanel(team: String) -> impl IntoView {
    let path = api::path::team(&team, "approval-mode");
    let asked = path.clone();
    let setting = load(
        || (),
        move |()| {
            let path = asked.clone();
            async move { api::get::<ApprovalSetting>(&path).await }
        },
    );
    let requiring = RwSignal::new(false);
    let switching_off = RwSignal::new(false);
    view! {
        <Panel title=text::setting().to_owned()>
            {setting.show(Shape::Lines(2), move |setting| (move || {
                let ApprovalSetting { mode, changed_by, changed_at } = setting.get();
                let changed = changed_at.map(|at| text::changed(changed_by, local(at).full()));
                let (words, action, opens) = match mode {
                    ApprovalMode::Off => (text::is_off(), text::require(), requiring),
                    ApprovalMode::Required => (text::is_required(), text::switch_off(), switching_off),
                };
                view! {
                    <p>{words}</p>
                    {changed.map(|changed| view! { <p class="subtle">{changed}</p> })}
                    <Button small=true reason=refusal(Right::Own) on_press=move |()| opens.set(true)>{action}</Button>
                }.into_any()
            }).into_any())}
        </Panel>
        <Change open=requiring to=ApprovalMode::Required path=path.clone() setting/>
        <Change open=switching_off to=ApprovalMode::Off path setting/>
    }
    .into_any()
}

#[component]
fn Change(open: RwSignal<bool>, to: ApprovalMode, path: String, setting: Loaded<ApprovalSetting>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if open.get() {
            failure.set(None);
        }
    });
    let change = Callback::new(move |()| {
        let path = path.clone();
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::put::<ApprovalSetting>(&path, &SetApprovalMode { mode: to }).await {
                Ok(changed) => {
                    toasts.good(text::switched());
                    setting.set(changed);
                    let _ = open.try_set(false);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let (title, action, consequences) = match to {
        ApprovalMode::Required => {
            (text::require_title(), text::require(), vec![text::require_consequences(), text::require_running()])
        }
        ApprovalMode::Off => (text::switch_off_title(), text::switch_off(), vec![text::switch_off_consequences()]),
    };
    let lines: Vec<String> = consequences.into_iter().map(str::to_owned).collect();
    view! {
        <Confirm
            open
            title=Signal::derive(move || title.to_owned())
            action=action
            busy=busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences=Signal::derive(move || lines.clone())
            on_confirm=change
        />
    }
    .into_any()
}
