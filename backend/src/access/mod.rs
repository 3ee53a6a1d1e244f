//! Who is calling, what they may do, and what is kept of it.

pub mod policy;

pub mod identity;
pub mod limit;
pub mod password;
pub mod sight;
pub mod sign_on;
pub mod token;

pub mod audit;
pub mod secret;
