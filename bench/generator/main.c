/*
 * Commands on standard input, one a line; one line of JSON for each on standard output (bench/README.md lists them).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "load.h"

/* Nodes of one service at most. */
#define MOST_TARGETS 16

int poll_fd;
static uint16_t targets[MOST_TARGETS];
static uint32_t target_count;

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  printf("{\"error\":\"");
  vprintf(format, values);
  printf("\"}\n");
  fflush(stdout);
  exit(1);
}

void note_reason(char *reason, size_t room, const char *text, size_t length) {
  if (reason[0]) return;
  size_t written = 0;
  for (size_t at = 0; at < length && written + 2 < room; at++) {
    unsigned char letter = (unsigned char)text[at];
    reason[written++] = letter < ' ' || letter == '"' || letter == '\\' || letter > 126 ? ' ' : (char)letter;
  }
  reason[written] = 0;
}

void *allocate(void *old, size_t bytes) {
  void *memory = realloc(old, bytes ? bytes : 1);
  if (!memory) fail("there is no memory left");
  return memory;
}

void watch(int fd, int kind, uint32_t index, uint32_t events, bool anew) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)kind << 32 | index};
  if (epoll_ctl(poll_fd, anew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0) fail("epoll: %s", strerror(errno));
}

int connect_to_target(uint32_t index, int receive_buffer) {
  if (target_count == 0) fail("there is no target");
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
  if (fd < 0) fail("no socket: %s (a higher limit of open files, ulimit -n, may help)", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (receive_buffer) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(targets[index % target_count]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("no connection: %s", strerror(errno));
  return fd;
}

static char input[1 << 16];
static size_t input_length;
static bool input_ended;

static void turn(int timeout_ms) {
  struct epoll_event events[1024];
  int count = epoll_wait(poll_fd, events, 1024, timeout_ms);
  for (int at = 0; at < count; at++) {
    uint32_t index = (uint32_t)events[at].data.u64;
    switch (events[at].data.u64 >> 32) {
      case OF_STREAM: streams_event(index, events[at].events); break;
      case OF_PUBLISHER: publishers_event(index, events[at].events); break;
      case OF_TIMER: publishers_due(); break;
      case OF_INPUT: {
        ssize_t length = read(0, input + input_length, sizeof input - 1 - input_length);
        if (length <= 0) { input_ended = true; epoll_ctl(poll_fd, EPOLL_CTL_DEL, 0, NULL); } else input_length += (size_t)length;
      }
    }
  }
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The value of "name=" in a command; without it, `otherwise`. */
static double option(const char *command, const char *name, double otherwise) {
  char wanted[40];
  snprintf(wanted, sizeof wanted, " %s=", name);
  const char *at = strstr(command, wanted);
  return at ? strtod(at + strlen(wanted), NULL) : otherwise;
}

static void clear(void) {
  memset(&received, 0, sizeof received);
  memset(&published, 0, sizeof published);
}

static void print_streams(void) {
  printf("\"streams\":%u,\"live\":%u,\"refused\":%lu,\"ended\":%lu,\"cut\":%lu,\"reason\":\"%s\"",
    stream_count, streams_live(), received.refused, received.ended, received.cut, received.reason);
}

static void open_streams(const char *command) {
  clear();
  uint64_t started = now_ns(), patience = (uint64_t)(option(command, "patience", 60) * 1e9);
  streams_open((uint32_t)option(command, "parallel", 256), (uint32_t)option(command, "small", 0), false);
  while (streams_opening() && now_ns() - started < patience) turn(100);
  printf("{");
  print_streams();
  printf(",\"seconds\":%.4f}\n", (double)(now_ns() - started) / 1e9);
}

/*
 * Publishes, and reads until everything has arrived, or nothing has for `settle` seconds, or `drain` seconds are over;
 * with "keep=" also what was outstanding before.
 * "spread=" cuts streams on the way, "reopen=" opens them again first, "abort=" gives up once a message is so late (ms).
 */
static void run(const char *command) {
  Plan plan = {
    .connections = (uint32_t)option(command, "connections", 0), .rate = option(command, "rate", 0),
    .seconds = option(command, "seconds", 3600), .most = (uint64_t)option(command, "count", 0)
  };
  uint64_t settle = (uint64_t)(option(command, "settle", 3) * 1e9), drain = (uint64_t)(option(command, "drain", 30) * 1e9);
  uint64_t abort_ns = (uint64_t)(option(command, "abort", 0) * 1e6);
  double spread = option(command, "spread", 0), cpu = cpu_seconds();
  bool reopen = option(command, "reopen", 0) > 0, aborted = false;
  clear();
  if (option(command, "keep", 0) == 0) streams_forget_loss();
  if (spread > 0) streams_cut_after((uint32_t)spread);
  uint64_t started = now_ns();
  if (reopen) streams_open((uint32_t)option(command, "parallel", 100000), 0, true);
  if (plan.connections > 0) publishers_start(&plan);
  uint64_t ended = 0, looked = 0;
  while (!input_ended) {
    turn(ended || reopen ? 5 : 100);
    uint64_t now = now_ns();
    if (abort_ns && !aborted && ((received.latency.count > 200 && histogram_at(&received.latency, 0.95) > abort_ns) ||
        (received.last_ns && now - received.last_ns > abort_ns * 3 && published.taken > 50))) {
      aborted = true;
      publishers_stop();
    }
    if (aborted) break;
    if (!ended && (plan.connections == 0 || !publishers_busy())) ended = now;
    if (!ended || now - looked < 5000000) continue;
    looked = now;
    if (streams_outstanding() == 0 && !(reopen && streams_opening())) break;
    uint64_t last = received.last_ns > ended ? received.last_ns : ended;
    if (now - last > settle || now - ended > drain) break;
  }
  uint64_t last = received.last_ns > published.last_ns ? received.last_ns : published.last_ns;
  double publishing = (double)(published.last_ns - published.first_ns) / 1e9, seconds = last > started ? (double)(last - started) / 1e9 : 0;
  printf("{");
  print_streams();
  printf(",\"seconds\":%.6f,\"publishSeconds\":%.6f,\"sent\":%lu,\"published\":%lu,\"failed\":%lu,\"broken\":%lu,\"publishReason\":\"%s\"",
    seconds, publishing, published.sent, published.taken, published.failed, published.broken, published.reason);
  printf(",\"deliveries\":%lu,\"bytes\":%lu,\"lost\":%lu,\"doubles\":%lu,\"swapped\":%lu,\"foreign\":%lu,\"replayed\":%lu,\"comments\":%lu,\"aborted\":%s,\"events\":",
    received.deliveries, received.bytes, streams_outstanding(), received.doubles, received.swapped, received.foreign, received.replayed, received.comments, aborted ? "true" : "false");
  streams_print_events();
  printf(",\"latency\":");
  histogram_print(&received.latency);
  printf(",\"publishLatency\":");
  histogram_print(&published.latency);
  printf(",\"catchUp\":");
  histogram_print(&received.catch_up);
  printf(",\"cpuSeconds\":%.4f}\n", cpu_seconds() - cpu);
}

static void wait_for(double seconds) {
  for (uint64_t until = now_ns() + (uint64_t)(seconds * 1e9); now_ns() < until && !input_ended;) turn(20);
}

/* Ports, with commas between them. */
static void set_targets(char *list) {
  for (target_count = 0; *list && target_count < MOST_TARGETS; list += *list == ',') targets[target_count++] = (uint16_t)strtoul(list, &list, 10);
  if (*list || target_count == 0) fail("targets are up to %d ports, with commas between them", MOST_TARGETS);
}

static void set_secret(const char *hex) {
  uint8_t key[1024];
  size_t length = 0;
  unsigned byte;
  for (; length < sizeof key && sscanf(hex, "%2x", &byte) == 1; hex += 2) key[length++] = (uint8_t)byte;
  hmac_sha1_key(key, length);
}

static void forget_lanes(void) {
  streams_close();
  publishers_close();
  for (uint32_t lane = 0; lane < lane_count; lane++) free(lanes[lane].request);
  free(lanes);
  lanes = NULL;
  lane_count = 0;
}

static bool obey(char *command) {
  char *rest = strchr(command, ' ');
  rest = rest ? rest + 1 : command + strlen(command);
#define IS(word) (strncmp(command, word, strlen(word)) == 0 && (command[strlen(word)] == ' ' || command[strlen(word)] == 0))
  if (IS("open")) { open_streams(command); return true; }
  if (IS("run")) { run(command); return true; }
  if (IS("quit")) return false;
  if (IS("target")) set_targets(rest);
  else if (IS("secret")) set_secret(rest);
  else if (IS("ready")) streams_ready_text(rest);
  else if (IS("lanes")) lanes_load(rest);
  else if (IS("streams")) streams_load(rest);
  else if (IS("wait")) wait_for(atof(rest));
  else if (IS("stall")) streams_stall((uint32_t)atoi(rest), true);
  else if (IS("unstall")) streams_stall((uint32_t)atoi(rest), false);
  else if (IS("cut")) streams_cut();
  else if (IS("close")) forget_lanes();
  else fail("there is no command %.40s", command);
  printf("{\"live\":%u,\"ended\":%lu}\n", streams_live(), received.ended);
  return true;
}

int main(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* a timer is then late by microseconds, not by 50 of them */
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  watch(0, OF_INPUT, 0, EPOLLIN, true);
  for (;;) {
    char *end;
    while (!(end = memchr(input, '\n', input_length))) {
      if (input_ended) return 0;
      turn(1000);
    }
    char command[4096];
    size_t length = (size_t)(end - input);
    if (length >= sizeof command) fail("a command is longer than %zu characters", sizeof command);
    memcpy(command, input, length);
    command[length] = 0;
    memmove(input, end + 1, input_length -= length + 1);
    if (!obey(command)) return 0;
    fflush(stdout);
  }
}
