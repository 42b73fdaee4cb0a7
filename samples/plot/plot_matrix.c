/* A confusion matrix: a cell the darker, the larger its share of the true class. */
#include "plot_canvas.h"

#include <math.h>
#include <string.h>

#define SIDE 440      /* of a large matrix */
#define MOST_CELL 64  /* the side of a cell, where there are few */
#define LEAST_CELL 5  /* and where there are many */
#define MOST_NAME 130 /* the room of a name */
#define TOP 114       /* above it: heading and legend, and the column's names below them */
#define MARGIN 34
#define LEAST_WIDTH 460 /* for the title */
#define RECALL 62       /* the column behind the matrix */
#define RIGHT_COLOUR 0  /* of the palette */
#define WRONG_COLOUR 1

typedef struct layout {
    double cell, left, top, name_room;
    size_t every;  /* so many-th class is named */
    bool upright;  /* the columns' names are */
    bool numbers;  /* there is room for them in the cells */
    double number; /* their size */
} layout;

static size_t largest(const plot_matrix *matrix)
{
    size_t count = 0;
    for (size_t i = 0; i < matrix->classes * matrix->classes; i++)
        count = matrix->counts[i] > count ? matrix->counts[i] : count;
    return count;
}

/* The widest name, as far as there is room for it, and the widest number: they decide about everything else.
 */
static layout lay_out(plot_canvas *canvas, const plot_matrix *matrix)
{
    layout l = {0};
    char text[32];
    const plot_style style = plot_style_of(PLOT_TEXT, MOST_NAME);
    for (size_t i = 0; i < matrix->classes; i++)
        l.name_room = fmax(l.name_room, plot_text_width(canvas, style, matrix->names[i]));
    l.cell = fmin(fmax(SIDE / (double)matrix->classes, LEAST_CELL), MOST_CELL);
    l.every = (size_t)ceil((PLOT_TEXT + 3) / l.cell);
    l.upright = l.name_room > (double)l.every * l.cell - 4;
    snprintf(text, sizeof text, "%zu", largest(matrix));
    const double width = plot_text_width(canvas, plot_style_of(PLOT_TEXT, 1000), text);
    l.number = PLOT_TEXT * fmin(1, (l.cell - 4) / width);
    l.numbers = l.number >= 6.5 && l.cell >= 14;
    l.left = MARGIN + l.name_room + 8;
    l.top = TOP + (l.upright ? l.name_room : PLOT_TEXT) + 6;
    return l;
}

static void draw_cell(plot_canvas *canvas, const layout *l, size_t row, size_t column, size_t count,
                      double share)
{
    char text[32];
    const double x = l->left + (double)column * l->cell, y = l->top + (double)row * l->cell;
    const double strength = sqrt(share); /* so that a few errors among many show */
    plot_set_colour(canvas,
                    plot_tint(plot_palette(row == column ? RIGHT_COLOUR : WRONG_COLOUR), 0.92 * strength));
    const double gap = l->cell > 14 ? 1 : 0;
    cairo_rectangle(canvas->cairo, x, y, l->cell - gap, l->cell - gap);
    cairo_fill(canvas->cairo);
    if (!l->numbers || count == 0)
        return;
    plot_style style = plot_style_of(l->number, 1000);
    style.align = PLOT_CENTRE;
    if (strength > 0.7)
        style.colour = (plot_colour){1, 1, 1};
    snprintf(text, sizeof text, "%zu", count);
    plot_text(canvas, x + (l->cell - gap) / 2, y + (l->cell - gap) / 2, style, text);
}

/* A row's cells, and what share of the class was recognised. */
static void draw_row(plot_canvas *canvas, const plot_matrix *matrix, const layout *l, size_t row)
{
    const size_t *counts = matrix->counts + row * matrix->classes;
    size_t sum = 0;
    for (size_t i = 0; i < matrix->classes; i++)
        sum += counts[i];
    for (size_t i = 0; i < matrix->classes; i++)
        if (counts[i] > 0)
            draw_cell(canvas, l, row, i, counts[i], (double)counts[i] / (double)sum);
    if (row % l->every != 0)
        return;
    char text[32] = "–";
    if (sum > 0)
        snprintf(text, sizeof text, "%.1f %%", 100 * (double)counts[row] / (double)sum);
    plot_style style = plot_style_of(PLOT_TEXT, RECALL);
    style.align = PLOT_RIGHT;
    style.colour = plot_faint;
    plot_text(canvas, l->left + (double)matrix->classes * l->cell + RECALL - 4,
              l->top + ((double)row + 0.5) * l->cell, style, text);
}

static void draw_names(plot_canvas *canvas, const plot_matrix *matrix, const layout *l)
{
    const double side = l->cell * (double)matrix->classes;
    for (size_t i = 0; i < matrix->classes; i += l->every) {
        const double middle = ((double)i + 0.5) * l->cell;
        plot_style style = plot_style_of(PLOT_TEXT, l->name_room + 1);
        style.align = PLOT_RIGHT;
        plot_text(canvas, l->left - 8, l->top + middle, style, matrix->names[i]);
        style.align = l->upright ? PLOT_LEFT : PLOT_CENTRE;
        style.up = l->upright;
        plot_text(canvas, l->left + middle, l->upright ? l->top - 6 : l->top - 10, style, matrix->names[i]);
    }
    plot_style style = plot_style_of(PLOT_TEXT, fmax(side, 90));
    style.colour = plot_faint;
    style.align = PLOT_RIGHT;
    plot_text(canvas, l->left + side + RECALL - 4, l->top - 10, style, "recall");
    style.align = PLOT_CENTRE;
    plot_text(canvas, l->left + side / 2, TOP - 12, style, "predicted class");
    style.up = true;
    plot_text(canvas, 18, l->top + side / 2, style, "true class");
}

/* What the colours mean: a bar for each, from no share to all. */
static void draw_legend(plot_canvas *canvas, double y)
{
    double x = 14;
    plot_style style = plot_style_of(PLOT_TEXT, 1000);
    static const char *const words[] = {"right", "wrong"};
    for (size_t i = 0; i < 2; i++) {
        for (int step = 0; step <= 40; step++) {
            plot_set_colour(canvas, plot_tint(plot_palette(i), 0.92 * sqrt(step / 40.0)));
            cairo_rectangle(canvas->cairo, x + step, y - 5, 1.5, 10);
            cairo_fill(canvas->cairo);
        }
        plot_text(canvas, x + 48, y, style, words[i]);
        x += 48 + plot_text_width(canvas, style, words[i]) + 16;
    }
    style.colour = plot_faint;
    plot_text(canvas, x, y, style, "0 to 100 % of the true class");
}

bool plot_draw_matrix(const char *file, const plot_matrix *matrix, plot_error *error)
{
    /* The picture's size follows from its text, which can be measured only where something can be drawn. */
    cairo_surface_t *nowhere = cairo_recording_surface_create(CAIRO_CONTENT_COLOR, NULL);
    plot_canvas canvas = {.cairo = cairo_create(nowhere)};
    const layout l = lay_out(&canvas, matrix);
    cairo_destroy(canvas.cairo);
    cairo_surface_destroy(nowhere);

    const double side = l.cell * (double)matrix->classes;
    const double width = fmax(l.left + side + RECALL + 14, LEAST_WIDTH);
    if (!plot_canvas_begin(&canvas, file, width, l.top + side + 16, error))
        return false;
    plot_heading(&canvas, matrix->title, matrix->subtitle);
    draw_legend(&canvas, 64);
    draw_names(&canvas, matrix, &l);
    for (size_t row = 0; row < matrix->classes; row++)
        draw_row(&canvas, matrix, &l, row);
    plot_set_colour(&canvas, plot_faint);
    cairo_set_line_width(canvas.cairo, 1);
    cairo_rectangle(canvas.cairo, l.left - 0.5, l.top - 0.5, side, side);
    cairo_stroke(canvas.cairo);
    return plot_canvas_end(&canvas, error);
}
