//! Takes somebody in by e-mail, with a new account where there is none: into a team or an organisation.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use millrace_wire::team::NewUser;

use crate::api::Failure;
use crate::i18n::{access as text, words};
use crate::ui::button::{Button, Kind};
use crate::ui::check_field::CheckField;
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

const FIELDS: &[&str] = &["email", "new_user.name", "new_user.password", "name", "password"];

/// What was typed.
pub struct NewMember {
    pub email: String,
    pub role: String,
    pub new_user: Option<NewUser>,
}

type Answer = Pin<Box<dyn Future<Output = Result<String, Failure>>>>;

/// Stores it; answers with the name of who was added.
#[derive(Clone, Copy)]
pub struct AddMember(StoredValue<Box<dyn Fn(NewMember) -> Answer>, LocalStorage>);

impl AddMember {
    pub fn new<F>(add: impl Fn(NewMember) -> F + 'static) -> AddMember
    where
        F: Future<Output = Result<String, Failure>> + 'static,
    {
        AddMember(StoredValue::new_local(Box::new(move |member| Box::pin(add(member)) as Answer)))
    }
}

#[component]
pub fn MemberDialog(
    open: RwSignal<bool>,
    /// Word and words of each role.
    roles: Vec<(String, String)>,
    #[prop(into)] first_role: String,
    add: AddMember,
) -> impl IntoView {
    let email = RwSignal::new(String::new());
    let role = RwSignal::new(first_role);
    let is_new = RwSignal::new(false);
    let name = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let toasts = use_toasts();
    Effect::new(move |_| {
        if open.get() {
            for field in [email, name, password] {
                field.set(String::new());
            }
            is_new.set(false);
            failure.set(None);
        }
    });
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let new_user = is_new
            .get_untracked()
            .then(|| NewUser { name: name.get_untracked().trim().to_owned(), password: password.get_untracked() });
        let email = email.get_untracked().trim().to_owned();
        let answer = add.0.with_value(|add| add(NewMember { email, role: role.get_untracked(), new_user }));
        leptos::task::spawn_local(async move {
            match answer.await {
                Ok(name) => {
                    toasts.good(text::member_added(&name));
                    let _ = open.try_set(false);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let at = move |names: &'static [&'static str]| {
        Signal::derive(move || {
            failure.with(|failure| {
                failure.as_ref().and_then(|failure| names.iter().find_map(|name| failure.at_field(name)))
            })
        })
    };
    let other = move || failure.get().filter(|failure| !failure.is_only_at(FIELDS));
    let roles = StoredValue::new(roles);
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{text::add_member()}</Button>
        }
    };
    view! {
        <Dialog open title=text::add_member().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <TextField label=text::email().to_owned() value=email kind="email" autofocus=true error=at(&["email"])/>
                <SelectField label=text::role().to_owned() value=role options=roles.get_value()/>
                <CheckField label=text::new_user() value=is_new help=text::new_user_help()/>
                {move || is_new.get().then(|| view! {
                    <div class="form-pair">
                        <TextField label=text::name().to_owned() value=name error=at(&["new_user.name", "name"])/>
                        <TextField label=text::password().to_owned() value=password kind="password" autocomplete="new-password"
                            help=text::password_help().to_owned() error=at(&["new_user.password", "password"])/>
                    </div>
                })}
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
