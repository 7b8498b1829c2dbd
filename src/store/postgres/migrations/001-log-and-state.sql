-- The log, and the state that it makes: the tables of the embedded store (../../sqlite/migrations), column by column, so that
-- statements and rows are the same (../../sql). One row of `entries` is the log's entry and the message in one: a message's
-- text is stored once. Flags are 0 and 1. JSON is text as it was made: nothing is looked for in what users have written, and
-- NUL, which no text of PostgreSQL can hold, is escaped in it. Ids are compared byte by byte, whatever the database's locale.

create table meta (
  name text collate "C" primary key,
  value text not null
) with (fillfactor = 20);

create table users (
  user_key bigint primary key,
  user_id text collate "C" not null unique, -- never given again, so a deleted user's row stays
  profile text not null,                 -- json: screenName, userLocators, systemUser
  screen_name text,                      -- json: of the profile
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint,
  leaving smallint not null default 0    -- 1 while a deleted user still has channels to leave
);
create index users_leaving on users (user_key) where leaving = 1;
create index users_living on users (user_key) where deleted_at is null;

create table tokens (
  token_id text collate "C" primary key,
  user_key bigint not null,
  parent_id text collate "C",            -- the token that asked for this one
  created_at bigint not null,
  expires_at bigint,
  revoked_at bigint
);
create index tokens_living on tokens (user_key, created_at, token_id) where revoked_at is null;
create index tokens_expiring on tokens (expires_at) where expires_at is not null;

-- A message changes its channel's row, and no column that an index is on: the row's next version is on the same page.
create table channels (
  channel_key bigint primary key,        -- never given again: a re-created channel is another
  channel_id text collate "C" not null,
  ruleset text collate "C" not null,
  group_type text collate "C" not null,
  system_channel smallint not null,
  created_at bigint not null,
  updated_at bigint not null,
  created_position bigint not null,
  deleted_position bigint,
  truncated_position bigint not null,    -- messages up to here are deleted
  last_position bigint not null,         -- its newest entry: a replay passes over what is older
  erasing smallint not null,             -- 1 while deleted messages still have rows with content
  closing smallint not null,             -- 1 while a deleted channel's members are told apart
  admin_vacant smallint not null,        -- 1: the first to become active becomes admin
  receiving_count bigint not null,
  muted_count bigint not null,
  pending_count bigint not null,
  disabled_count bigint not null,
  active_admin_count bigint not null,
  message_count bigint not null,
  listed_counts text,                    -- json: routed messages that are there, by class of readers; null: no message ever had lists
  acls text,                             -- json: its own lists; null: none
  acls_position bigint                   -- the entry that gave it these lists; null: it never had any
) with (fillfactor = 50);
create unique index channels_by_id on channels (channel_id) where deleted_position is null;
create index channels_erasing on channels (channel_key) where erasing = 1;
create index channels_closing on channels (channel_key) where closing = 1;
create index channels_deleted on channels (deleted_position) where deleted_position is not null;
create index channels_living on channels (channel_key) where deleted_position is null;
create index channels_listed on channels (channel_key) where deleted_position is null and system_channel = 0;

-- What a channel was created with: read where a channel is shown, not with every command.
create table channel_creations (
  channel_key bigint primary key,
  events text not null,                  -- json array, as given
  subjects text                          -- json array of user keys whom they are about; null: nobody
);

create table participations (
  channel_key bigint not null,
  user_key bigint not null,
  participation_id text collate "C" not null,
  status text collate "C",               -- null: has left, and the row remembers what was held
  held text collate "C" not null,        -- none, muted, disabled: what survives leaving
  admin smallint not null,
  joined_at bigint not null,
  since_position bigint not null,        -- the entry that made it a member
  active_position bigint,                -- the entry since which it is active
  closed_position bigint,                -- the entry that deleted the channel
  created_at bigint not null,
  updated_at bigint not null,
  primary key (channel_key, user_key)
);
create index participations_of_user on participations (user_key, channel_key) where status is not null and closed_position is null;
create index participations_closed on participations (user_key, closed_position) where closed_position is not null;
create index participations_closing on participations (channel_key, user_key) where status is not null and closed_position is null;
create index participations_by_age on participations (channel_key, status, since_position, user_key) where status is not null;
create index participations_by_activity on participations (channel_key, active_position, user_key) where active_position is not null;

-- From which entry to which (exclusive) a member had a status and a role.
create table intervals (
  user_key bigint not null,
  channel_key bigint not null,
  from_position bigint not null,         -- the entry that gave this standing
  until_position bigint,                 -- the entry that gave another, or none; null: in force
  status text collate "C" not null,
  admin smallint not null,
  primary key (user_key, channel_key, from_position)
);
create index intervals_ended on intervals (until_position) where until_position is not null;
create index intervals_of_user_ended on intervals (user_key, until_position) where until_position is not null;

-- How many channels a user is in, by ruleset; those of deleted channels are taken off as their members are closed.
create table memberships (
  user_key bigint not null,
  ruleset text collate "C" not null,
  count bigint not null,
  primary key (user_key, ruleset)
) with (fillfactor = 70);

create table entries (
  position bigint primary key,           -- commit order, without holes
  tag bigint not null,                   -- random: tells this history from a restored one's
  at bigint not null,                    -- milliseconds since the epoch
  kind text collate "C" not null,
  lane smallint not null,                -- where it is looked for (core/records.ts)
  channel_key bigint,
  sender_key bigint,                     -- of messages and edits; of timeline events whom they are about
  about_key bigint,                      -- whom a participation entry concerns
  message_id text collate "C",
  message_position bigint,               -- of what is about a message: the message's own entry
  edit_position bigint,                  -- of messages: the newest edit
  event_id text collate "C",             -- of timeline entries
  timeline_type text collate "C",        -- of timeline entries, as within JSON
  subjects text,                         -- json array of user keys whom events in the body are about, the sender apart
  members text,                          -- of channel entries: json array of who is in it
  acls text,                             -- json: of messages their own lists as they are now, of changes of lists those before and after
  acls_position bigint,                  -- of messages: the entry that gave it these lists, if not its own
  body text                              -- json; null where the content is gone
);
create index entries_of_channel on entries (channel_key, lane, position) where channel_key is not null;
create index entries_about_user on entries (about_key, position) where about_key is not null;
create index entries_about_user_in on entries (about_key, channel_key, position) where about_key is not null;
create unique index entries_message_id on entries (message_id) where kind = 'message';
create unique index entries_event_id on entries (event_id) where event_id is not null;
create index entries_erased on entries (position) where lane = 3;
create index entries_edits on entries (message_position, position) where kind = 'message-updated' and lane = 1;
create index entries_of_message on entries (message_position, position) where kind = 'message-timeline';
create index entries_of_message_by_type on entries (message_position, timeline_type, position) where kind = 'message-timeline';
create index entries_of_timeline on entries (channel_key, position) where kind = 'channel-timeline';
create index entries_of_timeline_by_type on entries (channel_key, timeline_type, position) where kind = 'channel-timeline';
create index entries_truncations on entries (channel_key, position) where kind = 'messages-truncated';
create index entries_acls on entries (channel_key, position) where kind = 'channel-acls-changed';
create index entries_acls_by_position on entries (position) where kind = 'channel-acls-changed';
create index entries_listed on entries (channel_key, position) where kind = 'message' and acls is not null;

-- Ids that callers gave to events which came with a new channel or message: never given again.
create table created_events (
  event_id text collate "C" primary key
);

-- Access control lists as they were, by the entry from which on they were in force.
create table channel_acls (
  channel_key bigint not null,
  from_position bigint not null,
  acls text,                             -- json; null: none
  primary key (channel_key, from_position)
);
create table message_acls (
  message_position bigint not null,
  from_position bigint not null,
  acls text,
  primary key (message_position, from_position)
);

-- Where messages that name their readers are found by them.
create table audiences (
  channel_key bigint not null,
  class smallint not null,               -- ../../sql/audience-classes.ts
  user_key bigint not null,              -- 0 for a class
  position bigint not null,
  primary key (channel_key, class, user_key, position)
);
create index audiences_of_user on audiences (user_key, position) where user_key > 0;
create index audiences_at on audiences (position);
-- Channels whose messages have named a user.
create table named_channels (
  user_key bigint not null,
  channel_key bigint not null,
  primary key (user_key, channel_key)
);
create index named_channels_of on named_channels (channel_key);

-- What requests under keys came to, one behind the other as they were made; what finds one of them is small.
create table replies (
  reply_id bigint generated always as identity primary key,
  lookup bigint not null,                -- of actor and key (../../sql/lookup.ts)
  actor text collate "C" not null,
  key text collate "C" not null,
  fingerprint text collate "C" not null,
  outcome text not null,                 -- json without any content of messages
  at bigint not null
);
create index replies_by_lookup on replies (lookup);
create index replies_by_age on replies (at);

create table nonces (
  nonce text collate "C" primary key,
  at bigint not null
);
create index nonces_by_age on nonces (at);

create table counters (
  name text collate "C" primary key,
  value bigint not null
) with (fillfactor = 20);
insert into counters (name, value) values ('users', 0), ('channels', 0), ('system-channels', 0);

insert into users (user_key, user_id, profile, created_at, updated_at) values (0, '.system', '{}', 0, 0);
insert into meta (name, value) values
  ('floor_position', '0'), ('floor_tag', '0'), ('removed_position', '0'), ('last_user_key', '0'), ('last_channel_key', '0');
