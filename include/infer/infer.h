#pragma once

/// \file
/// Everything that most programs need: the tasks, and the engine that runs them.

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/engine/open.h"
#include "infer/tasks/forecaster.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tasks/simulator.h"
#include "infer/tasks/tensor_runner.h"
#include "infer/tasks/text_classifier.h"
#include "infer/tasks/text_embedder.h"
#include "infer/version.h"
