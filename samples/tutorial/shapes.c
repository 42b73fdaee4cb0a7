#include "shapes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *const kind_names[KINDS] = {"circle", "square", "cross"};

/* The next of a sequence of numbers from 0 to 1 that look random; the same on every machine. */
static float draw_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-24f;
}

/* How far a point is from the shape's line; x and y from its middle, r its half width. */
static float distance(int32_t kind, float x, float y, float r)
{
    const float longer = fmaxf(fabsf(x), fabsf(y));
    if (kind == 0)
        return fabsf(sqrtf(x * x + y * y) - r);
    if (kind == 1)
        return fabsf(longer - r);
    return longer > r ? 1 : fabsf(fabsf(x) - fabsf(y));
}

void draw_shapes(unsigned seed, size_t count, float (*pictures)[PIXELS], int32_t *kinds)
{
    uint32_t state = seed;
    for (size_t n = 0; n < count; n++) {
        kinds[n] = (int32_t)(draw_number(&state) * KINDS);
        const float r = 3 + 1.5f * draw_number(&state), room = SIDE - 1 - 2 * r,
                    left = r + room * draw_number(&state), top = r + room * draw_number(&state);
        for (int i = 0; i < PIXELS; i++) {
            const float d = distance(kinds[n], (float)(i % SIDE) - left, (float)(i / SIDE) - top, r);
            const float noise = 0.3f * draw_number(&state);
            pictures[n][i] = fminf(1, fmaxf(0, 1 - d) + noise);
        }
    }
}

void print_picture(const float picture[PIXELS])
{
    for (int i = 0; i < PIXELS; i++)
        printf("%c%s", ".:+*#"[(int)(picture[i] * 4)], i % SIDE == SIDE - 1 ? "\n" : " ");
}

clgrad_context *open_context(void)
{
    clgrad_context *context;
    clgrad_message message;
    if (clgrad_context_create(NULL, &context, &message) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", message.text);
        exit(1);
    }
    return context;
}

void must(clgrad_context *context, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
        exit(1);
    }
}
