//! A table of objects: hairlines between rows, numbers at the end, no box. For long data use the grid widget.

use leptos::prelude::*;

use super::icon::Icon;
use super::order::Order;
use crate::i18n::words;

/// A column of the head.
#[derive(Clone)]
pub struct Head {
    pub label: String,
    pub number: bool,
    /// As narrow as its content.
    pub fit: bool,
    /// Shown from 1600 px up.
    pub wide: bool,
    /// Named for those who do not see the table, not shown.
    pub silent: bool,
    /// The word under which rows can be put in order by it.
    pub sorts: Option<&'static str>,
}

impl Head {
    pub fn text(label: impl Into<String>) -> Head {
        Head { label: label.into(), number: false, fit: false, wide: false, silent: false, sorts: None }
    }

    pub fn number(label: impl Into<String>) -> Head {
        Head { number: true, fit: true, ..Head::text(label) }
    }

    pub fn fit(mut self) -> Head {
        self.fit = true;
        self
    }

    pub fn wide(mut self) -> Head {
        self.wide = true;
        self
    }

    /// Rows can be put in order by this column.
    pub fn sorts(mut self, word: &'static str) -> Head {
        self.sorts = Some(word);
        self
    }

    pub fn silent(mut self) -> Head {
        self.silent = true;
        self
    }

    fn class(&self) -> String {
        let mut class = String::new();
        for (on, name) in [(self.number, "num "), (self.fit, "cell-fit "), (self.wide, "wide-only")] {
            if on {
                class.push_str(name);
            }
        }
        class
    }
}

#[component]
pub fn Table(
    /// What the table holds, for those who do not see it.
    #[prop(into)]
    label: String,
    heads: Vec<Head>,
    #[prop(optional)] sticky: bool,
    #[prop(optional)] compact: bool,
    /// As wide as its columns only.
    #[prop(optional)]
    narrow: bool,
    /// By which column the rows stand; needed where a head sorts.
    #[prop(optional)]
    order: Option<Order>,
    /// The rows: `<tr>` with a `<th scope="row">` for the name.
    children: Children,
) -> impl IntoView {
    let class = format!(
        "table{}{}{}",
        if sticky { " table-sticky" } else { "" },
        if compact { " table-compact" } else { "" },
        if narrow { " table-narrow" } else { "" }
    );
    view! {
        <table class=class aria-label=label>
            <thead>
                <tr>
                    {heads.into_iter().map(|head| head_cell(head, order)).collect_view()}
                </tr>
            </thead>
            <tbody>{children()}</tbody>
        </table>
    }
    .into_any()
}

fn head_cell(head: Head, order: Option<Order>) -> AnyView {
    let class = head.class();
    let (Some(column), Some(order)) = (head.sorts, order) else {
        return view! {
            <th scope="col" class=class><span class=head.silent.then_some("visually-hidden")>{head.label}</span></th>
        }
        .into_any();
    };
    view! { <SortHead class label=head.label column is_down=head.number order/> }.into_any()
}

/// The head of a column that sorts: a button with an arrow where it is the chosen one.
#[component]
pub fn SortHead(
    #[prop(into)] class: String,
    #[prop(into)] label: String,
    column: &'static str,
    /// The largest, or newest, first is the usual way.
    is_down: bool,
    order: Order,
) -> impl IntoView {
    // Down and reversed is up again.
    let goes_down = move || order.of(column).map(|reversed| is_down != reversed);
    let aria = move || goes_down().map(|down| if down { "descending" } else { "ascending" });
    let tip = words::sort_by(&label);
    view! {
        <th scope="col" class=class aria-sort=aria>
            <button type="button" class="table-sort" title=tip on:click=move |_| order.press(column)>
                {label}
                {move || goes_down().map(|down| if down { Icon::Down } else { Icon::Up }.small())}
            </button>
        </th>
    }
    .into_any()
}
