/* The program: everything it does is a subcommand. */
#include "sim/pages.h"
#include "tools/subcommand.h"

int main(int argc, char **argv)
{
    pages_begin();
    return (int)subcommand_main(argc, argv);
}
