/* Scales with ticks at round numbers, and the frame between two of them. */
#include "plot_canvas.h"

#include <math.h>

#define TICK 4 /* its length */

double plot_place(const plot_scale *scale, double number)
{
    const double share = scale->logarithmic ? log(number / scale->low) / log(scale->high / scale->low)
                                            : (number - scale->low) / (scale->high - scale->low);
    return scale->from + share * (scale->to - scale->from);
}

/* Ticks of a step are told apart by so many digits after the point. */
static int decimals_of(double step)
{
    const double digits = ceil(-log10(step) - 1e-9);
    return digits > 0 ? (int)digits : 0;
}

/* As short as it can be said; with a power of ten where there would be many zeros. */
static void label(plot_scale *scale, double number, double step)
{
    char *text = scale->labels[scale->tick_count];
    const double size = fmax(fabs(scale->low), fabs(scale->high));
    scale->ticks[scale->tick_count++] = number;
    if (number == 0)
        snprintf(text, sizeof *scale->labels, "0");
    else if (size >= 1e6 || step < 9e-5)
        snprintf(text, sizeof *scale->labels, "%.6g", number);
    else
        snprintf(text, sizeof *scale->labels, "%.*f", decimals_of(step), number);
}

/* The smallest of 1, 2, 5 times a power of ten that is as large. */
static double round_up(double step)
{
    const double power = pow(10, floor(log10(step)));
    const double times = step / power;
    return power * (times <= 1 + 1e-9 ? 1 : times <= 2 + 1e-9 ? 2 : times <= 5 + 1e-9 ? 5 : 10);
}

void plot_scale_linear(plot_scale *scale, size_t about, bool whole, bool stretch)
{
    double step = round_up((scale->high - scale->low) / (double)about);
    if (whole)
        step = fmax(step, 1);
    if (stretch) {
        scale->low = step * floor(scale->low / step + 1e-9);
        scale->high = step * ceil(scale->high / step - 1e-9);
    }
    scale->logarithmic = false;
    scale->tick_count = 0;
    const double first = ceil(scale->low / step - 1e-9);
    for (double i = first; i * step <= scale->high + 1e-9 * step && scale->tick_count < PLOT_MOST_TICKS; i++)
        label(scale, i * step, step);
}

void plot_scale_logarithmic(plot_scale *scale, size_t about)
{
    static const double multiples[][3] = {{1, 2, 5}, {1, 3, 0}, {1, 0, 0}};
    const double decades = log10(scale->high / scale->low);
    const double every = fmax(ceil(decades / (double)about), 1);
    const size_t row = 3 * decades <= (double)about + 1 ? 0 : 2 * decades <= (double)about + 1 ? 1 : 2;
    scale->logarithmic = true;
    scale->tick_count = 0;
    for (double power = floor(log10(scale->low)); power <= log10(scale->high); power++)
        for (size_t i = 0; i < 3 && multiples[row][i] > 0; i++) {
            const double number = multiples[row][i] * pow(10, power);
            const bool shown = number >= scale->low * (1 - 1e-9) && number <= scale->high * (1 + 1e-9);
            if (!shown || fmod(power, every) != 0 || scale->tick_count == PLOT_MOST_TICKS)
                continue;
            snprintf(scale->labels[scale->tick_count], sizeof *scale->labels, "%.10g", number);
            scale->ticks[scale->tick_count++] = number;
        }
}

static void line(plot_canvas *canvas, double x0, double y0, double x1, double y1)
{
    cairo_move_to(canvas->cairo, x0, y0);
    cairo_line_to(canvas->cairo, x1, y1);
    cairo_stroke(canvas->cairo);
}

void plot_axes(plot_canvas *canvas, const plot_scale *x, const plot_scale *y, bool grid)
{
    plot_style style = plot_style_of(PLOT_TEXT, 1000);
    cairo_set_line_width(canvas->cairo, 1);
    for (size_t i = 0; grid && i < y->tick_count; i++) {
        plot_set_colour(canvas, plot_grid);
        line(canvas, x->from, plot_place(y, y->ticks[i]), x->to, plot_place(y, y->ticks[i]));
    }
    for (size_t i = 0; i < y->tick_count; i++) {
        const double at = plot_place(y, y->ticks[i]);
        plot_set_colour(canvas, plot_faint);
        line(canvas, x->from - TICK, at, x->from, at);
        style.align = PLOT_RIGHT;
        plot_text(canvas, x->from - TICK - 3, at, style, y->labels[i]);
    }
    for (size_t i = 0; i < x->tick_count; i++) {
        const double at = plot_place(x, x->ticks[i]);
        plot_set_colour(canvas, plot_faint);
        line(canvas, at, y->from, at, y->from + TICK);
        style.align = PLOT_CENTRE;
        plot_text(canvas, at, y->from + TICK + 9, style, x->labels[i]);
    }
    plot_set_colour(canvas, plot_faint);
    cairo_rectangle(canvas->cairo, x->from, y->to, x->to - x->from, y->from - y->to);
    cairo_stroke(canvas->cairo);
}
