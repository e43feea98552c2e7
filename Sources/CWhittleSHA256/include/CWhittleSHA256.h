#ifndef CWHITTLESHA256_H
#define CWHITTLESHA256_H

/* The inner loop of SHA-256 (FIPS 180-4, 6.2.2) with the SHA instructions of x86-64, for one message or for two at once.
   No padding, no lengths: those are the caller's. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this processor has the instructions. Where not, the functions below must not be called. */
bool whittle_sha256_is_available(void);

/* Adds `count` blocks of 64 bytes to the eight words of `state`. */
void whittle_sha256_blocks(uint32_t *state, const uint8_t *blocks, size_t count);

/* The same for two messages, in little more than the time of one: a single message waits for each instruction's result. */
void whittle_sha256_blocks_of_two(
    uint32_t *first, const uint8_t *first_blocks, uint32_t *second, const uint8_t *second_blocks, size_t count);

#endif
