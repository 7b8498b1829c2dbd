/* MD5 (RFC 1321), SHA-1 (RFC 3174), HMAC (RFC 2104) and base64: no library is needed for a signed call. */
#include <math.h>
#include <string.h>
#include "load.h"

static uint32_t turn(uint32_t value, int by) { return value << by | value >> (32 - by); }

/* Calls `block` with 64 bytes at a time, the padding included. `done`: bytes that went before, a multiple of 64. */
static void blocks(const uint8_t *data, size_t length, size_t done, bool little, void (*block)(uint32_t *, const uint8_t *), uint32_t *state) {
  uint8_t last[128] = {0};
  uint64_t bits = (uint64_t)(done + length) * 8;
  for (; length >= 64; data += 64, length -= 64) block(state, data);
  memcpy(last, data, length);
  last[length] = 0x80;
  size_t end = length < 56 ? 64 : 128;
  for (int at = 0; at < 8; at++) last[end - 8 + at] = (uint8_t)(bits >> (little ? 8 * at : 56 - 8 * at));
  for (size_t at = 0; at < end; at += 64) block(state, last + at);
}

static uint32_t md5_constants[64];

static void md5_block(uint32_t *state, const uint8_t *data) {
  static const int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t word[16], a = state[0], b = state[1], c = state[2], d = state[3];
  memcpy(word, data, 64); /* little-endian, as the machines are that this is for */
  for (int at = 0; at < 64; at++) {
    uint32_t mixed;
    int which;
    if (at < 16) { mixed = (b & c) | (~b & d); which = at; }
    else if (at < 32) { mixed = (d & b) | (~d & c); which = (5 * at + 1) % 16; }
    else if (at < 48) { mixed = b ^ c ^ d; which = (3 * at + 5) % 16; }
    else { mixed = c ^ (b | ~d); which = 7 * at % 16; }
    uint32_t next = b + turn(a + mixed + md5_constants[at] + word[which], turns[at / 16][at % 4]);
    a = d; d = c; c = b; b = next;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
}

void md5(const void *data, size_t length, uint8_t digest[16]) {
  if (md5_constants[0] == 0) for (int at = 0; at < 64; at++) md5_constants[at] = (uint32_t)(long long)floor(fabs(sin(at + 1)) * 4294967296.0);
  uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  blocks(data, length, 0, true, md5_block, state);
  memcpy(digest, state, 16);
}

static void sha1_block(uint32_t *state, const uint8_t *data) {
  static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
  uint32_t word[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int at = 0; at < 16; at++) word[at] = (uint32_t)data[4 * at] << 24 | (uint32_t)data[4 * at + 1] << 16 | (uint32_t)data[4 * at + 2] << 8 | data[4 * at + 3];
  for (int at = 16; at < 80; at++) word[at] = turn(word[at - 3] ^ word[at - 8] ^ word[at - 14] ^ word[at - 16], 1);
  for (int at = 0; at < 80; at++) {
    uint32_t mixed = at < 20 ? (b & c) | (~b & d) : at >= 40 && at < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
    uint32_t next = turn(a, 5) + mixed + e + constants[at / 20] + word[at];
    e = d; d = c; c = turn(b, 30); b = a; a = next;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e;
}

static const uint32_t sha1_start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

/* After `done` bytes (a multiple of 64) that led to `start`. */
static void sha1_from(const uint32_t *start, size_t done, const void *data, size_t length, uint8_t digest[20]) {
  uint32_t state[5];
  memcpy(state, start, sizeof state);
  blocks(data, length, done, false, sha1_block, state);
  for (int at = 0; at < 20; at++) digest[at] = (uint8_t)(state[at / 4] >> (24 - 8 * (at % 4)));
}

static uint32_t inner[5], outer[5];

void hmac_sha1_key(const uint8_t *key, size_t length) {
  uint8_t block[64] = {0}, padded[64];
  if (length > 64) sha1_from(sha1_start, 0, key, length, block);
  else memcpy(block, key, length);
  memcpy(inner, sha1_start, sizeof inner);
  memcpy(outer, sha1_start, sizeof outer);
  for (int at = 0; at < 64; at++) padded[at] = block[at] ^ 0x36;
  sha1_block(inner, padded);
  for (int at = 0; at < 64; at++) padded[at] = block[at] ^ 0x5c;
  sha1_block(outer, padded);
}

void hmac_sha1(const void *data, size_t length, uint8_t digest[20]) {
  uint8_t first[20];
  sha1_from(inner, 64, data, length, first);
  sha1_from(outer, 64, first, sizeof first, digest);
}

size_t base64(const uint8_t *data, size_t length, char *text) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t written = 0;
  for (size_t at = 0; at < length; at += 3) {
    uint32_t bits = (uint32_t)data[at] << 16 | (at + 1 < length ? (uint32_t)data[at + 1] << 8 : 0) | (at + 2 < length ? data[at + 2] : 0);
    text[written++] = letters[bits >> 18];
    text[written++] = letters[bits >> 12 & 63];
    text[written++] = at + 1 < length ? letters[bits >> 6 & 63] : '=';
    text[written++] = at + 2 < length ? letters[bits & 63] : '=';
  }
  return written;
}
