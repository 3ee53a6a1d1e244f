//! Every primitive in every state, for developers: what is seen here is what the pages are made of.

mod controls;
mod display;

use leptos::prelude::*;

use crate::ui::page_head::PageHead;
use crate::ui::panel::Panel;

#[component]
pub fn PrimitivesPage() -> impl IntoView {
    view! {
        <PageHead title="Primitives".to_owned() note=|| "Every part of the design system, in every state."/>
        <div class="page primitives">
            <Panel title="Buttons".to_owned()>{controls::buttons()}</Panel>
            <Panel title="Fields".to_owned()>{controls::fields()}</Panel>
            <Panel title="Choices".to_owned()>{controls::choices()}</Panel>
            <Panel title="Floating".to_owned()>{controls::floating()}</Panel>
            <Panel title="States".to_owned()>{display::states()}</Panel>
            <Panel title="Badges".to_owned()>{display::badges()}</Panel>
            <Panel title="Notices".to_owned()>{display::notices()}</Panel>
            <Panel title="Absence".to_owned()>{display::absence()}</Panel>
            <Panel title="Figures".to_owned()>{display::figures()}</Panel>
            <Panel title="Code".to_owned()>{display::code()}</Panel>
            <Panel title="Icons".to_owned()>{display::icons()}</Panel>
        </div>
    }
    .into_any()
}
