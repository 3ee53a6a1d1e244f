//! A stream of server-sent events that comes back by itself.
//!
//! The browser reconnects after a cut and sends `Last-Event-ID`, so that nothing is missed. It gives up when the server
//! answers with an error; then this opens a new stream after a pause that grows, and says that it is a fresh one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::web_sys::{EventSource, MessageEvent};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

use super::request::BASE;

const FIRST_PAUSE_MS: u32 = 1_000;
const LONGEST_PAUSE_MS: u32 = 15_000;

pub enum StreamEvent {
    /// Events flow (again). `fresh`: a new stream, so something may have been missed in between.
    Open {
        fresh: bool,
    },
    Message(String),
    /// Cut; it will be tried again.
    Lost,
}

/// Closes when dropped.
pub struct Stream {
    inner: Rc<Inner>,
}

struct Inner {
    path: String,
    handler: Box<dyn Fn(StreamEvent)>,
    source: RefCell<Option<Source>>,
    pause: Cell<u32>,
    opened_before: Cell<bool>,
    closed: Cell<bool>,
}

struct Source {
    source: EventSource,
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _error: Closure<dyn FnMut()>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.source.set_onopen(None);
        self.source.set_onmessage(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}

impl Stream {
    /// Opens a stream at a path below `/api/v1`.
    pub fn open(path: &str, handler: impl Fn(StreamEvent) + 'static) -> Stream {
        let inner = Rc::new(Inner {
            path: path.to_owned(),
            handler: Box::new(handler),
            source: RefCell::new(None),
            pause: Cell::new(FIRST_PAUSE_MS),
            opened_before: Cell::new(false),
            closed: Cell::new(false),
        });
        connect(&inner);
        Stream { inner }
    }

    pub fn close(&self) {
        self.inner.closed.set(true);
        // Dropped at the next turn: this may run inside one of the source's own handlers.
        let source = self.inner.source.take();
        leptos::task::spawn_local(async move { drop(source) });
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}

fn connect(inner: &Rc<Inner>) {
    if inner.closed.get() {
        return;
    }
    let url = format!("{BASE}{}", inner.path);
    let Ok(source) = EventSource::new(&url) else { return retry(inner) };

    let weak = Rc::downgrade(inner);
    let open = Closure::<dyn FnMut()>::new(move || {
        if let Some(inner) = weak.upgrade() {
            inner.pause.set(FIRST_PAUSE_MS);
            let fresh = inner.opened_before.replace(true);
            (inner.handler)(StreamEvent::Open { fresh });
        }
    });
    let weak = Rc::downgrade(inner);
    let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(inner) = weak.upgrade()
            && let Some(text) = event.data().as_string()
        {
            (inner.handler)(StreamEvent::Message(text));
        }
    });
    let weak = Rc::downgrade(inner);
    let error = Closure::<dyn FnMut()>::new(move || {
        if let Some(inner) = weak.upgrade() {
            (inner.handler)(StreamEvent::Lost);
            let gave_up = inner
                .source
                .borrow()
                .as_ref()
                .is_none_or(|current| current.source.ready_state() == EventSource::CLOSED);
            if gave_up {
                retry(&inner);
            }
        }
    });
    source.set_onopen(Some(open.as_ref().unchecked_ref()));
    source.set_onmessage(Some(message.as_ref().unchecked_ref()));
    source.set_onerror(Some(error.as_ref().unchecked_ref()));
    inner.source.replace(Some(Source { source, _open: open, _message: message, _error: error }));
}

fn retry(inner: &Rc<Inner>) {
    if inner.closed.get() {
        return;
    }
    let pause = inner.pause.get();
    inner.pause.set((pause * 2).min(LONGEST_PAUSE_MS));
    let weak = Rc::downgrade(inner);
    leptos::task::spawn_local(async move {
        gloo_timers::future::TimeoutFuture::new(pause).await;
        if let Some(inner) = weak.upgrade() {
            connect(&inner);
        }
    });
}
