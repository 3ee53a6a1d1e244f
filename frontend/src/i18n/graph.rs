//! The graph of a job.

super::texts! {
    label(count) = "Graph, {count}";
    operator = "operator";
    operators = "operators";
    busy(share) = "busy {share} %";
    rate(rate) = "{rate}/s";
    zoom_in = "Zoom in";
    zoom_out = "Zoom out";
    fit = "Fit";
    as_list = "Show as list";
    as_graph = "Show as graph";
    flowing = "line: flowing";
    blocked = "blocked";
    width = "line width: records/s";
    bar = "node bar: busy";
    to = "to";
    column_operator = "Operator";
    column_name = "Name";
    column_rate = "Records/s";
    column_busy = "Busy";
    column_blocked = "Blocked";
    column_parallelism = "Tasks";
    column_to = "Goes to";
    ends = "nowhere: it ends here";
    collapsed(count) = "A graph of {count} is shown as a list.";
}
