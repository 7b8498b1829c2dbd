/** How SQLite spells what databases spell in their own ways. */
import type { Dialect } from '../sql/dialect.ts'

export const sqliteDialect: Dialect = {
  greatest: (one, other) => `max(${one}, ${other})`,
  least: (one, other) => `min(${one}, ${other})`,
  member: (json, name) => `${json} -> '$.${name}'`,
  numberIn: (json, name) => `${json} ->> '$.${name}'`,
  elements: json => `json_each(${json})`,
  userIdsIn: lists => `(select value ->> '$.selector.userId' as value from json_each(${lists}, '$.plus')
    union all select value ->> '$.selector.userId' as value from json_each(${lists}, '$.minus'))`,
  arrayOf: value => `json_group_array(${value})`,
  screenName: 'u.profile -> \'$.screenName\''
}
