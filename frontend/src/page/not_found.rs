//! An address that leads nowhere, or to a team one is not a member of.

use leptos::prelude::*;

use crate::i18n::failure as text;
use crate::session::use_session;
use crate::ui::button::Kind;
use crate::ui::link_button::LinkButton;
use crate::ui::page_head::PageHead;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    let session = use_session();
    let home = session.start().href();
    view! {
        <PageHead title=text::not_found().to_owned()/>
        <div class="page">
            <p class="muted">{text::not_found_body()}</p>
            <p class="page-next"><LinkButton kind=Kind::Primary href=home>{text::to_start()}</LinkButton></p>
        </div>
    }
    .into_any()
}
