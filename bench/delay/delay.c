/*
 * delay <port> <microseconds>: a way to a port of this machine that takes so long in each direction, whatever is sent. Prints
 * its own port, and ends when its standard input does. One thread, one epoll; nothing is lost, doubled or overtaken.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES 65536
/* What may be on its way in one direction before no more is read, in bytes. */
#define HELD_BYTES (4 * 1048576)

typedef struct Chunk {
  struct Chunk *next;
  uint64_t due_ns;
  size_t length, sent; /* length 0: the end */
  char bytes[];
} Chunk;

struct Connection;

/* One end of a connection, and what is on its way to it. */
typedef struct {
  struct Connection *of;
  int fd;
  Chunk *first, **last;
  size_t held;
  /* All that it sends has come; all that is sent to it has gone. */
  bool finished, ended;
  bool reading, blocked;
} End;

typedef struct Connection {
  struct Connection *next, *before;
  End ends[2];
  bool closed;
} Connection;

static int poll_fd, listen_fd, timer_fd;
static uint64_t delay_ns, armed_ns;
static struct sockaddr_in target = {.sin_family = AF_INET};
static Connection *connections, *closed;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static End *other(End *end) { return &end->of->ends[end == &end->of->ends[0]]; }

static void arm(uint64_t at_ns) {
  if (armed_ns && armed_ns <= at_ns) return;
  armed_ns = at_ns;
  struct itimerspec when = {.it_value = {(time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000)}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void watch(End *end, int operation) {
  struct epoll_event event = {.events = (end->reading ? EPOLLIN : 0) | (end->blocked ? EPOLLOUT : 0), .data.ptr = end};
  if (epoll_ctl(poll_fd, operation, end->fd, &event) < 0) fail("epoll");
}

static void read_on(End *end, bool reading) {
  if (end->reading == reading) return;
  end->reading = reading;
  watch(end, EPOLL_CTL_MOD);
}

/* `broken`: both sides are told so. Freed at the end of the turn: an event of it may still be to come. */
static void close_both(Connection *connection, bool broken) {
  if (connection->closed) return;
  connection->closed = true;
  for (int side = 0; side < 2; side++) {
    End *end = &connection->ends[side];
    struct linger reset = {1, 0};
    if (broken) setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(end->fd);
    for (Chunk *chunk = end->first, *next; chunk; chunk = next) { next = chunk->next; free(chunk); }
    end->first = NULL;
  }
  if (connection->next) connection->next->before = connection->before;
  if (connection->before) connection->before->next = connection->next; else connections = connection->next;
  connection->next = closed;
  closed = connection;
}

/* Hands on what is due. */
static void move(End *end) {
  uint64_t now = now_ns();
  while (end->first && !end->blocked) {
    Chunk *chunk = end->first;
    if (chunk->due_ns > now) { arm(chunk->due_ns); return; }
    if (chunk->length == 0) {
      shutdown(end->fd, SHUT_WR);
      end->ended = true;
    } else {
      ssize_t sent = send(end->fd, chunk->bytes + chunk->sent, chunk->length - chunk->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) { close_both(end->of, true); return; }
      if (sent > 0) chunk->sent += (size_t)sent;
      if (chunk->sent < chunk->length) {
        end->blocked = true;
        watch(end, EPOLL_CTL_MOD);
        return;
      }
      end->held -= chunk->length;
      if (end->held <= HELD_BYTES / 2 && !other(end)->finished) read_on(other(end), true);
    }
    if (!(end->first = chunk->next)) end->last = &end->first;
    free(chunk);
  }
  if (end->ended && other(end)->ended) close_both(end->of, false);
}

static void receive(End *end) {
  Chunk *chunk = malloc(sizeof *chunk + CHUNK_BYTES);
  if (!chunk) fail("memory");
  ssize_t length = recv(end->fd, chunk->bytes, CHUNK_BYTES, MSG_DONTWAIT);
  if (length < 0) {
    free(chunk);
    if (errno != EAGAIN) close_both(end->of, true);
    return;
  }
  chunk = realloc(chunk, sizeof *chunk + (size_t)length);
  End *to = other(end);
  *chunk = (Chunk){.due_ns = now_ns() + delay_ns, .length = (size_t)length};
  *to->last = chunk;
  to->last = &chunk->next;
  to->held += (size_t)length;
  end->finished = length == 0;
  if (end->finished || to->held > HELD_BYTES) read_on(end, false);
  if (to->first == chunk) arm(chunk->due_ns);
}

static void take_one(void) {
  int fds[2] = {accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}, yes = 1;
  if (fds[0] < 0 || fds[1] < 0) fail("no connection");
  /* Blocking, as long as it is made: it is to this machine. */
  if (connect(fds[1], (struct sockaddr *)&target, sizeof target) < 0) { close(fds[0]); close(fds[1]); return; }
  Connection *connection = calloc(1, sizeof *connection);
  if (!connection) fail("memory");
  connection->next = connections;
  if (connections) connections->before = connection;
  connections = connection;
  for (int side = 0; side < 2; side++) {
    End *end = &connection->ends[side];
    *end = (End){.of = connection, .fd = fds[side], .last = &end->first, .reading = true};
    setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(end, EPOLL_CTL_ADD);
  }
}

int main(int count, char **values) {
  if (count != 3) { fprintf(stderr, "delay <port> <microseconds>\n"); return 1; }
  prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  target.sin_port = htons((uint16_t)atoi(values[1]));
  delay_ns = strtoull(values[2], NULL, 10) * 1000;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof own;
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listen_fd, (struct sockaddr *)&own, sizeof own) < 0 || listen(listen_fd, 1024) < 0) fail("no port");
  getsockname(listen_fd, (struct sockaddr *)&own, &length);
  static int input;
  struct { int fd; void *mark; } own_fds[] = {{input, &input}, {listen_fd, &listen_fd}, {timer_fd, &timer_fd}};
  for (int at = 0; at < 3; at++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = own_fds[at].mark};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, own_fds[at].fd, &event) < 0) fail("epoll");
  }
  printf("%u\n", ntohs(own.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event events[256];
    int found = epoll_wait(poll_fd, events, 256, -1);
    for (int at = 0; at < found; at++) {
      void *what = events[at].data.ptr;
      if (what == &input) {
        char rest[256];
        if (read(0, rest, sizeof rest) <= 0) return 0;
      } else if (what == &listen_fd) take_one();
      else if (what == &timer_fd) {
        uint64_t expired;
        if (read(timer_fd, &expired, sizeof expired) < 0 && errno != EAGAIN) fail("timer");
        armed_ns = 0;
        for (Connection *connection = connections, *next; connection; connection = next) {
          next = connection->next;
          move(&connection->ends[0]);
          if (!connection->closed) move(&connection->ends[1]);
        }
      } else {
        End *end = what;
        if (end->of->closed) continue;
        if (events[at].events & EPOLLOUT) {
          end->blocked = false;
          watch(end, EPOLL_CTL_MOD);
          move(end);
        }
        if (!end->of->closed && (events[at].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) receive(end);
      }
    }
    for (Connection *next; closed; closed = next) { next = closed->next; free(closed); }
  }
}
