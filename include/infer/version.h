#pragma once

#define INFER_VERSION "0.1.0"
