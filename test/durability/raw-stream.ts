/** An event stream, read byte by byte: what an `EventSource` does not show, heartbeats above all, is here too. */
export interface RawStream {
  /** Comments so far. */
  heartbeats (): number
  /** Texts of messages so far. */
  texts (): string[]
  /** The service, or the connection, has ended it. */
  ended (): boolean
  close (): Promise<void>
}

export async function openRawStream (url: string): Promise<RawStream> {
  const closing = new AbortController()
  const response = await fetch(url, { signal: closing.signal })
  if (response.status !== 200) throw new Error(`the stream was answered ${response.status}: ${await response.text()}`)
  let [heartbeats, ended, rest] = [0, false, '']
  const texts: string[] = []
  const take = (frame: string) => {
    if (frame.startsWith(':')) heartbeats++
    if (!/^event: message$/m.test(frame)) return
    texts.push(JSON.parse(/^data: (.*)$/m.exec(frame)![1]!).message.textPayload)
  }
  const reading = response.body!.pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({
    write (chunk) {
      const frames = (rest + chunk).split('\n\n')
      rest = frames.pop()!
      frames.forEach(take)
    }
  })).catch(() => {}).finally(() => { ended = true })
  return {
    heartbeats: () => heartbeats,
    texts: () => texts,
    ended: () => ended,
    async close () {
      closing.abort()
      await reading
    }
  }
}
