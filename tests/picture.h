/*
 * Reading pictures back in a test. A failure fails the running cmocka test.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A PNG, decoded by Cairo: pixels[y * width + x] is 0xRRGGBB. */
typedef struct picture {
    size_t width, height;
    uint32_t *pixels;
} picture;

picture picture_read(const char *file);
void picture_free(picture *p);

/* A part of it, as shares of its width and height. */
typedef struct part {
    double left, right, top, bottom;
} part;

extern const part whole;

/* How many pixels of a part are of this colour (each channel within 2), and where their middle is, in shares.
 */
typedef struct ink {
    size_t count;
    double x, y;
} ink;

ink picture_ink(const picture *p, part where, uint32_t colour);

/* An SVG, parsed by Expat: well-formed, its root is svg. */
typedef struct drawing {
    double width, height, image_width, image_height; /* of an image, in its own pixels: of the last */
    size_t paths, images, glyph_uses;
} drawing;

drawing drawing_read(const char *file);

#endif
