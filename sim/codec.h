/* Reading and writing bytes with the same calls, so that a form is described once for both: each
 * call writes what it is given, or reads into it. After an error reading gives zeroes.
 *
 * Integers are little-endian, of 1, 4 or 8 bytes; a name is its length and its bytes; an array is
 * its count and its elements. */
#ifndef SIM_CODEC_H
#define SIM_CODEC_H

#include "sim/plan.h"

struct sim_codec {
    uint8_t *out;      /* Writing: may be NULL to count only. */
    const uint8_t *in; /* Reading, else NULL. */
    size_t at;         /* Bytes done. */
    size_t size;       /* Of out or in. */
    enum sim_status status;
    sim_find_kind_fn find; /* Reading: the kinds of nodes there are. */
};

static inline bool sim_codec_reads(const struct sim_codec *codec)
{
    return codec->in != NULL;
}

/* Sets the status, unless there is an error already. */
void sim_codec_fail(struct sim_codec *codec, enum sim_status status);

void sim_codec_u64(struct sim_codec *codec, uint64_t *value);
void sim_codec_u32(struct sim_codec *codec, uint32_t *value);
void sim_codec_u8(struct sim_codec *codec, uint8_t *value);
void sim_codec_i64(struct sim_codec *codec, int64_t *value);
/* As 8 bytes. */
void sim_codec_i32(struct sim_codec *codec, int32_t *value);
/* As a byte, 0 or 1. */
void sim_codec_bool(struct sim_codec *codec, bool *value);
/* Shorter than SIM_NAME_MAX, without a NUL. */
void sim_codec_name(struct sim_codec *codec, char name[SIM_NAME_MAX]);
/* The count of an array, which is returned, and, when reading, its zeroed elements (for free())
 * into the pointer at `array_pointer`. More than `limit` are an error. An element takes at least
 * `encoded_min` bytes, so a false count cannot ask for much more memory than there is input. */
uint32_t sim_codec_array(struct sim_codec *codec, void *array_pointer, uint32_t *count,
                         uint32_t limit, size_t element_bytes, size_t encoded_min);

#endif
