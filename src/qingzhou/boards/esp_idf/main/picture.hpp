// A camera's picture becomes the model's: the middle of it, smaller, normalised, as int8.
#pragma once

#include <cmath>
#include <cstdint>

struct Way {
    int crop[4];      // which part of the camera's picture: left, top, width, height
    int size[2];      // what the model wants: width, height
    int channels;     // 3: red, green, blue; 1: grey
    bool bgr;         // blue first
    float mean[3];    // taken off each channel, in levels of 255
    float std[3];     // and what it is divided by then
    int exponent;     // a step of the model's int8 is two to this power
};

// One camera pixel: RGB565, the byte with red first, as esp32-camera gives it.
inline void levels_of(const uint8_t *pixel, float levels[3])
{
    int value = pixel[0] << 8 | pixel[1];
    levels[0] = (value >> 11) * 255 / 31.f;
    levels[1] = (value >> 5 & 63) * 255 / 63.f;
    levels[2] = (value & 31) * 255 / 31.f;
}

// (height, width, channels) int8 for the model, each the average of the camera's pixels that it covers.
inline void prepare(const uint8_t *frame, int frame_width, const Way &way, int8_t *out)
{
    float step = std::ldexp(1.f, -way.exponent);
    for (int y = 0; y < way.size[1]; y++) {
        int top = way.crop[1] + y * way.crop[3] / way.size[1];
        int bottom = way.crop[1] + (y + 1) * way.crop[3] / way.size[1];
        for (int x = 0; x < way.size[0]; x++) {
            int left = way.crop[0] + x * way.crop[2] / way.size[0];
            int right = way.crop[0] + (x + 1) * way.crop[2] / way.size[0];
            float sum[3] = {0, 0, 0}, pixel[3];
            int count = 0;
            for (int row = top; row < bottom || row == top; row++) {
                for (int column = left; column < right || column == left; column++, count++) {
                    levels_of(frame + 2 * (row * frame_width + column), pixel);
                    for (int c = 0; c < 3; c++)
                        sum[c] += pixel[c];
                }
            }
            for (int c = 0; c < way.channels; c++) {
                float level = sum[way.bgr ? 2 - c : c];
                if (way.channels == 1)
                    level = 0.299f * sum[0] + 0.587f * sum[1] + 0.114f * sum[2];
                float value = std::round((level / count - way.mean[c]) / way.std[c] * step);
                *out++ = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
            }
        }
    }
}
