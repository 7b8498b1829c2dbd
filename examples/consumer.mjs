// Follows all channels of a user, and goes on after a restart where it was:
//
//   TOKEN=$(npm run -s token -- alice) node examples/consumer.mjs
//
// Prints each message as a line of JSON. Its cursor is kept in a file, written after the event has been dealt with: what was
// under way when the process was killed comes again. Whoever must do each thing once keeps both in one transaction.
import { subscribe } from '../clients/browser/client.js'
import { readCursor, writeCursor } from './cursor.mjs'

const { API = 'http://127.0.0.1:11902', TOKEN, CURSOR_FILE = 'consumer.cursor' } = process.env

subscribe({
  url: API,
  token: TOKEN,
  after: readCursor(CURSOR_FILE) ?? 'earliest',
  onEvent ({ type, id, data }) {
    if (type === 'message') console.log(JSON.stringify(data))
    if (type === 'gap') console.error('some events can no longer be had: read the channels by GET')
    writeCursor(CURSOR_FILE, id)
  },
  onState (state, error) {
    console.error(state, error?.message ?? '')
    if (state === 'closed') process.exitCode = 1
  }
})
