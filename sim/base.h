/* What every file of the simulator shares: status codes, units of time, hashing and the
 * 64-bit arithmetic that C leaves to the target. Nothing here has state.
 *
 * Everything that decides is an integer, and everything here gives the same bits on every
 * compiler and architecture. */
#ifndef SIM_BASE_H
#define SIM_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef NDEBUG
#error "Fallacy's assertions are part of the program: build without NDEBUG"
#endif

#define SIM_NODISCARD __attribute__((warn_unused_result))
#define SIM_LIKELY(x) __builtin_expect(!!(x), 1)
#define SIM_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* What a call may answer. A simulated fault seen by a node (EIO, ENOSPC) uses the same
 * codes, since that is what the node's own errno handling would meet. */
enum sim_status {
    SIM_OK = 0,
    SIM_ENOMEM, /* The world's arena, or the machine, has no memory left. */
    SIM_EINVAL, /* Bad input: a message says which. */
    SIM_EFULL,  /* A fixed table is full. */
    SIM_EIO,    /* The simulated disk failed the request. */
    SIM_ENOSPC, /* The simulated disk is full. */
};

/* Virtual time: nanoseconds since the world began. */
#define SIM_US UINT64_C(1000)
#define SIM_MS UINT64_C(1000000)
#define SIM_S UINT64_C(1000000000)
#define SIM_NEVER UINT64_MAX

#define SIM_PPM UINT64_C(1000000) /* Probabilities and ratios: parts per million. */

/* Bijective finaliser of SplitMix64 (Steele, Lea and Flood 2014): every input bit reaches
 * every output bit. Used to derive streams and to fold hashes, never as a generator. */
static inline uint64_t sim_mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Hash of a stable name: FNV-1a over its bytes, finalised. */
static inline uint64_t sim_hash_name(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++) {
        h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    }
    return sim_mix64(h);
}

/* Little-endian access, whatever the machine's own order: what a message or a disk record
 * holds must be the same bytes on every architecture. Written as copies of whole words, since
 * that compiles to one load or store everywhere; a loop over the bytes may be vectorised
 * into twenty instructions. */
static inline uint64_t sim_little64(uint64_t v)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap64(v);
}

static inline uint32_t sim_little32(uint32_t v)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap32(v);
}

static inline uint64_t sim_get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return sim_little64(v);
}

static inline void sim_put64(uint8_t *p, uint64_t v)
{
    v = sim_little64(v);
    memcpy(p, &v, sizeof v);
}

static inline uint32_t sim_get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return sim_little32(v);
}

static inline void sim_put32(uint8_t *p, uint32_t v)
{
    v = sim_little32(v);
    memcpy(p, &v, sizeof v);
}

/* Hash of a block of bytes, eight at a time. Not for untrusted keys. */
static inline uint64_t sim_hash_bytes(const void *data, size_t size_bytes)
{
    const uint8_t *p = data;
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ size_bytes;
    for (; size_bytes >= 8; p += 8, size_bytes -= 8) {
        h = (h ^ sim_get64(p)) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        tail |= (uint64_t)p[i] << (8 * i);
    }
    h = (h ^ tail) * UINT64_C(0xff51afd7ed558ccd);
    return h ^ (h >> 32);
}

/* High 64 bits of a 64x64 product; there is no 128-bit integer on 32-bit targets. */
static inline uint64_t sim_mulhi64(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)a * b) >> 64);
#else
    const uint64_t a_low = (uint32_t)a;
    const uint64_t a_high = a >> 32;
    const uint64_t b_low = (uint32_t)b;
    const uint64_t b_high = b >> 32;
    const uint64_t low = a_low * b_low;
    const uint64_t middle = a_high * b_low + (low >> 32);
    const uint64_t cross = a_low * b_high + (uint32_t)middle;
    return a_high * b_high + (middle >> 32) + (cross >> 32);
#endif
}

/* a * b / c, rounded down, exact whatever the size of a * b; saturates at UINT64_MAX.
 * c must not be 0. */
uint64_t sim_muldiv64(uint64_t a, uint64_t b, uint64_t c);

/* a + b, saturating at SIM_NEVER: a delay added to a time never wraps into the past. */
static inline uint64_t sim_add_sat(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
