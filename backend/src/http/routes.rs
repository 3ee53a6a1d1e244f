//! Registers routes together with their rule from the policy table, so that none is reachable without one.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};

use super::guard::{Gate, guard};
use crate::access::policy;
use crate::state::App;

pub struct Routes {
    app: Arc<App>,
    router: Router<Arc<App>>,
    registered: Vec<(Method, &'static str)>,
}

impl Routes {
    pub fn new(app: Arc<App>) -> Self {
        Routes { app, router: Router::new(), registered: Vec::new() }
    }

    pub fn get<H: Handler<T, Arc<App>>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::GET, MethodFilter::GET, path, handler)
    }

    pub fn post<H: Handler<T, Arc<App>>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::POST, MethodFilter::POST, path, handler)
    }

    pub fn put<H: Handler<T, Arc<App>>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::PUT, MethodFilter::PUT, path, handler)
    }

    pub fn patch<H: Handler<T, Arc<App>>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::PATCH, MethodFilter::PATCH, path, handler)
    }

    pub fn delete<H: Handler<T, Arc<App>>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::DELETE, MethodFilter::DELETE, path, handler)
    }

    fn add<H, T>(mut self, method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        // A route that the table forgot is shut to everybody; a test reports it.
        let rule = policy::rule_for(method.as_str(), path).unwrap_or(&policy::DENY);
        let gate = Gate { app: self.app.clone(), rule };
        self.router = self.router.route(path, on(filter, handler).route_layer(from_fn_with_state(gate, guard)));
        self.registered.push((method, path));
        self
    }

    /// Every route with its method, in the order of registration.
    pub fn registered(&self) -> &[(Method, &'static str)] {
        &self.registered
    }

    pub fn into_router(self) -> Router {
        self.router.with_state(self.app)
    }
}
