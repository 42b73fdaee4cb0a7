/* Where the samples are built without the libraries that draw, every picture is refused by the package's
 * name. */
#include "plot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static plot_error error;

static void assert_refused(bool result)
{
    assert_false(result);
    assert_non_null(strstr(error.text, "a.png: this program was built without pictures"));
    assert_non_null(strstr(error.text, "libpango1.0-dev"));
    error.text[0] = '\0';
}

static void test_all_is_refused(void **state)
{
    (void)state;
    assert_refused(plot_possible("a.png", &error));
    assert_refused(plot_draw_curves("a.png", &(plot_curves){0}, &error));
    assert_refused(plot_draw_matrix("a.png", &(plot_matrix){0}, &error));
    assert_refused(plot_draw_regions("a.png", &(plot_regions){0}, &error));
    assert_refused(plot_draw_sheet("a.png", &(plot_sheet){0}, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_is_refused)};
    return cmocka_run_group_tests_name("plot_none", tests, NULL, NULL);
}
