import { campaignSuite } from './campaign-suite.ts'

campaignSuite({ messages: 10_000, paceMs: 30, kills: 20, hardness: { calmMs: 1_500, pauseMs: 5_000, closedMs: 2_000 }, limitMs: 600_000, disturbed: true })
