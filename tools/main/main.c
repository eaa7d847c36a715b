/* The program: everything it does is a subcommand. */
#include "tools/subcommand.h"

int main(int argc, char **argv)
{
    return (int)subcommand_main(argc, argv);
}
