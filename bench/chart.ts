/** The run as an SVG: one panel of bars, drawn to its own scale, for each workload that the service shares with others. */
import { medianOf, type Row } from './report.ts'

const PANEL = { width: 460, gap: 20, head: 34, bar: 18, foot: 16 }
const NAME_WIDTH = 120
const VALUE_WIDTH = 80
const OURS = ['compact', 'full']

interface Panel { title: string, label: string, bars: Array<{ peer: string, value: number, shown: string }> }

export function chartOf (rows: Row[], subtitle: string): string {
  const panels = rows.flatMap(panelOf)
  const columns: Array<{ height: number, parts: string[] }> = [{ height: 60, parts: [] }, { height: 60, parts: [] }]
  for (const panel of panels) {
    const column = columns[0]!.height <= columns[1]!.height ? columns[0]! : columns[1]!
    const x = column === columns[0] ? PANEL.gap : PANEL.gap * 2 + PANEL.width
    column.parts.push(`<g transform="translate(${x} ${column.height})">${drawn(panel)}</g>`)
    column.height += heightOf(panel)
  }
  const [width, height] = [PANEL.gap * 3 + PANEL.width * 2, Math.max(...columns.map(column => column.height)) + PANEL.gap]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${PANEL.gap}" y="28" font-size="17" font-weight="600" fill="#222">channel-relay and its peers</text>
<text x="${PANEL.gap}" y="46" fill="#666">${escaped(subtitle)}</text>
${columns.flatMap(({ parts }) => parts).join('\n')}
</svg>
`
}

function panelOf ({ workload, results }: Row): Panel[] {
  const figure = workload.figures.find(({ key }) => key === workload.chart)
  if (figure === undefined) return []
  const bars = results.flatMap(result => {
    const value = medianOf(result, figure.key)
    return value === undefined ? [] : [{ peer: result.peer, value, shown: value.toLocaleString('en', { maximumFractionDigits: figure.digits }) }]
  })
  const compared = bars.some(({ peer }) => OURS.includes(peer)) && bars.some(({ peer }) => !OURS.includes(peer))
  return compared ? [{ title: workload.title, label: figure.label, bars }] : []
}

const heightOf = ({ bars }: Panel): number => PANEL.head + bars.length * PANEL.bar + PANEL.foot

function drawn ({ title, label, bars }: Panel): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const room = PANEL.width - NAME_WIDTH - VALUE_WIDTH
  return [
    `<text y="12" font-weight="600" fill="#222">${escaped(title.length > 60 ? `${title.slice(0, 59)}…` : title)}</text>`,
    `<text y="27" fill="#666">${escaped(label)}</text>`,
    ...bars.map(({ peer, value, shown }, index) => {
      const y = PANEL.head + index * PANEL.bar
      const width = Math.max(1, value / most * room)
      return `<text x="${NAME_WIDTH - 6}" y="${y + 11}" text-anchor="end" fill="#333">${escaped(peer)}</text>` +
        `<rect x="${NAME_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${PANEL.bar - 4}" fill="${OURS.includes(peer) ? '#2563a8' : '#b4b9c1'}"/>` +
        `<text x="${(NAME_WIDTH + width + 5).toFixed(1)}" y="${y + 11}" fill="#333">${shown}</text>`
    })
  ].join('')
}

const escaped = (text: string): string => text.replace(/[&<>]/g, letter => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[letter]!)
