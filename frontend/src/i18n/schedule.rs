//! The schedule of a batch job.

super::texts! {
    title = "Schedule";
    is_stream = "A stream has no schedule";
    is_stream_body = "It runs until somebody stops it. A batch job comes to an end by itself, since all its sources do, and can start by a schedule.";
    make_batch = "Make it a batch job";
    enabled = "Starts by itself";
    cron = "Times";
    cron_help = "As cron writes them: minute, hour, day of month, month, day of week. */15 is every fifteenth, 1-5 is Monday to Friday.";
    zone = "Time zone";
    zone_help = "Such as Europe/Berlin, Asia/Shanghai or UTC.";
    next_times = "Next times, in the time of this browser";
    catch_up = "Times that passed while no server was there";
    catch_up_skip = "are left out";
    catch_up_once = "the newest is made up for";
    catch_up_all = "all are made up for, one after the other";
    catch_up_most = "At most";
    retries = "Tries after a failure";
    retries_help = "Each reads its input from the beginning.";
    delay = "Minutes before each try";
    overlap = "A time that comes while the run before it is still going is skipped, unless all are made up for.";
    which_version = "The newest version is started; the draft is not.";
    saved = "The schedule is saved";
    removed = "The schedule is removed";
    remove = "Remove the schedule";
    history = "What became of its times";
    due = "Due";
    attempt = "Try";
    outcome = "Outcome";
    run = "Run";
    detail = "Why";
    waiting = "waits";
    started = "started";
    skipped = "skipped";
    missed = "missed";
    refused = "could not start";
    first = "first";
    retry(number) = "again, {number}";
}
