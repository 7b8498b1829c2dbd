-- Intervals of a member's status and role, in the place of those in which it received; counts made anew;
-- what a channel was created with out of the row that every command reads.

-- What is left of the log tells how standings changed; what it does not tell any more, because retention
-- has passed it, no replay asks for either.
create temp table standing_changes as
  select e.about_key as user_key, e.channel_key, e.position,
    json_extract(e.body, '$.relayStatus') as status,
    coalesce(json_extract(e.body, '$.roles[0]') = 'admin', 0) as admin,
    json_extract(e.body, '$.oldStatus') as old_status,
    lead(e.position) over (partition by e.about_key, e.channel_key order by e.position) as next_position,
    row_number() over (partition by e.about_key, e.channel_key order by e.position) as nth
  from entries e join channels c on c.channel_key = e.channel_key
  where e.kind in ('participation', 'participation-deleted') and e.about_key is not null;
create index temp.standing_changes_of on standing_changes (user_key, channel_key);

create table intervals (
  user_key integer not null,
  channel_key integer not null,
  from_position integer not null,        -- the entry that gave this standing
  until_position integer,                -- the entry that gave another, or none; null: in force
  status text not null,
  admin integer not null,
  primary key (user_key, channel_key, from_position)
) strict, without rowid;

insert into intervals (user_key, channel_key, from_position, until_position, status, admin)
  select user_key, channel_key, position, next_position, status, admin
  from standing_changes where status is not null;

-- The standing before the first change that the log still tells of.
insert or ignore into intervals (user_key, channel_key, from_position, until_position, status, admin)
  select s.user_key, s.channel_key,
    coalesce((select max(e.from_position) from entitlements e
      where e.user_key = s.user_key and e.channel_key = s.channel_key and e.from_position < s.position
        and (e.until_position is null or e.until_position >= s.position)), c.created_position),
    s.position,
    case
      when s.old_status = 'Active' then 'active'
      when s.old_status = 'ReadOnly' then 'muted'
      when s.old_status is null and exists (select 1 from entitlements e
        where e.user_key = s.user_key and e.channel_key = s.channel_key and e.until_position = s.position) then 'active'
      else 'pending'
    end,
    0
  from standing_changes s join channels c on c.channel_key = s.channel_key
  where s.nth = 1 and (s.old_status is not null or s.status is null) and c.created_position < s.position;

-- Who is a member without any change that the log still tells of.
insert into intervals (user_key, channel_key, from_position, status, admin)
  select p.user_key, p.channel_key,
    coalesce((select max(e.from_position) from entitlements e
      where e.user_key = p.user_key and e.channel_key = p.channel_key and e.until_position is null), p.since_position),
    p.status, p.admin
  from participations p
  where p.status is not null and not exists (select 1 from standing_changes s
    where s.user_key = p.user_key and s.channel_key = p.channel_key);

create index intervals_ended on intervals (until_position) where until_position is not null;
drop table entitlements;
drop table temp.standing_changes;

-- What a channel was created with: read where a channel is shown, not with every command.
create table channel_creations (
  channel_key integer primary key,
  events text not null,                  -- json array, as given
  subjects text                          -- json array of user keys whom they are about; null: nobody
) strict;
insert into channel_creations (channel_key, events, subjects)
  select c.channel_key, c.timeline_events,
    (select json_group_array(distinct u.user_key) from json_each(c.timeline_events) t
      join users u on u.user_id = json_extract(t.value, '$.subject.identifier') where u.user_key > 0)
  from channels c where c.timeline_events <> '[]';
update channel_creations set subjects = null where subjects = '[]';
alter table channels drop column timeline_events;
alter table channels drop column shard;
alter table channels drop column member_count;

alter table entries drop column shard;
alter table entries add column timeline_type text;  -- of timeline entries
alter table entries add column subjects text;    -- json array of user keys whom events in the body are about, the sender apart
alter table entries add column members text;     -- of channel entries: json array of who is in it
update entries set timeline_type = json_extract(body, '$.type') where event_id is not null;
update entries set subjects =
  (select json_group_array(distinct u.user_key) from json_each(entries.body, '$.timelineEvents') t
    join users u on u.user_id = json_extract(t.value, '$.subject.identifier')
    where u.user_key > 0 and u.user_key is not entries.sender_key)
  where kind in ('message', 'message-updated', 'channel') and body is not null;
update entries set subjects = null where subjects = '[]';

create index entries_about_user_in on entries (about_key, channel_key, position) where about_key is not null;
drop index if exists entries_of_message;
drop index if exists entries_of_channel_timeline;
create index entries_edits on entries (message_position) where kind = 'message-updated';
create index entries_of_message on entries (message_position, position) where kind = 'message-timeline';
create index entries_of_message_by_type on entries (message_position, timeline_type, position) where kind = 'message-timeline';
create index entries_of_timeline on entries (channel_key, position) where kind = 'channel-timeline';
create index entries_of_timeline_by_type on entries (channel_key, timeline_type, position) where kind = 'channel-timeline';

-- Ids of events that came with a channel or a message of the first version, which did not keep them. A SentTime
-- with a UUID is mostly the service's own: those are not worth a row for each message.
create table if not exists created_events (
  event_id text primary key
) strict, without rowid;
insert or ignore into created_events (event_id)
  select json_extract(t.value, '$.eventId') from channel_creations c, json_each(c.events) t
  where json_extract(t.value, '$.eventId') is not null;
insert or ignore into created_events (event_id)
  select json_extract(t.value, '$.eventId') from entries e, json_each(e.body, '$.timelineEvents') t
  where e.kind = 'message' and e.body is not null and json_extract(t.value, '$.eventId') is not null
    and not (json_extract(t.value, '$.type') = 'mitter.mtet.SentTime'
      and json_extract(t.value, '$.eventId') glob '????????-????-4???-????-????????????');

-- The first version took anybody's word for it.
update channels set system_channel = (ruleset = 'io.mitter.ruleset.chats.SystemChannel');

-- Repeats are answered from ids and standings; no screen name is kept for them.
update idempotency set outcome = json_object('type', 'participation',
    'channelId', json_extract(outcome, '$.outcome.participation.channelId.identifier'),
    'userId', json_extract(outcome, '$.outcome.participation.participantId.identifier'),
    'participation', json_object(
      'participationId', json_extract(outcome, '$.outcome.participation.channelParticipationId'),
      'status', json_extract(outcome, '$.outcome.participation.relayStatus'),
      'admin', json(iif(json_array_length(outcome, '$.outcome.participation.roles') > 0, 'true', 'false')),
      'joinedAt', json_extract(outcome, '$.outcome.participation.joinedAt'),
      'createdAt', json_extract(outcome, '$.outcome.participation.audit.createdAt'),
      'updatedAt', json_extract(outcome, '$.outcome.participation.audit.updatedAt')))
  where json_extract(outcome, '$.outcome.participation.participantId.identifier') is not null;
update idempotency set outcome = json_object('type', 'change',
    'channelId', json_extract(outcome, '$.outcome.after.channelId.identifier'),
    'userId', json_extract(outcome, '$.outcome.after.participantId.identifier'),
    'before', json_object(
      'participationId', json_extract(outcome, '$.outcome.before.channelParticipationId'),
      'status', json_extract(outcome, '$.outcome.before.relayStatus'),
      'admin', json(iif(json_array_length(outcome, '$.outcome.before.roles') > 0, 'true', 'false')),
      'joinedAt', json_extract(outcome, '$.outcome.before.joinedAt'),
      'createdAt', json_extract(outcome, '$.outcome.before.audit.createdAt'),
      'updatedAt', json_extract(outcome, '$.outcome.before.audit.updatedAt')),
    'after', json_object(
      'participationId', json_extract(outcome, '$.outcome.after.channelParticipationId'),
      'status', json_extract(outcome, '$.outcome.after.relayStatus'),
      'admin', json(iif(json_array_length(outcome, '$.outcome.after.roles') > 0, 'true', 'false')),
      'joinedAt', json_extract(outcome, '$.outcome.after.joinedAt'),
      'createdAt', json_extract(outcome, '$.outcome.after.audit.createdAt'),
      'updatedAt', json_extract(outcome, '$.outcome.after.audit.updatedAt')))
  where json_extract(outcome, '$.outcome.after.participantId.identifier') is not null;

-- Members of deleted channels who have not been told apart yet, which the first version did for nobody.
update participations set closed_position = (select c.deleted_position from channels c where c.channel_key = participations.channel_key)
  where status is not null and closed_position is null
    and exists (select 1 from channels c where c.channel_key = participations.channel_key and c.deleted_position is not null);
update channels set closing = 0 where closing = 1;

-- Every kept count, made from the rows that it counts.
update counters set value = (select count(*) from users where deleted_at is null and user_key > 0) where name = 'users';
update counters set value = (select count(*) from channels where deleted_position is null) where name = 'channels';
update counters set value = (select count(*) from channels where deleted_position is null and system_channel = 1) where name = 'system-channels';
delete from memberships;
insert into memberships (user_key, ruleset, count)
  select p.user_key, c.ruleset, count(*) from participations p join channels c on c.channel_key = p.channel_key
  where p.status is not null and p.closed_position is null group by p.user_key, c.ruleset;
update channels set
  receiving_count = (select count(*) from participations p where p.channel_key = channels.channel_key and p.status in ('active', 'muted')),
  active_admin_count = (select count(*) from participations p where p.channel_key = channels.channel_key and p.status = 'active' and p.admin = 1),
  message_count = (select count(*) from entries e where e.channel_key = channels.channel_key and e.lane = 0 and e.position > channels.truncated_position);

-- A user's good tokens in the order of their list.
drop index if exists tokens_of_user;
create index tokens_living on tokens (user_key, created_at, token_id) where revoked_at is null;

-- Keys are allotted by what decides, not by the database.
insert into meta (name, value) values
  ('last_user_key', (select max(0, coalesce((select seq from sqlite_sequence where name = 'users'), 0), coalesce((select max(user_key) from users), 0)))),
  ('last_channel_key', (select max(0, coalesce((select seq from sqlite_sequence where name = 'channels'), 0), coalesce((select max(channel_key) from channels), 0))));
