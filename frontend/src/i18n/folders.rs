//! The jobs of the editor's side and their folders.

super::texts! {
    jobs = "Jobs";
    unseen(count) = "{count} more are not listed here. The page Jobs finds them.";
    no_jobs = "No jobs yet. Save the scratch as a job.";
    folder = "Folder";
    folder_help = "Levels are written with / between: billing/daily. An empty folder is the root.";
    move_job(name) = "Move {name} to a folder";
    move_tip = "Move to folder… (F2)";
    rename_folder(path) = "Rename the folder {path}";
    rename_tip = "Rename folder… (F2)";
    rename_body = "All jobs in the folder and below move along.";
    move_do = "Move";
    rename_do = "Rename";
    moved(name, folder) = "{name} lies in {folder} now";
    moved_to_root(name) = "{name} lies in no folder now";
    renamed(from, to) = "The folder {from} is {to} now";
    some_stayed = "Some jobs stayed where they are";
    stayed(count, why) = "{count} could not be moved. The first: {why}";
    one_job = "job";
    many_jobs = "jobs";
    opens(name) = "{name}: opens its SQL. F2 moves it to a folder.";
    folder_tip(path) = "{path}: F2 renames the folder.";
}
