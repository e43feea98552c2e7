#include "CWhittleSHA256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The words a…h in the order that the instructions take them: ABEF and CDGH, first word highest. */
struct words {
    __m128i abef;
    __m128i cdgh;
};

WITH_SHA static inline struct words load_words(const uint32_t *state) {
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    return (struct words){_mm_alignr_epi8(low, high, 8), _mm_blend_epi16(high, low, 0xf0)};
}

WITH_SHA static inline void store_words(uint32_t *state, struct words words) {
    __m128i low = _mm_shuffle_epi32(words.abef, 0x1b);
    __m128i high = _mm_shuffle_epi32(words.cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/* 16 words of a message, from big endian. */
WITH_SHA static inline void load_message(__m128i *message, const uint8_t *block) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    for (int i = 0; i < 4; i++) {
        message[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), swap);
    }
}

/* Four rounds, and the message words for those 16 later. */
WITH_SHA static inline __attribute__((always_inline)) void four_rounds(
    struct words *words, __m128i *message, int round) {
    __m128i *now = &message[round & 3];
    __m128i *last = &message[(round + 3) & 3];
    __m128i sum = _mm_add_epi32(*now, _mm_load_si128((const __m128i *)(constants + 4 * round)));
    words->cdgh = _mm_sha256rnds2_epu32(words->cdgh, words->abef, sum);
    words->abef = _mm_sha256rnds2_epu32(words->abef, words->cdgh, _mm_shuffle_epi32(sum, 0x0e));
    if (round < 12) {
        __m128i next = _mm_sha256msg1_epu32(*now, message[(round + 1) & 3]);
        next = _mm_add_epi32(next, _mm_alignr_epi8(*last, message[(round + 2) & 3], 4));
        *now = _mm_sha256msg2_epu32(next, *last);
    }
}

bool whittle_sha256_is_available(void) {
    /* `sha` is not in every compiler's list of names for __builtin_cpu_supports: leaf 7, bit 29 of EBX. */
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
    return (ebx >> 29 & 1) != 0 && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

WITH_SHA void whittle_sha256_blocks(uint32_t *state, const uint8_t *blocks, size_t count) {
    struct words words = load_words(state);
    for (; count > 0; count--, blocks += 64) {
        struct words before = words;
        __m128i message[4];
        load_message(message, blocks);
#pragma clang loop unroll(full)
        for (int round = 0; round < 16; round++) four_rounds(&words, message, round);
        words.abef = _mm_add_epi32(words.abef, before.abef);
        words.cdgh = _mm_add_epi32(words.cdgh, before.cdgh);
    }
    store_words(state, words);
}

WITH_SHA void whittle_sha256_blocks_of_two(
    uint32_t *first, const uint8_t *first_blocks, uint32_t *second, const uint8_t *second_blocks, size_t count) {
    struct words one = load_words(first);
    struct words two = load_words(second);
    for (; count > 0; count--, first_blocks += 64, second_blocks += 64) {
        struct words one_before = one;
        struct words two_before = two;
        __m128i one_message[4];
        __m128i two_message[4];
        load_message(one_message, first_blocks);
        load_message(two_message, second_blocks);
#pragma clang loop unroll(full)
        for (int round = 0; round < 16; round++) {
            four_rounds(&one, one_message, round);
            four_rounds(&two, two_message, round);
        }
        one.abef = _mm_add_epi32(one.abef, one_before.abef);
        one.cdgh = _mm_add_epi32(one.cdgh, one_before.cdgh);
        two.abef = _mm_add_epi32(two.abef, two_before.abef);
        two.cdgh = _mm_add_epi32(two.cdgh, two_before.cdgh);
    }
    store_words(first, one);
    store_words(second, two);
}

#else

bool whittle_sha256_is_available(void) { return false; }

void whittle_sha256_blocks(uint32_t *state, const uint8_t *blocks, size_t count) {}

void whittle_sha256_blocks_of_two(
    uint32_t *first, const uint8_t *first_blocks, uint32_t *second, const uint8_t *second_blocks, size_t count) {}

#endif
