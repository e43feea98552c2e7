#include "CWhittleCurl.h"
