-- The log, and the state that it makes. One row of `entries` is the log's entry and the message in one:
-- a message's text is stored once.

create table meta (
  name text primary key,
  value text not null
) strict, without rowid;

create table users (
  user_key integer primary key autoincrement,
  user_id text not null unique,          -- never given again, so a deleted user's row stays
  profile text not null,                 -- json: screenName, userLocators, systemUser
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer,
  leaving integer not null default 0     -- 1 while a deleted user still has channels to leave
) strict;
create index users_leaving on users (user_key) where leaving = 1;
create index users_living on users (user_key) where deleted_at is null;

create table tokens (
  token_id text primary key,
  user_key integer not null,
  parent_id text,                        -- the token that asked for this one
  created_at integer not null,
  expires_at integer,
  revoked_at integer
) strict, without rowid;
create index tokens_of_user on tokens (user_key, created_at);
create index tokens_expiring on tokens (expires_at) where expires_at is not null;

create table channels (
  channel_key integer primary key autoincrement,  -- never given again: a re-created channel is another
  channel_id text not null,
  shard integer not null,
  ruleset text not null,
  group_type text not null,
  system_channel integer not null,
  timeline_events text not null,         -- json array, as given at creation
  created_at integer not null,
  updated_at integer not null,
  created_position integer not null,
  deleted_position integer,
  truncated_position integer not null default 0,  -- messages up to here are deleted
  erasing integer not null default 0,    -- 1 while deleted messages still have rows with content
  admin_vacant integer not null default 0,        -- 1: the first to become active becomes admin
  member_count integer not null default 0,
  receiving_count integer not null default 0,
  active_admin_count integer not null default 0,
  message_count integer not null default 0
) strict;
create unique index channels_by_id on channels (channel_id) where deleted_position is null;
create index channels_erasing on channels (channel_key) where erasing = 1;
create index channels_deleted on channels (deleted_position) where deleted_position is not null;

create table participations (
  channel_key integer not null,
  user_key integer not null,
  participation_id text not null,
  status text,                           -- null: has left, and the row remembers what was held
  held text not null,                    -- none, muted, disabled: what survives leaving
  admin integer not null,
  joined_at integer not null,
  since_position integer not null,       -- the entry that made it a member
  active_position integer,               -- the entry since which it is active
  created_at integer not null,
  updated_at integer not null,
  primary key (channel_key, user_key)
) strict, without rowid;
create index participations_of_user on participations (user_key, channel_key) where status is not null;
create index participations_by_age on participations (channel_key, status, since_position) where status is not null;
create index participations_by_activity on participations (channel_key, active_position) where active_position is not null;

-- From which entry to which (exclusive; null: still) a user may receive a channel.
create table entitlements (
  user_key integer not null,
  channel_key integer not null,
  from_position integer not null,
  until_position integer,
  primary key (user_key, channel_key, from_position)
) strict, without rowid;
create index entitlements_ended on entitlements (until_position) where until_position is not null;

create table entries (
  position integer primary key,          -- commit order, without holes
  tag integer not null,                  -- random: tells this history from a restored one's
  at integer not null,                   -- milliseconds since the epoch, never falling
  kind text not null,
  lane integer not null,                 -- 0 a message that is there, 1 any other event, 2 nothing to deliver
  shard integer not null,
  channel_key integer,
  sender_key integer,                    -- of messages and edits
  about_key integer,                     -- whom a participation entry concerns
  message_id text,
  message_position integer,              -- of edits: the message's own entry
  edit_position integer,                 -- of messages: the newest edit; of edits: the one before
  body text                              -- json; null where the content is gone
) strict;
create index entries_of_channel on entries (channel_key, lane, position) where channel_key is not null;
create index entries_about_user on entries (about_key, position) where about_key is not null;
create unique index entries_message_id on entries (message_id) where kind = 'message';

create table idempotency (
  actor text not null,
  key text not null,
  fingerprint text not null,
  outcome text not null,                 -- json without any content of messages
  at integer not null,
  primary key (actor, key)
) strict, without rowid;
create index idempotency_by_age on idempotency (at);

create table counters (
  name text primary key,
  value integer not null
) strict, without rowid;

insert into counters (name, value) values ('users', 0), ('channels', 0);
insert into users (user_key, user_id, profile, created_at, updated_at) values (0, '.system', '{}', 0, 0);
