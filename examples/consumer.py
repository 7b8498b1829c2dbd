#!/usr/bin/env python3
"""Follows all channels of a user, with nothing but Python's own library, and goes on after a restart where it was.

    TOKEN=$(npm run -s token -- alice) python3 examples/consumer.py

Prints each message as a line of JSON. Its cursor is kept in a file, written after what it stands for has been dealt with:
what was under way when the process was killed comes again. Whoever must do each thing once keeps both in one transaction.
"""
import http.client
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request

API = os.environ.get('API', 'http://127.0.0.1:11902')
TOKEN = os.environ['TOKEN']
CURSOR_FILE = os.environ.get('CURSOR_FILE', 'consumer.cursor')
SILENCE_SECONDS = 45  # three heartbeats


def read_cursor():
    try:
        with open(CURSOR_FILE) as file:
            return file.read().strip() or 'earliest'
    except FileNotFoundError:
        return 'earliest'


def write_cursor(cursor):
    with open(f'{CURSOR_FILE}.new', 'w') as file:
        file.write(cursor)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f'{CURSOR_FILE}.new', CURSOR_FILE)


def frames(lines):
    """Frames of an event stream, as dictionaries of their fields."""
    frame = {}
    for line in lines:
        line = line.decode().rstrip('\r\n')
        if line == '':
            if frame:
                yield frame
            frame = {}
        elif not line.startswith(':'):
            name, _, value = line.partition(':')
            frame[name] = value.removeprefix(' ')


def handle(event, data):
    if event == 'message':
        print(json.dumps(data, ensure_ascii=False), flush=True)
    elif event == 'gap':
        print('some events can no longer be had: read the channels by GET', file=sys.stderr)


def follow():
    """Until the stream ends. Returns how long to wait before the next, in seconds; None: for ever."""
    cursor, retry = read_cursor(), 2.0
    place = {} if cursor == 'earliest' else {'Last-Event-ID': cursor}
    after = '&after=earliest' if cursor == 'earliest' else ''
    request = urllib.request.Request(f'{API}/v1/users/me/events?format=compact{after}', headers={'Authorization': f'Bearer {TOKEN}', **place})
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as stream:
            for frame in frames(stream):
                retry = int(frame.get('retry', retry * 1000)) / 1000
                event, data = frame.get('event', 'message'), json.loads(frame['data']) if 'data' in frame else None
                if event == 'bye' and data['reason'] in ('expired', 'removed', 'deleted'):
                    print(f'the stream has ended for good: {data["reason"]}', file=sys.stderr)
                    return None
                handle(event, data)
                if frame.get('id'):
                    write_cursor(frame['id'])
    except urllib.error.HTTPError as error:
        if error.code in (401, 403, 404):
            print(error.read().decode(), file=sys.stderr)
            return None
    except (OSError, http.client.HTTPException) as error:  # refused, cut, silent
        print(f'{error}: coming back', file=sys.stderr)
    return retry * random.uniform(0.5, 1.5)


while (wait := follow()) is not None:
    time.sleep(wait)
sys.exit(1)
