-- Lists of a user's channels with exact totals, timelines that outlive retention, nonces of signed calls.

alter table participations add column closed_position integer;  -- the entry that deleted the channel
drop index participations_of_user;
create index participations_of_user on participations (user_key, channel_key)
  where status is not null and closed_position is null;
create index participations_closed on participations (user_key, closed_position) where closed_position is not null;
create index participations_closing on participations (channel_key, user_key)
  where status is not null and closed_position is null;

alter table channels add column closing integer not null default 0;  -- 1 while a deleted channel's members are told apart
alter table channels add column last_position integer not null default 0;  -- its newest entry: a replay passes over what is older
update channels set last_position = (select coalesce(max(position), 0) from entries);
create index channels_closing on channels (channel_key) where closing = 1;
create index channels_living on channels (channel_key) where deleted_position is null;
create index channels_listed on channels (channel_key) where deleted_position is null and system_channel = 0;
insert into counters (name, value) values ('system-channels', 0);

-- How many channels a user is in, by ruleset; those of deleted channels are taken off as their members are closed.
create table memberships (
  user_key integer not null,
  ruleset text not null,
  count integer not null,
  primary key (user_key, ruleset)
) strict, without rowid;

alter table entries add column event_id text;      -- of timeline entries
-- Ids that callers gave to events which came with a new channel or message: never given again.
create table created_events (
  event_id text primary key
) strict, without rowid;

create unique index entries_event_id on entries (event_id) where event_id is not null;
create index entries_of_message on entries (message_position, position) where kind = 'message-timeline';
create index entries_of_channel_timeline on entries (channel_key, position) where kind = 'channel-timeline';

create table nonces (
  nonce text primary key,
  at integer not null
) strict, without rowid;
create index nonces_by_age on nonces (at);
