import { caddy } from './proxies/kinds.ts'
import { proxySuite } from './proxies/suite.ts'

proxySuite(caddy)
