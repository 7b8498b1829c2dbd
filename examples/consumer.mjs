// Follows all channels of a user, and goes on after a restart where it was:
//
//   TOKEN=$(npm run -s token -- alice) node examples/consumer.mjs
//
// Prints each message as a line of JSON. Its cursor is kept in a file, written after the event has been dealt with: what was
// under way when the process was killed comes again. Whoever must do each thing once keeps both in one transaction.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { subscribe } from '../clients/browser/client.js'

const { API = 'http://127.0.0.1:11902', TOKEN, CURSOR_FILE = 'consumer.cursor' } = process.env

function readCursor () {
  try {
    return readFileSync(CURSOR_FILE, 'utf8')
  } catch {
    return 'earliest'
  }
}

function writeCursor (cursor) {
  writeFileSync(`${CURSOR_FILE}.new`, cursor, { flush: true })
  renameSync(`${CURSOR_FILE}.new`, CURSOR_FILE)
}

subscribe({
  url: API,
  token: TOKEN,
  after: readCursor(),
  onEvent ({ type, id, data }) {
    if (type === 'message') console.log(JSON.stringify(data))
    if (type === 'gap') console.error('some events can no longer be had: read the channels by GET')
    writeCursor(id)
  },
  onState (state, error) {
    console.error(state, error?.message ?? '')
    if (state === 'closed') process.exitCode = 1
  }
})
