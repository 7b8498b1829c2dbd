/** The proxies that deploy/ has configurations for: where they stand, and what of a file is of its place. */
import { spawnSync } from 'node:child_process'
import { programPath, type ProxyKind } from './server.ts'

function versionOf (program: string, argument: string, form: RegExp): string | undefined {
  const { stdout, stderr } = spawnSync(program, [argument], { encoding: 'utf8', env: { PATH: programPath } })
  return form.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1]
}

const nginxVersion = versionOf('nginx', '-v', /nginx\/(\d+\.\d+\.\d+)/)
/** Of versions before 1.27.3 the configuration is tested without what they do not know: `http2 on`, `resolve`. */
const isOld = nginxVersion !== undefined && nginxVersion.split('.').reduce((sum, part) => sum * 100 + Number(part), 0) < 1_27_03

export const nginx: ProxyKind = {
  name: 'nginx',
  file: 'deploy/nginx/nginx.conf',
  version: nginxVersion,
  configuration (text, { directory, port, tlsPort, nodes }) {
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${directory}/${name};`).join(' ')
    const changed = text
      .replaceAll(/server node-(\d):11902 resolve [^\n]*\n/g, (line, number) => nodes[number - 1] === undefined ? '' : line.replace(`node-${number}:11902 resolve`, `127.0.0.1:${nodes[number - 1]}`))
      .replace('http {\n', `http {\n ${places}\n`)
      .replace('listen 8080;', `listen 127.0.0.1:${port};`)
      .replace('# listen 8443 ssl;', `listen 127.0.0.1:${tlsPort} ssl${isOld ? ' http2' : ''};`)
      .replace('# ssl_certificate /etc/nginx/site.pem;', `ssl_certificate ${directory}/certificate.pem;`)
      .replace('# ssl_certificate_key /etc/nginx/site.key;', `ssl_certificate_key ${directory}/key.pem;`)
    return `daemon off;\npid ${directory}/pid;\n${isOld ? changed.replace('http2 on;', '') : changed}`
  },
  command: (file, directory) => ['nginx', '-p', directory, '-c', file, '-e', `${directory}/log`]
}

export const caddy: ProxyKind = {
  name: 'Caddy',
  file: 'deploy/caddy/Caddyfile',
  version: versionOf('caddy', 'version', /(\d+\.\d+\.\d+)/),
  configuration: (text, { directory, port, tlsPort, nodes }) => text
    .replace('to node-1:11902 node-2:11902 node-3:11902', `to ${nodes.map(node => `127.0.0.1:${node}`).join(' ')}`)
    .replace('\n:8080 {\n', `\nhttp://:${port} {\n\tbind 127.0.0.1\n`)
    .replace(/# (https:.*\n)# (.*\n)# (.*\n)# (.*\n)/, '$1$2$3$4')
    .replace('https://:8443 {\n', `https://:${tlsPort} {\n\tbind 127.0.0.1\n`)
    .replace('/etc/caddy/site.pem /etc/caddy/site.key', `${directory}/certificate.pem ${directory}/key.pem`),
  command: file => ['caddy', 'run', '--config', file, '--adapter', 'caddyfile']
}

export const haproxy: ProxyKind = {
  name: 'HAProxy',
  file: 'deploy/haproxy/haproxy.cfg',
  version: versionOf('haproxy', '-v', /version (\d+\.\d+\.\d+)/),
  configuration: (text, { directory, port, tlsPort, nodes }) => text
    .replaceAll(/ *server node-(\d) [^\n]*\n/g, (line, number) => nodes[number - 1] === undefined ? '' : line.replace(`node-${number}:11902`, `127.0.0.1:${nodes[number - 1]}`))
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace('# bind :8443 ssl crt /etc/haproxy/site.pem', `bind 127.0.0.1:${tlsPort} ssl crt ${directory}/both.pem`),
  command: file => ['haproxy', '-db', '-f', file]
}

export const proxyKinds = [nginx, caddy, haproxy]
