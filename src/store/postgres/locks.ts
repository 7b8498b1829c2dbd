/**
 * Advisory locks of the database: held while the schema is made, while a batch is under way, while background work is done, and
 * while an embedded store is copied into it. Any numbers of our own.
 */
export const locks = { schema: 7_265_001, batch: 7_265_002, upkeep: 7_265_003, copy: 7_265_004 }
