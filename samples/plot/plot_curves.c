/* Series by a common x, in panels side by side. */
#include "plot_canvas.h"

#include <math.h>

#define PANEL_WIDTH 400
#define HEIGHT 330
#define LEFT 68 /* around a panel's frame */
#define RIGHT 66
#define TOP 86
#define BOTTOM 48
#define MARKED 40 /* so many points at most get a dot each */

/* The least and the greatest finite number of all series; false where there is none. */
static bool range(const plot_panel *panel, size_t count, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < panel->series_count; i++)
        for (size_t j = 0; j < count; j++) {
            const double y = panel->series[i].y[j];
            *low = isfinite(y) ? fmin(*low, y) : *low;
            *high = isfinite(y) ? fmax(*high, y) : *high;
        }
    return *low <= *high;
}

static plot_scale scale_y(const plot_panel *panel, double low, double high)
{
    plot_scale y = {.from = HEIGHT - BOTTOM, .to = TOP};
    if (!panel->linear && low > 0 && high / low >= 10 && isfinite(high / low)) {
        y.low = low / 1.2;
        y.high = high * 1.2;
        plot_scale_logarithmic(&y, 6);
        return y;
    }
    double more = 0.05 * (high - low); /* so that no curve runs along the frame */
    if (!(high - low > 1e-9 * fabs(high)))
        more = high == 0 ? 1 : 0.1 * fabs(high);
    y.low = low >= 0 ? fmax(low - more, 0) : low - more;
    y.high = high <= panel->highest ? fmin(high + more, panel->highest) : high + more;
    plot_scale_linear(&y, 6, false, true);
    return y;
}

static plot_scale scale_x(const plot_curves *curves, double left)
{
    const double first = curves->x[0], last = curves->x[curves->count - 1];
    plot_scale x = {.from = left + LEFT, .to = left + PANEL_WIDTH - RIGHT};
    const double more = last > first ? 0.02 * (last - first) : 0.6;
    x.low = first - more;
    x.high = last + more;
    plot_scale_linear(&x, 8, true, false);
    return x;
}

static void draw_series(plot_canvas *canvas, const plot_curves *curves, const double *numbers,
                        const plot_scale *x, const plot_scale *y)
{
    bool drawing = false;
    cairo_new_path(canvas->cairo);
    for (size_t i = 0; i < curves->count; i++) {
        if (isfinite(numbers[i]))
            (drawing ? cairo_line_to : cairo_move_to)(canvas->cairo, plot_place(x, curves->x[i]),
                                                      plot_place(y, numbers[i]));
        drawing = isfinite(numbers[i]);
    }
    cairo_set_line_width(canvas->cairo, 1.8);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    cairo_stroke(canvas->cairo);
    for (size_t i = 0; i < curves->count; i++) {
        const bool alone = !(i > 0 && isfinite(numbers[i - 1])) &&
                           !(i + 1 < curves->count && isfinite(numbers[i + 1])); /* no line shows it */
        if (!isfinite(numbers[i]) || !(alone || curves->count <= MARKED))
            continue;
        cairo_arc(canvas->cairo, plot_place(x, curves->x[i]), plot_place(y, numbers[i]), 2.6, 0, 7);
        cairo_fill(canvas->cairo);
    }
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_BUTT);
}

/* What a curve has come to, beside its end; kept apart from the one before. */
static double draw_end(plot_canvas *canvas, const double *numbers, size_t count, const plot_scale *x,
                       const plot_scale *y, plot_colour colour, double taken)
{
    char text[32];
    const double last = numbers[count - 1];
    if (isfinite(last))
        snprintf(text, sizeof text, last != 0 && !(fabs(last) >= 1e-3 && fabs(last) < 1e5) ? "%.2e" : "%.4g",
                 last);
    else
        snprintf(text, sizeof text, "%s", isnan(last) ? "NaN" : last > 0 ? "∞" : "−∞");
    double at = isfinite(last) ? plot_place(y, last) : last < 0 ? y->from : y->to;
    if (fabs(at - taken) < PLOT_TEXT + 2)
        at = at < taken ? taken - PLOT_TEXT - 2 : taken + PLOT_TEXT + 2;
    plot_style style = plot_style_of(PLOT_TEXT, RIGHT - 8);
    style.colour = colour;
    style.bold = true;
    plot_text(canvas, x->to + 6, at, style, text);
    return at;
}

static void draw_legend(plot_canvas *canvas, const plot_panel *panel, double left)
{
    const double room = PANEL_WIDTH - LEFT - RIGHT;
    double at = left + LEFT;
    plot_style style = plot_style_of(PLOT_TEXT, room / (double)panel->series_count - 34);
    for (size_t i = 0; i < panel->series_count; i++) {
        plot_set_colour(canvas, plot_palette(i));
        cairo_set_line_width(canvas->cairo, 1.8);
        cairo_move_to(canvas->cairo, at, TOP - 12);
        cairo_line_to(canvas->cairo, at + 18, TOP - 12);
        cairo_stroke(canvas->cairo);
        plot_text(canvas, at + 23, TOP - 12, style, panel->series[i].name);
        at += 23 + plot_text_width(canvas, style, panel->series[i].name) + 16;
    }
}

static void draw_panel(plot_canvas *canvas, const plot_curves *curves, const plot_panel *panel, double left)
{
    double low, high, taken = -INFINITY;
    const bool any = range(panel, curves->count, &low, &high);
    const plot_scale x = scale_x(curves, left), y = scale_y(panel, any ? low : 0, any ? high : 1);
    plot_style style = plot_style_of(PLOT_TEXT, PANEL_WIDTH - LEFT - RIGHT);
    plot_axes(canvas, &x, &y, true);
    draw_legend(canvas, panel, left);
    cairo_save(canvas->cairo);
    for (size_t i = 0; i < panel->series_count; i++) {
        plot_set_colour(canvas, plot_palette(i));
        draw_series(canvas, curves, panel->series[i].y, &x, &y);
    }
    cairo_restore(canvas->cairo);
    for (size_t i = 0; i < panel->series_count; i++)
        taken = draw_end(canvas, panel->series[i].y, curves->count, &x, &y, plot_palette(i), taken);
    style.align = PLOT_CENTRE;
    if (!any)
        plot_text(canvas, (x.from + x.to) / 2, (y.from + y.to) / 2, style, "no finite numbers");
    plot_text(canvas, (x.from + x.to) / 2, HEIGHT - 14, style, curves->x_label);
    char title[256];
    snprintf(title, sizeof title, "%s%s", panel->title, y.logarithmic ? ", logarithmic" : "");
    style = plot_style_of(PLOT_TEXT, PANEL_WIDTH - LEFT);
    style.bold = true;
    plot_text(canvas, x.from, TOP - 32, style, title);
}

bool plot_draw_curves(const char *file, const plot_curves *curves, plot_error *error)
{
    plot_canvas canvas;
    if (curves->count == 0)
        return plot_fail(error, "%.200s: there are no numbers to draw", file);
    const double width = PANEL_WIDTH * (double)curves->panel_count;
    if (!plot_canvas_begin(&canvas, file, width, HEIGHT, error))
        return false;
    plot_heading(&canvas, curves->title, NULL);
    for (size_t i = 0; i < curves->panel_count; i++)
        draw_panel(&canvas, curves, &curves->panels[i], PANEL_WIDTH * (double)i);
    return plot_canvas_end(&canvas, error);
}
