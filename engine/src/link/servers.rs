//! Where the link may be opened: the servers that share the database, tried in turn.

use parking_lot::Mutex;

/// Never empty.
#[derive(Debug)]
pub(super) struct Servers {
    links: Mutex<Vec<String>>,
}

impl Servers {
    /// As the worker was launched with, parted by commas.
    pub(super) fn new(links: &str) -> Self {
        Servers { links: Mutex::new(links.split(',').map(str::to_owned).collect()) }
    }

    pub(super) fn current(&self) -> String {
        self.links.lock().first().cloned().unwrap_or_default()
    }

    pub(super) fn count(&self) -> usize {
        self.links.lock().len()
    }

    /// The current one cannot be reached: it comes last now.
    pub(super) fn next(&self) {
        self.links.lock().rotate_left(1);
    }

    /// Those that are there now. The one in use stays first, and stays even if it is not named any more: it answers.
    pub(super) fn known(&self, links: Vec<String>) {
        let mut held = self.links.lock();
        let in_use = held.first().cloned();
        let others = links.into_iter().filter(|link| Some(link) != in_use.as_ref());
        *held = in_use.iter().cloned().chain(others).collect();
    }

    /// The run is taken care of there.
    pub(super) fn go_to(&self, link: String) {
        let mut held = self.links.lock();
        held.retain(|known| *known != link);
        held.insert(0, link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_tried_in_turn() {
        let servers = Servers::new("a");
        servers.next();
        assert_eq!(servers.current(), "a");
        assert_eq!(Servers::new("a,b").count(), 2);
        servers.known(vec!["b".into(), "a".into(), "c".into()]);
        let mut tried = Vec::new();
        for _ in 0..4 {
            tried.push(servers.current());
            servers.next();
        }
        assert_eq!(tried, ["a", "b", "c", "a"]);
    }

    #[test]
    fn what_a_server_says_of_the_keeper_comes_first_and_nothing_is_forgotten() {
        let servers = Servers::new("a");
        servers.known(vec!["a".into(), "b".into()]);
        servers.go_to("c".into());
        assert_eq!((servers.current().as_str(), servers.count()), ("c", 3));
        servers.go_to("b".into());
        assert_eq!((servers.current().as_str(), servers.count()), ("b", 3));
    }
}
