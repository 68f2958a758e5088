#pragma once

/// Everything most users need: photographs in, vectors out, and the engine behind it.

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/engine/open.h"
#include "infer/tasks/image_embedder.h"
#include "infer/version.h"
