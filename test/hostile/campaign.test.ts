import { campaign } from './campaign-suite.ts'

campaign({ scale: { channels: 4, messages: 20, others: 20 }, connections: 10, ahead: 5, sends: 5, turnMs: 100 })
