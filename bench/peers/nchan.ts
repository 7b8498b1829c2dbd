/** Nchan, the nginx module, in one process: what it publishes is kept in memory, the last message of a channel. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory, removeDirectory } from '../machine.ts'
import { freePort } from '../../test/support/ports.ts'
import { startListening } from '../process.ts'
import { headOf, streamOf, type Peer } from './peer.ts'

const NGINX = process.env.NGINX ?? '/usr/sbin/nginx'
const MODULE = process.env.NCHAN_MODULE ?? '/usr/lib/nginx/modules/ngx_nchan_module.so'

const configuration = (directory: string, port: number): string => `
load_module ${MODULE};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log crit;
events { worker_connections 19900; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_body_buffer_size 16k;
  tcp_nodelay on;
  nchan_shared_memory_size 512M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ /pub/(\\w+)$ {
      nchan_publisher;
      nchan_channel_id $1;
      nchan_message_buffer_length 100;
      nchan_message_timeout 10s;
    }
    location ~ /sub/(\\w+)$ {
      nchan_subscriber eventsource;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
      nchan_eventsource_ping_interval 0;
      nchan_subscriber_timeout 0;
    }
  }
}
`

export const nchan: Peer = {
  name: 'nchan',
  about: 'Nchan, an nginx module in C; messages in memory',
  missing () {
    if (existsSync(NGINX) && existsSync(MODULE)) return undefined
    return 'apt-get install nginx libnginx-mod-nchan, or NGINX= and NCHAN_MODULE= by path'
  },
  async start () {
    const directory = makeDirectory()
    mkdirSync(join(directory, 'logs'))
    const port = await freePort()
    writeFileSync(join(directory, 'nginx.conf'), configuration(directory, port))
    const child = await startListening(NGINX, ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')], port)
    return {
      pids: [child.pid],
      ports: [port],
      ready: '',
      channelStream: channel => streamOf(`/sub/c${channel}`),
      publish: (channel, _user, text) => ({ head: headOf(`/pub/c${channel}`, text, { 'Content-Type': 'text/plain' }), body: text }),
      async stop () {
        await child.stop()
        removeDirectory(directory)
      }
    }
  }
}
