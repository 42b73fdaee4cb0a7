/* The file that is drawn into, and colours. */
#define _POSIX_C_SOURCE 200809L

#include "plot_canvas.h"

#include <cairo-svg.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PIXELS 2 /* of a PNG, to a unit */

bool plot_fail(plot_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool ends_in(const char *file, const char *ending)
{
    const size_t length = strlen(file), size = strlen(ending);
    return length > size && strcasecmp(file + length - size, ending) == 0;
}

bool plot_possible(const char *file, plot_error *error)
{
    return ends_in(file, ".png") || ends_in(file, ".svg") ||
           plot_fail(error, "\"%.200s\" ends neither in .png nor in .svg, which are the formats of pictures",
                     file);
}

/* ---- the file ---- */

static cairo_status_t write_bytes(void *closure, const unsigned char *bytes, unsigned int count)
{
    return fwrite(bytes, 1, count, closure) == count ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static bool cannot(const plot_canvas *canvas, plot_error *error)
{
    return plot_fail(error, "%.200s cannot be written: %s", canvas->file, strerror(errno));
}

/* Release what there is. */
static void discard(plot_canvas *canvas)
{
    cairo_destroy(canvas->cairo);
    cairo_surface_destroy(canvas->surface);
    if (canvas->stream != NULL) {
        fclose(canvas->stream);
        remove(canvas->beside);
    }
    free(canvas->beside);
    *canvas = (plot_canvas){0};
}

static bool open_file(plot_canvas *canvas, plot_error *error)
{
    const size_t room = strlen(canvas->file) + sizeof ".new";
    canvas->beside = malloc(room);
    if (canvas->beside == NULL)
        return plot_fail(error, "the host is out of memory");
    snprintf(canvas->beside, room, "%s.new", canvas->file);
    canvas->stream = fopen(canvas->beside, "wb");
    return canvas->stream != NULL || cannot(canvas, error);
}

bool plot_canvas_begin(plot_canvas *canvas, const char *file, double width, double height, plot_error *error)
{
    *canvas = (plot_canvas){.file = file, .width = width, .height = height};
    if (!plot_possible(file, error))
        return false;
    if (!open_file(canvas, error)) {
        discard(canvas);
        return false;
    }
    if (ends_in(file, ".svg"))
        canvas->surface = cairo_svg_surface_create_for_stream(write_bytes, canvas->stream, width, height);
    else
        canvas->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(PIXELS * width),
                                                     (int)ceil(PIXELS * height));
    canvas->cairo = cairo_create(canvas->surface);
    if (!ends_in(file, ".svg"))
        cairo_scale(canvas->cairo, PIXELS, PIXELS);
    const cairo_status_t status = cairo_status(canvas->cairo);
    if (status != CAIRO_STATUS_SUCCESS) {
        plot_fail(error, "%.200s cannot be drawn: %s", file, cairo_status_to_string(status));
        discard(canvas);
        return false;
    }
    cairo_set_source_rgb(canvas->cairo, 1, 1, 1);
    cairo_paint(canvas->cairo);
    return true;
}

bool plot_canvas_end(plot_canvas *canvas, plot_error *error)
{
    cairo_status_t status = cairo_status(canvas->cairo);
    errno = 0;
    if (status == CAIRO_STATUS_SUCCESS && cairo_surface_get_type(canvas->surface) == CAIRO_SURFACE_TYPE_IMAGE)
        status = cairo_surface_write_to_png_stream(canvas->surface, write_bytes, canvas->stream);
    cairo_surface_finish(canvas->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(canvas->surface);
    bool written = false;
    if (status == CAIRO_STATUS_WRITE_ERROR)
        cannot(canvas, error);
    else if (status != CAIRO_STATUS_SUCCESS)
        plot_fail(error, "%.200s cannot be drawn: %s", canvas->file, cairo_status_to_string(status));
    else {
        FILE *stream = canvas->stream;
        canvas->stream = NULL;
        written = fclose(stream) == 0 && rename(canvas->beside, canvas->file) == 0;
        if (!written) {
            cannot(canvas, error);
            remove(canvas->beside);
        }
    }
    discard(canvas);
    return written;
}

/* ---- colours ---- */

const plot_colour plot_ink = {0.13, 0.13, 0.15}, plot_faint = {0.42, 0.42, 0.45},
                  plot_grid = {0.9, 0.9, 0.91};

/* A channel of sRGB from linear light. */
static double encode(double linear)
{
    const double light = fmin(fmax(linear, 0), 1);
    return light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
}

/* By lightness, chroma and hue: Ottosson, "A perceptual color space for image processing" (Oklab), 2020. */
static plot_colour from_hue(double lightness, double chroma, double hue)
{
    const double a = chroma * cos(hue), b = chroma * sin(hue);
    const double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    const double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    const double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
    return (plot_colour){encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                         encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                         encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

plot_colour plot_palette(size_t i)
{
    static const plot_colour okabe_ito[] = {
        {0x00 / 255.0, 0x72 / 255.0, 0xb2 / 255.0}, /* blue */
        {0xd5 / 255.0, 0x5e / 255.0, 0x00 / 255.0}, /* vermillion */
        {0x00 / 255.0, 0x9e / 255.0, 0x73 / 255.0}, /* bluish green */
        {0xcc / 255.0, 0x79 / 255.0, 0xa7 / 255.0}, /* reddish purple */
        {0xe6 / 255.0, 0x9f / 255.0, 0x00 / 255.0}, /* orange */
        {0x56 / 255.0, 0xb4 / 255.0, 0xe9 / 255.0}, /* sky blue */
        {0xf0 / 255.0, 0xe4 / 255.0, 0x42 / 255.0}, /* yellow */
    };
    const size_t count = sizeof okabe_ito / sizeof *okabe_ito;
    static const double lightness[] = {0.5, 0.75, 0.62};
    return i < count ? okabe_ito[i]
                     : from_hue(lightness[i % 3], 0.13, 2.399963 * (double)i); /* the golden angle */
}

plot_colour plot_tint(plot_colour colour, double strength)
{
    return (plot_colour){1 - strength * (1 - colour.red), 1 - strength * (1 - colour.green),
                         1 - strength * (1 - colour.blue)};
}

void plot_set_colour(plot_canvas *canvas, plot_colour colour)
{
    cairo_set_source_rgb(canvas->cairo, colour.red, colour.green, colour.blue);
}
