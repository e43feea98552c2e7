#include "CWhittleToml.h"
