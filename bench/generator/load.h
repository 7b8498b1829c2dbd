/* A load generator for services that publish over HTTP and deliver over Server-Sent Events. One thread, one epoll. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC: of one clock for all processes of a machine. */
uint64_t now_ns(void);
/* One line of JSON that says what went wrong, and the end: exit code 1. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Keeps the first text that is noted, as far as it has room, with blanks for what JSON would have to escape. */
void note_reason(char *reason, size_t room, const char *text, size_t length);
void *allocate(void *old, size_t bytes);

/* ---- histogram.c: 64 buckets for each power of two, so that a value is told within 1.6 % ---- */

#define HISTOGRAM_BUCKETS (64 * 64)

typedef struct {
  uint64_t buckets[HISTOGRAM_BUCKETS];
  uint64_t count, sum, max;
} Histogram;

void histogram_clear(Histogram *histogram);
void histogram_add(Histogram *histogram, uint64_t value);
uint64_t histogram_at(const Histogram *histogram, double share);
/* Prints {"count":…,"mean":…,"p50":…,"p90":…,"p99":…,"p999":…,"max":…}, of values in nanoseconds as milliseconds. */
void histogram_print(const Histogram *histogram);

/* ---- digest.c: what a signed call needs ---- */

void md5(const void *data, size_t length, uint8_t digest[16]);
void hmac_sha1_key(const uint8_t *key, size_t length);
void hmac_sha1(const void *data, size_t length, uint8_t digest[20]);
/* Writes the text without an end, and answers its length. */
size_t base64(const uint8_t *data, size_t length, char *text);

/* ---- what epoll is told of a socket: whose it is, and its index ---- */

enum { OF_STREAM, OF_PUBLISHER, OF_TIMER, OF_INPUT };
extern int poll_fd;
/* Not blocking, without delay; `receive_buffer` 0: as the kernel has it. Where there are several targets, whose index it is says to which. */
int connect_to_target(uint32_t index, int receive_buffer);
void watch(int fd, int kind, uint32_t index, uint32_t events, bool anew);

/* ---- lanes: messages whose order is promised. One connection sends them, one channel carries them. ---- */

/* "~lane.sequence.time~", fixed in width. */
#define MARKER_LENGTH 34

typedef struct {
  uint32_t publisher;
  char *request;
  uint32_t length, body_at;
  /* Where a request differs from the one before it; -1: it does not. */
  int32_t marker_at, key_at, date_at, nonce_at, md5_at, digest_at;
  /* Sent so far; of those the ones that were answered with 2xx. */
  uint32_t sequence, taken;
  /* What was sent when streams were opened again: a stream that has all of it has caught up. */
  uint32_t target;
} Lane;

extern Lane *lanes;
extern uint32_t lane_count;

/* ---- streams.c ---- */

typedef struct {
  uint64_t deliveries, bytes, doubles, swapped, foreign, ended, refused, comments, cut, replayed;
  uint64_t first_ns, last_ns;
  Histogram latency, catch_up;
  char reason[160];
} Received;

extern Received received;
extern uint32_t stream_count;

void streams_load(const char *path);
/* Whatever has the text in a line has begun; an empty text: with the answer's headers. */
void streams_ready_text(const char *text);
void streams_open(uint32_t parallel, uint32_t small_buffers, bool again);
bool streams_opening(void);
uint32_t streams_live(void);
void streams_event(uint32_t index, uint32_t events);
/* The first `count` streams are not read from now on, or read again. */
void streams_stall(uint32_t count, bool stalled);
/* Every stream closes itself after some number of deliveries from 0 to `spread`. */
void streams_cut_after(uint32_t spread);
void streams_cut(void);
void streams_close(void);
/* Messages that were taken by the server and have not arrived at streams that are read. */
uint64_t streams_outstanding(void);
void streams_forget_loss(void);
void streams_print_events(void);

/* ---- publishers.c ---- */

typedef struct {
  uint32_t connections;
  /* 0: closed loop. Otherwise so many a second, at times that are set beforehand. */
  double rate;
  double seconds;
  uint64_t most;
} Plan;

typedef struct {
  uint64_t sent, taken, failed, broken, connects;
  uint64_t first_ns, last_ns;
  Histogram latency;
  char reason[400];
} Published;

extern Published published;

void lanes_load(const char *path);
void publishers_start(const Plan *plan);
/* False: all that was to be sent is sent, and answered. */
bool publishers_busy(void);
void publishers_stop(void);
void publishers_event(uint32_t index, uint32_t events);
void publishers_due(void);
void publishers_close(void);

#endif
