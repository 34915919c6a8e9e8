/*
 * program.h - what the responder programs share of main(): arguments, settings, the loop.
 */
#ifndef HV_PROGRAM_H
#define HV_PROGRAM_H

#include "fcgi/responder.h"

/*
 * Without arguments: serves requests until asked to stop. --config FILE: the settings.
 * --check: says whether the settings can be used, and prints them. --version, --help.
 * Returns the exit status: 0, 64 (arguments), 78 (settings) or 71 (no request can come any more).
 */
int program_main(const struct program *program, int argc, char **argv);

#endif
