#include <isa-l/igzip_lib.h>

/* A macro with arithmetic, which Swift does not import. */
static const uint32_t whittle_isal_level_2_buffer_size = ISAL_DEF_LVL2_DEFAULT;

/* ISA-L returns with the upper halves of the vector registers in use. SSE code that runs afterwards on the same thread then
   waits for them at each instruction: SHA-256 loses 45 % of its speed. To be called after every call of ISA-L. */
#if defined(__x86_64__)
__attribute__((target("avx"))) static inline void whittle_clear_upper_halves_avx(void) { __builtin_ia32_vzeroupper(); }

static inline void whittle_clear_upper_halves(void) {
    if (__builtin_cpu_supports("avx")) whittle_clear_upper_halves_avx();
}
#else
static inline void whittle_clear_upper_halves(void) {}
#endif
