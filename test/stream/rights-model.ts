/**
 * What each stream must carry, computed from the whole history: a plain model, written from contract 4, 8 and
 * relay.md, that shares nothing with the service. It keeps every state that ever was, and looks back.
 */
export type Status = 'active' | 'pending' | 'muted' | 'disabled'
type Group = 'public' | 'private' | 'strict_private'

export type Step =
  | { do: 'create', by: number, channel: number, group: Group }
  | { do: 'create-by-system', channel: number, group: Group, members: Array<{ user: number, status: Status, admin: boolean }> }
  | { do: 'join', by: number, channel: number }
  | { do: 'add', user: number, channel: number, status: Status }
  | { do: 'leave', by: number, channel: number }
  | { do: 'send', by: number, channel: number }
  | { do: 'edit' | 'delete', message: number }
  | { do: 'truncate' | 'delete-channel', channel: number }

interface Member {
  status: Status
  admin: boolean
  /** Index of the entry that made it a member, and since which it is active. */
  since: number
  activeSince: number
  mutedBefore: boolean
}

interface Instance {
  channel: number
  group: Group
  created: number
  deleted: boolean
  truncatedAt: number
  vacant: boolean
  members: Map<number, Member>
  /** What those who left were held from. */
  held: Map<number, 'muted' | 'disabled'>
}

interface Message {
  id: number
  sender: number
  instance: Instance
  /** Index of its first entry. */
  at: number
  deleted: boolean
}

export interface Entry {
  index: number
  /** As `gist` in support/commands.ts has it. */
  gist: string
  instance: Instance
  about?: number
  message?: Message
  content: boolean
  /** Who was in the channel, right after this entry; of `channel-deleted`: right before. */
  members: Map<number, Status>
}

export type Reader = { of: 'user', user: number } | { of: 'channel', instance: Instance, user?: number } | { of: 'application' }

const receives = (status: Status | undefined) => status === 'active' || status === 'muted'

export class Model {
  readonly entries: Entry[] = []
  readonly instances: Instance[] = []
  readonly messages: Message[] = []
  #texts = 0
  readonly #user: (user: number) => string

  constructor (user: (user: number) => string) {
    this.#user = user
  }

  living (channel: number): Instance | undefined {
    return this.instances.find(instance => instance.channel === channel && !instance.deleted)
  }

  /** Carries a step out; false: the service must refuse it. */
  step (step: Step): boolean {
    switch (step.do) {
      case 'create':
      case 'create-by-system': return this.#create(step)
      case 'join': return this.#enter(step.channel, step.by, instance => this.#joining(instance, step.by))
      case 'add': return this.#enter(step.channel, step.user, () => step.status)
      case 'leave': return this.#leave(step.channel, step.by)
      case 'send': return this.#send(step.channel, step.by)
      case 'edit': return this.#edit(step.message)
      case 'delete': return this.#delete(step.message)
      case 'truncate': return this.#truncate(step.channel)
      case 'delete-channel': return this.#deleteChannel(step.channel)
    }
  }

  #create (step: Extract<Step, { do: 'create' | 'create-by-system' }>): boolean {
    if (this.living(step.channel) !== undefined) return false
    const index = this.entries.length
    const listed = step.do === 'create' ? [{ user: step.by, status: 'active' as const, admin: true }] : step.members
    const members = new Map(listed.map(({ user, status, admin }) =>
      [user, { status, admin, since: index, activeSince: index, mutedBefore: false }]))
    const instance: Instance = {
      channel: step.channel, group: step.group, created: index, deleted: false, truncatedAt: -1, vacant: false, members, held: new Map()
    }
    this.instances.push(instance)
    this.#log(instance, 'channel')
    return true
  }

  #joining (instance: Instance, user: number): Status {
    const held = instance.held.get(user)
    if (held === 'disabled') return 'disabled'
    if (instance.group !== 'public') return 'pending'
    return held === 'muted' ? 'muted' : 'active'
  }

  #enter (channel: number, user: number, statusIn: (instance: Instance) => Status): boolean {
    const instance = this.living(channel)
    if (instance === undefined || instance.members.has(user)) return false
    const status = statusIn(instance)
    const index = this.entries.length
    const admin = status === 'active' && instance.vacant
    if (admin) instance.vacant = false
    instance.members.set(user, {
      status, admin, since: index, activeSince: index, mutedBefore: status === 'pending' && instance.held.get(user) === 'muted'
    })
    instance.held.delete(user)
    this.#log(instance, `participation ${this.#user(user)}`, { about: user })
    return true
  }

  #leave (channel: number, user: number): boolean {
    const instance = this.living(channel)
    const member = instance?.members.get(user)
    if (instance === undefined || member === undefined) return false
    instance.members.delete(user)
    if (member.status === 'disabled') instance.held.set(user, 'disabled')
    else if (member.status === 'muted' || member.mutedBefore) instance.held.set(user, 'muted')
    this.#log(instance, `participation-deleted ${this.#user(user)}`, { about: user })
    const active = [...instance.members].filter(([, { status }]) => status === 'active')
    if (!member.admin || member.status !== 'active' || active.some(([, { admin }]) => admin)) return true
    const [first] = active.sort(([, a], [, b]) => a.activeSince - b.activeSince)
    if (first === undefined) {
      instance.vacant = true
      return true
    }
    first[1].admin = true
    this.#log(instance, `participation ${this.#user(first[0])}`, { about: first[0] })
    return true
  }

  #send (channel: number, user: number): boolean {
    const instance = this.living(channel)
    if (instance?.members.get(user)?.status !== 'active') return false
    const message = { id: this.messages.length, sender: user, instance, at: this.entries.length, deleted: false }
    this.messages.push(message)
    this.#log(instance, `message ${this.nextText()}`, { message, content: true })
    return true
  }

  /** The text of the next message or edit. */
  peekText (): string {
    return `text ${this.#texts}`
  }

  nextText (): string {
    return `text ${this.#texts++}`
  }

  #present (id: number): Message | undefined {
    const message = this.messages[id]
    return message === undefined || this.#gone(message) ? undefined : message
  }

  #gone (message: Message): boolean {
    return message.deleted || message.instance.deleted || message.at <= message.instance.truncatedAt
  }

  #edit (id: number): boolean {
    const message = this.#present(id)
    if (message?.instance.members.get(message.sender)?.status !== 'active') return false
    this.#log(message.instance, `message-updated ${this.nextText()}`, { message, content: true })
    return true
  }

  #delete (id: number): boolean {
    const message = this.#present(id)
    if (message === undefined) return false
    message.deleted = true
    this.#log(message.instance, `message-deleted ${id}`, { message })
    return true
  }

  #truncate (channel: number): boolean {
    const instance = this.living(channel)
    if (instance === undefined) return false
    instance.truncatedAt = this.entries.length
    this.#log(instance, 'messages-truncated')
    return true
  }

  #deleteChannel (channel: number): boolean {
    const instance = this.living(channel)
    if (instance === undefined) return false
    instance.deleted = true
    this.#log(instance, 'channel-deleted')
    return true
  }

  #log (instance: Instance, gist: string, more: Partial<Pick<Entry, 'about' | 'message' | 'content'>> = {}): void {
    const members = new Map([...instance.members].map(([user, { status }]) => [user, status]))
    this.entries.push({ index: this.entries.length, gist, instance, members, content: false, ...more })
  }

  /** Whether an entry reaches a reader that is live when it is committed. */
  live (reader: Reader, entry: Entry): boolean {
    if (reader.of === 'application') return true
    if (reader.of === 'channel' && reader.instance !== entry.instance) return false
    if (reader.user === undefined) return true
    const status = entry.members.get(reader.user)
    if (entry.about === reader.user) return true
    if (entry.gist === 'channel' || entry.gist === 'channel-deleted') return status !== undefined
    return receives(status)
  }

  /** Whether an entry of the past reaches a reader that reads it now. */
  replayed (reader: Reader, entry: Entry): boolean {
    if (!this.live(reader, entry)) return false
    if (entry.content && this.#gone(entry.message!)) return false
    if (reader.of === 'application' || reader.user === undefined) return true
    if (entry.about === reader.user || entry.gist === 'channel-deleted') return true
    const { instance } = entry
    if (instance.deleted) return false
    const now = instance.members.get(reader.user)
    if (receives(now?.status) && receives(entry.members.get(reader.user))) return true
    return entry.gist === 'channel' && now?.since === instance.created
  }

  /** Whether a user may open a stream of this channel now. */
  mayStream (instance: Instance, user: number | undefined): boolean {
    return !instance.deleted && (user === undefined || receives(instance.members.get(user)?.status))
  }
}
