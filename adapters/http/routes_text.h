#pragma once

#include "exchange.h"

namespace infer::http {

class Service;

/// POST /embed with a JSON body: {"inputs": s | [s], "normalize"?: true, "truncate"?: false} -> [[f]].
void embed_json(Service& service, Exchange& exchange);

}  // namespace infer::http
