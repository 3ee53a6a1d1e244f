//! Room for recursion over syntax trees.

/// Above what [`super::parser::MAX_HEIGHT`] levels of the deepest walk need in an unoptimised build, many times over.
const STACK: usize = 64 << 20;

/// Runs `work` on a thread with a large stack. `None` when the thread cannot be had or `work` panics.
pub(super) fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("sql".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}
