//! What connections to object stores, mail servers and HTTP servers ask for.

use leptos::prelude::*;

use super::draft::Fields;
use super::server::Credentials;
use crate::i18n::connections as text;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;

fn help_of(fields: Fields, secret: &str) -> String {
    if fields.is_stored(secret) { text::stored_kept() } else { text::password_help() }.to_owned()
}

#[component]
pub(super) fn ObjectStore(fields: Fields, error: Callback<&'static str, Option<String>>) -> impl IntoView {
    let at = move |field: &'static str| Signal::derive(move || error.run(field));
    let places = vec![
        (String::new(), text::bucket_usual().to_owned()),
        ("true".to_owned(), text::bucket_by_path().to_owned()),
        ("false".to_owned(), text::bucket_by_host().to_owned()),
    ];
    view! {
        <TextField label=text::url().to_owned() value=fields.endpoint code=true is_optional=true
            placeholder="https://minio.example:9000".to_owned() help=text::endpoint_help().to_owned() error=at("options.endpoint")/>
        <div class="form-pair">
            <TextField label=text::bucket().to_owned() value=fields.bucket code=true error=at("options.bucket")/>
            <TextField label=text::region().to_owned() value=fields.region code=true is_optional=true
                placeholder="us-east-1".to_owned() error=at("options.region")/>
        </div>
        <TextField label=text::prefix().to_owned() value=fields.prefix code=true is_optional=true
            help=text::prefix_help().to_owned() error=at("options.prefix")/>
        <SelectField label=text::bucket_place().to_owned() value=fields.path_style options=places error=at("options.path-style")/>
        <div class="form-pair">
            <TextField label=text::access_key().to_owned() value=fields.key_id code=true is_optional=true autocomplete="off"
                help=text::access_key_help().to_owned() error=at("options.access-key-id")/>
            <TextField label=text::secret_key().to_owned() value=fields.secret kind="password" autocomplete="new-password"
                is_optional=true help=help_of(fields, "secret-access-key") error=at("secrets.secret-access-key")/>
        </div>
    }
    .into_any()
}

#[component]
pub(super) fn MailServer(fields: Fields, error: Callback<&'static str, Option<String>>) -> impl IntoView {
    let at = move |field: &'static str| Signal::derive(move || error.run(field));
    let ways = vec![
        ("starttls".to_owned(), text::mail_starttls().to_owned()),
        ("tls".to_owned(), text::mail_tls().to_owned()),
        ("none".to_owned(), text::mail_open().to_owned()),
    ];
    let usual = Signal::derive(move || {
        fields.mail_encryption.with(|way| match way.as_str() {
            "tls" => "465",
            "none" => "25",
            _ => "587",
        })
    });
    view! {
        <div class="form-pair">
            <TextField label=text::host().to_owned() value=fields.host code=true help=text::host_help().to_owned() error=at("options.hostname")/>
            {move || view! {
                <TextField label=text::port().to_owned() value=fields.port code=true is_optional=true
                    placeholder=usual.get().to_owned() error=at("options.port")/>
            }}
        </div>
        <SelectField label=text::protocol().to_owned() value=fields.mail_encryption options=ways error=at("options.encryption")/>
        <Credentials fields is_optional=true error/>
        <TextField label=text::sender().to_owned() value=fields.sender placeholder="Millrace <millrace@example.org>".to_owned()
            help=text::sender_help().to_owned() error=at("options.from")/>
    }
    .into_any()
}

#[component]
pub(super) fn WebServer(fields: Fields, error: Callback<&'static str, Option<String>>) -> impl IntoView {
    let at = move |field: &'static str| Signal::derive(move || error.run(field));
    let ways = vec![
        ("none".to_owned(), text::auth_none().to_owned()),
        ("basic".to_owned(), text::auth_basic().to_owned()),
        ("bearer".to_owned(), text::auth_bearer().to_owned()),
        ("header".to_owned(), text::auth_header().to_owned()),
    ];
    view! {
        <TextField label=text::url().to_owned() value=fields.url code=true placeholder="https://hooks.example/services".to_owned()
            help=text::web_url_help().to_owned() error=at("options.url")/>
        <SelectField label=text::authentication().to_owned() value=fields.authentication options=ways error=at("options.authentication")/>
        {move || {
            let secret = |label: &'static str| view! {
                <TextField label=label.to_owned() value=fields.secret kind="password" autocomplete="new-password"
                    is_optional=fields.is_stored("secret") help=help_of(fields, "secret") error=at("secrets.secret")/>
            };
            match fields.authentication.get().as_str() {
                "basic" => view! {
                    <div class="form-pair">
                        <TextField label=text::user().to_owned() value=fields.login autocomplete="off" error=at("options.username")/>
                        {secret(text::password())}
                    </div>
                }
                .into_any(),
                "bearer" => secret(text::token()).into_any(),
                "header" => view! {
                    <div class="form-pair">
                        <TextField label=text::header_name().to_owned() value=fields.header code=true placeholder="X-Api-Key".to_owned()
                            error=at("options.header")/>
                        {secret(text::header_value())}
                    </div>
                }
                .into_any(),
                _ => ().into_any(),
            }
        }}
    }
    .into_any()
}
