#include "picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cairo.h>
#include <expat.h>

const part whole = {0, 1, 0, 1};

picture picture_read(const char *file)
{
    cairo_surface_t *image = cairo_image_surface_create_from_png(file);
    if (cairo_surface_status(image) != CAIRO_STATUS_SUCCESS)
        fail_msg("%s: %s", file, cairo_status_to_string(cairo_surface_status(image)));
    const size_t stride = (size_t)cairo_image_surface_get_stride(image);
    const unsigned char *bytes = cairo_image_surface_get_data(image);
    picture p = {(size_t)cairo_image_surface_get_width(image), (size_t)cairo_image_surface_get_height(image),
                 NULL};
    p.pixels = malloc(p.width * p.height * sizeof *p.pixels);
    assert_non_null(p.pixels);
    for (size_t y = 0; y < p.height; y++)
        for (size_t x = 0; x < p.width; x++) {
            uint32_t pixel;
            memcpy(&pixel, bytes + y * stride + x * sizeof pixel, sizeof pixel);
            p.pixels[y * p.width + x] = pixel & 0xffffff;
        }
    cairo_surface_destroy(image);
    return p;
}

void picture_free(picture *p)
{
    free(p->pixels);
}

static bool alike(uint32_t a, uint32_t b)
{
    for (int shift = 0; shift < 24; shift += 8)
        if (abs((int)(a >> shift & 0xff) - (int)(b >> shift & 0xff)) > 2)
            return false;
    return true;
}

ink picture_ink(const picture *p, part where, uint32_t colour)
{
    ink found = {0};
    const size_t left = (size_t)(where.left * (double)p->width),
                 right = (size_t)(where.right * (double)p->width);
    const size_t top = (size_t)(where.top * (double)p->height),
                 bottom = (size_t)(where.bottom * (double)p->height);
    for (size_t y = top; y < bottom; y++)
        for (size_t x = left; x < right; x++)
            if (alike(p->pixels[y * p->width + x], colour)) {
                found.count++;
                found.x += (double)x / (double)p->width;
                found.y += (double)y / (double)p->height;
            }
    if (found.count > 0) {
        found.x /= (double)found.count;
        found.y /= (double)found.count;
    }
    return found;
}

static void read_size(const XML_Char **attributes, double *width, double *height)
{
    for (; *attributes != NULL; attributes += 2) {
        if (strcmp(attributes[0], "width") == 0)
            *width = strtod(attributes[1], NULL);
        if (strcmp(attributes[0], "height") == 0)
            *height = strtod(attributes[1], NULL);
    }
}

static void begin_element(void *data, const XML_Char *name, const XML_Char **attributes)
{
    drawing *d = data;
    d->paths += strcmp(name, "path") == 0 || strcmp(name, "rect") == 0;
    d->images += strcmp(name, "image") == 0;
    d->glyph_uses += strcmp(name, "use") == 0;
    if (strcmp(name, "svg") == 0)
        read_size(attributes, &d->width, &d->height);
    if (strcmp(name, "image") == 0)
        read_size(attributes, &d->image_width, &d->image_height);
}

drawing drawing_read(const char *file)
{
    drawing d = {0};
    char bytes[4096];
    FILE *stream = fopen(file, "rb");
    assert_non_null(stream);
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetUserData(parser, &d);
    XML_SetStartElementHandler(parser, begin_element);
    for (bool last = false; !last;) {
        const size_t count = fread(bytes, 1, sizeof bytes, stream);
        last = count < sizeof bytes;
        if (XML_Parse(parser, bytes, (int)count, last) != XML_STATUS_OK)
            fail_msg("%s: line %lu: %s", file, (unsigned long)XML_GetCurrentLineNumber(parser),
                     XML_ErrorString(XML_GetErrorCode(parser)));
    }
    XML_ParserFree(parser);
    fclose(stream);
    assert_true(d.width > 0 && d.height > 0);
    return d;
}
