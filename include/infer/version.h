#pragma once

/// The version of the library, MAJOR.MINOR.PATCH.
#define INFER_VERSION "0.1.0"
