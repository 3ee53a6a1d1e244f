//! What connections to database servers and schema registries ask for.

use leptos::prelude::*;

use super::draft::Fields;
use crate::i18n::connections as text;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;

#[component]
pub(super) fn DatabaseServer(
    fields: Fields,
    /// Where the server usually listens.
    port: &'static str,
    /// What was refused at a field.
    error: Callback<&'static str, Option<String>>,
) -> impl IntoView {
    let at = move |field: &'static str| Signal::derive(move || error.run(field));
    let modes = vec![
        ("prefer".to_owned(), text::tls_prefer().to_owned()),
        ("disable".to_owned(), text::tls_disable().to_owned()),
        ("require".to_owned(), text::tls_require().to_owned()),
        ("verify-ca".to_owned(), text::tls_verify_ca().to_owned()),
        ("verify-full".to_owned(), text::tls_verify_full().to_owned()),
    ];
    view! {
        <div class="form-pair">
            <TextField label=text::host().to_owned() value=fields.host code=true help=text::host_help().to_owned() error=at("options.hostname")/>
            <TextField label=text::port().to_owned() value=fields.port code=true is_optional=true placeholder=port.to_owned() error=at("options.port")/>
        </div>
        <TextField label=text::database().to_owned() value=fields.database code=true help=text::database_help().to_owned() error=at("options.database-name")/>
        <Credentials fields is_optional=false error/>
        <SelectField label=text::protocol().to_owned() value=fields.encryption options=modes error=at("options.ssl.mode")/>
    }
    .into_any()
}

#[component]
pub(super) fn RegistryServer(fields: Fields, error: Callback<&'static str, Option<String>>) -> impl IntoView {
    let at = move |field: &'static str| Signal::derive(move || error.run(field));
    view! {
        <TextField label=text::url().to_owned() value=fields.url code=true placeholder="https://registry:8081".to_owned()
            help=text::url_help().to_owned() error=at("options.url")/>
        <Credentials fields is_optional=true error/>
    }
    .into_any()
}

#[component]
pub(super) fn Credentials(
    fields: Fields,
    is_optional: bool,
    error: Callback<&'static str, Option<String>>,
) -> impl IntoView {
    let at = move |field: &'static str| Signal::derive(move || error.run(field));
    let help = if fields.is_stored("password") { text::password_kept() } else { text::password_help() };
    view! {
        <div class="form-pair">
            <TextField label=text::user().to_owned() value=fields.login is_optional autocomplete="off" error=at("options.username")/>
            <TextField label=text::password().to_owned() value=fields.secret kind="password" autocomplete="new-password"
                is_optional=true help=help.to_owned() error=at("secrets.password")/>
        </div>
    }
    .into_any()
}
