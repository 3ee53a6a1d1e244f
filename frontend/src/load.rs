//! What a view asks the server for: a value that arrives, stays while it is fetched again, or fails with a reason.

use std::future::Future;

use leptos::prelude::*;
use millrace_wire::live::LiveEvent;
use serde::de::DeserializeOwned;

use crate::api::{self, Failure};
use crate::live::Live;
use crate::ui::failure::FailureView;
use crate::ui::skeleton::{Shape, Skeleton};

pub struct Loaded<T: Send + Sync + 'static> {
    value: RwSignal<Option<T>>,
    failure: RwSignal<Option<Failure>>,
    busy: RwSignal<bool>,
    again: RwSignal<u32>,
}

impl<T: Send + Sync + 'static> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loaded<T> {}

/// Fetches now and whenever `key` changes. With another key the old value goes; with [`Loaded::reload`] it stays
/// until the new one is there. An answer that comes after a later question is dropped.
pub fn load<K, T, F>(key: impl Fn() -> K + 'static, fetch: impl Fn(K) -> F + 'static) -> Loaded<T>
where
    K: PartialEq + Clone + 'static,
    T: Send + Sync + 'static,
    F: Future<Output = Result<T, Failure>> + 'static,
{
    let loaded = Loaded {
        value: RwSignal::new(None),
        failure: RwSignal::new(None),
        busy: RwSignal::new(false),
        again: RwSignal::new(0),
    };
    let asked = StoredValue::new(0_u32);
    // What could not be fetched is tried again once the server is heard again.
    if let Some(live) = use_context::<Live>() {
        live.on(move |event| {
            if matches!(event, LiveEvent::Reset) && loaded.failure.try_with_untracked(Option::is_some) == Some(true) {
                loaded.reload();
            }
        });
    }
    Effect::new(move |before: Option<K>| {
        loaded.again.track();
        let key = key();
        if before.as_ref().is_some_and(|before| *before != key) {
            loaded.value.set(None);
            loaded.failure.set(None);
        }
        loaded.busy.set(true);
        let number = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        let answer = untrack(|| fetch(key.clone()));
        leptos::task::spawn_local(async move {
            let answer = answer.await;
            if number.is_none() || asked.try_get_value() != number {
                return;
            }
            loaded.busy.set(false);
            match answer {
                Ok(value) => {
                    loaded.failure.set(None);
                    loaded.value.set(Some(value));
                }
                Err(failure) => loaded.failure.set(Some(failure)),
            }
        });
        key
    });
    loaded
}

/// Every item of a list of the server, fetched once; [`Loaded::reload`] asks again.
pub fn load_all<T: DeserializeOwned + Send + Sync + 'static>(path: String) -> Loaded<Vec<T>> {
    load(
        || (),
        move |()| {
            let path = path.clone();
            async move { api::pages::all::<T>(&path).await.map(|page| page.items) }
        },
    )
}

impl<T: Send + Sync + 'static> Loaded<T> {
    pub fn reload(&self) {
        let _ = self.again.try_update(|count| *count = count.wrapping_add(1));
    }

    /// Puts in what a change answered, without asking again.
    pub fn set(&self, value: T) {
        self.failure.set(None);
        self.value.set(Some(value));
    }

    pub fn update(&self, change: impl FnOnce(&mut T)) {
        self.value.update(|value| {
            if let Some(value) = value {
                change(value);
            }
        });
    }

    /// Reads a part of the value, once it is there; tracked.
    pub fn with<R>(&self, read: impl FnOnce(&T) -> R) -> Option<R> {
        self.value.with(|value| value.as_ref().map(read))
    }

    pub fn failure(&self) -> Signal<Option<Failure>> {
        self.failure.into()
    }

    pub fn busy(&self) -> Signal<bool> {
        self.busy.into()
    }

    pub fn value(&self) -> RwSignal<Option<T>> {
        self.value
    }
}

impl<T: Clone + Send + Sync + 'static> Loaded<T> {
    /// The usual three faces: a skeleton, the reason of a failure with a way to try again, or the content. The content
    /// is built once and gets a signal, so that fetching again changes figures and not the page.
    pub fn show(self, shape: Shape, content: impl Fn(Signal<T>) -> AnyView + Send + Sync + 'static) -> AnyView {
        let face = Memo::new(move |_| {
            if self.value.with(Option::is_some) {
                Face::Content
            } else if self.failure.with(Option::is_some) {
                Face::Failure
            } else {
                Face::Skeleton
            }
        });
        (move || match face.get() {
            Face::Content => match self.value.get_untracked() {
                Some(first) => {
                    let current = RwSignal::new(first);
                    Effect::new(move |_| {
                        self.value.with(|value| {
                            if let Some(value) = value {
                                current.set(value.clone());
                            }
                        });
                    });
                    content(current.into())
                }
                None => ().into_any(),
            },
            Face::Failure => {
                let failure = self.failure.get();
                view! { {failure.map(|failure| view! { <FailureView failure retry=move || self.reload()/> })} }
                    .into_any()
            }
            Face::Skeleton => view! { <Skeleton shape/> }.into_any(),
        })
        .into_any()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Face {
    Skeleton,
    Failure,
    Content,
}
