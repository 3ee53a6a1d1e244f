//! What to do first, in a team where nothing flows yet.

use leptos::prelude::*;
use millrace_wire::overview::Overview;

use crate::format::number::counted;
use crate::i18n::overview as text;
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::session::use_session;
use crate::ui::button::Kind;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::panel::Panel;

#[component]
pub fn Begin(team: String, overview: Signal<Overview>) -> impl IntoView {
    let session = use_session();
    let name = untrack(|| session.membership_of(&team)).map_or_else(|| team.clone(), |membership| membership.name);
    let editor = TeamRoute::Editor(None).of(&team).href();
    let steps = Memo::new(move |_| {
        let (connections, tables) = overview.with(|overview| (overview.connections, overview.tables));
        let connected =
            (connections > 0).then(|| text::step_connect_done(counted(connections, "connection", "connections")));
        let described = (tables > 0).then(|| text::step_table_done(counted(tables, "table", "tables")));
        [connected, described]
    });
    let place = move |index: usize| {
        steps.with(|done| {
            let first_open = done.iter().position(Option::is_none).unwrap_or(done.len());
            if done.get(index).is_some_and(Option::is_some) {
                "done"
            } else if index == first_open {
                "now"
            } else {
                "next"
            }
        })
    };
    let done = move |index: usize| steps.with(|done| done.get(index).cloned().flatten());
    let step = move |index: usize, title: &'static str, body: &'static str, href: Option<(String, &'static str)>| {
        view! {
            <li data-step=move || place(index) aria-current=move || (place(index) == "now").then_some("step")>
                <span class="begin-mark">
                    {move || if place(index) == "done" { Icon::Check.view() } else { (index + 1).to_string().into_any() }}
                </span>
                <div class="grow">
                    <h3>{title}{move || (place(index) == "done").then(|| view! { <span class="visually-hidden">", "{text::done()}</span> })}</h3>
                    <p>{move || done(index).unwrap_or_else(|| body.to_owned())}</p>
                </div>
                {href.map(|(href, words)| view! {
                    {move || (place(index) != "done").then(|| view! {
                        <LinkButton small=true href=href.clone() reason=refusal(Right::Edit)
                            kind=if place(index) == "now" { Kind::Primary } else { Kind::Plain }>
                            {words}
                        </LinkButton>
                    })}
                })}
            </li>
        }
    };
    let connect = TeamRoute::ConnectionNew.of(&team).href();
    let describe = TeamRoute::TableNew.of(&team).href();
    view! {
        <div class="columns begin-columns">
            <section class="begin" aria-labelledby="begin-title">
                <h2 id="begin-title">{text::begin_title(name)}</h2>
                <p class="muted">{text::begin_body()}</p>
                <ol class="begin-steps">
                    {step(0, text::step_connect(), text::step_connect_body(), Some((connect, text::begin())))}
                    {step(1, text::step_table(), text::step_table_body(), Some((describe, text::begin())))}
                    {step(2, text::step_sql(), text::step_sql_body(), Some((editor, text::open_editor())))}
                    {step(3, text::step_start(), text::step_start_body(), None)}
                </ol>
            </section>
            <aside class="rail" aria-label=text::learn()>
                <Panel title=text::learn().to_owned()>
                    <ul class="begin-plain">
                        <li>{text::learn_generator()}</li>
                        <li>{text::learn_keys_before()}" "<kbd>"?"</kbd>" "{text::learn_keys_after()}</li>
                    </ul>
                </Panel>
            </aside>
        </div>
    }
    .into_any()
}
