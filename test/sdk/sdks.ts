/** mitter's own SDKs, connected to a running service. */
import { Mitter as CoreMitter, type KvStore } from '@mitter-io/core'
import { Mitter as NodeMitter, type MitterNode } from '@mitter-io/node'
import { basicOf, type ServiceProcess } from '../support/process.ts'
import type { SseDriver } from './sse-driver.ts'

type Service = Pick<ServiceProcess, 'url' | 'credentials'>

/**
 * `@mitter-io/node`, calling as the application. It signs every request by itself; until the service knows that
 * signature, an interceptor that runs after the SDK's puts Basic in its place. All the rest stays as the SDK sends it.
 */
export function nodeSdk ({ url, credentials }: Service): MitterNode {
  const { applicationId, accessKey, accessSecret } = credentials
  const mitter = NodeMitter.forNode({ applicationId, accessKey: { accessKey, accessSecret }, mitterApiBaseUrl: url })
  const sign = mitter.enableAxiosInterceptor.bind(mitter)
  mitter.enableAxiosInterceptor = axios => {
    // axios runs request interceptors last first.
    axios.interceptors.request.use(config => {
      config.headers.Authorization = basicOf(credentials)
      return config
    })
    sign(axios)
  }
  return mitter
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
