//! How the connection is encrypted and who signs in: what each protocol asks for.

use leptos::prelude::*;

use super::draft::Fields;
use crate::i18n::connections as text;
use crate::ui::check_field::CheckField;
use crate::ui::select_field::SelectField;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;

/// `error`: what was refused at a field.
#[component]
pub(super) fn Security(fields: Fields, error: Callback<&'static str, Option<String>>) -> impl IntoView {
    let at = move |field: &'static str| Signal::derive(move || error.run(field));
    let protocols = vec![
        ("PLAINTEXT".to_owned(), text::protocol_plain().to_owned()),
        ("SSL".to_owned(), text::protocol_tls().to_owned()),
        ("SASL_PLAINTEXT".to_owned(), text::protocol_sasl().to_owned()),
        ("SASL_SSL".to_owned(), text::protocol_sasl_tls().to_owned()),
    ];
    view! {
        <SelectField label=text::protocol().to_owned() value=fields.protocol options=protocols error=at("options.security.protocol")/>
        {move || fields.signs_in.get().then(|| view! { <SignIn fields at/> })}
        {move || fields.is_encrypted.get().then(|| view! { <Certificates fields at/> })}
    }
    .into_any()
}

#[component]
fn SignIn<A>(fields: Fields, at: A) -> impl IntoView
where
    A: Fn(&'static str) -> Signal<Option<String>> + 'static,
{
    let mechanisms: Vec<(String, String)> =
        ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].map(|name| (name.to_owned(), name.to_owned())).to_vec();
    let kept = fields.is_stored("sasl.password");
    let help = if kept { text::password_kept() } else { text::password_help() };
    view! {
        <SelectField label=text::mechanism().to_owned() value=fields.mechanism options=mechanisms
            help=text::mechanism_help().to_owned() error=at("options.sasl.mechanism")/>
        <div class="form-pair">
            <TextField label=text::user().to_owned() value=fields.user autocomplete="off" error=at("options.sasl.username")/>
            <TextField label=text::password().to_owned() value=fields.password kind="password" autocomplete="new-password"
                is_optional=kept help=help.to_owned() error=at("secrets.sasl.password")/>
        </div>
    }
    .into_any()
}

#[component]
fn Certificates<A>(fields: Fields, at: A) -> impl IntoView
where
    A: Fn(&'static str) -> Signal<Option<String>> + 'static,
{
    let help = |name: &str, otherwise: &'static str| {
        if fields.is_stored(name) { text::stored_kept().to_owned() } else { otherwise.to_owned() }
    };
    let any_stored = ["ssl.ca.pem", "ssl.certificate.pem", "ssl.key.pem"].iter().any(|name| fields.is_stored(name));
    view! {
        <TextArea label=text::authority().to_owned() value=fields.authority is_optional=true code=true rows=4
            help=help("ssl.ca.pem", text::authority_help()) error=at("secrets.ssl.ca.pem")/>
        <TextArea label=text::certificate().to_owned() value=fields.certificate is_optional=true code=true rows=4
            help=help("ssl.certificate.pem", text::certificate_help()) error=at("secrets.ssl.certificate.pem")/>
        <TextArea label=text::client_key().to_owned() value=fields.key is_optional=true code=true rows=4
            help=help("ssl.key.pem", text::client_key_help()) error=at("secrets.ssl.key.pem")/>
        <TextField label=text::key_password().to_owned() value=fields.key_password kind="password" autocomplete="new-password"
            is_optional=true help=help("ssl.key.password", text::key_password_help()) error=at("secrets.ssl.key.password")/>
        {any_stored.then(|| view! { <CheckField label=text::forget_certificates().to_owned() value=fields.forget/> })}
    }
    .into_any()
}
