/*
 * The tutorial's data: small pictures of a circle, a square or a cross, each with another place, size and
 * noise. And what every step of the tutorial begins with.
 */
#ifndef SHAPES_H
#define SHAPES_H

#include <clgrad/clgrad.h>

// [constants]
enum { SIDE = 12, PIXELS = SIDE * SIDE, KINDS = 3 };

extern const char *const kind_names[KINDS];

/* Draw count pictures, the seed says which: pixels from 0 to 1, row by row, and what kind each picture is. */
void draw_shapes(unsigned seed, size_t count, float (*pictures)[PIXELS], int32_t *kinds);

/* Show a picture in letters. */
void print_picture(const float picture[PIXELS]);
// [constants end]

/* Open a context as CLGRAD_DEVICE says, or end the program. */
clgrad_context *open_context(void);

/* End the program with the context's sentence where a call has failed. */
void must(clgrad_context *context, clgrad_status status);

#endif
