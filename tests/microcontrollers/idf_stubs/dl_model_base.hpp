// As much of ESP-DL's header as the program uses, by its documentation: enough for a compiler to check the program.
#pragma once
#include <map>
#include <string>

#include "esp_err.h"

namespace fbs {
typedef enum { MODEL_LOCATION_IN_FLASH_RODATA = 0 } model_location_type_t;
}

namespace dl {
class TensorBase {
public:
    void *data;
};

class Model {
public:
    Model(const char *rodata, fbs::model_location_type_t location = fbs::MODEL_LOCATION_IN_FLASH_RODATA);
    std::map<std::string, TensorBase *> &get_inputs();
    std::map<std::string, TensorBase *> &get_outputs();
    void run();
    esp_err_t test();
    void profile(bool sort_module_by_latency = false);
};
}
