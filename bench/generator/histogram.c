#include <stdio.h>
#include <string.h>
#include "load.h"

/* Values below 128 have a bucket each; above, the six bits below the highest one choose it. */
static uint32_t bucket_of(uint64_t value) {
  if (value < 128) return (uint32_t)value;
  int shift = 63 - __builtin_clzll(value) - 6;
  return (uint32_t)(shift * 64 + (value >> shift));
}

/* The middle of a bucket. */
static uint64_t value_of(uint32_t bucket) {
  if (bucket < 128) return bucket;
  uint32_t shift = bucket / 64 - 1;
  return ((uint64_t)(bucket - shift * 64) << shift) + ((1ull << shift) >> 1);
}

void histogram_clear(Histogram *histogram) { memset(histogram, 0, sizeof *histogram); }

void histogram_add(Histogram *histogram, uint64_t value) {
  histogram->buckets[bucket_of(value)]++;
  histogram->count++;
  histogram->sum += value;
  if (value > histogram->max) histogram->max = value;
}

uint64_t histogram_at(const Histogram *histogram, double share) {
  uint64_t rank = (uint64_t)(share * (double)histogram->count + 0.5), seen = 0;
  if (rank < 1) rank = 1;
  for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->buckets[bucket];
    if (seen >= rank) return value_of(bucket) < histogram->max ? value_of(bucket) : histogram->max;
  }
  return histogram->max;
}

void histogram_print(const Histogram *histogram) {
  static const struct { const char *name; double share; } points[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
  printf("{\"count\":%lu,\"mean\":%.4f", histogram->count, histogram->count ? (double)histogram->sum / (double)histogram->count / 1e6 : 0);
  for (size_t at = 0; at < sizeof points / sizeof *points; at++) {
    printf(",\"%s\":%.4f", points[at].name, (double)histogram_at(histogram, points[at].share) / 1e6);
  }
  printf(",\"max\":%.4f}", (double)histogram->max / 1e6);
}
