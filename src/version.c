#include <clgrad/version.h>

#define TEXT(number) #number
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

int clgrad_version(void)
{
    return CLGRAD_VERSION_NUMBER;
}

const char *clgrad_version_text(void)
{
    return VERSION(CLGRAD_VERSION_MAJOR, CLGRAD_VERSION_MINOR, CLGRAD_VERSION_PATCH);
}
