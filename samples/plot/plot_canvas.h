/*
 * Shared by the files that draw: a file to draw into, colours, text, axes. Lengths are in units of which a
 * PNG has two pixels each; x grows to the right and y downwards.
 */
#ifndef PLOT_CANVAS_H
#define PLOT_CANVAS_H

#include "plot.h"

#include <cairo.h>
#include <stdio.h>

typedef struct plot_canvas {
    const char *file; /* the caller's */
    char *beside;     /* what is written first */
    FILE *stream;
    cairo_surface_t *surface;
    cairo_t *cairo;
    double width, height;
} plot_canvas;

/* A white ground of this size. After a failure there is nothing to end. */
bool plot_canvas_begin(plot_canvas *canvas, const char *file, double width, double height, plot_error *error);

/* Write and close the file. */
bool plot_canvas_end(plot_canvas *canvas, plot_error *error);

/* Leave a sentence and return false. */
bool plot_fail(plot_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- colours ---- */

typedef struct plot_colour {
    double red, green, blue;
} plot_colour;

extern const plot_colour plot_ink, plot_faint, plot_grid; /* of text and axes, of remarks, of lines behind */

/* Of series or class i. From the eighth on neighbours differ well, but not all of them for everybody. */
plot_colour plot_palette(size_t i);

/* From white (0) to the colour (1). */
plot_colour plot_tint(plot_colour colour, double strength);

void plot_set_colour(plot_canvas *canvas, plot_colour colour);

/* ---- text ---- */

#define PLOT_TEXT 11  /* the size of most text */
#define PLOT_TITLE 14 /* and of a picture's title */

typedef enum plot_align { PLOT_LEFT, PLOT_CENTRE, PLOT_RIGHT } plot_align;

/* How text looks, and the room it has: where it is longer than width it ends in an ellipsis. */
typedef struct plot_style {
    double size, width;
    plot_align align;
    plot_colour colour;
    bool bold, up; /* up: read from below to above */
} plot_style;

/* Text of a size on the left of its room, in ink. */
plot_style plot_style_of(double size, double width);

/* Text whose left end, middle or right end (of an upright text the lower, middle or upper end) is at x, y,
 * and which that point halves crosswise. */
void plot_text(plot_canvas *canvas, double x, double y, plot_style style, const char *text);
double plot_text_width(plot_canvas *canvas, plot_style style, const char *text);

/* A picture's first line and, in smaller letters below it, its second, which may be NULL; 48 units in all. */
void plot_heading(plot_canvas *canvas, const char *title, const char *subtitle);

/* ---- axes ---- */

#define PLOT_MOST_TICKS 64

/* From numbers to places: low is at from, high at to. */
typedef struct plot_scale {
    double low, high, from, to;
    bool logarithmic;
    size_t tick_count;
    double ticks[PLOT_MOST_TICKS];
    char labels[PLOT_MOST_TICKS][24];
} plot_scale;

double plot_place(const plot_scale *scale, double number);

/*
 * Round numbers as ticks, about so many of them: linear ones (whole numbers alone where that is asked for) or
 * powers of ten and, where there is room, their multiples by 2 and 5. With stretch, low and high move out to
 * ticks.
 */
void plot_scale_linear(plot_scale *scale, size_t about, bool whole, bool stretch);
void plot_scale_logarithmic(plot_scale *scale, size_t about);

/* A frame between the two scales, ticks with their labels to the left and below, lines behind where grid is
 * set. */
void plot_axes(plot_canvas *canvas, const plot_scale *x, const plot_scale *y, bool grid);

#endif
