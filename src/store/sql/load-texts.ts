/** What commands look up, by the keys that core/source.ts has. */
import type { LogState, NonceRecord } from '../core/records.ts'
import { channelColumns, memberColumns, tokenColumns, userColumns, type ChannelRow, type MemberRow, type TokenRow, type UserRow } from './columns.ts'
import { yields, type Dialect } from './dialect.ts'
import { remainsSql } from './due-texts.ts'
import { entryColumns, entryJoins, messageColumns, metaSql, type EntryRow, type MessageRow } from './log-columns.ts'
import type { Flag } from './rows.ts'

/** What is kept under a key (lookup.ts says what finds it). */
export interface ReplyRow {
  actor: string
  key: string
  fingerprint: string
  at: number
  outcome: string
}

export const loadTexts = (dialect: Dialect) => ({
  meta: metaSql,
  head: yields<Pick<LogState, 'position' | 'tag' | 'at'>>('select position, tag, at from entries where position > 0 order by position desc limit 1'),
  user: yields<UserRow>(`select ${userColumns} from users where user_id = ?`),
  token: yields<TokenRow>(`select ${tokenColumns} from tokens t where t.token_id = ?`),
  living: yields<ChannelRow>(`select ${channelColumns} from channels c where c.channel_id = ? and c.deleted_position is null`),
  channel: yields<ChannelRow>(`select ${channelColumns} from channels c where c.channel_key = ?`),
  member: yields<MemberRow>(`select ${memberColumns} from participations p join users u on u.user_key = p.user_key
    where p.channel_key = ? and p.user_key = ?`),
  message: yields<MessageRow>(`select ${messageColumns} from entries e left join users sender on sender.user_key = e.sender_key
    where e.message_id = ? and e.kind = 'message'`),
  event: yields<{ event_id: string, entry: Flag }>(`select event_id, 1 as entry from entries where event_id = ?
    union all select event_id, 0 from created_events where event_id = ?`),
  nonce: yields<NonceRecord>('select nonce, at from nonces where nonce = ?'),
  application: yields<{ value: string }>('select value from meta where name = \'application_acls\''),
  reply: yields<ReplyRow>('select actor, key, fingerprint, at, outcome from replies where lookup = ? and actor = ? and key = ?'),
  longestActive: yields<MemberRow>(`select ${memberColumns} from participations p join users u on u.user_key = p.user_key
    where p.channel_key = ? and p.active_position is not null order by p.active_position, p.user_key limit ?`),
  content: yields<{ body: string | null }>('select body from entries where position = ?'),
  view: yields<EntryRow>(`select ${entryColumns(dialect)} from entries e ${entryJoins} where e.position = ?`),
  ...remainsSql
})
