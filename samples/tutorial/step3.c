#include "shapes.h"

#include <stdio.h>

int main(void)
{
    // [draw]
    static float pictures[3][PIXELS];
    int32_t kinds[3];
    draw_shapes(8, 3, pictures, kinds);
    for (int n = 0; n < 3; n++) {
        printf("%s:\n", kind_names[kinds[n]]);
        print_picture(pictures[n]);
    }
    // [draw end]
    return 0;
}
