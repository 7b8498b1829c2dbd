/** Every cell of relay.md over HTTP: matrix.txt shows what changes in review, the model says whether it is right. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { Matrix, matrixPeople } from './matrix.ts'
import { keptConnections, World } from './world.ts'

let on: TestApp
let result: Awaited<ReturnType<Matrix['run']>>
const agent = keptConnections()
beforeAll(async () => {
  on = await startApp()
  const world = new World(on, agent)
  await world.people(...matrixPeople)
  result = await new Matrix(world).run()
}, 120_000)
afterAll(async () => { await agent.close(); await on.stop() })

describe('three group types, every operation, actor and target', () => {
  it('are answered, and change who is in the channel, as relay.md\'s tables say', () => {
    expect(result.disagreements).toEqual([])
  })

  it('are answered as the committed table shows', async () => {
    await expect(result.text).toMatchFileSnapshot('matrix.txt')
  })
})
