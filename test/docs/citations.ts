/** What comments, strings and documents cite, and which of it leads nowhere. */
import { posix } from 'node:path'

/** Files by their path from the root of the repository. */
export interface Files {
  exists (path: string): boolean
  read (path: string): string
}

/** Something in a document that can be cited: a heading, a row of a table, an item of a list. */
interface Place {
  /** In small letters. A heading "mute, unmute" is two of them, and a third as it stands; the item 5 of a list is "5.". */
  name: string
  /** The number of the section, where it has one. */
  section: number | undefined
  /** The heading of the second level that it stands under, in small letters; its own, if it is one. */
  under: string
  /** Of a heading: what links call it. */
  anchor?: string
}

interface Citation {
  /** As it stands in the text. */
  text: string
  index: number
  /** Why it leads nowhere. */
  fault?: string | undefined
}

/** Sources that a reader of the repository does not have, and what stands in their place. */
const forbidden: Array<[form: RegExp, instead: string]> = [
  [/\bcontract\s+\d+(?:\.\d+)?/gi, 'cite "protocol N"'],
  [/\bcontract\.md\b/gi, 'cite docs/protocol.md'],
  [/\bdesign\.md\b/gi, 'cite docs/architecture.md'],
  [/\bprotocol\s+\d+\.\d/gi, 'write "protocol N, rule M"']
]

const numbers = String.raw`\d+(?:(?:,\s*|\s+and\s+)\d+)*`
const quoted = String.raw`"[^"\n]+"|\x60[^\x60\n]+\x60`
const ofProtocol = new RegExp(String.raw`\bprotocol\s+(${numbers})(?:,\s+(rule|promise)s?\s+(${numbers}))?(?:,\s+(${quoted}))?`, 'gi')
const ofDocument = new RegExp(
  String.raw`(?<![\w./-])(?:docs/)?([\w-]+)\.md\b(?:,\s+(?:((?:${quoted})(?:\s+(?:to|and)\s+(?:${quoted}))*)|scenarios:\s+([a-z ]+)|mending\s+(\d+)))?`, 'g'
)
const ofLink = /\]\(([^()\s]+)\)/g

export class Citations {
  readonly #files: Files
  readonly #places = new Map<string, Place[]>()

  constructor (files: Files) {
    this.#files = files
  }

  /** What of a file's citations leads nowhere, a line for each: `src/a.ts:3: "protocol 12": why`. */
  faultsOf (file: string): string[] {
    const text = this.#files.read(file)
    const plain = file.endsWith('.md') ? text : withoutLeaders(text)
    const found = [...forbiddenIn(plain), ...this.#protocolIn(plain), ...this.#documentsIn(plain), ...(file.endsWith('.md') ? this.#linksIn(file, text) : [])]
    return found.filter(({ fault }, index) => fault !== undefined && found.findIndex(other => other.index === found[index]!.index) === index)
      .sort((a, b) => a.index - b.index)
      .map(({ text: cited, index, fault }) => `${file}:${lineOf(text, index)}: ${JSON.stringify(cited.replace(/\s+/g, ' '))}: ${fault}`)
  }

  #protocolIn (text: string): Citation[] {
    const places = this.#placesOf('docs/protocol.md')
    return [...text.matchAll(ofProtocol)].map(({ 0: cited, 1: sections = '', 2: kind, 3: parts = '', 4: name, index }) => {
      const missing = listed(sections).find(section => !places.some(place => place.section === section))
      const last = places.filter(({ section }) => section === listed(sections).at(-1))
      const part = listed(parts).find(number => !last.some(place => place.name.startsWith(`${kind!.toLowerCase()} ${number}:`)))
      const unnamed = namesIn(name ?? '').find(wanted => !last.some(place => place.name === wanted))
      return { text: cited, index, fault: faultOf('docs/protocol.md', missing, part === undefined ? undefined : `${kind} ${part}`, unnamed) }
    })
  }

  #documentsIn (text: string): Citation[] {
    return [...text.matchAll(ofDocument)].map(({ 0: cited, 1: document, 2: names = '', 3: scenario, 4: mending, index }) => {
      const path = [`docs/${document}.md`, `${document}.md`].find(one => this.#files.exists(one))
      if (path === undefined) return { text: cited, index, fault: 'there is no such document' }
      const places = this.#placesOf(path)
      const unnamed = namesIn(names).find(wanted => !places.some(({ name }) => name === wanted))
      const within = (heading: RegExp, wanted: string) => places.some(({ name, under }) => heading.test(under) && name === wanted)
      const unplayed = scenario !== undefined && !within(/^scenarios$/, scenario.trim()) ? scenario.trim() : undefined
      const unmended = mending !== undefined && !within(/\bmended\b/, `${mending}.`) ? mending : undefined
      return { text: cited, index, fault: faultOf(path, unnamed, unplayed, unmended) }
    })
  }

  #linksIn (file: string, text: string): Citation[] {
    return [...withoutCode(text).matchAll(ofLink)].filter(({ 1: target }) => !/^[a-z]+:/.test(target!)).map(({ 0: cited, 1: target, index }) => {
      const [to = '', anchor] = target!.split('#')
      const path = to === '' ? file : posix.join(posix.dirname(file), to)
      if (!this.#files.exists(path)) return { text: cited, index, fault: `there is no ${path}` }
      const known = anchor === undefined || this.#placesOf(path).some(place => place.anchor === anchor)
      return { text: cited, index, fault: known ? undefined : `${path} has no heading for #${anchor}` }
    })
  }

  #placesOf (path: string): Place[] {
    let places = this.#places.get(path)
    if (places === undefined) this.#places.set(path, places = this.#files.exists(path) ? placesIn(this.#files.read(path)) : [])
    return places
  }
}

function placesIn (document: string): Place[] {
  const places: Place[] = []
  const anchors = new Map<string, number>()
  let [section, under] = [undefined as number | undefined, '']
  for (const line of withoutFences(document).split('\n')) {
    const [, level, title] = /^(#{1,6}) +(.+?) *$/.exec(line) ?? []
    if (level !== undefined && title !== undefined) {
      const name = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '').toLowerCase()
      if (level.length <= 2) {
        section = numberOf(name)
        under = name
      }
      const slug = name.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
      const before = anchors.get(slug) ?? 0
      anchors.set(slug, before + 1)
      places.push({ name, section, under, anchor: before === 0 ? slug : `${slug}-${before}` })
      for (const part of name.split(', ')) places.push({ name: part, section, under })
      continue
    }
    const [, cell] = /^\| *([^|]+?) *\|/.exec(line) ?? []
    for (const name of cell?.replace(/`/g, '').toLowerCase().split(', ') ?? []) places.push({ name, section, under })
    const [, item] = /^(\d+\.) /.exec(line) ?? []
    if (item !== undefined) places.push({ name: item, section, under })
  }
  return places
}

function forbiddenIn (text: string): Citation[] {
  return forbidden.flatMap(([form, instead]) =>
    [...text.matchAll(form)].map(({ 0: cited, index }) => ({ text: cited, index, fault: instead })))
}

function faultOf (path: string, ...missing: Array<string | number | undefined>): string | undefined {
  const first = missing.find(one => one !== undefined)
  return first === undefined ? undefined : `${path} has no ${typeof first === 'number' ? `section ${first}` : JSON.stringify(first)}`
}

const listed = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number)

const namesIn = (text: string): string[] => [...text.matchAll(/["`]([^"`]+)["`]/g)].map(([, name]) => name!.toLowerCase())

function numberOf (heading: string): number | undefined {
  const [, number] = /^(\d+)\. /.exec(heading) ?? []
  return number === undefined ? undefined : Number(number)
}

/** The same text, each place of it where it was, without what begins the lines of a comment: a citation may be broken by it. */
const withoutLeaders = (text: string): string =>
  text.replace(/\n[ \t]*(?:\*(?!\/)|\/\/|--)/g, leader => `\n${' '.repeat(leader.length - 1)}`)

const blank = (text: string): string => text.replace(/[^\n]/g, ' ')
const withoutFences = (text: string): string => text.replace(/^```.*?^```/gms, blank)
const withoutCode = (text: string): string => withoutFences(text).replace(/`[^`\n]*`/g, blank)

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length
