//! One request and its answer. The part that depends on the type of the answer is kept to one line, since it is
//! compiled once per type.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_net::http::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::Blob;

use super::Failure;

pub(super) const BASE: &str = "/api/v1";

thread_local! {
    static SIGNED_OUT: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Called when the server says that nobody is signed in any more.
pub fn on_signed_out(act: impl Fn() + 'static) {
    SIGNED_OUT.with(|cell| *cell.borrow_mut() = Some(Rc::new(act)));
}

pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Failure> {
    read(&exchange(Method::GET, path, None).await?)
}

pub async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Failure> {
    read(&exchange(Method::POST, path, Some(Body::Json(write(body)?))).await?)
}

pub async fn put<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Failure> {
    read(&exchange(Method::PUT, path, Some(Body::Json(write(body)?))).await?)
}

pub async fn patch<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Failure> {
    read(&exchange(Method::PATCH, path, Some(Body::Json(write(body)?))).await?)
}

/// Sends a file as it is and not as JSON.
pub async fn post_module<T: DeserializeOwned>(path: &str, module: &Blob) -> Result<T, Failure> {
    read(&exchange(Method::POST, path, Some(Body::Module(module.clone()))).await?)
}

pub async fn delete(path: &str) -> Result<(), Failure> {
    exchange(Method::DELETE, path, None).await.map(drop)
}

/// A POST whose answer is only that it was taken.
pub async fn post_only(path: &str, body: &impl Serialize) -> Result<(), Failure> {
    exchange(Method::POST, path, Some(Body::Json(write(body)?))).await.map(drop)
}

/// A POST without body whose answer, if any, does not matter.
pub async fn send_only(path: &str) -> Result<(), Failure> {
    exchange(Method::POST, path, None).await.map(drop)
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, Failure> {
    serde_json::from_str(body).map_err(|error| {
        leptos::logging::error!("cannot read an answer: {error}");
        Failure::unreadable(200)
    })
}

fn write(body: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(body).map_err(|_| Failure::unreadable(0))
}

enum Body {
    Json(String),
    Module(Blob),
}

async fn exchange(method: Method, path: &str, body: Option<Body>) -> Result<String, Failure> {
    let changes = method != Method::GET;
    let mut request = RequestBuilder::new(&format!("{BASE}{path}")).method(method).header("Accept", "application/json");
    if changes {
        request = request.header("X-Millrace", "1");
    }
    let request = match body {
        Some(Body::Json(body)) => request.header("Content-Type", "application/json").body(body),
        Some(Body::Module(module)) => {
            request.header("Content-Type", "application/wasm").body(wasm_bindgen::JsValue::from(module))
        }
        None => request.build(),
    };
    let answer = request.map_err(|_| Failure::unreachable())?.send().await.map_err(|_| Failure::unreachable())?;
    let text = answer.text().await.map_err(|_| Failure::unreachable())?;
    if answer.ok() {
        return Ok(text);
    }
    let failure = Failure::of_answer(answer.status(), &text);
    if failure.code() == "not_signed_in" {
        let act = SIGNED_OUT.with(|cell| cell.borrow().clone());
        if let Some(act) = act {
            act();
        }
    }
    Err(failure)
}
