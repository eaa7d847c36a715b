/* What this program is called in results and in --version. */
#pragma once

#ifndef QUINTET_VERSION
#define QUINTET_VERSION "unversioned" /* compiled without CMake, which knows the number */
#endif

#if defined(__clang__)
#define QUINTET_COMPILER "clang " __clang_version__
#else
#define QUINTET_COMPILER "gcc " __VERSION__
#endif
