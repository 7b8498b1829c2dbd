/** How PostgreSQL spells what databases spell in their own ways. JSON is text there, too: what users have written is in none that is looked into. */
import type { Dialect } from '../sql/dialect.ts'

export const postgresDialect: Dialect = {
  greatest: (one, other) => `greatest(cast(${one} as bigint), cast(${other} as bigint))`,
  least: (one, other) => `least(${one}, ${other})`,
  member: (json, name) => `(cast(${json} as json) -> '${name}')::text`,
  numberIn: (json, name) => `cast(cast(${json} as json) ->> '${name}' as bigint)`,
  elements: json => `json_array_elements_text(cast(cast(${json} as text) as json))`,
  userIdsIn: lists => `(select element -> 'selector' ->> 'userId' as value from json_array_elements(cast(${lists} as json) -> 'plus') element
    union all select element -> 'selector' ->> 'userId' from json_array_elements(cast(${lists} as json) -> 'minus') element)`,
  arrayOf: value => `json_agg(${value})::text`,
  screenName: 'u.screen_name'
}

/**
 * A member `p`, of a channel `c` and a user `u` that are named: each is looked for by itself. Where most channels have few members the
 * planner would look at all of a channel's instead.
 */
export const memberNamed = (userId: string, channelId: string): string => `cross join lateral (select * from users where user_id = ${userId} limit 1) u
  cross join lateral (select * from channels where channel_id = ${channelId} and deleted_position is null limit 1) c
  cross join lateral (select * from participations where channel_key = c.channel_key and user_key = u.user_key limit 1) p`

/** A text with expressions in the place of its parameters. */
export function filled (text: string, expressions: readonly string[]): string {
  let next = 0
  return text.replaceAll('?', () => expressions[next++]!)
}

/** Texts with PostgreSQL's own signs for parameters. */
export function numbered<Texts extends Record<string, string>> (texts: Texts): Texts {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => {
    let last = 0
    return [name, text.replaceAll('?', () => `$${++last}`)]
  })) as Texts
}
