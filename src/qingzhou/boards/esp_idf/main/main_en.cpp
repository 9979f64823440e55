// Looks through the camera and says what it sees, on the serial line. Built with ESP-IDF 5.4 or later:
// idf.py set-target $chip build flash monitor
// The model, the classes and the pins stand in settings.hpp.

#include <cstdio>

#include "dl_model_base.hpp"
#include "esp_err.h"
#include "picture.hpp"
#include "settings.hpp"
#if HAS_CAMERA
#include "esp_camera.h"
#endif

extern const uint8_t model_espdl[] asm("_binary_model_espdl_start");

// The highest score is the answer. After a Softmax scores are float, else int8 (in the same order).
static void say_best(dl::TensorBase *output)
{
    const float *scores = (const float *)output->data;
    const int8_t *steps = (const int8_t *)output->data;
    int best = 0;
    for (int i = 1; i < CLASSES; i++)
        if (OUTPUT_IS_FLOAT ? scores[i] > scores[best] : steps[i] > steps[best])
            best = i;
    if (OUTPUT_IS_FLOAT)
        printf("%s  %d%%\n", LABELS[best], (int)(100 * scores[best] + 0.5f));
    else
        printf("%s\n", LABELS[best]);
}

extern "C" void app_main(void)
{
    // 1. Open the model, and try it with a picture that lies in its file: the result must be as on the computer
    dl::Model *model = new dl::Model((const char *)model_espdl, fbs::MODEL_LOCATION_IN_FLASH_RODATA);
    printf("%s\n", model->test() == ESP_OK ? "the model is fine" : "the model gives other results than on the computer");
    dl::TensorBase *input = model->get_inputs().begin()->second;
    dl::TensorBase *output = model->get_outputs().begin()->second;

#if HAS_CAMERA
    // 2. Open the camera
    ESP_ERROR_CHECK(esp_camera_init(&CAMERA));
    while (true) {
        // 3. Take a picture, make it the model's, let the model look
        camera_fb_t *frame = esp_camera_fb_get();
        if (!frame)
            continue;
        prepare(frame->buf, frame->width, WAY, (int8_t *)input->data);
        esp_camera_fb_return(frame);
        model->run();
        say_best(output);
    }
#else
    // 2. The camera of this board is another matter (MIPI-CSI: esp_video of ESP-IDF); give its picture to prepare()
    static uint8_t frame[320 * 240 * 2];
    prepare(frame, 320, WAY, (int8_t *)input->data);
    model->run();
    say_best(output);
    model->profile();
#endif
}
