#include "sim/base.h"

