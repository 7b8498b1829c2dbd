// A bot that answers "!time" with the time, in every channel that it is in:
//
//   TOKEN=$(npm run -s token -- time-bot) node examples/bot.mjs
//
// Each answer has a key that follows from the question, so a bot that was killed in between, and gets the question again,
// does not answer twice.
import { send, subscribe } from '../clients/browser/client.js'
import { readCursor, writeCursor } from './cursor.mjs'

const { API = 'http://127.0.0.1:11902', TOKEN, CURSOR_FILE = 'bot.cursor' } = process.env
const calling = { url: API, token: TOKEN }

async function answer ({ channel, id, text }) {
  if (text.trim() !== '!time') return
  try {
    await send({ ...calling, channelId: channel, message: `It is ${new Date().toISOString()}`, idempotencyKey: `time-bot-${id}` })
  } catch (error) {
    // It has answered before, at another time; else it is muted, say, or was removed.
    if (error.code !== 'idempotency_mismatch') console.error(`no answer in ${channel}: ${error.message}`)
  }
}

const subscription = subscribe({
  ...calling,
  after: readCursor(CURSOR_FILE), // at first it answers what is asked from now on
  async onEvent ({ type, id, data }) {
    if (type === 'message') await answer(data)
    writeCursor(CURSOR_FILE, id)
  },
  onState (state, error) {
    console.error(state, error?.message ?? '')
    if (state === 'live') writeCursor(CURSOR_FILE, subscription.cursor) // what is asked from here on it answers, though it be killed before anything comes
    if (state === 'closed') process.exitCode = 1
  }
})
