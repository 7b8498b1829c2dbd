-- Access control lists: of channels and messages as they are now, in rows that are read anyway; what they were, by position;
-- and where messages are found that are for some only.

alter table channels add column acls text;             -- json: its own lists; null: none
alter table channels add column acls_position integer; -- the entry that gave it these lists; null: it never had any
alter table channels add column listed_counts text;    -- json: routed messages that are there, by class of readers; null: no message ever had lists
alter table channels add column muted_count integer not null default 0;
alter table channels add column pending_count integer not null default 0;
alter table channels add column disabled_count integer not null default 0;
update channels set
  muted_count = (select count(*) from participations p where p.channel_key = channels.channel_key and p.status = 'muted'),
  pending_count = (select count(*) from participations p where p.channel_key = channels.channel_key and p.status = 'pending'),
  disabled_count = (select count(*) from participations p where p.channel_key = channels.channel_key and p.status = 'disabled');

alter table entries add column acls text;              -- json: of messages their own lists as they are now, of changes of lists those before and after
alter table entries add column acls_position integer;  -- of messages: the entry that gave it these lists, if not its own

create table channel_acls (
  channel_key integer not null,
  from_position integer not null,        -- the entry from which on they are in force
  acls text,                             -- json; null: none
  primary key (channel_key, from_position)
) strict, without rowid;
create table message_acls (
  message_position integer not null,
  from_position integer not null,
  acls text,
  primary key (message_position, from_position)
) strict, without rowid;

-- Lane 4: a message that is there and names its readers. Here it is found by them.
create table audiences (
  channel_key integer not null,
  class integer not null,                -- 0 a user whom a message names, 1 to 6 a class of readers, 7 a user whom a message names: of what is about it
  user_key integer not null,             -- 0 for a class
  position integer not null,
  primary key (channel_key, class, user_key, position)
) strict, without rowid;
create index audiences_of_user on audiences (user_key, position) where user_key > 0;
create index audiences_at on audiences (position);
-- Channels whose messages have named a user.
create table named_channels (
  user_key integer not null,
  channel_key integer not null,
  primary key (user_key, channel_key)
) strict, without rowid;
create index named_channels_of on named_channels (channel_key);

create index entries_truncations on entries (channel_key, position) where kind = 'messages-truncated';
create index entries_acls on entries (channel_key, position) where kind = 'channel-acls-changed';
create index entries_acls_by_position on entries (position) where kind = 'channel-acls-changed';
create index intervals_of_user_ended on intervals (user_key, until_position) where until_position is not null;

create index entries_listed on entries (channel_key, position) where kind = 'message' and acls is not null;
