/** mitter's own SDKs, connected to a running service. */
import { Mitter as CoreMitter, type KvStore } from '@mitter-io/core'
import { Mitter as NodeMitter, type MitterNode } from '@mitter-io/node'
import type { ServiceProcess } from '../support/process.ts'
import type { SseDriver } from './sse-driver.ts'

type Service = Pick<ServiceProcess, 'url' | 'credentials'>

/** `@mitter-io/node`, calling as the application, every request signed: as it is, with nothing put in its way. */
export function nodeSdk ({ url, credentials }: Service): MitterNode {
  const { applicationId, accessKey, accessSecret } = credentials
  return NodeMitter.forNode({ applicationId, accessKey: { accessKey, accessSecret }, mitterApiBaseUrl: url })
}

/** `@mitter-io/core`, which calls as the user whose token it is given by `setUserAuthorization`. */
export function coreSdk ({ url, credentials }: Service, driver: SseDriver, onConnect: () => void = () => {}): CoreMitter {
  return new CoreMitter(
    { applicationId: credentials.applicationId, mitterApiBaseUrl: url, weaverUrl: '', initMessagingPipelineSubscriptions: [], disableXHRCaching: true },
    { onTokenExpire: [], onMessagingPipelineConnectCbs: [onConnect], mitterInstanceReady () {} },
    memoryStore(),
    driver,
    {},
    {}
  )
}

function memoryStore (): KvStore {
  const items = new Map<string, unknown>()
  return {
    getItem: async <T>(key: string) => items.get(key) as T | undefined,
    setItem: async (key, value) => { items.set(key, value) }
  }
}
