/* Streams: opened, read frame by frame, and checked. Every delivery is looked at; nothing is sampled. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"

enum { CLOSED, OPENING, WAITING, LIVE };
enum { SIZE, SIZE_END, DATA, DATA_END, TRAILER };

/* An id, and how much of one is kept: the longest of any dialect has 64 characters. */
#define ID_BYTES 96
/* Messages of one event: a dialect may put several into one. */
#define MOST_MARKERS 16
/* How many kinds of events are told apart. */
#define MOST_NAMES 16
/* A stream that lost more than this is told as loss without looking whether the rest comes late. */
#define MOST_MISSING 4096

typedef struct { uint32_t lane, sequence; uint64_t sent_ns; } Marker;

typedef struct {
  int fd;
  uint8_t state, chunk_state;
  bool chunked, stalled, closing;
  uint32_t request_length, request_sent;
  char *request;
  /* The lanes that it gets, rising, and of each the sequence that is to come next. Where they follow each other, `listed` is null. */
  uint32_t lane_count, first_lane, *listed, *next;
  size_t chunk_left;
  /* What came of a line, or of the answer's headers, and is not whole yet. */
  char *carry;
  uint32_t carry_length, carry_size;
  uint32_t marker_count, id_length;
  Marker markers[MOST_MARKERS];
  char id[ID_BYTES], last_id[ID_BYTES];
  Marker *missing;
  uint32_t missing_count, budget;
  uint64_t behind;
} Stream;

static Stream *streams;
uint32_t stream_count;
Received received;
static char ready_text[128];
static uint32_t next_to_open, opening, parallel_most, small_count, live_count;
static bool reopening;
static uint64_t reopened_ns, read_ns, too_many_missing;
static char buffer[256 * 1024];
static struct { char name[40]; uint64_t count; } names[MOST_NAMES];

void streams_ready_text(const char *text) { snprintf(ready_text, sizeof ready_text, "%s", text); }
uint32_t streams_live(void) { return live_count; }
bool streams_opening(void) { return opening > 0 || next_to_open < stream_count; }

/* A file of records: "S <bytes of request> <lanes: 0-63 or 3,9,12>\n<request without its last line break>\n". */
void streams_load(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail("%s cannot be read: %s", path, strerror(errno));
  char *line = NULL;
  size_t size = 0;
  uint32_t room = 0;
  while (getline(&line, &size, file) > 0) {
    unsigned length;
    int at;
    if (sscanf(line, "S %u %n", &length, &at) < 1) fail("%s: a record begins with \"S <bytes> <lanes>\"", path);
    if (stream_count == room) streams = allocate(streams, (room = room ? room * 2 : 1024) * sizeof *streams);
    Stream *stream = &streams[stream_count++];
    memset(stream, 0, sizeof *stream);
    stream->fd = -1;
    stream->budget = UINT32_MAX;
    unsigned first, last;
    char *list = line + at;
    if (sscanf(list, "%u-%u", &first, &last) == 2) {
      stream->first_lane = first;
      stream->lane_count = last - first + 1;
    } else {
      for (char *end = list; *list && *list != '\n'; list = *end == ',' ? end + 1 : end) {
        stream->listed = allocate(stream->listed, (stream->lane_count + 1) * sizeof *stream->listed);
        stream->listed[stream->lane_count++] = (uint32_t)strtoul(list, &end, 10);
      }
    }
    stream->next = allocate(NULL, (stream->lane_count + 1) * sizeof *stream->next);
    stream->request = allocate(NULL, length + ID_BYTES + 32);
    if (fread(stream->request, 1, length, file) != length) fail("%s: a request is cut short", path);
    stream->request_length = length;
    fgetc(file);
  }
  free(line);
  fclose(file);
}

static uint32_t lane_at(const Stream *stream, uint32_t index) { return stream->listed ? stream->listed[index] : stream->first_lane + index; }

static int index_of(const Stream *stream, uint32_t lane) {
  if (!stream->listed) return lane - stream->first_lane < stream->lane_count ? (int)(lane - stream->first_lane) : -1;
  uint32_t low = 0, high = stream->lane_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (stream->listed[middle] < lane) low = middle + 1; else high = middle;
  }
  return low < stream->lane_count && stream->listed[low] == lane ? (int)low : -1;
}

static void open_more(void);

static void closed(Stream *stream, bool wanted, const char *why) {
  if (stream->fd >= 0) close(stream->fd);
  stream->fd = -1;
  if (stream->state == OPENING || stream->state == WAITING) opening--;
  if (stream->state == LIVE) live_count--;
  if (!wanted) {
    if (stream->state == LIVE) received.ended++; else received.refused++;
    note_reason(received.reason, sizeof received.reason, why, strlen(why));
  }
  stream->state = CLOSED;
  stream->carry_length = stream->marker_count = 0;
}

static void open_one(Stream *stream, uint32_t index) {
  stream->fd = connect_to_target(index, index < small_count ? 8192 : 0);
  stream->state = OPENING;
  stream->request_sent = stream->carry_length = stream->marker_count = stream->id_length = 0;
  stream->chunked = stream->closing = false;
  stream->chunk_state = SIZE;
  stream->chunk_left = 0;
  opening++;
  watch(stream->fd, OF_STREAM, index, EPOLLOUT, true);
}

static void open_more(void) {
  while (opening < parallel_most && next_to_open < stream_count) {
    uint32_t index = next_to_open++;
    if (streams[index].state == CLOSED) open_one(&streams[index], index);
  }
}

void streams_open(uint32_t parallel, uint32_t small_buffers, bool again) {
  parallel_most = parallel;
  small_count = small_buffers;
  reopening = again;
  reopened_ns = now_ns();
  next_to_open = 0;
  if (again) {
    for (uint32_t lane = 0; lane < lane_count; lane++) lanes[lane].target = lanes[lane].sequence;
    for (uint32_t index = 0; index < stream_count; index++) {
      Stream *stream = &streams[index];
      stream->budget = UINT32_MAX;
      stream->behind = 0;
      for (uint32_t at = 0; at < stream->lane_count; at++) stream->behind += lanes[lane_at(stream, at)].target - stream->next[at];
    }
  }
  open_more();
}

static void begin_live(Stream *stream) {
  stream->state = LIVE;
  live_count++;
  opening--;
  if (!reopening) for (uint32_t at = 0; at < stream->lane_count; at++) stream->next[at] = lanes[lane_at(stream, at)].sequence;
  else if (stream->behind == 0) histogram_add(&received.catch_up, now_ns() - reopened_ns);
  open_more();
}

static void add_missing(Stream *stream, uint32_t lane, uint32_t from, uint32_t to) {
  for (; from < to; from++) {
    if (stream->missing_count == MOST_MISSING) { too_many_missing += to - from; return; }
    if ((stream->missing_count & (stream->missing_count + 1)) == 0) stream->missing = allocate(stream->missing, (stream->missing_count + 1) * 2 * sizeof *stream->missing);
    stream->missing[stream->missing_count++] = (Marker){lane, from, 0};
  }
}

static bool take_missing(Stream *stream, uint32_t lane, uint32_t sequence) {
  for (uint32_t at = 0; at < stream->missing_count; at++) {
    if (stream->missing[at].lane != lane || stream->missing[at].sequence != sequence) continue;
    stream->missing[at] = stream->missing[--stream->missing_count];
    return true;
  }
  return false;
}

static void deliver(Stream *stream, const Marker *marker) {
  int at = marker->lane < lane_count ? index_of(stream, marker->lane) : -1;
  if (at < 0) { received.foreign++; return; }
  received.deliveries++;
  if (received.first_ns == 0) received.first_ns = read_ns;
  received.last_ns = read_ns;
  bool old = marker->sequence < lanes[marker->lane].target;
  if (old) received.replayed++;
  else histogram_add(&received.latency, read_ns > marker->sent_ns ? read_ns - marker->sent_ns : 0);
  uint32_t *next = &stream->next[at];
  uint64_t advanced = 0;
  if (marker->sequence == *next) { *next += 1; advanced = 1; }
  else if (marker->sequence > *next) {
    add_missing(stream, marker->lane, *next, marker->sequence);
    advanced = marker->sequence - *next + 1;
    *next = marker->sequence + 1;
  } else if (take_missing(stream, marker->lane, marker->sequence)) received.swapped++;
  else received.doubles++;
  if (stream->behind > 0 && old) {
    stream->behind -= advanced < stream->behind ? advanced : stream->behind;
    if (stream->behind == 0) histogram_add(&received.catch_up, read_ns - reopened_ns);
  }
  if (stream->budget != UINT32_MAX) {
    if (stream->budget > 0) stream->budget--;
    if (stream->budget == 0) stream->closing = true;
  }
}

static uint64_t digits(const char *text, int count) {
  uint64_t value = 0;
  while (count-- > 0) value = value * 10 + (uint64_t)(*text++ - '0');
  return value;
}

static void find_markers(Stream *stream, const char *line, size_t length) {
  const char *end = line + length;
  while ((line = memchr(line, '~', (size_t)(end - line))) && end - line >= MARKER_LENGTH) {
    if (line[7] != '.' || line[16] != '.' || line[33] != '~') { line++; continue; }
    if (stream->marker_count == MOST_MARKERS) fail("an event has more than %d messages", MOST_MARKERS);
    stream->markers[stream->marker_count++] = (Marker){(uint32_t)digits(line + 1, 6), (uint32_t)digits(line + 8, 8), digits(line + 17, 16)};
    line += MARKER_LENGTH;
  }
}

static void count_event(const char *name, size_t length) {
  while (length > 0 && *name == ' ') { name++; length--; }
  if (length >= sizeof names->name) length = sizeof names->name - 1;
  for (int at = 0; at < MOST_NAMES; at++) {
    if (names[at].count == 0) memcpy(names[at].name, name, length);
    else if (strncmp(names[at].name, name, length) != 0 || names[at].name[length] != 0) continue;
    names[at].count++;
    return;
  }
}

static void end_event(Stream *stream) {
  if (stream->id_length > 0) {
    memcpy(stream->last_id, stream->id, stream->id_length);
    stream->last_id[stream->id_length] = 0;
    stream->id_length = 0;
  }
  for (uint32_t at = 0; at < stream->marker_count && !stream->closing; at++) deliver(stream, &stream->markers[at]);
  stream->marker_count = 0;
}

static void read_line(Stream *stream, const char *line, size_t length) {
  if (length > 0 && line[length - 1] == '\r') length--;
  if (stream->state == WAITING && (ready_text[0] == 0 || memmem(line, length, ready_text, strlen(ready_text)))) begin_live(stream);
  if (length == 0) return end_event(stream);
  if (line[0] == ':') { received.comments++; return; }
  if (length > 3 && memcmp(line, "id:", 3) == 0) {
    size_t skip = line[3] == ' ' ? 4 : 3;
    stream->id_length = (uint32_t)(length - skip < ID_BYTES - 1 ? length - skip : ID_BYTES - 1);
    memcpy(stream->id, line + skip, stream->id_length);
  } else if (length > 6 && memcmp(line, "event:", 6) == 0) count_event(line + 6, length - 6);
  else if (length > 5 && memcmp(line, "data:", 5) == 0) find_markers(stream, line + 5, length - 5);
}

static void keep(Stream *stream, const char *data, size_t length) {
  if (stream->carry_length + length > stream->carry_size) {
    stream->carry_size = (uint32_t)(stream->carry_length + length) * 2;
    stream->carry = allocate(stream->carry, stream->carry_size);
  }
  memcpy(stream->carry + stream->carry_length, data, length);
  stream->carry_length += (uint32_t)length;
}

static void read_lines(Stream *stream, const char *data, size_t length) {
  while (length > 0 && !stream->closing) {
    const char *end = memchr(data, '\n', length);
    if (!end) { keep(stream, data, length); return; }
    size_t taken = (size_t)(end - data);
    if (stream->carry_length > 0) {
      keep(stream, data, taken);
      uint32_t whole = stream->carry_length;
      stream->carry_length = 0;
      read_line(stream, stream->carry, whole);
    } else read_line(stream, data, taken);
    data = end + 1;
    length -= taken + 1;
  }
}

/* False: the body has ended, or is none. */
static bool read_chunks(Stream *stream, const char *data, size_t length) {
  const char *end = data + length;
  while (data < end && !stream->closing) {
    if (stream->chunk_state == DATA) {
      size_t part = (size_t)(end - data) < stream->chunk_left ? (size_t)(end - data) : stream->chunk_left;
      read_lines(stream, data, part);
      data += part;
      if ((stream->chunk_left -= part) == 0) stream->chunk_state = DATA_END;
      continue;
    }
    char letter = *data++;
    if (stream->chunk_state == SIZE) {
      int digit = letter >= '0' && letter <= '9' ? letter - '0' : (letter | 32) >= 'a' && (letter | 32) <= 'f' ? (letter | 32) - 'a' + 10 : -1;
      if (digit >= 0) stream->chunk_left = stream->chunk_left * 16 + (size_t)digit;
      else stream->chunk_state = SIZE_END, data--;
    } else if (stream->chunk_state == SIZE_END) {
      if (letter != '\n') continue;
      if (stream->chunk_left == 0) return false;
      stream->chunk_state = DATA;
    } else if (letter == '\n') stream->chunk_state = SIZE;
    else if (letter != '\r') { note_reason(received.reason, sizeof received.reason, "a chunk is longer than it says", 30); return false; }
  }
  return true;
}

static bool read_body(Stream *stream, const char *data, size_t length) {
  received.bytes += length;
  if (stream->chunked) return read_chunks(stream, data, length);
  read_lines(stream, data, length);
  return true;
}

/* False: the answer is no stream. */
static bool read_headers(Stream *stream, const char *data, size_t length) {
  keep(stream, data, length);
  char *end = memmem(stream->carry, stream->carry_length, "\r\n\r\n", 4);
  if (!end) return stream->carry_length < 65536;
  if (stream->carry_length < 12 || memcmp(stream->carry + 9, "200", 3) != 0) { note_reason(received.reason, sizeof received.reason, stream->carry, stream->carry_length); return false; }
  *end = 0;
  stream->chunked = strcasestr(stream->carry, "\r\ntransfer-encoding: chunked") != NULL;
  stream->state = WAITING;
  if (ready_text[0] == 0) begin_live(stream);
  size_t rest = stream->carry_length - (size_t)(end + 4 - stream->carry);
  stream->carry_length = 0;
  if (rest == 0) return true;
  char *copy = allocate(NULL, rest);
  memcpy(copy, end + 4, rest);
  bool going_on = read_body(stream, copy, rest);
  free(copy);
  return going_on;
}

static void send_request(Stream *stream, uint32_t index) {
  char *text = stream->request;
  uint32_t length = stream->request_length;
  length += (uint32_t)(reopening && stream->last_id[0] ? sprintf(text + length, "Last-Event-ID: %s\r\n\r\n", stream->last_id) : sprintf(text + length, "\r\n"));
  ssize_t sent = send(stream->fd, text + stream->request_sent, length - stream->request_sent, MSG_NOSIGNAL);
  if (sent < 0) { if (errno != EAGAIN) closed(stream, false, strerror(errno)); open_more(); return; }
  if ((stream->request_sent += (uint32_t)sent) == length) watch(stream->fd, OF_STREAM, index, EPOLLIN, false);
}

void streams_event(uint32_t index, uint32_t events) {
  Stream *stream = &streams[index];
  if (stream->fd < 0) return;
  if (stream->state == OPENING && (events & EPOLLOUT)) return send_request(stream, index);
  ssize_t length = recv(stream->fd, buffer, sizeof buffer, 0);
  if (length < 0 && errno == EAGAIN) return;
  read_ns = now_ns();
  const char *why = length == 0 ? "closed by the server" : length < 0 ? strerror(errno) : "the body ended";
  bool going_on = length > 0 && (stream->state == OPENING ? read_headers(stream, buffer, (size_t)length) : read_body(stream, buffer, (size_t)length));
  if (stream->closing) { received.cut++; closed(stream, true, ""); }
  else if (!going_on) { closed(stream, false, why); open_more(); }
}

void streams_stall(uint32_t count, bool stalled) {
  for (uint32_t index = 0; index < count && index < stream_count; index++) {
    Stream *stream = &streams[index];
    stream->stalled = stalled;
    if (stream->fd >= 0) watch(stream->fd, OF_STREAM, index, stalled ? 0 : EPOLLIN, false);
  }
}

void streams_cut_after(uint32_t spread) {
  for (uint32_t index = 0; index < stream_count; index++) {
    streams[index].budget = (uint32_t)rand() % (spread + 1);
    if (streams[index].budget == 0) streams[index].budget = 1;
  }
}

void streams_cut(void) {
  for (uint32_t index = 0; index < stream_count; index++) {
    if (streams[index].fd < 0) continue;
    received.cut++;
    closed(&streams[index], true, "");
  }
}

void streams_close(void) {
  for (uint32_t index = 0; index < stream_count; index++) {
    Stream *stream = &streams[index];
    if (stream->fd >= 0) closed(stream, true, "");
    free(stream->request);
    free(stream->listed);
    free(stream->next);
    free(stream->carry);
    free(stream->missing);
  }
  free(streams);
  streams = NULL;
  stream_count = next_to_open = opening = live_count = 0;
  reopening = false;
}

uint64_t streams_outstanding(void) {
  uint64_t outstanding = too_many_missing;
  for (uint32_t index = 0; index < stream_count; index++) {
    const Stream *stream = &streams[index];
    if (stream->stalled || (stream->state == CLOSED && stream->budget != UINT32_MAX)) continue;
    outstanding += stream->missing_count;
    for (uint32_t at = 0; at < stream->lane_count; at++) outstanding += lanes[lane_at(stream, at)].sequence - stream->next[at];
  }
  return outstanding;
}

/* What is lost was told: what comes next begins with nothing outstanding. */
void streams_forget_loss(void) {
  too_many_missing = 0;
  memset(names, 0, sizeof names);
  for (uint32_t index = 0; index < stream_count; index++) {
    Stream *stream = &streams[index];
    stream->missing_count = 0;
    if (stream->stalled || stream->state != LIVE) continue;
    for (uint32_t at = 0; at < stream->lane_count; at++) stream->next[at] = lanes[lane_at(stream, at)].sequence;
  }
}

void streams_print_events(void) {
  printf("{");
  for (int at = 0; at < MOST_NAMES && names[at].count > 0; at++) printf("%s\"%s\":%lu", at ? "," : "", names[at].name, names[at].count);
  printf("}");
}
