#include <isa-l/igzip_lib.h>

/* A macro with arithmetic, which Swift does not import. */
static const uint32_t whittle_isal_level_1_buffer_size = ISAL_DEF_LVL1_DEFAULT;
