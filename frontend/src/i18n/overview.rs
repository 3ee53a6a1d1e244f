//! The overview.

super::texts! {
    title = "Overview";
    counts(jobs, tables) = "{jobs}, {tables}";
    key_figures = "Key figures";
    records_in = "records in, per second";
    records_out = "records out, per second";
    latest = "Lag";
    latest_note = "most late first";
    all_jobs = "All jobs";
    events = "Recent events";
    no_events = "Nothing happened yet";
    no_events_body = "Starts, stops, failures and savepoints of this team's jobs will stand here.";
    no_running = "No job runs";
    no_running_body = "Lag is measured while a job runs. Start one, and it stands here.";
    new_job = "New job";
    job = "Job";
    state = "State";
    lag = "Lag";
    behind = "Records behind";
    throughput = "In, records/s";
    trend = "Trend";
    watermark = "Complete up to";
    no_watermark = "No source of the job has an event time, or nothing was read yet.";
    begin_title(team) = "Nothing flows in {team} yet";
    begin_body = "Four steps to the first running job. Leave at any time; what you did is kept.";
    step_connect = "Connect a system";
    step_connect_body = "A Kafka cluster, by its addresses. The demo broker is there already when none is configured.";
    step_connect_done(count) = "{count} there.";
    step_table = "Describe a table";
    step_table_body = "Name a topic; its schema, format and event time are fetched and shown for you to check.";
    step_table_done(count) = "{count} described.";
    step_sql = "Write SQL over it";
    step_sql_body = "The editor checks while you type and previews on real input; nothing is written.";
    step_start = "Start it as a job";
    step_start_body = "From then on this page shows its state, its throughput and its lag.";
    begin = "Begin";
    open_editor = "Open editor";
    done = "done";
    learn = "Good to know";
    learn_generator = "A table of the connector datagen or nexmark makes its own rows: no broker and no topic are needed to try SQL on something that moves.";
    learn_keys_before = "Press";
    learn_keys_after = "anywhere for the keys.";
}
