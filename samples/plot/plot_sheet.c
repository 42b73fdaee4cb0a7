/* Images side by side, each above three lines of text. */
#include "plot_canvas.h"

#include <math.h>

#define COLUMNS 10
#define CELL 84  /* from one image to the next */
#define IMAGE 68 /* the longer side of one */
#define LEAST_PIXELS (4 * IMAGE)
#define MARGIN 14
#define TOP 86
#define LINES 50 /* below an image */

/*
 * The image with each pixel as a square of several: how pixels are enlarged, a reader of SVG decides, and
 * most blur them.
 */
static cairo_surface_t *enlarge(const plot_sheet *sheet, const plot_image *image)
{
    const size_t longer = sheet->width > sheet->height ? sheet->width : sheet->height;
    const size_t times = (LEAST_PIXELS + longer - 1) / longer;
    const size_t width = times * sheet->width, height = times * sheet->height;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
        return surface;
    unsigned char *bytes = cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (size_t i = 0; i < height; i++)
        for (size_t j = 0; j < width; j++) {
            const float value = image->grey[i / times * sheet->width + j / times];
            const uint32_t grey = (uint32_t)(255 * (1 - fmin(fmax((double)value, 0), 1)) + 0.5);
            ((uint32_t *)(void *)(bytes + i * stride))[j] = grey << 16 | grey << 8 | grey;
        }
    cairo_surface_mark_dirty(surface);
    return surface;
}

static void draw_image(plot_canvas *canvas, const plot_sheet *sheet, const plot_image *image, double x,
                       double y)
{
    cairo_surface_t *surface = enlarge(sheet, image);
    if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS) {
        const double width = cairo_image_surface_get_width(surface);
        const double size = IMAGE / fmax(width, cairo_image_surface_get_height(surface));
        cairo_save(canvas->cairo);
        cairo_translate(canvas->cairo, x + (IMAGE - size * width) / 2, y);
        cairo_scale(canvas->cairo, size, size);
        cairo_set_source_surface(canvas->cairo, surface, 0, 0);
        cairo_pattern_set_filter(cairo_get_source(canvas->cairo), CAIRO_FILTER_NEAREST);
        cairo_paint(canvas->cairo);
        cairo_restore(canvas->cairo);
    }
    cairo_surface_destroy(surface);
    cairo_set_line_width(canvas->cairo, 1);
    plot_set_colour(canvas, plot_grid);
    cairo_rectangle(canvas->cairo, x - 0.5, y - 0.5, IMAGE + 1, IMAGE + 1);
    cairo_stroke(canvas->cairo);
}

/* The three lines in the colours that they have below every image. */
static void choose_style(plot_style *style, size_t line)
{
    style->colour = line == 0 ? plot_ink : line == 1 ? plot_palette(1) : plot_faint;
}

static void draw_legend(plot_canvas *canvas, const plot_sheet *sheet)
{
    const char *const lines[] = {sheet->truth, sheet->prediction, sheet->remark};
    plot_style style = plot_style_of(PLOT_TEXT, 400);
    double x = MARGIN;
    for (size_t i = 0; i < 3; i++) {
        choose_style(&style, i);
        plot_text(canvas, x, 64, style, lines[i]);
        x += plot_text_width(canvas, style, lines[i]) + 16;
    }
}

static void draw_lines(plot_canvas *canvas, const plot_image *image, double x, double y)
{
    const char *const lines[] = {image->truth, image->prediction, image->remark};
    plot_style style = plot_style_of(PLOT_TEXT, CELL - 4);
    style.align = PLOT_CENTRE;
    for (size_t i = 0; i < 3; i++) {
        choose_style(&style, i);
        plot_text(canvas, x, y + 11 + 14 * (double)i, style, lines[i]);
    }
}

bool plot_draw_sheet(const char *file, const plot_sheet *sheet, plot_error *error)
{
    plot_canvas canvas;
    const size_t rows = (sheet->count + COLUMNS - 1) / COLUMNS;
    const double width = COLUMNS * CELL + 2 * MARGIN - (CELL - IMAGE);
    if (!plot_canvas_begin(&canvas, file, width, TOP + (double)rows * (IMAGE + LINES + 8), error))
        return false;
    plot_heading(&canvas, sheet->title, sheet->subtitle);
    if (sheet->count > 0)
        draw_legend(&canvas, sheet);
    for (size_t i = 0; i < sheet->count; i++) {
        const plot_image *image = &sheet->images[i];
        const double x = MARGIN + CELL * (double)(i % COLUMNS);
        const double y = TOP + (IMAGE + LINES + 8) * (double)(i / COLUMNS);
        draw_image(&canvas, sheet, image, x, y);
        draw_lines(&canvas, image, x + IMAGE / 2.0, y + IMAGE);
    }
    return plot_canvas_end(&canvas, error);
}
