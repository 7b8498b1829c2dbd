-- Lane 3: a message whose content is gone, while edits of it, or events that retention has passed, are still to go.
create index entries_erased on entries (position) where lane = 3;
-- Edits that still have content.
drop index if exists entries_edits;
create index entries_edits on entries (message_position, position) where kind = 'message-updated' and lane = 1;
