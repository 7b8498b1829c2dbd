/** Advisory locks of the database: held while the schema is made, while a batch is under way, and while background work is done. Any numbers of our own. */
export const locks = { schema: 7_265_001, batch: 7_265_002, upkeep: 7_265_003 }
