//! What each run setting means.

super::texts! {
    parallelism = "Tasks that work at once, 1 to 64.";
    memory = "The worker is stopped beyond this. A figure in MB or GB.";
    checkpoint = "How often state is saved, for example 10 s. At least 100 ms.";
    kept = "Checkpoints kept, 1 to 100.";
    ttl = "State not used for this long goes, for example 1 day. Or: for ever.";
    restarts = "Restarts before the job counts as failed, 0 to 1,000.";
    window = "Restarts are counted within this time, for example 10 min.";
}
