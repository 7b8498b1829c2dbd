/* Publishers: connections with one request in flight each, in a closed loop or at times that are set beforehand. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "load.h"

/* The longest answer that is read. */
#define ANSWER_BYTES 65536

typedef struct {
  int fd;
  bool busy;
  uint32_t *own, own_count, own_next;
  Lane *lane;
  uint32_t sent, length;
  uint64_t intended_ns;
  char answer[ANSWER_BYTES];
} Publisher;

Lane *lanes;
uint32_t lane_count;
Published published;
static Publisher *publishers;
static uint32_t publisher_count, busy_count;
/* Those that wait for something to send: first in, first out, so that all take part. */
static uint32_t *idle, idle_first, idle_count;
static Plan plan;
static uint64_t started_ns, arrivals;
static bool stopping = true;
static int timer_fd = -1;
static char run_id[17];
static uint64_t unique;

static int32_t place_of(const Lane *lane, const char *name) {
  char *at = memmem(lane->request, lane->length, name, strlen(name));
  return at ? (int32_t)(at - lane->request) : -1;
}

/* A file of records: "L <publisher> <bytes of head> <bytes of body>\n<head><body>\n". Each lane has sent nothing yet. */
void lanes_load(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail("%s cannot be read: %s", path, strerror(errno));
  char *line = NULL;
  size_t size = 0;
  uint32_t room = 0;
  while (getline(&line, &size, file) > 0) {
    unsigned publisher, head, body;
    if (sscanf(line, "L %u %u %u", &publisher, &head, &body) != 3) fail("%s: a record begins with \"L <publisher> <head> <body>\"", path);
    if (lane_count == room) lanes = allocate(lanes, (room = room ? room * 2 : 1024) * sizeof *lanes);
    Lane *lane = &lanes[lane_count++];
    memset(lane, 0, sizeof *lane);
    lane->publisher = publisher;
    lane->length = head + body;
    lane->body_at = head;
    lane->request = allocate(NULL, head + body + 1);
    if (fread(lane->request, 1, head + body, file) != head + body) fail("%s: a request is cut short", path);
    lane->request[head + body] = 0;
    fgetc(file);
    lane->marker_at = place_of(lane, "{marker");
    lane->key_at = place_of(lane, "{key");
    lane->date_at = place_of(lane, "{date");
    lane->nonce_at = place_of(lane, "{nonce");
    lane->md5_at = place_of(lane, "{md5");
    lane->digest_at = place_of(lane, "{digest");
  }
  free(line);
  fclose(file);
}

static void digits_into(char *text, int width, uint64_t value) {
  while (width-- > 0) { text[width] = (char)('0' + value % 10); value /= 10; }
}

/* 16 characters of this process, and a number that it has used for nothing else. */
static void unique_into(char *text, int width) {
  memcpy(text, run_id, 16);
  digits_into(text + 16, width - 16, ++unique);
}

static void write_date(char *text) {
  static time_t last;
  static char written[32];
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  if (time.tv_sec != last) {
    struct tm parts;
    last = time.tv_sec;
    strftime(written, sizeof written, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&last, &parts));
  }
  memcpy(text, written, 29);
}

/* METHOD, Content-Type, Content-Md5, Date, path and Nonce, with line feeds between them. */
static void sign(Lane *lane) {
  char text[1024], *at = text, *request = lane->request;
  uint8_t digest[20];
  md5(request + lane->body_at, lane->length - lane->body_at, digest);
  base64(digest, 16, request + lane->md5_at);
  const char *path = memchr(request, ' ', 32), *end = path ? memchr(path + 1, ' ', 512) : NULL;
  if (!end) fail("a signed request has a path of more than 512 characters");
  at += sprintf(at, "%.*s\napplication/json\n", (int)(path - request), request);
  at += sprintf(at, "%.24s\n%.29s\n%.*s\n%.24s", request + lane->md5_at, request + lane->date_at, (int)(end - path - 1), path + 1, request + lane->nonce_at);
  hmac_sha1(text, (size_t)(at - text), digest);
  base64(digest, 20, request + lane->digest_at);
}

static void prepare(Lane *lane, uint64_t intended_ns) {
  char *request = lane->request;
  if (lane->marker_at >= 0) {
    char *at = request + lane->marker_at;
    at[0] = at[33] = '~';
    at[7] = at[16] = '.';
    digits_into(at + 1, 6, (uint64_t)(lane - lanes));
    digits_into(at + 8, 8, lane->sequence);
    digits_into(at + 17, 16, intended_ns);
  }
  if (lane->key_at >= 0) unique_into(request + lane->key_at, 32);
  if (lane->nonce_at >= 0) unique_into(request + lane->nonce_at, 24);
  if (lane->date_at >= 0) write_date(request + lane->date_at);
  if (lane->digest_at >= 0) sign(lane);
}

static void reconnect(uint32_t index) {
  Publisher *publisher = &publishers[index];
  if (publisher->fd >= 0) close(publisher->fd);
  publisher->fd = connect_to_target(index, 0);
  published.connects++;
  watch(publisher->fd, OF_PUBLISHER, index, EPOLLIN, true);
}

static void write_some(uint32_t index) {
  Publisher *publisher = &publishers[index];
  ssize_t sent = send(publisher->fd, publisher->lane->request + publisher->sent, publisher->lane->length - publisher->sent, MSG_NOSIGNAL);
  if (sent > 0) publisher->sent += (uint32_t)sent;
  watch(publisher->fd, OF_PUBLISHER, index, publisher->sent < publisher->lane->length ? EPOLLIN | EPOLLOUT : EPOLLIN, false);
}

static void send_one(uint32_t index, uint64_t intended_ns) {
  Publisher *publisher = &publishers[index];
  Lane *lane = publisher->lane = &lanes[publisher->own[publisher->own_next]];
  publisher->own_next = (publisher->own_next + 1) % publisher->own_count;
  prepare(lane, intended_ns);
  lane->sequence++;
  published.sent++;
  publisher->busy = true;
  busy_count++;
  publisher->intended_ns = intended_ns;
  publisher->sent = publisher->length = 0;
  ssize_t sent = send(publisher->fd, lane->request, lane->length, MSG_NOSIGNAL);
  if (sent == (ssize_t)lane->length) { publisher->sent = lane->length; return; }
  if (sent > 0) publisher->sent = (uint32_t)sent;
  watch(publisher->fd, OF_PUBLISHER, index, EPOLLIN | EPOLLOUT, false);
}

static void arm(uint64_t at_ns) {
  struct itimerspec when = {.it_value = {(time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000)}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static bool over(uint64_t now) {
  return stopping || now - started_ns >= (uint64_t)(plan.seconds * 1e9) || (plan.most > 0 && published.sent >= plan.most);
}

/* Sends all that is due, as far as there are connections for it; what is late keeps the time at which it was to be sent. */
void publishers_due(void) {
  if (plan.rate == 0) return;
  uint64_t expired;
  if (read(timer_fd, &expired, sizeof expired) < 0 && errno != EAGAIN) fail("the timer cannot be read");
  uint64_t now = now_ns(), end = started_ns + (uint64_t)(plan.seconds * 1e9);
  while (!stopping && (plan.most == 0 || published.sent < plan.most)) {
    uint64_t due = started_ns + (uint64_t)((double)arrivals * 1e9 / plan.rate);
    if (due >= end) { stopping = true; return; }
    if (due > now) { if (idle_count > 0) arm(due); return; }
    if (idle_count == 0) return;
    uint32_t index = idle[idle_first];
    idle_first = (idle_first + 1) % publisher_count;
    idle_count--;
    arrivals++;
    send_one(index, due);
  }
}

static void next_of(uint32_t index) {
  if (plan.rate == 0) {
    uint64_t now = now_ns();
    if (!over(now)) send_one(index, now);
    return;
  }
  idle[(idle_first + idle_count++) % publisher_count] = index;
  publishers_due();
}

void publishers_start(const Plan *wanted) {
  plan = *wanted;
  if (timer_fd < 0) {
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(timer_fd, OF_TIMER, 0, EPOLLIN, true);
    FILE *random = fopen("/dev/urandom", "r");
    uint64_t bits = 0;
    if (!random || fread(&bits, sizeof bits, 1, random) != 1) fail("/dev/urandom cannot be read");
    fclose(random);
    snprintf(run_id, sizeof run_id, "%016lx", bits);
  }
  publishers_close();
  publisher_count = plan.connections;
  publishers = allocate(NULL, publisher_count * sizeof *publishers);
  idle = allocate(NULL, publisher_count * sizeof *idle);
  for (uint32_t index = 0; index < publisher_count; index++) {
    Publisher *publisher = &publishers[index];
    memset(publisher, 0, offsetof(Publisher, answer));
    publisher->fd = -1;
    for (uint32_t lane = 0; lane < lane_count; lane++) publisher->own_count += lanes[lane].publisher == index;
    if (publisher->own_count == 0) fail("publisher %u has no lane", index);
    publisher->own = allocate(NULL, publisher->own_count * sizeof *publisher->own);
    uint32_t at = 0;
    for (uint32_t lane = 0; lane < lane_count; lane++) if (lanes[lane].publisher == index) publisher->own[at++] = lane;
    publisher->own_next = (uint32_t)rand() % publisher->own_count;
    reconnect(index);
  }
  idle_first = idle_count = busy_count = 0;
  arrivals = 0;
  stopping = false;
  published.first_ns = started_ns = now_ns();
  for (uint32_t index = 0; index < publisher_count; index++) next_of(index);
}

bool publishers_busy(void) { return busy_count > 0 || !over(now_ns()); }
void publishers_stop(void) { stopping = true; }

void publishers_close(void) {
  for (uint32_t index = 0; index < publisher_count; index++) {
    if (publishers[index].fd >= 0) close(publishers[index].fd);
    free(publishers[index].own);
  }
  free(publishers);
  free(idle);
  publishers = NULL;
  idle = NULL;
  publisher_count = busy_count = 0;
}

/* 0: not whole yet. */
static int status_of_whole(Publisher *publisher) {
  char *text = publisher->answer, *end = memmem(text, publisher->length, "\r\n\r\n", 4);
  if (!end) return 0;
  size_t head = (size_t)(end + 4 - text);
  text[publisher->length] = 0;
  *end = 0;
  char *field = strcasestr(text, "\r\ncontent-length:");
  bool chunked = !field && strcasestr(text, "\r\ntransfer-encoding: chunked");
  int status = atoi(text + 9);
  size_t body = field ? strtoul(field + 17, NULL, 10) : 0;
  *end = '\r';
  if (chunked) return publisher->length >= head + 5 && memcmp(text + publisher->length - 5, "0\r\n\r\n", 5) == 0 ? status : 0;
  return publisher->length >= head + body ? status : 0;
}

void publishers_event(uint32_t index, uint32_t events) {
  if (index >= publisher_count) return;
  Publisher *publisher = &publishers[index];
  if (publisher->busy && (events & EPOLLOUT) && publisher->sent < publisher->lane->length) write_some(index);
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  if (publisher->length + 1 >= ANSWER_BYTES) fail("an answer is longer than %d bytes", ANSWER_BYTES);
  ssize_t length = recv(publisher->fd, publisher->answer + publisher->length, ANSWER_BYTES - 1 - publisher->length, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    const char *why = length == 0 ? "the server closed the connection of a publisher" : strerror(errno);
    if (publisher->busy) {
      published.broken++;
      note_reason(published.reason, sizeof published.reason, why, strlen(why));
      publisher->busy = false;
      busy_count--;
      reconnect(index);
      next_of(index);
    } else reconnect(index);
    return;
  }
  publisher->length += (uint32_t)length;
  int status = publisher->busy ? status_of_whole(publisher) : 0;
  if (status == 0) return;
  published.last_ns = now_ns();
  histogram_add(&published.latency, published.last_ns - publisher->intended_ns);
  if (status >= 200 && status < 300) { published.taken++; publisher->lane->taken++; }
  else { published.failed++; note_reason(published.reason, sizeof published.reason, publisher->answer, publisher->length); }
  publisher->busy = false;
  busy_count--;
  next_of(index);
}
