//! Every version there was: signature, origin, who made it.

use leptos::prelude::*;
use millrace_wire::user_function::{UserFunction, UserFunctionVersion};

use super::super::own::language;
use crate::format::bytes::bytes;
use crate::i18n::functions as text;
use crate::ui::age::Ago;
use crate::ui::badge::Badge;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn Versions(function: Signal<UserFunction>) -> impl IntoView {
    let heads = vec![
        Head::number(text::version()),
        Head::text(text::signature()),
        Head::text(text::language()).fit(),
        Head::text(text::definition()),
        Head::text(text::made_by()).fit(),
        Head::number(text::made_at()),
    ];
    view! {
        <Table label=text::versions() heads>
            {move || function.with(|function| {
                function.versions.iter().enumerate().map(|(index, version)| row(version, index == 0)).collect_view()
            })}
        </Table>
    }
    .into_any()
}

fn row(version: &UserFunctionVersion, newest: bool) -> AnyView {
    // A macro's text is short enough to stand where a module has its hash.
    let origin = match (&version.definition, &version.module_hash) {
        (Some(definition), _) => {
            let line = definition.split_whitespace().collect::<Vec<_>>().join(" ");
            view! { <span class="code" title=definition.clone()>{line}</span> }.into_any()
        }
        (None, Some(hash)) => {
            let short: String = hash.chars().take(12).collect();
            let size = version.module_bytes.map(bytes).unwrap_or_default();
            view! { <span class="code" title=hash.clone()>{short}</span>" "<span class="subtle">{size}</span> }
                .into_any()
        }
        (None, None) => ().into_any(),
    };
    view! {
        <tr>
            <th scope="row" class="num cell-fit">{version.number}</th>
            <td class="code cell-clip" title=version.signature.clone()>
                {version.signature.clone()}
                {newest.then(|| view! { " "<Badge>{text::newest()}</Badge> })}
            </td>
            <td class="cell-fit">{language(version.language)}</td>
            <td class="cell-clip">{origin}</td>
            <td class="cell-fit">{version.created_by.clone()}</td>
            <td class="num cell-fit subtle"><Ago at=version.created_at/></td>
        </tr>
    }
    .into_any()
}
