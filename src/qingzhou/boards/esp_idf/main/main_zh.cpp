// 看摄像头，说出看到了什么（从串口输出）。用 ESP-IDF 5.4 或更新版本编译：idf.py set-target $chip build flash monitor
// 模型、类别、引脚都在 settings.hpp 里。

#include <cstdio>

#include "dl_model_base.hpp"
#include "esp_err.h"
#include "picture.hpp"
#include "settings.hpp"
#if HAS_CAMERA
#include "esp_camera.h"
#endif

extern const uint8_t model_espdl[] asm("_binary_model_espdl_start");

// 得分最高的类别就是回答。SoftMax 之后的输出是 float，其他的是 int8（顺序不变）。
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
    // 1. 打开模型，并用它自带的一张图片检查：结果应与电脑上一致
    dl::Model *model = new dl::Model((const char *)model_espdl, fbs::MODEL_LOCATION_IN_FLASH_RODATA);
    printf("%s\n", model->test() == ESP_OK ? "模型自检通过" : "模型自检失败：结果与电脑上不同");
    dl::TensorBase *input = model->get_inputs().begin()->second;
    dl::TensorBase *output = model->get_outputs().begin()->second;

#if HAS_CAMERA
    // 2. 打开摄像头
    ESP_ERROR_CHECK(esp_camera_init(&CAMERA));
    while (true) {
        // 3. 拍一张，变成模型要的图片，让模型看
        camera_fb_t *frame = esp_camera_fb_get();
        if (!frame)
            continue;
        prepare(frame->buf, frame->width, WAY, (int8_t *)input->data);
        esp_camera_fb_return(frame);
        model->run();
        say_best(output);
    }
#else
    // 2. 这块板子的摄像头要另外接（MIPI-CSI，见 ESP-IDF 的 esp_video）：把画面交给 prepare()，就像下面这样
    static uint8_t frame[320 * 240 * 2];
    prepare(frame, 320, WAY, (int8_t *)input->data);
    model->run();
    say_best(output);
    model->profile();
#endif
}
