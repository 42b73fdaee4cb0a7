/* All that this project's own library m has. */
int metres(int miles);

int metres(int miles)
{
    return 1609 * miles;
}
