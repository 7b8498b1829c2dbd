-- What requests under keys came to, one behind the other as they were made, and not each at a place of its own among
-- all: a batch writes a page or two of it. What finds one of them is small.

create table replies (
  reply_id integer primary key,
  lookup integer,                        -- of actor and key (replies.ts); null: to be filled in at the start
  actor text not null,
  key text not null,
  fingerprint text not null,
  outcome text not null,                 -- json without any content of messages
  at integer not null
) strict;
insert into replies (actor, key, fingerprint, outcome, at)
  select actor, key, fingerprint, outcome, at from idempotency order by at;
drop table idempotency;
create index replies_by_lookup on replies (lookup);
create index replies_by_age on replies (at);
