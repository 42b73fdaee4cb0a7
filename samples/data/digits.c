/* Digits that look like handwriting: stroke shapes, distorted at random, drawn with a soft round pen. */
#include "dataset.h"

#include <math.h>
#include <stdlib.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, DIGITS = 10, POINTS = 24 };

/* A pen's way: where it is put down, what it passes in a curve, where it turns sharply. Ends at an END. */
typedef enum pen_move { END, PEN, CURVE, CORNER } pen_move;

/* Hundredths of the digit's box, x to the right and y downwards. */
typedef struct way_point {
    unsigned char move, x, y;
} way_point;

typedef struct shape {
    unsigned char digit;
    way_point points[POINTS];
} shape;

#define P(x, y)   \
    {             \
        PEN, x, y \
    }
#define C(x, y)     \
    {               \
        CURVE, x, y \
    }
#define X(x, y)      \
    {                \
        CORNER, x, y \
    }

/* clang-format off */
static const shape shapes[] = {
    /* round; narrow, begun at the right; closed by a curl */
    {0, {P(55,1), C(24,12), C(7,50), C(24,90), C(55,99), C(85,82), C(92,45), C(78,10), C(48,2)}},
    {0, {P(72,12), C(50,1), C(28,22), C(20,58), C(34,95), C(62,96), C(78,65), C(80,30), C(66,5)}},
    {0, {P(50,8), C(18,24), C(10,62), C(36,98), C(76,86), C(92,44), C(74,8), C(44,4), C(38,20)}},
    /* a bare stroke; with a flag; with flag and foot; with a short hook */
    {1, {P(52,0), X(48,100)}},
    {1, {P(22,28), C(40,16), X(56,0), C(55,50), X(54,100)}},
    {1, {P(28,22), X(52,2), X(52,98), P(22,98), X(82,97)}},
    {1, {P(38,10), X(54,1), C(52,50), C(50,100)}},
    /* straight foot; looped foot; upright swan neck */
    {2, {P(12,28), C(26,6), C(58,0), C(84,18), C(76,46), C(44,76), X(10,98), X(94,96)}},
    {2, {P(14,22), C(40,2), C(74,8), C(76,38), C(46,76), C(18,98), C(8,86), C(26,76), C(60,92), C(96,92)}},
    {2, {P(18,18), C(50,0), C(84,20), C(64,56), X(12,94), C(40,88), C(66,98), C(92,88)}},
    /* two bows; flat roof; a small loop in the waist */
    {3, {P(14,14), C(44,0), C(80,14), C(74,38), X(40,47), C(78,54), C(90,78), C(56,100), C(8,88)}},
    {3, {P(14,4), X(84,3), X(44,40), C(80,50), C(88,78), C(54,100), C(10,88)}},
    {3, {P(18,10), C(56,0), C(78,20), C(56,42), C(38,50), C(48,42), C(82,60), C(80,88), C(46,100), C(12,92)}},
    /* open with straight arms; closed; an open bowl */
    {4, {P(26,2), C(20,30), X(10,58), X(92,54), P(72,22), X(68,100)}},
    {4, {P(64,0), X(6,66), X(94,66), P(66,2), X(65,100)}},
    {4, {P(20,4), C(14,36), C(34,54), C(66,50), X(82,40), P(84,0), C(80,50), C(74,100)}},
    {4, {P(34,4), X(8,52), X(76,52), P(76,2), X(70,100)}},
    /* roof drawn last; in one go; a wavy roof */
    {5, {P(26,4), X(20,44), C(56,36), C(88,58), C(78,90), C(40,100), C(8,90), P(26,5), X(88,2)}},
    {5, {P(86,3), X(26,4), X(18,46), C(58,40), C(86,66), C(66,96), C(10,94)}},
    {5, {P(88,0), C(58,8), X(30,4), C(22,44), C(66,42), C(88,68), C(58,98), C(8,90)}},
    /* a wide bow; a straight stem */
    {6, {P(74,2), C(34,26), C(10,64), C(26,96), C(62,98), C(86,74), C(60,52), C(26,64), C(14,80)}},
    {6, {P(46,0), C(24,36), C(14,76), C(42,100), C(80,86), C(76,60), C(46,52), C(18,72)}},
    {6, {P(62,2), C(26,30), C(12,76), C(44,100), C(74,80), C(58,56), C(24,78)}},
    /* plain; with a bar; with a serif and a bent leg; round at the shoulder */
    {7, {P(6,6), X(90,4), C(62,50), X(40,100)}},
    {7, {P(8,8), X(88,4), X(42,100), P(30,52), X(82,48)}},
    {7, {P(10,24), X(12,6), X(86,6), C(58,44), C(50,100)}},
    {7, {P(8,10), C(50,4), C(86,8), C(72,40), C(48,100)}},
    /* in one go from the top right; two rings; begun in the middle */
    {8, {P(78,14), C(50,0), C(22,16), C(44,44), C(80,72), C(54,100), C(16,80), C(48,48), C(78,24), C(72,8)}},
    {8, {P(52,1), C(22,20), C(48,45), C(78,22), C(48,2), P(50,45), C(12,72), C(48,100), C(88,74), C(52,46)}},
    {8, {P(46,48), C(78,26), C(52,0), C(24,22), C(52,50), C(84,78), C(48,100), C(14,78), C(50,46)}},
    /* a straight stem; a tail swung to the left; loop and stem apart */
    {9, {P(80,14), C(48,2), C(14,24), C(32,48), C(66,40), X(82,14), C(80,50), X(72,100)}},
    {9, {P(82,24), C(56,0), C(18,16), C(22,44), C(58,48), C(82,24), C(84,64), C(60,98), C(18,92)}},
    {9, {P(72,10), C(38,4), C(16,30), C(40,50), C(76,30), C(78,8), C(68,60), C(54,100)}},
};
/* clang-format on */

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* Uniform in [low, high). */
static float uniform(uint64_t *state, float low, float high)
{
    return low + (high - low) * (float)(dataset_random(state) >> 40) * 0x1p-24f;
}

/* Nearly normal and never beyond 3.5 standard deviations: four uniform numbers of variance 1/12 summed. */
static float normal(uint64_t *state, float std)
{
    uint64_t bits = dataset_random(state);
    uint64_t sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    return std * 1.7320508f * ((float)sum * 0x1p-16f - 2.0f);
}

typedef struct point {
    float x, y;
} point;

/* One writer's hand on one occasion. Lengths are in pixels. */
typedef struct hand {
    float xx, xy, yx, yy; /* from the digit's box, its middle at 0, to the image: size, slant and turn */
    point middle;         /* where in the image the box's middle lies */
    float bend_x, bend_y; /* a slow wave through the box */
    float tremble;        /* how far way-points stray, in parts of the box */
    float pen, taper;     /* radius of the stroke, and how much of it is lost from its beginning to its end */
    float soft;           /* width of the stroke's edge */
    float ink, noise;     /* grey value of the stroke, standard deviation of each pixel's noise */
} hand;

static hand random_hand(uint64_t *state)
{
    float height = uniform(state, 16.5f, 21.5f), width = height * uniform(state, 0.5f, 0.88f);
    float slant = 0.12f + normal(state, 0.15f), turn = normal(state, 0.08f);
    float cosine = cosf(turn), sine = sinf(turn);
    hand h = {.xx = cosine * width,
              .xy = -cosine * slant * height - sine * height,
              .yx = sine * width,
              .yy = cosine * height - sine * slant * height};
    h.middle.x = 0.5f * SIDE + uniform(state, -1.8f, 1.8f);
    h.middle.y = 0.5f * SIDE + uniform(state, -1.8f, 1.8f);
    h.bend_x = normal(state, 0.05f);
    h.bend_y = normal(state, 0.04f);
    h.tremble = uniform(state, 0.015f, 0.05f);
    h.pen = uniform(state, 0.75f, 1.75f);
    h.taper = uniform(state, -0.25f, 0.35f);
    h.soft = uniform(state, 0.9f, 1.6f);
    h.ink = uniform(state, 0.7f, 1.0f);
    h.noise = uniform(state, 0.0f, 0.07f);
    return h;
}

/* Where in the image this hand puts a way-point. */
static point place(const hand *h, way_point at, uint64_t *state)
{
    float x = (float)at.x * 0.01f - 0.5f + normal(state, h->tremble);
    float y = (float)at.y * 0.01f - 0.5f + normal(state, h->tremble);
    float bent_x = x + h->bend_x * sinf(5.0f * y), bent_y = y + h->bend_y * sinf(5.0f * x);
    return (point){h->middle.x + h->xx * bent_x + h->xy * bent_y,
                   h->middle.y + h->yx * bent_x + h->yy * bent_y};
}

static float clamp(float value, float low, float high)
{
    return value < low ? low : value > high ? high : value;
}

/* Ink the pixels near the segment from a to b by their distance to it, pressed as the pen radius says. */
static void draw_segment(float *image, point a, point b, float radius, float soft)
{
    float reach = radius + soft, dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
    int left = (int)clamp(floorf(fminf(a.x, b.x) - reach), 0, SIDE);
    int right = (int)clamp(ceilf(fmaxf(a.x, b.x) + reach), 0, SIDE);
    int top = (int)clamp(floorf(fminf(a.y, b.y) - reach), 0, SIDE);
    int bottom = (int)clamp(ceilf(fmaxf(a.y, b.y) + reach), 0, SIDE);
    for (int row = top; row < bottom; ++row) {
        for (int column = left; column < right; ++column) {
            float px = (float)column + 0.5f - a.x, py = (float)row + 0.5f - a.y;
            float along = square > 0 ? clamp((px * dx + py * dy) / square, 0, 1) : 0;
            float ex = px - along * dx, ey = py - along * dy;
            float ink = clamp(0.5f + (radius - sqrtf(ex * ex + ey * ey)) / soft, 0, 1);
            float *pixel = &image[row * SIDE + column];
            *pixel = ink > *pixel ? ink : *pixel;
        }
    }
}

/*
 * Draw the way from b to c, which bends towards where it came from and goes on to: a uniform Catmull-Rom
 * spline (Catmull and Rom, "A class of local interpolating splines", 1974) in short segments.
 */
static void draw_span(float *image, point a, point b, point c, point d, const float radius[2], float soft)
{
    enum { PIECES = 8 };
    point from = b;
    for (int i = 1; i <= PIECES; ++i) {
        float t = (float)i / PIECES, t2 = t * t, t3 = t2 * t;
        float wa = 0.5f * (-t3 + 2 * t2 - t), wb = 0.5f * (3 * t3 - 5 * t2 + 2);
        float wc = 0.5f * (-3 * t3 + 4 * t2 + t), wd = 0.5f * (t3 - t2);
        point to = {wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y};
        draw_segment(image, from, to, radius[0] + t * (radius[1] - radius[0]), soft);
        from = to;
    }
}

static void draw_shape(float *image, const shape *drawn, const hand *h, uint64_t *state)
{
    point at[POINTS];
    int count = 0;
    for (; count < POINTS && drawn->points[count].move != END; ++count) {
        at[count] = place(h, drawn->points[count], state);
    }
    for (int i = 1; i < count; ++i) {
        const way_point *way = &drawn->points[i];
        if (way->move == PEN) {
            continue;
        }
        /* A curve goes on through its way-point; at corners and ends the neighbour behind does not pull. */
        point before = way[-1].move == CURVE ? at[i - 2] : at[i - 1];
        point after = way->move == CURVE && i + 1 < count && way[1].move != PEN ? at[i + 1] : at[i];
        float lost[2] = {h->taper * (float)(i - 1) / (float)(count - 1),
                         h->taper * (float)i / (float)(count - 1)};
        float radius[2] = {h->pen * (1 - lost[0]), h->pen * (1 - lost[1])};
        draw_span(image, before, at[i - 1], at[i], after, radius, h->soft);
    }
}

enum { DRAW = 0, ORDER = 2 }; /* purposes; the part, 0 or 1, is added */

/* Each ten rows hold every digit once. */
static size_t digit_of_row(uint64_t seed, uint64_t part, size_t row)
{
    size_t order[DIGITS];
    uint64_t state = dataset_stream(seed, ORDER + part, row / DIGITS);
    for (size_t i = 0; i < DIGITS; ++i) {
        order[i] = i;
    }
    dataset_shuffle(order, DIGITS, &state);
    return order[row % DIGITS];
}

static const shape *random_shape(size_t digit, uint64_t *state)
{
    size_t first = 0, count = 0;
    for (size_t i = 0; i < SHAPES; ++i) {
        first += shapes[i].digit < digit;
        count += shapes[i].digit == digit;
    }
    return &shapes[first + dataset_random_below(state, count)];
}

static void draw_row(float *image, size_t digit, uint64_t state)
{
    const shape *drawn = random_shape(digit, &state);
    hand h = random_hand(&state);
    draw_shape(image, drawn, &h, &state);
    for (int i = 0; i < PIXELS; ++i) {
        float grey = clamp(h.ink * image[i] + normal(&state, h.noise), 0, 1);
        image[i] = floorf(grey * 255.0f + 0.5f) / 255.0f;
    }
}

static bool make_part(dataset *set, size_t rows, uint64_t seed, uint64_t part, dataset_error *error)
{
    if (!dataset_create(set, rows, PIXELS, DIGITS, error) || !dataset_number_classes(set, error)) {
        return false;
    }
    set->width = set->height = SIDE;
    for (size_t row = 0; row < rows; ++row) {
        size_t digit = digit_of_row(seed, part, row);
        set->classes[row] = (int32_t)digit;
        draw_row(set->x + row * PIXELS, digit, dataset_stream(seed, DRAW + part, row));
    }
    return true;
}

bool dataset_make_digits(size_t train_rows, size_t test_rows, uint64_t seed, dataset_pair *pair,
                         dataset_error *error)
{
    return dataset_make_pair(make_part, "digits", train_rows, test_rows, seed, pair, error);
}
