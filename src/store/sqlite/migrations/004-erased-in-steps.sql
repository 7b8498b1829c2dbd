-- Lane 3: a message whose content is gone, while its edits, and events that retention has passed, are still to go.
create index entries_erased on entries (position) where lane = 3;
