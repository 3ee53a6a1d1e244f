//! A table of objects: hairlines between rows, numbers at the end, no box. For long data use the grid widget.

use leptos::prelude::*;

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
}

impl Head {
    pub fn text(label: impl Into<String>) -> Head {
        Head { label: label.into(), number: false, fit: false, wide: false, silent: false }
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
                    {heads.into_iter().map(|head| {
                        let class = head.class();
                        view! {
                            <th scope="col" class=class>
                                <span class=head.silent.then_some("visually-hidden")>{head.label}</span>
                            </th>
                        }
                    }).collect_view()}
                </tr>
            </thead>
            <tbody>{children()}</tbody>
        </table>
    }
    .into_any()
}
