#include "sim/codec.h"

#include <stdlib.h>

void sim_codec_fail(struct sim_codec *c, enum sim_status status)
{
    if (c->status == SIM_OK) {
        c->status = status;
    }
}

/* The next `count` bytes to read; NULL at the end or after an error. */
static const uint8_t *take(struct sim_codec *c, size_t count)
{
    if (c->status != SIM_OK || count > c->size - c->at) {
        sim_codec_fail(c, SIM_EINVAL);
        return NULL;
    }
    const uint8_t *p = c->in + c->at;
    c->at += count;
    return p;
}

/* Where the next `count` bytes go; NULL if they do not fit any more. */
static uint8_t *give(struct sim_codec *c, size_t count)
{
    uint8_t *p = c->out && c->at + count <= c->size ? c->out + c->at : NULL;
    c->at += count;
    return p;
}

void sim_codec_u64(struct sim_codec *c, uint64_t *value)
{
    if (sim_codec_reads(c)) {
        const uint8_t *p = take(c, 8);
        *value = p ? sim_get64(p) : 0;
        return;
    }
    uint8_t *p = give(c, 8);
    if (p) {
        sim_put64(p, *value);
    }
}

void sim_codec_u32(struct sim_codec *c, uint32_t *value)
{
    if (sim_codec_reads(c)) {
        const uint8_t *p = take(c, 4);
        *value = p ? sim_get32(p) : 0;
        return;
    }
    uint8_t *p = give(c, 4);
    if (p) {
        sim_put32(p, *value);
    }
}

void sim_codec_u8(struct sim_codec *c, uint8_t *value)
{
    if (sim_codec_reads(c)) {
        const uint8_t *p = take(c, 1);
        *value = p ? *p : 0;
        return;
    }
    uint8_t *p = give(c, 1);
    if (p) {
        *p = *value;
    }
}

void sim_codec_bool(struct sim_codec *c, bool *value)
{
    uint8_t byte = *value;
    sim_codec_u8(c, &byte);
    if (byte > 1) {
        sim_codec_fail(c, SIM_EINVAL);
    }
    *value = byte == 1;
}

/* Two's complement on every target, converted without overflow. */
void sim_codec_i64(struct sim_codec *c, int64_t *value)
{
    uint64_t bits = (uint64_t)*value;
    sim_codec_u64(c, &bits);
    *value = bits <= INT64_MAX ? (int64_t)bits : -(int64_t)(UINT64_MAX - bits) - 1;
}

void sim_codec_i32(struct sim_codec *c, int32_t *value)
{
    int64_t wide = *value;
    sim_codec_i64(c, &wide);
    if (wide < INT32_MIN || wide > INT32_MAX) {
        sim_codec_fail(c, SIM_EINVAL);
        wide = 0;
    }
    *value = (int32_t)wide;
}

void sim_codec_name(struct sim_codec *c, char name[SIM_NAME_MAX])
{
    uint8_t length = sim_codec_reads(c) ? 0 : (uint8_t)strlen(name);
    sim_codec_u8(c, &length);
    if (!sim_codec_reads(c)) {
        uint8_t *p = give(c, length);
        if (p) {
            memcpy(p, name, length);
        }
        return;
    }
    const uint8_t *p = length < SIM_NAME_MAX ? take(c, length) : NULL;
    if (!p || memchr(p, '\0', length)) {
        sim_codec_fail(c, SIM_EINVAL);
        return;
    }
    memset(name, 0, SIM_NAME_MAX);
    memcpy(name, p, length);
}

uint32_t sim_codec_array(struct sim_codec *c, void *array_pointer, uint32_t *count, uint32_t limit,
                         size_t element_bytes, size_t encoded_min)
{
    sim_codec_u32(c, count);
    if (!sim_codec_reads(c)) {
        return *count;
    }
    if (*count > limit || *count > (c->size - c->at) / encoded_min) {
        sim_codec_fail(c, SIM_EINVAL);
    }
    if (c->status != SIM_OK) {
        *count = 0;
    }
    if (*count == 0) {
        return 0;
    }
    void *array = calloc(*count, element_bytes);
    if (!array) {
        sim_codec_fail(c, SIM_ENOMEM);
        *count = 0;
        return 0;
    }
    memcpy(array_pointer, &array, sizeof array);
    return *count;
}
