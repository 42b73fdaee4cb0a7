/* Text, by Pango: it finds a font for every script, and cuts what is too long. */
#include "plot_canvas.h"

#include <pango/pangocairo.h>

#define UNLIMITED 1e6 /* a width */
#define MARGIN 14     /* of a heading */

plot_style plot_style_of(double size, double width)
{
    return (plot_style){.size = size, .width = width, .colour = plot_ink};
}

static PangoLayout *lay_out(plot_canvas *canvas, plot_style style, const char *text)
{
    PangoLayout *layout = pango_cairo_create_layout(canvas->cairo);
    PangoFontDescription *font = pango_font_description_new();
    char *valid = g_utf8_make_valid(text, -1); /* a file's text may be anything */
    pango_font_description_set_family_static(font, "sans-serif");
    pango_font_description_set_absolute_size(font, style.size * PANGO_SCALE);
    pango_font_description_set_weight(font, style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_text(layout, valid, -1);
    if (style.width < UNLIMITED) {
        pango_layout_set_width(layout, (int)(style.width * PANGO_SCALE));
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    }
    g_free(valid);
    pango_font_description_free(font);
    return layout;
}

/* Of the line alone, which is as wide as its letters, not as its room. */
static void measure(PangoLayout *layout, double *left, double *width, double *height)
{
    PangoRectangle logical;
    pango_layout_get_extents(layout, NULL, &logical);
    *left = (double)logical.x / PANGO_SCALE;
    *width = (double)logical.width / PANGO_SCALE;
    *height = (double)logical.height / PANGO_SCALE;
}

double plot_text_width(plot_canvas *canvas, plot_style style, const char *text)
{
    double left, width, height;
    PangoLayout *layout = lay_out(canvas, style, text);
    measure(layout, &left, &width, &height);
    g_object_unref(layout);
    return width;
}

void plot_text(plot_canvas *canvas, double x, double y, plot_style style, const char *text)
{
    double left, width, height;
    PangoLayout *layout = lay_out(canvas, style, text);
    measure(layout, &left, &width, &height);
    const double before = style.align == PLOT_LEFT ? 0 : style.align == PLOT_CENTRE ? width / 2 : width;
    cairo_save(canvas->cairo);
    plot_set_colour(canvas, style.colour);
    cairo_translate(canvas->cairo, x, y);
    if (style.up)
        cairo_rotate(canvas->cairo, -1.5707963267948966);
    cairo_move_to(canvas->cairo, -before - left, -height / 2);
    pango_cairo_show_layout(canvas->cairo, layout);
    cairo_restore(canvas->cairo);
    g_object_unref(layout);
}

void plot_heading(plot_canvas *canvas, const char *title, const char *subtitle)
{
    plot_style style = plot_style_of(PLOT_TITLE, canvas->width - 2 * MARGIN);
    style.bold = true;
    plot_text(canvas, MARGIN, 20, style, title);
    style = plot_style_of(PLOT_TEXT, canvas->width - 2 * MARGIN);
    style.colour = plot_faint;
    if (subtitle != NULL)
        plot_text(canvas, MARGIN, 40, style, subtitle);
}
