/* Which class is the likeliest where, the paler the less sure; and points on top. */
#include "plot_canvas.h"

#include <math.h>
#include <stdlib.h>

#define SIDE 460 /* of the square */
#define LEFT 62
#define TOP 62
#define BOTTOM 48
#define LEGEND 150
#define PIXELS 2      /* a unit */
#define MOST_NAMED 18 /* classes in the legend */
#define SHADES 12     /* so that one can be told from the next, and a PNG is small */
#define WHITE 0xffffff

/* The probabilities at a place between the points of the grid, by the four around it. */
static void interpolate(const plot_regions *regions, double column, double row, double *probability)
{
    const size_t left = (size_t)fmin(floor(column), (double)(regions->columns - 2));
    const size_t low = (size_t)fmin(floor(row), (double)(regions->rows - 2));
    const double right = column - (double)left, high = row - (double)low;
    const double weights[2][2] = {{(1 - high) * (1 - right), (1 - high) * right},
                                  {high * (1 - right), high * right}};
    for (size_t class = 0; class < regions->classes; class ++)
        probability[class] = 0;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++) {
            const float *there =
                regions->probability + ((low + i) * regions->columns + left + j) * regions->classes;
            for (size_t class = 0; class < regions->classes; class ++)
                probability[class] += weights[i][j] * (double)there[class];
        }
}

static uint32_t channel(double value)
{
    return (uint32_t)(255 * fmin(fmax(value, 0), 1) + 0.5);
}

/* A class's colour by how sure it is: from even odds (0) to certainty (1), in steps. */
static plot_colour shade_of(size_t class, double sure)
{
    const double step = fmin(fmax(floor(SHADES * sure), 0), SHADES - 1) / (SHADES - 1);
    return plot_tint(plot_palette(class), 0.08 + 0.5 * step);
}

/* The likeliest class's colour. What is no number stays white. */
static uint32_t shade(const double *probability, size_t classes)
{
    size_t best = 0;
    for (size_t i = 1; i < classes; i++)
        best = probability[i] > probability[best] ? i : best;
    const double even = 1 / (double)classes;
    const double sure = classes > 1 ? (probability[best] - even) / (1 - even) : 1;
    if (!(sure >= -1e-3 && sure <= 1 + 1e-3))
        return WHITE;
    const plot_colour colour = shade_of(best, sure);
    return channel(colour.red) << 16 | channel(colour.green) << 8 | channel(colour.blue);
}

/* One pixel after the other, the upper rows first, where y is high. */
static bool fill(const plot_regions *regions, cairo_surface_t *image, size_t pixels)
{
    double *probability = calloc(regions->classes, sizeof *probability);
    if (probability == NULL)
        return false;
    unsigned char *bytes = cairo_image_surface_get_data(image);
    const size_t stride = (size_t)cairo_image_surface_get_stride(image);
    for (size_t i = 0; i < pixels; i++) {
        uint32_t *line = (uint32_t *)(void *)(bytes + i * stride);
        for (size_t j = 0; j < pixels; j++) {
            const double right = ((double)j + 0.5) / (double)pixels,
                         up = 1 - ((double)i + 0.5) / (double)pixels;
            interpolate(regions, right * (double)(regions->columns - 1), up * (double)(regions->rows - 1),
                        probability);
            line[j] = shade(probability, regions->classes);
        }
    }
    free(probability);
    cairo_surface_mark_dirty(image);
    return true;
}

static void draw_shades(plot_canvas *canvas, const plot_regions *regions)
{
    const size_t pixels = SIDE * PIXELS;
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)pixels, (int)pixels);
    if (cairo_surface_status(image) == CAIRO_STATUS_SUCCESS && fill(regions, image, pixels)) {
        cairo_save(canvas->cairo);
        cairo_translate(canvas->cairo, LEFT, TOP);
        cairo_scale(canvas->cairo, 1.0 / PIXELS, 1.0 / PIXELS);
        cairo_set_source_surface(canvas->cairo, image, 0, 0);
        cairo_paint(canvas->cairo);
        cairo_restore(canvas->cairo);
    }
    cairo_surface_destroy(image);
}

/* A dot in its class's colour with a white rim; one that is taken for another class has a dark one. */
static void dot(plot_canvas *canvas, double x, double y, plot_colour colour, bool wrong, double radius)
{
    cairo_new_path(canvas->cairo);
    cairo_arc(canvas->cairo, x, y, radius, 0, 7);
    plot_set_colour(canvas, colour);
    cairo_fill_preserve(canvas->cairo);
    cairo_set_line_width(canvas->cairo, wrong ? 1.2 : 0.6);
    plot_set_colour(canvas, wrong ? plot_ink : (plot_colour){1, 1, 1});
    cairo_stroke(canvas->cairo);
}

/* The right ones first, so that none hides a wrong one. */
static void draw_points(plot_canvas *canvas, const plot_regions *regions, const plot_scale *x,
                        const plot_scale *y)
{
    const double radius = fmin(fmax(70 / sqrt((double)regions->point_count + 1), 1.8), 3.4);
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, LEFT, TOP, SIDE, SIDE);
    cairo_clip(canvas->cairo);
    for (int wrong = 0; wrong < 2; wrong++)
        for (size_t i = 0; i < regions->point_count; i++)
            if (regions->wrong[i] == (wrong == 1))
                dot(canvas, plot_place(x, (double)regions->points[2 * i]),
                    plot_place(y, (double)regions->points[2 * i + 1]),
                    plot_palette((size_t)regions->true_class[i]), wrong == 1,
                    wrong == 1 ? radius + 0.6 : radius);
    cairo_restore(canvas->cairo);
}

static void draw_legend(plot_canvas *canvas, const plot_regions *regions)
{
    char text[64];
    const double x = LEFT + SIDE + 24;
    double y = TOP + 8;
    const plot_style style = plot_style_of(PLOT_TEXT, LEGEND - 40);
    const size_t shown = regions->classes <= MOST_NAMED ? regions->classes : MOST_NAMED - 1;
    for (size_t i = 0; i < shown; i++, y += 20) {
        dot(canvas, x, y, plot_palette(i), false, 4.5);
        plot_text(canvas, x + 12, y, style, regions->names[i]);
    }
    if (shown < regions->classes) {
        snprintf(text, sizeof text, "and %zu more", regions->classes - shown);
        plot_text(canvas, x + 12, y, style, text);
        y += 20;
    }
    y += 8;
    dot(canvas, x, y, (plot_colour){1, 1, 1}, true, 4.5);
    plot_text(canvas, x + 12, y, style, "misclassified");
    y += 30;
    for (int step = 0; step < 60; step++) {
        plot_set_colour(canvas, shade_of(0, step / 60.0));
        cairo_rectangle(canvas->cairo, x - 5 + 1.9 * step, y - 5, 2.4, 10);
        cairo_fill(canvas->cairo);
    }
    plot_style below = plot_style_of(PLOT_TEXT, 60);
    below.colour = plot_faint;
    plot_text(canvas, x - 5, y + 15, below, "even odds");
    below.align = PLOT_RIGHT;
    plot_text(canvas, x + 109, y + 15, below, "certain");
}

bool plot_draw_regions(const char *file, const plot_regions *regions, plot_error *error)
{
    plot_canvas canvas;
    const double width = LEFT + SIDE + LEGEND;
    if (!plot_canvas_begin(&canvas, file, width, TOP + SIDE + BOTTOM, error))
        return false;
    plot_scale x = {.low = regions->x_low, .high = regions->x_high, .from = LEFT, .to = LEFT + SIDE};
    plot_scale y = {.low = regions->y_low, .high = regions->y_high, .from = TOP + SIDE, .to = TOP};
    plot_scale_linear(&x, 8, false, false);
    plot_scale_linear(&y, 8, false, false);
    draw_shades(&canvas, regions);
    draw_points(&canvas, regions, &x, &y);
    plot_axes(&canvas, &x, &y, false);
    draw_legend(&canvas, regions);
    plot_heading(&canvas, regions->title, regions->subtitle);
    plot_style style = plot_style_of(PLOT_TEXT, SIDE);
    style.align = PLOT_CENTRE;
    plot_text(&canvas, LEFT + SIDE / 2.0, TOP + SIDE + BOTTOM - 14, style, regions->x_label);
    style.up = true;
    plot_text(&canvas, 14, TOP + SIDE / 2.0, style, regions->y_label);
    return plot_canvas_end(&canvas, error);
}
