//! Savepoints that are taken by themselves, and until when they are of use.

super::texts! {
    schedule = "Savepoints by schedule";
    schedule_note = "While the job runs, it takes a savepoint at these times. Older ones of the schedule are removed; those taken by hand stay.";
    enabled = "Takes savepoints by itself";
    keep = "Savepoints to keep";
    keep_help = "Of those that the schedule took. One that the running job was restored from stays in any case.";
    saved = "The schedule of savepoints is saved";
    removed = "The schedule of savepoints is removed";
    remove = "Remove this schedule";
    by_schedule = "by schedule";

    restorable = "Restorable";
    until(time) = "Restorable until {time}";
    overdue(topic) = "Past the retention of topic {topic}: its records go with the next clean-up of the broker";
    records_gone(count, records, topic) = "No longer restorable: {count} {records} of topic {topic} are gone";
    one_gone(topic) = "No longer restorable: 1 record of topic {topic} is gone";
    records = "records";
    gone(reason) = "No longer restorable: {reason}";
    no_limit(reason) = "No limit known: {reason}";
    unknown(reason) = "Cannot be told: {reason}";
    asking = "Looking at the sources…";
    not_asked = "Older checkpoints are not looked at";
}
