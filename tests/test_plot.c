/*
 * The samples' pictures: read back by a library, they have ink where they must. Colours are those of the
 * palette: blue for the first series or class and for what is right, vermillion for the second and for what
 * is wrong.
 */
#include "plot.h"

#include "folder.h"
#include "picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PNG "test_plot.png"
#define SVG "test_plot.svg"
#define BLUE 0x0072b2u
#define VERMILLION 0xd55e00u
#define WHITE 0xffffffu
#define INK 0x212126u   /* of a title */
#define FAINT 0x6b6b73u /* of a subtitle, and of what an axis is */
#define GREY 0xe5e5e8u  /* around an image */
#define MOST 100

static plot_error error;
static double numbers[2][MOST], epochs[MOST];

/* Where the first panel's curves are, without legend and figures at their ends. */
static const part panel = {0.085, 0.4175, 0.255, 0.86};

static part column(double left, double right)
{
    const double width = panel.right - panel.left;
    return (part){panel.left + left * width, panel.left + right * width, panel.top, panel.bottom};
}

/* Two panels with the same two series. */
static plot_curves make_curves(size_t count, bool linear)
{
    static plot_series series[2];
    static plot_panel panels[2];
    for (size_t i = 0; i < MOST; i++)
        epochs[i] = (double)i + 1;
    series[0] = (plot_series){"training", numbers[0]};
    series[1] = (plot_series){"test", numbers[1]};
    panels[0] = panels[1] = (plot_panel){"loss", series, 2, linear, NAN};
    return (plot_curves){"title", "epoch", epochs, count, panels, 2};
}

static picture draw_curves(size_t count, bool linear)
{
    const plot_curves curves = make_curves(count, linear);
    if (!plot_draw_curves(PNG, &curves, &error))
        fail_msg("%s", error.text);
    return picture_read(PNG);
}

static void test_curves_go_where_the_numbers_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < 20; i++) {
        numbers[0][i] = 10 - 0.4 * (double)i; /* falls from 10 to 2.4 */
        numbers[1][i] = 2 + 0.4 * (double)i;
    }
    picture p = draw_curves(20, true);
    assert_int_equal(p.width, 1600);
    assert_int_equal(p.height, 660);
    const ink blue_left = picture_ink(&p, column(0, 0.2), BLUE),
              blue_right = picture_ink(&p, column(0.8, 1), BLUE);
    const ink red_left = picture_ink(&p, column(0, 0.2), VERMILLION);
    const ink red_right = picture_ink(&p, column(0.8, 1), VERMILLION);
    assert_true(blue_left.count > 200 && blue_right.count > 200);
    assert_true(blue_left.y < 0.45 && blue_right.y > 0.65);
    assert_true(red_left.y > 0.65 && red_right.y < 0.45);
    const ink blue_middle = picture_ink(&p, column(0.4, 0.6), BLUE),
              red_middle = picture_ink(&p, column(0.4, 0.6), VERMILLION);
    assert_true(fabs(blue_middle.y - red_middle.y) < 0.03); /* they cross there */
    /* and the second panel has them too */
    assert_true(picture_ink(&p, (part){0.58, 0.9, 0.27, 0.84}, BLUE).count > 1000);
    picture_free(&p);
}

/* A decade apart, numbers are equally far from each other on a logarithmic axis; on a linear one the lower
 * lie low. */
static void test_curves_logarithmic(void **state)
{
    (void)state;
    double middle[2];
    for (size_t i = 0; i < 21; i++) {
        numbers[0][i] = pow(10, -0.2 * (double)i);
        numbers[1][i] = 1;
    }
    for (int linear = 0; linear < 2; linear++) {
        picture p = draw_curves(21, linear == 1);
        middle[linear] = picture_ink(&p, column(0.47, 0.53), BLUE).y;
        picture_free(&p);
    }
    assert_true(fabs(middle[0] - 0.555) < 0.04); /* half-way down */
    assert_true(middle[1] > 0.78);
    /* Neither 0 nor below has a logarithm. */
    numbers[0][20] = 0;
    picture p = draw_curves(21, false);
    assert_true(picture_ink(&p, column(0.47, 0.53), BLUE).y > 0.78);
    picture_free(&p);
}

/* Behind the panel's own title, "loss", stands that its axis is logarithmic, and nothing where it is not. */
static void test_curves_say_logarithmic(void **state)
{
    (void)state;
    static const part behind = {130 / 800.0, 0.48, 46 / 330.0, 62 / 330.0};
    for (size_t i = 0; i < 3; i++)
        numbers[0][i] = numbers[1][i] = pow(10, -(double)i);
    for (int linear = 0; linear < 2; linear++) {
        picture p = draw_curves(3, linear == 1);
        assert_int_equal(picture_ink(&p, behind, INK).count > 200, linear == 0);
        picture_free(&p);
    }
}

static void test_curves_leave_gaps(void **state)
{
    (void)state;
    for (size_t i = 0; i < 20; i++)
        numbers[0][i] = numbers[1][i] = i >= 7 && i <= 12 ? NAN : 5 + (double)i;
    numbers[1][3] = INFINITY;
    picture p = draw_curves(20, true);
    assert_true(picture_ink(&p, column(0.05, 0.3), VERMILLION).count > 100);
    assert_int_equal(picture_ink(&p, column(0.38, 0.58), VERMILLION).count, 0);
    assert_int_equal(picture_ink(&p, column(0.38, 0.58), BLUE).count, 0);
    assert_true(picture_ink(&p, column(0.7, 0.95), VERMILLION).count > 100);
    picture_free(&p);

    for (size_t i = 0; i < 20; i++)
        numbers[0][i] = i == 10 ? 1 : NAN, numbers[1][i] = NAN;
    p = draw_curves(20, true);
    const ink dot = picture_ink(&p, panel, BLUE);
    assert_true(dot.count > 40 && dot.count < 150); /* one point alone is seen */
    assert_int_equal(picture_ink(&p, panel, VERMILLION).count, 0);
    picture_free(&p);

    numbers[0][10] = NAN; /* nothing at all */
    p = draw_curves(20, false);
    assert_int_equal(picture_ink(&p, panel, BLUE).count, 0);
    picture_free(&p);
}

/* One epoch, constants, tiny and huge numbers, many epochs: something is drawn, within the frame. */
static void test_curves_extremes(void **state)
{
    (void)state;
    static const double scales[] = {1, 0, 1e-300, 1e300, -3, 1e-12};
    static const size_t counts[] = {1, 2, MOST};
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (int linear = 0; linear < 2; linear++) {
                for (size_t i = 0; i < counts[c]; i++) {
                    numbers[0][i] = scales[s] * (1 + (double)i);
                    numbers[1][i] = -scales[s];
                }
                picture p = draw_curves(counts[c], linear == 1);
                const ink blue = picture_ink(&p, panel, BLUE), red = picture_ink(&p, panel, VERMILLION);
                if (blue.count + red.count <= 20 || red.count <= 20)
                    fail_msg("%zu and %zu pixels of %zu numbers of size %g", blue.count, red.count, counts[c],
                             scales[s]);
                picture_free(&p);
            }
    const plot_curves none = make_curves(0, true);
    assert_false(plot_draw_curves(PNG, &none, &error));
    assert_non_null(strstr(error.text, "no numbers to draw"));
}

static void test_svg(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++)
        numbers[0][i] = numbers[1][i] = (double)i;
    const plot_curves curves = make_curves(10, true);
    assert_true(plot_draw_curves(SVG, &curves, &error));
    const drawing d = drawing_read(SVG);
    assert_true(d.width == 800 && d.height == 330);
    assert_true(d.paths > 40);      /* 40 dots, 4 curves, ticks */
    assert_true(d.glyph_uses > 40); /* letters */
    remove(SVG);
}

/* ---- matrices ---- */

static const char *subtitle; /* below the title of the matrices */

static picture draw_matrix(size_t classes, const char *const *names, const size_t *counts)
{
    const plot_matrix matrix = {"title", subtitle, classes, names, counts};
    if (!plot_draw_matrix(PNG, &matrix, &error))
        fail_msg("%s", error.text);
    return picture_read(PNG);
}

static const part cells = {0, 1, 0.3, 1}; /* below the legend */

/* The full colour of a cell that has all of its class. */
#define ALL_RIGHT 0x147dbau /* 0.92 of the way from white */
#define ALL_WRONG 0xd86b14u

static void test_matrix_colours(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "dog"};
    picture p = draw_matrix(2, names, (const size_t[]){7, 0, 0, 9});
    const ink right = picture_ink(&p, cells, ALL_RIGHT);
    assert_true(right.count > 2 * 120 * 120); /* two cells of 64 units, but for the numbers in them */
    assert_int_equal(picture_ink(&p, cells, ALL_WRONG).count, 0);
    picture_free(&p);

    p = draw_matrix(2, names, (const size_t[]){0, 7, 0, 9}); /* a cat is taken for a dog */
    const ink wrong = picture_ink(&p, cells, ALL_WRONG), rest = picture_ink(&p, cells, ALL_RIGHT);
    assert_true(wrong.count > 120 * 120 && wrong.count < 130 * 130);
    assert_true(rest.count > 120 * 120 && rest.count < 130 * 130);
    assert_true(wrong.y < rest.y - 0.1); /* the row above */
    assert_true(fabs(wrong.x - rest.x) < 0.02);
    picture_free(&p);

    p = draw_matrix(2, names, (const size_t[]){0, 0, 5, 0}); /* no cat at all, and every dog taken for one */
    const ink left = picture_ink(&p, cells, ALL_WRONG);
    assert_true(left.count > 120 * 120 && left.x < wrong.x - 0.1 && left.y > wrong.y + 0.1);
    picture_free(&p);
}

/* A strip across a matrix picture, in units from its top. */
static part strip(const picture *p, double top, double bottom)
{
    const double height = (double)p->height / 2;
    return (part){0, 1, top / height, bottom / height};
}

static void test_matrix_texts(void **state)
{
    (void)state;
    static const char *const names[] = {"a long name", "dog"};
    static const size_t counts[] = {7, 0, 0, 9};
    for (size_t i = 0; i < 2; i++) {
        subtitle = i == 0 ? NULL : "what it is about";
        picture p = draw_matrix(2, names, counts);
        assert_int_equal(picture_ink(&p, strip(&p, 33, 47), FAINT).count > 100, i);
        /* "predicted class" in the middle above the two columns, whose cells on the diagonal are filled */
        const ink predicted = picture_ink(&p, strip(&p, 94, 110), FAINT);
        assert_true(predicted.count > 100);
        assert_true(fabs(predicted.x - picture_ink(&p, cells, ALL_RIGHT).x) <
                    0.02); /* its letters are not alike */
        picture_free(&p);
    }
    subtitle = NULL;
}

static void test_matrix_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 3, 20, 21, 100};
    static char texts[MOST][64];
    const char *names[MOST];
    for (int length = 0; length < 2; length++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            const size_t classes = sizes[s];
            size_t *counts = calloc(classes * classes, sizeof *counts);
            assert_non_null(counts);
            for (size_t i = 0; i < classes; i++) {
                snprintf(texts[i], sizeof texts[i],
                         length ? "a class of animals that has the number %zu" : "%zu", i);
                names[i] = texts[i];
                counts[i * classes + i] = 1000000;
            }
            picture p = draw_matrix(classes, names, counts);
            assert_true(p.width >= 900 && p.width < 2000 && p.height < 2000);
            const ink right = picture_ink(&p, whole, ALL_RIGHT);
            assert_true(right.count > (classes == 100 ? 100 * 80 : classes * 35 * 35));
            picture_free(&p);
            free(counts);
        }
}

/* Bytes that are no UTF-8, line ends, other scripts: whatever a file calls its classes. */
static void test_matrix_names(void **state)
{
    (void)state;
    static const char *const names[] = {"", "\xff\xfe\x80", "two\nlines\tand a tab",
                                        "\xe6\x97\xa5\xe6\x9c\xac <&>\""};
    static const size_t counts[16] = {1, [5] = 2, [10] = 3, [15] = 4};
    picture p = draw_matrix(4, names, counts);
    assert_true(picture_ink(&p, cells, ALL_RIGHT).count > 4 * 100 * 100);
    picture_free(&p);
    const plot_matrix matrix = {"\xff", "\xfe", 4, names, counts};
    assert_true(plot_draw_matrix(SVG, &matrix, &error));
    assert_true(drawing_read(SVG).paths > 10);
    remove(SVG);
}

/* ---- regions ---- */

#define BLUE_REGION 0x6bacd2u /* 0.58 of the way from white */
#define VERMILLION_REGION 0xe6a16bu

static void test_regions(void **state)
{
    (void)state;
    /* The first class in the left half, the second in the right; low y is likelier to be uncertain. */
    static const char *const names[] = {"left", "right"};
    float probability[3][4][2];
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 4; j++) {
            const float sure = i == 0 ? 0.55f : 1;
            probability[i][j][0] = j < 2 ? sure : 1 - sure;
            probability[i][j][1] = 1 - probability[i][j][0];
        }
    const float points[] = {-5, 15, 5, 15, 11.5f, 10};
    const int32_t classes[] = {0, 0, 1};
    const bool wrong[] = {false, true, true};
    plot_regions regions = {
        .title = "t",
        .x_label = "x",
        .y_label = "y",
        .x_low = -10,
        .x_high = 10,
        .y_low = 0,
        .y_high = 20,
        .columns = 4,
        .rows = 3,
        .probability = &probability[0][0][0],
        .classes = 2,
        .names = names,
        .points = points,
        .true_class = classes,
        .wrong = wrong,
        .point_count = 3,
    };
    assert_true(plot_draw_regions(PNG, &regions, &error));
    picture p = picture_read(PNG);
    assert_int_equal(p.width, 2 * (62 + 460 + 150));
    assert_int_equal(p.height, 2 * (62 + 460 + 48));
    const part square = {0.095, 0.775, 0.085, 0.91}, low = {0.1, 0.775, 0.86, 0.91};
    const ink left = picture_ink(&p, square, BLUE_REGION), right = picture_ink(&p, square, VERMILLION_REGION);
    assert_true(left.count > 50000 && right.count > 50000);
    assert_true(left.x < 0.35 && right.x > 0.5);
    assert_true(left.y < 0.45 && right.y < 0.45); /* y grows upwards, and there it is certain */
    assert_int_equal(picture_ink(&p, low, BLUE_REGION).count, 0);
    /* Two points of the first class at y = 15, a quarter down; the third is outside. */
    const ink dots = picture_ink(&p, square, BLUE);
    assert_true(dots.count > 60 && dots.count < 500);
    assert_true(fabs(dots.y - (62 + 115) / 570.0) < 0.01 && fabs(dots.x - (62 + 230) / 672.0) < 0.02);
    assert_int_equal(picture_ink(&p, square, VERMILLION).count, 0);
    assert_int_equal(picture_ink(&p, (part){0.78, 1, 0.4, 0.9}, VERMILLION).count, 0);
    picture_free(&p);

    for (size_t i = 0; i < 24; i++)
        (&probability[0][0][0])[i] = NAN; /* of a network that diverged */
    assert_true(plot_draw_regions(PNG, &regions, &error));
    p = picture_read(PNG);
    assert_true(picture_ink(&p, square, WHITE).count > 700000);
    picture_free(&p);
}

static void test_regions_of_many_classes(void **state)
{
    (void)state;
    static float probability[2][2][MOST];
    const char *names[MOST];
    for (size_t i = 0; i < MOST; i++)
        names[i] = "a class with a name that is too long for a legend";
    for (size_t classes = 1; classes <= MOST; classes += 33) {
        memset(probability, 0, sizeof probability);
        for (size_t i = 0; i < 4; i++)
            (&probability[0][0][0])[i * classes + classes - 1] = 1;
        const plot_regions regions = {
            .title = "t",
            .x_label = "x",
            .y_label = "y",
            .x_low = 1e-9,
            .x_high = 2e-9,
            .y_low = -1e9,
            .y_high = 1e9,
            .columns = 2,
            .rows = 2,
            .probability = &probability[0][0][0],
            .classes = classes,
            .names = names,
        };
        assert_true(plot_draw_regions(PNG, &regions, &error));
        picture p = picture_read(PNG);
        const uint32_t middle = p.pixels[p.height / 2 * p.width + p.width / 3];
        assert_true(middle != WHITE);
        assert_true(picture_ink(&p, (part){0.1, 0.77, 0.1, 0.9}, middle).count > 600000);
        picture_free(&p);
    }
}

/* ---- contact sheets ---- */

static void test_sheet(void **state)
{
    (void)state;
    float black[6] = {1, 1, 1, 1, 1, 2}, half[6] = {1, 1, 0, 0, 0, -1};
    plot_image images[12];
    for (size_t i = 0; i < 12; i++)
        images[i] =
            (plot_image){i == 0 ? half : black, "a true class with a long name", "another one", "99.9 %"};
    plot_sheet sheet = {.title = "t",
                        .truth = "true",
                        .prediction = "said",
                        .remark = "r",
                        .width = 2,
                        .height = 3,
                        .images = images,
                        .count = 12};
    assert_true(plot_draw_sheet(PNG, &sheet, &error));
    picture p = picture_read(PNG);
    /* 11 black images and a third of one, of 68 x 2/3 * 68 units, that is four times as many pixels */
    const double area = 4 * 68 * 68 * 2.0 / 3;
    const double black_share = (double)picture_ink(&p, whole, 0x000000).count / area;
    assert_true(black_share > 11.2 && black_share < 11.4);
    const ink first = picture_ink(&p, (part){0, 0.09, 0, 0.5}, 0x000000);
    const ink second = picture_ink(&p, (part){0.1, 0.18, 0, 0.5}, 0x000000);
    assert_true(first.count > 1500 && second.count > 5000 &&
                first.y < second.y - 0.05); /* its ink is above */
    const size_t height = p.height;
    picture_free(&p);

    sheet.count = 10; /* one row less */
    assert_true(plot_draw_sheet(PNG, &sheet, &error));
    p = picture_read(PNG);
    assert_true(p.height < height - 200);
    picture_free(&p);
    sheet.count = 0;
    assert_true(plot_draw_sheet(PNG, &sheet, &error));
    p = picture_read(PNG);
    assert_int_equal(picture_ink(&p, whole, GREY).count, 0);
    picture_free(&p);
}

/* In an SVG each image is as large as a fine display needs it: what is smaller a reader would blur. */
static void test_sheet_svg(void **state)
{
    (void)state;
    const float grey[6] = {1, 0, 0, 1, 1, 0};
    const plot_image image = {grey, "1", "7", "99.9 %"};
    const plot_sheet sheet = {.title = "t",
                              .subtitle = "of what",
                              .truth = "true",
                              .prediction = "said",
                              .remark = "r",
                              .width = 3,
                              .height = 2,
                              .images = &image,
                              .count = 1};
    assert_true(plot_draw_sheet(SVG, &sheet, &error));
    const drawing d = drawing_read(SVG);
    assert_int_equal(d.images, 1);
    assert_true(d.image_width == 273 && d.image_height == 182); /* 91 times 3 and 2 */
    remove(SVG);
}

/* ---- files ---- */

static void assert_refused(const char *file, const char *words)
{
    numbers[0][0] = numbers[1][0] = 1;
    const plot_curves curves = make_curves(1, true);
    assert_false(plot_draw_curves(file, &curves, &error));
    if (strstr(error.text, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, error.text);
}

static void test_files(void **state)
{
    (void)state;
    static const char *const names[] = {"",    "picture",        "picture.jpg", ".png",
                                        "png", "picture.png.gz", "a.svgz"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(plot_possible(names[i], &error));
        assert_non_null(strstr(error.text, "neither in .png nor in .svg"));
        assert_refused(names[i], "neither in .png nor in .svg");
    }
    assert_true(plot_possible("no/such/folder/a.SVG", &error) && plot_possible("a.Png", &error));
    assert_refused("test_plot_absent/a.png", "test_plot_absent/a.png cannot be written: No such file");

    /* What was there stays until the new one is whole, and nothing is left beside it. */
    const path place = make_place(), there = in(place.text, "there.png");
    path found[4];
    assert_int_equal(mkdir(there.text, 0777), 0);
    assert_refused(there.text, "cannot be written: Is a directory");
    assert_int_equal(list(place.text, found, 4), 1);
    remove_all(place.text);
}

/* On a full disk the sentence says so: the file beside it leads to one. */
static void test_full_disk(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"a.png", "a.png.new"}, {"a.svg", "a.svg.new"}};
    struct stat status;
    path found[4];
    if (stat("/dev/full", &status) != 0)
        skip();
    const path place = make_place();
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(symlink("/dev/full", in(place.text, names[i][1]).text), 0);
        assert_refused(in(place.text, names[i][0]).text, "cannot be written: No space left");
        assert_int_equal(list(place.text, found, 4), 0);
    }
    remove_all(place.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curves_go_where_the_numbers_go),
        cmocka_unit_test(test_curves_logarithmic),
        cmocka_unit_test(test_curves_say_logarithmic),
        cmocka_unit_test(test_curves_leave_gaps),
        cmocka_unit_test(test_curves_extremes),
        cmocka_unit_test(test_svg),
        cmocka_unit_test(test_matrix_colours),
        cmocka_unit_test(test_matrix_texts),
        cmocka_unit_test(test_matrix_sizes),
        cmocka_unit_test(test_matrix_names),
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_regions_of_many_classes),
        cmocka_unit_test(test_sheet),
        cmocka_unit_test(test_sheet_svg),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_full_disk),
    };
    const int failed = cmocka_run_group_tests_name("plot", tests, NULL, NULL);
    remove(PNG);
    return failed;
}
