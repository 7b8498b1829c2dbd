/** What the service is called, and which version of it this is: to those who start it, and to those who ask. */
import manifest from '../package.json' with { type: 'json' }

export const { name, version, description, license } = manifest
