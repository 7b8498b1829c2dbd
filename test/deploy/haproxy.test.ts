import { haproxy } from './proxies/kinds.ts'
import { proxySuite } from './proxies/suite.ts'

proxySuite(haproxy)
