import { campaignSuite } from './campaign-suite.ts'

campaignSuite({ messages: 400, paceMs: 20, kills: 2, hardness: { calmMs: 300, pauseMs: 1_500, closedMs: 500 }, limitMs: 120_000, disturbed: false })
