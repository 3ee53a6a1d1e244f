//! What the parameters of the script would stand for, and what changed of them since the last start.

use leptos::prelude::*;
use millrace_wire::report::{ChangeKind, ReportedVariable};

use crate::i18n::deployment as text;
use crate::ui::badge::Badge;
use crate::ui::panel::Panel;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn Variables(variables: Vec<ReportedVariable>) -> impl IntoView {
    if variables.is_empty() {
        return ().into_any();
    }
    let heads = vec![Head::text(text::variable()), Head::text(text::stands_for()), Head::text(text::since_last())];
    view! {
        <Panel title=text::variables().to_owned()>
            <Table label=text::variables() heads>{variables.into_iter().map(row).collect_view()}</Table>
        </Panel>
    }
    .into_any()
}

fn row(variable: ReportedVariable) -> AnyView {
    let (words, class) = change(&variable);
    let ReportedVariable { name, secret, value, is_default, change, .. } = variable;
    let stands_for = match (change, secret) {
        (Some(ChangeKind::Removed), _) => ().into_any(),
        (_, true) => view! { <Badge>{text::secret()}</Badge> }.into_any(),
        (_, false) => {
            let note = is_default.then(text::script_default);
            view! { <span class="code">{value}</span>" "<span class="subtle">{note}</span> }.into_any()
        }
    };
    view! { <tr><th scope="row" class="code">{name}</th><td>{stands_for}</td><td class=class>{words}</td></tr> }
        .into_any()
}

fn change(variable: &ReportedVariable) -> (String, &'static str) {
    match variable.change {
        None => (text::same().to_owned(), "muted"),
        Some(ChangeKind::Added) => (text::not_used_before().to_owned(), "muted"),
        Some(ChangeKind::Removed) => (text::not_used().to_owned(), "muted"),
        Some(ChangeKind::Changed) if variable.secret && variable.before.is_empty() => {
            (text::secret_changed().to_owned(), "warn")
        }
        Some(ChangeKind::Changed) if variable.secret => (text::now_secret().to_owned(), "warn"),
        Some(ChangeKind::Changed) if variable.before.is_empty() => (text::was_empty().to_owned(), "warn"),
        Some(ChangeKind::Changed) => (text::was(&variable.before), "warn"),
    }
}
